"""The devices the tenant lists, as the device table has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kandji_mirror.ingest.staging import store_errors
from kandji_schema import database
from kandji_schema.resource import Resource

DEVICES = "devices"


@dataclass(frozen=True)
class Listed:
    """A listed device.

    ``seen`` is a fingerprint of its row, check-in included: as long as it stays, nothing was heard of the device.
    ``checked_in`` is UTC without a zone, None
    where it never did.
    """

    platform: str | None
    seen: str
    checked_in: datetime | None = None


Fleet = Mapping[str, Listed]
"""Listed devices by device id."""


def read_fleet(path: Path) -> Fleet:
    """The devices of a data file of the device table. :class:`StoreError` where it cannot be read."""
    columns = "device_id, platform, md5(d::VARCHAR), last_check_in"
    sql = f"SELECT {columns} FROM {DEVICES} AS d WHERE device_id IS NOT NULL"
    with store_errors(str(path)), database.connect(path, read_only=True) as con:
        return {row[0]: Listed(row[1], row[2], row[3]) for row in con.execute(sql).fetchall()}


REPEATED = {
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


def repeated_in(resource: Resource) -> tuple[str, ...]:
    """The columns of a device that a Prism table repeats."""
    kept = resource.known_fields - resource.ignored
    return tuple(column for column, field in REPEATED.items() if field in kept)


def edited(before: Path, after: Path) -> list[tuple[str, str]]:
    """Which of :data:`REPEATED` differ between two data files of the device table: pairs of device id and column."""
    pairs = " UNION ALL ".join(
        f"SELECT device_id, '{c}' FROM new JOIN old USING (device_id) WHERE new.{c} IS DISTINCT FROM old.{c}"
        for c in REPEATED
    )
    with store_errors(str(after)), database.connect() as con:
        for name, path in (("old", before), ("new", after)):
            quoted = str(path).replace("'", "''")
            con.execute(f"ATTACH '{quoted}' AS {name}_file (READ_ONLY)")
            con.execute(f"CREATE VIEW {name} AS FROM {name}_file.{DEVICES}")
        return con.execute(pairs).fetchall()


def of_platforms(fleet: Fleet, platforms: tuple[str, ...]) -> Fleet:
    """The devices of some platforms; no platforms mean all."""
    if not platforms:
        return fleet
    return {device: listed for device, listed in fleet.items() if listed.platform in platforms}
