"""The counting rule: what the provider lists counts, and how a named query leaves some of it out.

Removed and missing devices and archived people are in every answer. A query whose header says what it counts,

::

    -- counts: devices
    -- counts: devices and people

takes ``with_removed``, and where it counts people ``with_archived``: both are true unless they are given. Its statement
knows nothing of them. Where one is false, the tables that it reads are narrowed before it, under their own names, so
that every count and every join sees the same devices.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from kandji_queries.catalog.params import Param
from kandji_schema.sql import identifier

if TYPE_CHECKING:
    from kandji_queries.results.result import StatementRunner

DEVICES, PEOPLE = "devices", "people"

WITH_REMOVED = Param("with_removed", "bool", "Whether devices marked removed count.", default=True, required=False)
WITH_ARCHIVED = Param(
    "with_archived", "bool", "Whether archived people count, and their devices.", default=True, required=False
)
PARAMS: Mapping[str, Param] = MappingProxyType({DEVICES: WITH_REMOVED, PEOPLE: WITH_ARCHIVED})
"""The parameter that comes with each thing that is counted."""

OF_DEVICES = (
    r"devices|fleet|compliance|compliance_devices|apps|threats|behavioral_detections|vulnerability_detections"
    r"|lost_mode|device_\w+|prism_\w+"
)
"""The tables and views whose rows belong to the device in their ``device_id``."""

_READ = re.compile(rf"\b(?:FROM|JOIN)\s+({OF_DEVICES}|users)\b(?!\s*\()")

_REMOVED = "d.is_removed"
_ARCHIVED = "coalesce(u.archived, d.user_is_archived)"


def counted_in(words: str) -> tuple[str, ...]:
    """Read what a header says is counted; :class:`ValueError` for anything else."""
    found = [word.strip() for word in re.split(r",|\band\b", words)]
    if not found or any(word not in PARAMS for word in found):
        raise ValueError(f"what is counted is {' or '.join(PARAMS)}, not {words!r}")
    return tuple(found)


def narrowed(sql: str, values: Mapping[str, object]) -> str:
    """Return the statement over the devices and people that count by these values; the same one where all do."""
    reasons = [why for name, why in (("with_removed", _REMOVED), ("with_archived", _ARCHIVED)) if not values[name]]
    if not reasons:
        return sql
    tables = sorted(set(_READ.findall(sql)))
    parts = ",\n".join(_parts(tables, reasons))
    rest = sql.removeprefix("WITH ")
    return f"WITH {parts}" + (f",\n{rest}" if rest != sql else f"\n{sql}")


LISTED = "SELECT count(*), count(*) FILTER (WHERE is_removed), count(*) FILTER (WHERE is_missing) FROM devices"


def notes(reader: "StatementRunner", sql: str, *, removed_count: bool) -> Iterator[str]:
    """Say of counts of devices, by a statement that does not tell the removed ones, which devices are in them."""
    if "is_removed" in sql:
        return
    ((devices, removed, missing),) = reader.run(LISTED).rows
    marks = [f"{removed:,} removed" if removed_count and removed else "", f"{missing:,} missing" if missing else ""]
    if any(marks):
        counting = devices if removed_count else devices - removed
        yield f"Counts are among {counting:,} listed devices, of which {', '.join(filter(None, marks))}."


def _parts(tables: list[str], reasons: list[str]) -> Iterator[str]:
    """Yield the devices that do not count, and each table without them."""
    people = "LEFT JOIN main.users AS u ON u.id = d.user_id " if _ARCHIVED in reasons else ""
    yield f"not_counted AS (SELECT d.device_id FROM main.devices AS d {people}WHERE {' OR '.join(reasons)})"
    for table in tables:
        if table != "users":
            yield f"{table} AS (FROM main.{identifier(table)} ANTI JOIN not_counted USING (device_id))"
        elif _ARCHIVED in reasons:
            yield "users AS (FROM main.users WHERE NOT coalesce(archived, false))"
