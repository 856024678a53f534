"""The devices the tenant lists, as the device table has them; and which one is meant by what a person typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from kandji_mirror.api.client import Client
from kandji_mirror.api.device_lookup import NAMES, find_listed
from kandji_mirror.ingest.engine import Engine, store_errors
from kandji_schema import database
from kandji_schema.device_lookup import KnownDevice, listed, meant, mirrored, near, other_number
from kandji_schema.errors import UsageError
from kandji_schema.resource import Resource
from kandji_schema.sql import literal

DEVICES = "devices"


@dataclass(frozen=True)
class ListedDevice:
    """A listed device.

    ``seen`` is a fingerprint of its row, check-in included: as long as it stays, nothing was heard of the device.
    ``checked_in`` is UTC without a zone, None where it never did.
    """

    platform: str | None
    seen: str
    checked_in: datetime | None = None


Fleet = Mapping[str, ListedDevice]
"""Listed devices by device id."""


def read_fleet(engine: Engine, path: Path) -> Fleet:
    """Return the devices in a data file of the device table. :class:`StoreError` where it cannot be read."""
    columns = "device_id, platform, md5(d::VARCHAR), last_check_in"
    with store_errors(str(path)), engine.cursor() as con, engine.attached(con, path) as catalog:
        listed = f"SELECT {columns} FROM {catalog}.main.{DEVICES} AS d WHERE device_id IS NOT NULL"
        return {row[0]: ListedDevice(row[1], row[2], row[3]) for row in con.execute(listed).fetchall()}


REPEATED_COLUMNS = {
    "device_name": "device__name",
    "user_id": "device__user_id",
    "user_name": "device__user_name",
    "user_email": "device__user_email",
    "blueprint_id": "blueprint_id",
    "blueprint_name": "blueprint_name",
    "asset_tag": "asset_tag",
    "tags": "tags",
}
"""Columns of a device that people edit, and the fields in which Prism repeats them without calling that a change."""


def repeated_columns(resource: Resource) -> tuple[str, ...]:
    """Return the columns of a device that a Prism table repeats."""
    kept = resource.known_fields - resource.ignored
    return tuple(column for column, field in REPEATED_COLUMNS.items() if field in kept)


def edited_columns(before: Path, after: Path) -> list[tuple[str, str]]:
    """Return which of :data:`REPEATED_COLUMNS` differ between two data files of the device table.

    They are pairs of device id and column.
    """
    pairs = " UNION ALL ".join(
        f"SELECT device_id, '{c}' FROM new JOIN old USING (device_id) WHERE new.{c} IS DISTINCT FROM old.{c}"
        for c in REPEATED_COLUMNS
    )
    with store_errors(str(after)), database.connect() as con:
        for name, path in (("old", before), ("new", after)):
            con.execute(f"ATTACH {literal(path)} AS {name}_file (READ_ONLY)")
            con.execute(f"CREATE VIEW {name} AS FROM {name}_file.{DEVICES}")
        return con.execute(pairs).fetchall()


def on_platforms(fleet: Fleet, platforms: tuple[str, ...]) -> Fleet:
    """Return the devices of some platforms; no platforms mean all."""
    if not platforms:
        return fleet
    return {device: listed for device, listed in fleet.items() if listed.platform in platforms}


def find_device(home: Path, client: Client, text: str) -> str:
    """Return the identifier of the device that is meant, as a search compares texts; what is exactly so comes first.

    The mirror is asked first, then the tenant: the device may be new. :class:`UsageError` where there is none of that
    name, with those called nearly so, and where there are several.
    """
    wanted = text.strip()
    here = mirrored(home)
    found = meant(here, wanted) or _listed(client, wanted)
    if len(found) > 1:
        raise UsageError(
            f"{len(found)} devices are called {wanted!r}, newest contact first: {listed(found)}. "
            "Name one by its identifier."
        )
    for device in found:
        return device.device_id
    raise UsageError(
        f"There is no device {wanted!r}, neither by identifier nor by serial number nor by name.{_hint(here, wanted)}"
    )


def _hint(devices: Sequence[KnownDevice], wanted: str) -> str:
    alike = near(devices, wanted)
    return f" Nearly so: {listed(alike)}." if alike else other_number(wanted)


def _listed(client: Client, wanted: str) -> list[KnownDevice]:
    """Find those that the tenant lists: what is called so counts, not what contains the text."""
    columns = ("device_id",) if _is_identifier(wanted) else NAMES
    return meant(find_listed(client, wanted, lambda device: bool(meant([device], wanted)), columns), wanted)


def _is_identifier(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
