"""Rows of an answer as a page shows them: what a column is, what a cell says, and where it leads."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from kandji_queries.catalog.leads import NumberLead, lead_of
from kandji_queries.catalog.queries import catalog
from kandji_queries.results.result import Answer
from kandji_queries.results.values import ResultColumn, for_eyes

LONGEST = 1_000
"""Most characters of a cell that are shown; a download has all."""

WIDE = 60
"""A column with a text of so many characters is a wide one."""

_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL.*")
_MOMENT = re.compile(r"TIMESTAMP.*(?<!\])")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
_YEAR = re.compile(r"(^|_)years?(_|$)")
"""Columns of numbers that have no thousands."""

LEADS: Mapping[str, str] = {
    "device_id": "device_id",
    "serial_number": "serial_number",
    "device_name": "device_id",
}
"""Columns that lead to the page of a device, and the column that names it."""

ROWS_OF: Mapping[str, str] = {
    "user_email": "/tables/fleet?user_email={}",
    "blueprint_name": "/tables/fleet?blueprint_name={}",
    "bundle_id": "/tables/apps?bundle_id={}",
    "cve_id": "/tables/vulnerabilities?cve_id={}",
    "table_name": "/tables/{}",
}
"""Columns that lead to all rows of a table that have the same value."""


@dataclass(frozen=True)
class Head:
    """A column: its name, the engine's type, what it is (empty if unknown), and whether it is of numbers."""

    name: str
    type: str
    meaning: str
    numeric: bool


@dataclass(frozen=True)
class Cell:
    """What a cell says, where it leads (empty for nowhere), and how it is set: ``n``, ``wide`` or neither.

    ``null`` is true where there is no value; ``whole`` is what is shown in short.
    """

    text: str
    href: str = ""
    kind: str = ""
    null: bool = False
    whole: str = ""


@dataclass(frozen=True)
class ShownRows:
    """Rows as a page shows them."""

    heads: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]


def shown_rows(
    answer: Answer,
    rows: Sequence[Sequence[Any]],
    meanings: Mapping[str, str] | None = None,
    *,
    exact: bool = False,
    leads: Sequence[NumberLead] = (),
) -> ShownRows:
    """Return some rows of an answer; ``exact`` shows numbers as they are written in SQL.

    ``leads`` tell which rows the numbers of a column count.
    """
    known = meanings or {}
    heads = tuple(
        Head(column.name, column.type, known.get(column.name, ""), bool(_NUMBER.fullmatch(column.type)))
        for column in answer.columns
    )
    places = {column.name: place for place, column in reversed([*enumerate(answer.columns)])}
    counting = {column.name: lead for column in answer.columns if (lead := lead_of(leads, column.name))}
    return ShownRows(heads, tuple(tuple(_cells(answer.columns, row, places, exact, counting)) for row in rows))


def _cells(
    columns: Sequence[ResultColumn],
    row: Sequence[Any],
    places: Mapping[str, int],
    exact: bool,
    counting: Mapping[str, NumberLead],
) -> Iterable[Cell]:
    for column, value in zip(columns, row, strict=True):
        if value is None:
            yield Cell("", null=True)
            continue
        words = _text(column, value, exact)
        kind = "n" if _NUMBER.fullmatch(column.type) else "wide" if len(words) >= WIDE else ""
        short = words[:8] + "…" if column.name == "device_id" and not exact and _UUID.fullmatch(words) else ""
        href = _lead(column.name, row, places)
        if value and (lead := counting.get(column.name)):
            href = _rows_counted(lead, {name: row[place] for name, place in places.items()})
        yield Cell(short or _cut(words), href, kind, whole=words if short else "")


def _text(column: ResultColumn, value: Any, exact: bool) -> str:
    if isinstance(value, bool):
        return ("true" if value else "false") if exact else ("yes" if value else "no")
    if isinstance(value, int) and not exact and not _YEAR.search(column.name):
        return f"{value:,}"
    if _MOMENT.fullmatch(column.type) and isinstance(value, str):
        with suppress(ValueError):  # one that the calendar of Python does not have
            return for_eyes(datetime.fromisoformat(value))
    if isinstance(value, list) and not exact:
        return ", ".join("" if part is None else for_eyes(part) for part in value)
    return for_eyes(value)


def _cut(words: str) -> str:
    return words if len(words) <= LONGEST else f"{words[:LONGEST]}… (+{len(words) - LONGEST:,} characters)"


def _rows_counted(lead: NumberLead, row: Mapping[str, Any]) -> str:
    """Return the page of the rows that a number counts; empty where one of its columns is not in the answer."""
    if not row.keys() >= set(lead.needs):
        return ""
    values = lead.values(row)
    if lead.name in catalog():
        known = {name: value for name, value in values.items() if value is not None}
        return f"/queries/{lead.name}?{urlencode(known)}"
    asked = {
        f"{name}__unknown" if value is None else name: 1 if value is None else value for name, value in values.items()
    }
    return f"/tables/{lead.name}?{urlencode(asked)}"


def _lead(column: str, row: Sequence[Any], places: Mapping[str, int]) -> str:
    """Return the page of the device that a row is about, or of the rows that have the value of a cell."""
    value = row[places[column]]
    if column == "behind":
        return f"/queries/{value}" if value in catalog() else ""
    if column in ROWS_OF:
        return ROWS_OF[column].format(quote(value, safe="")) if isinstance(value, str) and value else ""
    place = places.get(LEADS.get(column, ""))
    name = row[place] if place is not None else None
    return f"/devices/{quote(name, safe='')}" if isinstance(name, str) and name else ""
