"""A small fleet that holds what goes wrong in real ones, and the way its tests ask named queries about it.

Two devices of one name, one serial number written twice, a name that is SQL, one with an emoji and a typographic
apostrophe, a person with several devices, NULL wherever the provider sends it, and devices that were removed.
"""

from datetime import timedelta
from typing import Any

from reads_home import NOW, Rows, device

from kandji_queries.reader import Reader

ROBERT = "Robert'); DROP TABLE devices;--"
FOX = "José’s \U0001f98a MacBook"  # noqa: RUF001  # the apostrophe Apple puts into names
LONG_AGO = NOW - timedelta(days=2_000)

ANN = {"user_id": "u1", "user_name": "Ann Lee", "user_email": "Ann@example.org"}
BOB = {"user_id": "u2", "user_name": "Bob", "user_email": "bob@example.org", "user_is_archived": True}
NOBODY = {"user_id": None, "user_name": None, "user_email": None}
NOWHERE = {"blueprint_id": None, "blueprint_name": None}
NO_AGENT = {"agent_installed": False}

DEVICES: Rows = [
    device(1, device_name=ROBERT, agent_installed=True, agent_version="4.10.1 (9)", first_enrollment=LONG_AGO, **ANN),
    device(2, device_name="Twin", agent_installed=True, agent_version="4.9 (10)", os_version="14.10", **ANN),
    device(3, device_name="twin", serial_number="s2", asset_tag="007", os_version="14.9", **NO_AGENT, **ANN),
    device(4, device_name=FOX, agent_installed=True, os_version=None, last_check_in=None, tags=None, **NOBODY),
    device(5, device_name="iPad", platform="iPad", os_version="17.1", is_removed=True, **NOBODY, **NOWHERE),
    device(
        6, device_name="Phone", platform="iPhone", blueprint_id="b2", blueprint_name="Sales", tags=["lab", "vip"], **BOB
    ),
    device(
        7, device_name=None, serial_number=None, platform=None, model=None, os_version=None, is_missing=True, tags=[]
    ),
]

USERS: Rows = [
    {"id": "u1", "deprecated_user_id": "101", "name": "Ann Lee", "email": "ann@example.org", "active": True},
    {"id": "u2", "name": "Bob", "email": "bob@example.org", "active": False, "archived": True, "department": "Sales"},
    {"id": "u3", "name": "Cara", "email": "cara@example.org", "active": True, "archived": False, "device_count": 0},
    {"id": "u4", "name": "Dan", "email": None, "active": False, "archived": True},
    {"id": "u5", "name": "Eve", "email": "eve@example.org", "active": True, "archived": None},
]

BLUEPRINTS: Rows = [
    {"id": "b1", "name": "Engineering"},
    {"id": "b2", "name": "Sales"},
    {"id": "b3", "name": "Empty"},
]


def app(device_id: str, name: str | None, version: str | None, **facts: Any) -> dict[str, Any]:
    """One app on a device, at the usual place."""
    usual = {"bundle_id": f"com.{name}", "path": f"/Applications/{name}.app", "device_family": "Mac"}
    return {
        "device_id": device_id,
        "serial_number": device_id.upper(),
        "name": name,
        "version": version,
        **usual,
        **facts,
    }


APPS: Rows = [
    app("d1", "Word", "16.10", developer_name="Microsoft"),
    app("d2", "Word", "16.9", developer_name="Microsoft"),
    app("d2", "Word", "16.9", developer_name="Microsoft", path="/Users/ann/Word.app"),
    app("d3", "Word", "16.9", developer_name="Microsoft"),
    app("d3", "Word", None, developer_name="Microsoft", path="/Users/x/Word.app"),
    app("d3", "Edge", "130.0", developer_name="Microsoft"),
    app("d6", "Word", "2.0", device_family="iPhone", path=None),
    app("d1", "ソフト", "1.0", bundle_id=None),
    app("gone", "Edge", "129.5", developer_name="Microsoft"),
]


def answer(reader: Reader, query: str, columns: str, **params: object) -> list[tuple[Any, ...]]:
    """Some columns of a named query, in its order."""
    result = reader.query(query, params)
    assert not result.truncated
    places = [[c.name for c in result.columns].index(name) for name in columns.split()]
    return [tuple(row[place] for place in places) for row in result.rows]
