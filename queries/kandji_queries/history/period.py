"""The time that a question about changes covers, and how much of it history knows.

A time of which nothing is known is refused, or told where only a part of it is: "nothing changed" is said of what was
looked at and of nothing else.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from kandji_queries.relations import BETWEEN
from kandji_queries.times import read_moment
from kandji_schema.errors import UnknownName, UsageError
from kandji_schema.sql import fold_name
from kandji_schema.utc import naive_utc

if TYPE_CHECKING:
    from kandji_queries.catalog.queries import NamedQuery
    from kandji_queries.results.result import StatementRunner

KNOWN_SINCE = "SELECT table_name, since FROM history ORDER BY since DESC, table_name"

TABLES = "SELECT table_name FROM freshness ORDER BY table_name"

NO_HISTORY = "No history is kept yet: what changed before the next sync is not known."

_TEXT = re.compile(r"'(\w+)'")

_NAMED = 3
"""Most tables that a note names."""


@dataclass(frozen=True)
class Period:
    """From ``since``, included, to ``until``, excluded, naive UTC; None is without an end. It is asked at ``now``."""

    since: datetime | None
    until: datetime | None
    now: datetime


def read_period(since: str | None, until: str | None, now: datetime) -> Period:
    """Read the period between two times as people write them; :class:`UsageError` where it is reversed or to come."""
    present = naive_utc(now)
    begin, end = (None if text is None else read_moment(text, now) for text in (since, until))
    if begin is not None and begin > present:
        raise UsageError(f"since {since!r} lies in the future; nothing is known of what will change.")
    if begin is not None and begin >= (end or present):
        raise UsageError(f"since {since!r} is not before until {until or 'now'!r}; nothing lies between them.")
    return Period(begin, end, present)


def known_since(reader: "StatementRunner", table: str | None, period: Period) -> Mapping[str, datetime]:
    """Return for each table with history, or the one named, since when it is whole (naive UTC), the latest first.

    A name may be in any case. :class:`UnknownName` where there is no such table, :class:`UsageError` where no history
    is kept of it or the period ends before any begins.
    """
    begins: dict[str, datetime] = dict(reader.run(KNOWN_SINCE).rows)
    if table is not None:
        table = _kept_table(reader, table, begins)
        begins = {table: begins[table]}
    if begins and period.until is not None and period.until <= min(begins.values()):
        raise UsageError(
            f"History {f'of {table} ' if table else ''}begins on {min(begins.values()):%Y-%m-%d %H:%M} UTC; what "
            f"changed before {period.until:%Y-%m-%d %H:%M} is not known."
        )
    return begins


def _kept_table(reader: "StatementRunner", written: str, begins: Mapping[str, datetime]) -> str:
    """Return the table as it is called: people write it in any case, as in SQL."""
    known = [name for (name,) in reader.run(TABLES).rows]
    table = fold_name(written)
    if table not in known:
        raise UnknownName("table", written, known)
    if table not in begins:
        kept = f"It is kept of {', '.join(sorted(begins))}." if begins else NO_HISTORY
        raise UsageError(f"No history is kept of {table}, so what changed in it is not known. {kept}")
    return table


def coverage_notes(begins: Mapping[str, datetime], period: Period) -> Iterator[str]:
    """Say what has to be known of the part of a period that history does not cover."""
    late = [name for name, at in begins.items() if period.since is None or at > period.since]
    if not begins:
        yield NO_HISTORY
    elif period.since is None or len(late) == len(begins):
        yield f"History begins on {min(begins.values()):%Y-%m-%d %H:%M} UTC; what changed earlier is not known."
    elif late:
        names = ", ".join(late[:_NAMED]) + (f" and {len(late) - _NAMED} more" if len(late) > _NAMED else "")
        yield f"Changes before {max(begins.values()):%Y-%m-%d %H:%M} UTC are not known of {names}."
    if period.until is not None and period.until > period.now:
        yield "The end of the time asked for lies in the future; this is what changed until now."


def query_notes(reader: "StatementRunner", query: "NamedQuery", values: Mapping[str, object]) -> Iterator[str]:
    """Say the same of a named query that tells what changed since a moment, its ``since``: of the tables it names."""
    if query.since is None:
        return
    used = {name: value for name, value in values.items() if re.search(rf"\${name}\b", query.since)}
    ((since,),) = reader.run(f"SELECT ({query.since})::TIMESTAMP", used).rows
    begins: dict[str, datetime] = dict(reader.run(KNOWN_SINCE).rows)
    told = begins.keys() & set(_TEXT.findall(query.sql))
    if told and BETWEEN not in query.sql:  # what it tells of the others as well: what a device came with
        begins = {table: at for table, at in begins.items() if table in told}
    yield from coverage_notes(begins, Period(since, None, since))
