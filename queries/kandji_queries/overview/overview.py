"""The fleet in numbers. Each section is a file in ``sections/``, one row a line.

The columns of a section are ``fact`` in words; ``n``, NULL where it is not known; the ``whole`` it is a part of, where
it is a share; of how many of these it is ``unknown``; and ``behind``: what lists what is counted, as
``stale_devices(days=14)``, ``sql: FROM lost_mode`` or ``status``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from kandji_queries import sql_files
from kandji_queries.catalog.counting import ALL, narrowed

if TYPE_CHECKING:
    from kandji_queries.reader import Reader

SECTIONS = Path(__file__).parent / "sections"
KEYS = frozenset({"title", "description", "place"})

STATEMENT = "sql: "
"""What a statement begins with where no named query lists it."""

STATUS = "status"
"""The state of the mirror's tables."""

_CALL = re.compile(r"(?P<name>\w+)(?:\((?P<params>.*)\))?")


@dataclass(frozen=True)
class Behind:
    """What lists what a number counts: a named ``query`` with its parameters, a statement, or the mirror's status."""

    query: str = ""
    params: Mapping[str, str] | None = None
    sql: str = ""

    @classmethod
    def read(cls, text: str) -> "Behind":
        """Read it as a section writes it."""
        if text.startswith(STATEMENT):
            return cls(sql=text.removeprefix(STATEMENT))
        call = _CALL.fullmatch(text)
        if text == STATUS or call is None:
            return cls()
        pairs = (pair.partition("=") for pair in (call["params"] or "").split(",") if pair)
        return cls(query=call["name"], params={name.strip(): value for name, _, value in pairs})


@dataclass(frozen=True)
class Line:
    """One number. ``n`` is None where it is not known; ``whole`` and ``unknown`` are None where it is no share."""

    fact: str
    n: int | None
    whole: int | None
    unknown: int | None
    behind: Behind | None

    @property
    def percent(self) -> float | None:
        """The share in percent; None where it is none, or of nothing."""
        return 100 * self.n / self.whole if self.n is not None and self.whole else None


@dataclass(frozen=True)
class Section:
    """Numbers of one kind, and the statement that counted them."""

    name: str
    title: str
    lines: tuple[Line, ...]
    sql: str = ""


@dataclass(frozen=True)
class Overview:
    """All sections, when every table behind them was read, and what has to be known before they are believed."""

    sections: tuple[Section, ...]
    as_of: Mapping[str, str | None]
    notes: Sequence[str]


def read_overview(reader: "Reader", *, blueprint: str = "") -> Overview:
    """Count the fleet; sections of which there is nothing have no lines.

    Only devices of a ``blueprint`` of that name count where one is named; what is of no device is counted as ever.
    """
    statements = {file: narrowed(file.sql, ALL, blueprint=blueprint) for file in _files()}
    answers = {file: reader.run(sql) for file, sql in statements.items()}
    as_of = _oldest(answer.as_of for answer in answers.values())
    sections = (
        Section(file.name, file.one("title"), tuple(map(_line, answer.rows)), statements[file])
        for file, answer in answers.items()
    )
    return Overview(tuple(sections), as_of, [*reader.warnings, *reader.data_notes(as_of)])


def _oldest(dates: Iterable[Mapping[str, str | None]]) -> dict[str, str | None]:
    """Return for each table the oldest moment at which rows of an answer were read: a sync may publish between two."""
    found: dict[str, str | None] = {}
    for as_of in dates:
        for table, moment in as_of.items():
            found[table] = min(found.get(table, moment) or "", moment or "") or None
    return found


def _line(row: tuple[object, ...]) -> Line:
    fact, n, whole, unknown, behind = row
    return Line(str(fact), _number(n), _number(whole), _number(unknown), Behind.read(str(behind)) if behind else None)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


@cache
def _files() -> tuple[sql_files.SqlFile, ...]:
    found = sql_files.folder(SECTIONS, KEYS).values()
    return tuple(sorted(found, key=lambda file: int(file.one("place"))))
