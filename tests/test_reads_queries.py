"""The shipped queries and views on a small mirror: right, complete, and honest about what is unknown."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from known_fleet import answer
from reads_home import NOW, Rows, device, publish

from kandji_queries.definitions import views
from kandji_queries.reader import Reader

DEVICES: Rows = [
    device(1),
    device(2, os_version="13.6.9", is_missing=True),
    device(3, os_version=None, last_check_in=None),
    device(
        4, os_version="unreadable", last_check_in=NOW - timedelta(days=8), blueprint_id="gone", blueprint_name="Gone"
    ),
    device(5, platform="iPad", os_version="12.0", blueprint_id=None, blueprint_name=None, is_removed=True),
]
APPS: Rows = [
    {"device_id": "d1", "name": "zoom.us", "bundle_id": "us.zoom.xos", "version": "6.10.0", "path": "/Applications/z"},
    {
        "device_id": "d2",
        "name": "zoom.us",
        "bundle_id": "us.zoom.xos",
        "version": "6.9 (123)",
        "path": "/Applications/z",
    },
    {"device_id": "d2", "name": "zoom.us", "bundle_id": "us.zoom.xos", "version": "6.10.0", "path": "/Users/x/z"},
    {"device_id": "d4", "name": "zoom.us", "bundle_id": "us.zoom.xos", "version": None, "path": "/Applications/z"},
    {"device_id": "d4", "name": "Falcon", "bundle_id": None, "version": "x", "path": "/Applications/f"},
    {
        "device_id": "left",
        "name": "zoom.us",
        "bundle_id": "us.zoom.xos",
        "version": "6.10.0",
        "path": "/Applications/z",
    },
]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    home = tmp_path_factory.mktemp("home")
    posture: Rows = [
        {"device_id": "d1", "status": True},
        {"device_id": "d2", "status": False},
        {"device_id": "d4", "status": None},
    ]
    blueprints: Rows = [{"id": "b1", "name": "Engineering", "computers_count": 3}, {"id": "b2", "name": "Empty"}]
    publish(home, {"devices": DEVICES, "blueprints": blueprints, "apps": APPS, "prism_filevault": posture})
    with Reader(home) as reader:
        yield reader


def test_devices_are_counted_by_platform(reader: Reader) -> None:
    assert reader.query("devices_by_platform").rows == [("Mac", 4, 1, 0), ("iPad", 1, 0, 1)]


def test_blueprints_without_devices_and_devices_without_blueprint_are_counted(reader: Reader) -> None:
    assert answer(reader, "devices_by_blueprint", "blueprint devices missing removed provider_count") == [
        ("Engineering", 3, 1, 0, 3),
        ("(no blueprint)", 1, 0, 1, None),
        ("Gone", 1, 0, 0, None),
        ("Empty", 0, 0, 0, None),
    ]


def test_old_macs_are_listed_and_unreadable_versions_are_not_dropped(reader: Reader) -> None:
    assert answer(reader, "macs_below_os_version", "device_id os_version version_known user_email is_missing") == [
        ("d2", "13.6.9", True, "user2@example.org", True),
        ("d3", None, False, "user3@example.org", False),
        ("d4", "unreadable", False, "user4@example.org", False),
    ]
    assert answer(reader, "macs_below_os_version", "device_id", version="16") == [("d2",), ("d1",), ("d3",), ("d4",)]


def test_devices_that_never_checked_in_are_stale(reader: Reader) -> None:
    assert answer(reader, "stale_devices", "device_id days_since") == [("d3", None), ("d4", 8)]
    assert answer(reader, "stale_devices", "device_id", days="9") == [("d3",)]


def test_an_app_is_found_by_a_part_of_its_name_in_any_case(reader: Reader) -> None:
    found = answer(reader, "devices_with_app", "device_id device_name path", app="ZOOM")
    assert found == [
        ("d1", "Mac 1", "/Applications/z"),
        ("d2", "Mac 2", "/Applications/z"),
        ("d2", "Mac 2", "/Users/x/z"),
        ("d4", "Mac 4", "/Applications/z"),
        ("left", None, "/Applications/z"),
    ]
    assert answer(reader, "devices_with_app", "device_id", app="xos") == [(row[0],) for row in found]
    assert answer(reader, "devices_with_app", "device_id", app="%") == []


def test_old_versions_of_an_app_are_compared_as_numbers(reader: Reader) -> None:
    below = "devices_with_app_below_version"
    assert answer(reader, below, "device_id version version_known", app="zoom", version="6.10") == [
        ("d2", "6.9 (123)", True),
        ("d4", None, False),
    ]
    assert answer(reader, below, "device_id version version_known", app="falcon", version="1") == [("d4", "x", False)]


def test_macs_without_an_app_tell_whether_their_apps_are_known(reader: Reader) -> None:
    assert answer(reader, "macs_missing_app", "device_id inventory_known", app="falcon") == [
        ("d1", True),
        ("d2", True),
        ("d3", False),
    ]


def test_filevault_off_unknown_and_never_reported_are_told_apart(reader: Reader) -> None:
    assert answer(reader, "macs_without_filevault", "device_id filevault") == [
        ("d3", "never reported"),
        ("d2", "off"),
        ("d4", "unknown"),
    ]


def test_the_fleet_has_one_row_a_device(reader: Reader) -> None:
    rows = reader.run("SELECT device_id, filevault_on, firewall_on FROM fleet ORDER BY ALL").rows
    assert rows == [
        ("d1", True, None),
        ("d2", False, None),
        ("d3", None, None),
        ("d4", None, None),
        ("d5", None, None),
    ]


def test_freshness_tells_the_age_at_the_time_of_the_query(reader: Reader) -> None:
    asked = "SELECT state, rows, age_seconds, is_fresh, ttl_seconds FROM freshness WHERE table_name = $name"
    rows: Mapping[str, Any] = {n: reader.run(asked, {"name": n}).rows[0] for n in ("devices", "users")}
    assert rows["users"] == ("never synced", 0, None, False, 300)
    assert rows["devices"][:2] == ("ok", 5)
    assert rows["devices"][2] < reader.run(asked, {"name": "devices"}).rows[0][2]


@pytest.mark.parametrize("name", views())
def test_every_column_of_a_view_is_described(reader: Reader, name: str) -> None:
    detail = reader.describe(name)
    assert [column.name for column in detail.columns if not column.description] == []
    assert set(views()[name].columns) <= {column.name for column in detail.columns}
