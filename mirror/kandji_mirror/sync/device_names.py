"""Which device is meant by an identifier, a serial number or a name."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from kandji_mirror.api.client import Client
from kandji_mirror.api.pages import read_page
from kandji_mirror.ingest.staging import store_errors
from kandji_mirror.sync.fleet import DEVICES
from kandji_schema import database
from kandji_schema.errors import NothingMirrored, UsageError
from kandji_schema.manifest import data_dir, newest_whole
from kandji_schema.registry import resource

NAMES = ("device_id", "serial_number", "device_name")
"""What tells a device from others, as the provider calls it and as the device table does."""

Found = Mapping[str, tuple[str, ...]]
"""Names of devices by identifier."""


def identified(home: Path, client: Client, text: str) -> str:
    """The identifier of the device that is meant. Case does not matter, the rest must be exact.

    The mirror is asked first, then the tenant: the device may be new. :class:`UsageError` where there is none of that
    name, and where there are several.
    """
    wanted = text.strip()
    found = _mirrored(home, wanted) or _listed(client, wanted)
    if len(found) > 1:
        which = "; ".join(", ".join(names) for names in list(found.values())[:5])
        raise UsageError(f"{len(found)} devices are called {wanted!r}: {which}. Name one by its identifier.")
    for device in found:
        return device
    raise UsageError(f"There is no device {wanted!r}, neither by identifier nor by serial number nor by name.")


def _mirrored(home: Path, wanted: str) -> Found:
    with suppress(NothingMirrored):
        file = newest_whole(home)[0].tables[DEVICES].file
        if file:
            path = data_dir(home) / file
            sql = f"SELECT {', '.join(NAMES)} FROM {DEVICES} WHERE lower($1) IN ({', '.join(map(_lower, NAMES))})"
            with store_errors(str(path)), database.connect(path, read_only=True) as con:
                return _by_identifier(con.execute(sql, [wanted]).fetchall())
    return {}


def _lower(column: str) -> str:
    return f"lower({column})"


def _listed(client: Client, wanted: str) -> Found:
    """The provider's filters find what contains the text; only what equals it counts."""
    rows: list[dict[str, Any]] = []
    for name in NAMES[:1] if _is_identifier(wanted) else NAMES[1:]:
        listed = resource(DEVICES)
        params = {**listed.params, "limit": str(listed.page_size), name: wanted}
        rows += client.read(listed.path, params.items(), lambda answer: read_page(answer, resource(DEVICES))).rows
    named = (tuple(str(row.get(name) or "") for name in NAMES) for row in rows)
    return _by_identifier(names for names in named if wanted.lower() in map(str.lower, names))


def _is_identifier(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _by_identifier(rows: Iterable[tuple[str, ...]]) -> Found:
    return {names[0]: tuple(name for name in names if name) for names in rows if names[0]}
