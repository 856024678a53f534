"""The fleet in numbers at two moments. Each section is a file in ``past/``: a statement about a ``$moment``.

The columns of a section are ``fact`` in words, ``n``, the ``whole`` it is a part of where it is a share, and of how
many of these it is ``unknown``. Its ``$blueprint`` is NULL for all devices. What history does not know is not told.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from kandji_queries import sql_files
from kandji_queries.history.period import KNOWN_SINCE, NO_HISTORY
from kandji_schema.utc import whole_second

if TYPE_CHECKING:
    from kandji_queries.reader import Reader

SECTIONS = Path(__file__).parent / "past"
KEYS = frozenset({"title", "description", "place"})

_PAST = re.compile(r"\b(\w+)_as_of\(")


@dataclass(frozen=True)
class Then:
    """One number at one moment: ``n`` of a ``whole``, of which ``unknown`` are not known; None where it is no share."""

    n: int
    whole: int | None = None
    unknown: int | None = None

    @property
    def percent(self) -> float | None:
        """The share in percent; None where it is none, or of nothing."""
        return 100 * self.n / self.whole if self.whole else None


@dataclass(frozen=True)
class ComparedLine:
    """One number at the ``start`` and at the ``end``; a value that nothing had then is 0."""

    fact: str
    start: Then
    end: Then

    @property
    def change(self) -> int:
        """How many more there are at the end."""
        return self.end.n - self.start.n


@dataclass(frozen=True)
class ComparedSection:
    """Numbers of one kind at two moments, naive UTC; the ``statement`` was run for each of them.

    Without a ``start`` history knows nothing of them: ``note`` says so, and where it begins later than was asked.
    """

    title: str
    start: datetime | None
    end: datetime
    lines: tuple[ComparedLine, ...]
    note: str
    statement: str


def compare_fleet(
    reader: "Reader", since: datetime, now: datetime, *, blueprint: str = ""
) -> tuple[ComparedSection, ...]:
    """Count the fleet at ``since`` and ``now``, naive UTC, where history begins later from then on."""
    begins: Mapping[str, datetime] = dict(reader.run(KNOWN_SINCE).rows)
    return tuple(_compared(reader, file, since, now, begins, blueprint) for file in _files())


def _compared(
    reader: "Reader",
    file: sql_files.SqlFile,
    since: datetime,
    now: datetime,
    begins: Mapping[str, datetime],
    blueprint: str,
) -> ComparedSection:
    title, tables = file.one("title"), sorted(set(_PAST.findall(file.sql)))
    if unkept := [table for table in tables if table not in begins]:
        note = f"No history is kept of {', '.join(unkept)}, so there is nothing to compare." if begins else NO_HISTORY
        return ComparedSection(title, None, now, (), note, file.sql)
    latest = max(tables, key=lambda table: begins[table])
    start = max(since, whole_second(begins[latest]))
    note = "" if start == since else f"History of {latest} begins on {start:%Y-%m-%d %H:%M} UTC: compared from then on."
    before, after = (_at(reader, file.sql, moment, blueprint) for moment in (start, max(now, start)))
    return ComparedSection(title, start, now, tuple(_lines(before, after)), note, file.sql)


def _at(reader: "Reader", sql: str, moment: datetime, blueprint: str) -> dict[str, Then]:
    values = {"moment": moment, "blueprint": blueprint or None}
    return {fact: Then(n, whole, unknown) for fact, n, whole, unknown in reader.run(sql, values).rows}


def _lines(before: Mapping[str, Then], after: Mapping[str, Then]) -> Iterator[ComparedLine]:
    for fact in [*after, *(fact for fact in before if fact not in after)]:
        yield ComparedLine(fact, before.get(fact, Then(0)), after.get(fact, Then(0)))


@cache
def _files() -> tuple[sql_files.SqlFile, ...]:
    found = sql_files.folder(SECTIONS, KEYS).values()
    return tuple(sorted(found, key=lambda file: int(file.one("place"))))
