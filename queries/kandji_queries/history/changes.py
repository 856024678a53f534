"""Changes as faces tell them: how many things of which kind, and lines that tell the same of many devices once.

Counts are of things: an app that was updated on three Macs is three changes in one line. The lines of an answer add up
to its summary.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kandji_queries.catalog import device_lookup
from kandji_queries.history import period
from kandji_schema.sql import literal
from kandji_schema.things import THINGS

if TYPE_CHECKING:
    from kandji_queries.results.result import Row, StatementRunner

NAMED = 3
"""Most devices that a line names."""

TOLD = """
    SELECT
        *,
        CASE table_name WHEN 'apps' THEN row_key ->> '$.path' END AS path,
        regexp_extract(path, '^(.*?[.]app)(/|$)', 1) AS bundle
    FROM changes_between($since, $until)
    WHERE ($device IS NULL OR device_id = $device) AND ($table IS NULL OR table_name = $table)
"""
"""Every change that is asked about, of apps with the outermost bundle; :attr:`Asked.values` are bound to it."""

LINED = """
    SELECT
        * REPLACE (
            CASE WHEN path <> bundle THEN coalesce(
                max(CASE WHEN path = bundle THEN what END)
                    OVER (PARTITION BY device_id, bundle, changed_at, change, old_value, new_value),
                what
            ) ELSE what END AS what
        )
    FROM told
"""
"""The same with the words of an app for the helpers inside of it that changed alike: they are in its line."""

DETAILS = """
    SELECT changed_at, device_name, serial_number, table_name, change, column_name, old_value, new_value, row_key
    FROM changes
    WHERE
        changed_at >= $since
        AND changed_at < $until
        AND ($device IS NULL OR device_id = $device)
        AND ($table IS NULL OR table_name = $table)
    ORDER BY changed_at, table_name, row_key::VARCHAR, column_name
"""
"""The same, one row for each column, oldest first."""


@dataclass(frozen=True)
class Asked:
    """What is asked about: a time, and where that is wanted one table or device.

    ``begins`` tells since when history is kept of each table that is meant.
    """

    wanted: period.Period
    begins: Mapping[str, datetime]
    table: str | None
    past: device_lookup.DeviceHistory | None

    @cached_property
    def values(self) -> dict[str, Any]:
        """What is bound to a statement."""
        wanted = self.wanted
        return {
            "since": wanted.since or datetime.min,  # noqa: DTZ901  # naive UTC, as all moments of history
            "until": wanted.until or datetime.max,  # noqa: DTZ901
            "table": self.table,
            "device": self.past and self.past.device["device_id"],
        }

    def notes(self) -> Iterator[str]:
        """Say what has to be known of the time and the device."""
        yield from period.coverage_notes(self.begins, self.wanted)
        yield from self.past.notes() if self.past else ()


@dataclass(frozen=True)
class Kind:
    """How often one kind of thing changed in one way, and on how many devices."""

    thing: str
    change: str
    changes: int
    devices: int


def read_asked(
    reader: "StatementRunner",
    *,
    since: str | None,
    until: str | None,
    device: str | None,
    table: str | None,
    now: datetime,
) -> Asked:
    """Read what people write.

    :class:`UsageError` for a time of which nothing is known and a device that is not one alone, :class:`UnknownName`
    for a table there is not.
    """
    wanted = period.read_period(since, until, now)
    begins = period.known_since(reader, table, wanted)
    past = None if device is None else device_lookup.find_in_history(reader, device)
    return Asked(wanted, begins, None if table is None else next(iter(begins)), past)


def summary(found: "list[Row]") -> list[Kind]:
    """Return the kinds of changes in the rows of :func:`statement`, in the order in which people want to hear of them.

    That is devices first; things that change on many devices alike come last.
    """
    return [Kind(row[3], row[4], row[5], row[2]) for row in found if row[1] is None]


def statement(*, newest_first: bool, limit: int | None = None, offset: int = 0) -> str:
    """Write the query of lines, with those of the summary before: their ``what`` is NULL.

    Columns are ``changed_at`` (the last time), ``what``, ``devices`` (how many), ``thing``, ``change``, ``changes``
    (how many), ``which`` (the first devices, by name) and ``lines`` (how many there are). With a ``limit`` so many
    lines after ``offset`` of them.
    """
    order = _ORDER if newest_first else "changed_at, place, devices DESC, what"
    within = "" if limit is None else f"QUALIFY what IS NULL OR number BETWEEN {offset + 1} AND {offset + limit}"
    return f"""
        WITH told AS ({TOLD}),
        lined AS ({LINED}),
        counted AS (
            SELECT
                max(changed_at) AS changed_at, what, count(DISTINCT device_id) AS devices, thing, change,
                count(*) AS changes,
                list_sort(
                    list(DISTINCT coalesce(device_name, 'unknown') || ' (' || coalesce(serial_number, device_id) || ')')
                        FILTER (device_id IS NOT NULL)
                ) AS named,
                list_position([{_PLACES}], table_name) AS place
            FROM lined
            GROUP BY GROUPING SETS ((table_name, thing, change), (table_name, thing, change, what))
        ),
        numbered AS (
            SELECT *, row_number() OVER (PARTITION BY what IS NULL ORDER BY {_ORDER}) AS number FROM counted
        )
        SELECT
            changed_at, what, devices, thing, change, changes,
            CASE WHEN what IS NOT NULL THEN array_to_string(named[1:{NAMED}], ', ')
                || CASE WHEN length(named) > {NAMED} THEN ' and ' || (length(named) - {NAMED}) || ' more' ELSE '' END
            END AS which,
            count(what) OVER () AS lines
        FROM numbered
        {within}
        ORDER BY what IS NOT NULL, CASE WHEN what IS NULL THEN number END, {order}"""


_PLACES = ", ".join(map(literal, THINGS))

_ORDER = "place NULLS LAST, change = 'changed', changed_at DESC, devices DESC, what, thing, change"
