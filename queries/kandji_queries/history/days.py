"""Changes day by day: what changed on each day, by kind of thing, newest first, the same on many devices told once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from kandji_queries.history.changes import LINED, NAMED, TOLD, Asked, Kind
from kandji_schema.sql import literal
from kandji_schema.things import THINGS

if TYPE_CHECKING:
    from kandji_queries.results.result import Row, StatementRunner

CHANGES = ("added", "removed", "updated", "changed")
"""Ways in which a thing changes."""


@dataclass(frozen=True)
class Line:
    """One change as it is told: on how many ``devices``, the first of them by name, and the one where it is one."""

    thing: str
    change: str
    what: str
    changed_at: datetime
    changes: int
    devices: int
    which: str
    device_id: str | None


@dataclass(frozen=True)
class Day:
    """One day: what changed on all of it, and those of its lines that a page has."""

    day: date
    kinds: Sequence[Kind]
    lines: Sequence[Line]


@dataclass(frozen=True)
class Days:
    """A page of days, with how many ``lines`` and changes there are in all of the time."""

    days: Sequence[Day]
    lines: int
    changes: int
    as_of: Mapping[str, str | None]
    notes: Sequence[str]


def read_days(
    reader: "StatementRunner", asked: Asked, *, thing: str | None, change: str | None, limit: int, offset: int
) -> Days:
    """Return so many lines after ``offset`` of them, below their days. ``thing`` and ``change`` narrow it."""
    found = reader.run(_STATEMENT, {**asked.values, "thing": thing, "change": change, "limit": limit, "offset": offset})
    days = [_day(day, [*rows]) for day, rows in groupby(found.rows, key=lambda row: row[0])]
    lines, changes = (found.rows[0][-2], found.rows[0][-1]) if found.rows else (0, 0)
    return Days([day for day in days if day.lines], lines, changes, found.as_of, [*found.notes, *asked.notes()])


def _day(day: date, rows: Sequence["Row"]) -> Day:
    kinds = [Kind(row[1], row[2], row[5], row[6]) for row in rows if row[3] is None]
    return Day(day, kinds, [Line(*row[1:9]) for row in rows if row[3] is not None])


_PLACES = ", ".join(map(literal, THINGS))

_ORDER = "day DESC, place NULLS LAST, change = 'changed', devices DESC, what, thing, change"

_STATEMENT = f"""
    WITH told AS ({TOLD} AND ($thing IS NULL OR thing = $thing) AND ($change IS NULL OR change = $change)),
    lined AS ({LINED}),
    counted AS (
        SELECT
            changed_at::DATE AS day, thing, change, what,
            max(changed_at) AS changed_at, count(*) AS changes, count(DISTINCT device_id) AS devices,
            list_sort(
                list(DISTINCT coalesce(device_name, 'unknown') || ' (' || coalesce(serial_number, device_id) || ')')
                    FILTER (device_id IS NOT NULL)
            ) AS named,
            CASE WHEN count(DISTINCT device_id) = 1 THEN any_value(device_id) END AS device_id,
            list_position([{_PLACES}], table_name) AS place
        FROM lined
        GROUP BY GROUPING SETS (
            (changed_at::DATE, table_name, thing, change), (changed_at::DATE, table_name, thing, change, what)
        )
    ),
    numbered AS (
        SELECT
            *,
            row_number() OVER (PARTITION BY what IS NULL ORDER BY {_ORDER}) AS number,
            count(what) OVER () AS lines,
            sum(changes) FILTER (what IS NOT NULL) OVER () AS every
        FROM counted
    )
    SELECT
        day, thing, change, what, changed_at, changes, devices,
        CASE WHEN what IS NOT NULL THEN array_to_string(named[1:{NAMED}], ', ')
            || CASE WHEN length(named) > {NAMED} THEN ' and ' || (length(named) - {NAMED}) || ' more' ELSE '' END
        END AS which,
        device_id, lines, every::BIGINT AS every
    FROM numbered
    WHERE what IS NULL OR (number > $offset AND number <= $offset + $limit)
    ORDER BY day DESC, what IS NOT NULL, number"""
"""One row a day and kind, ``what`` NULL, and one a line of the page."""
