"""The table beside a picture: its answer as a reader sees it, of many rows the first ones, which is told."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from kandji_queries.charts.meanings import label_of
from kandji_queries.charts.picture import Picture
from kandji_web.templates import cell

ROWS = 60
"""Rows that a report shows of one answer."""

LONGEST = 300
"""Characters of a cell that are shown."""

LINES = 8
"""Lines whose numbers have a column each: as many as a picture can tell apart."""

_NOT_SHOWN = ("device_id", "blueprint_id", "item_id", "token_id", "_link")
"""How columns end that are for programs."""

_LEAD = ("behind", "VARCHAR")
"""The column, and its type, that names the query behind a row; as a number it counts what is behind on updates."""


@dataclass(frozen=True)
class Heading:
    """A column as a reader sees it; one with numbers is set to the right."""

    words: str
    numeric: bool


@dataclass(frozen=True)
class Table:
    """The first ``rows`` of ``total``; ``told`` says what the numbers are where the columns do not."""

    headings: tuple[Heading, ...]
    rows: Sequence[tuple[Any, ...]]
    total: int
    truncated: bool
    told: str = ""

    @property
    def left_out(self) -> int:
        """How many rows are not shown."""
        return self.total - len(self.rows)


def table_of(picture: Picture) -> Table:
    """Return the table of an answer; of lines over days a column for each line."""
    chart = picture.chart
    if chart and chart.hint.kind == "line" and chart.hint.by and not chart.hint.missing(chart.columns):
        return _by_line(picture, chart.hint.x, chart.hint.by, chart.hint.y[0])
    shows = [not c.name.endswith(_NOT_SHOWN) and (c.name, c.type) != _LEAD for c in picture.columns]
    places = [place for place, is_shown in enumerate(shows) if is_shown]
    shown = picture.rows[:ROWS]
    headings = (Heading(label_of(picture.columns[p].name), _is_numeric(row[p] for row in shown)) for p in places)
    rows = [tuple(_short(row[place]) for place in places) for row in shown]
    return Table(tuple(headings), rows, len(picture.rows), picture.truncated)


def _by_line(picture: Picture, day: str, line: str, number: str) -> Table:
    """Return a row for each day with the ``number`` of every line, the newest first: they are what one looks for."""
    names = [column.name for column in picture.columns]
    x, by, y = (names.index(name) for name in (day, line, number))
    every = list(dict.fromkeys(row[by] for row in picture.rows))
    lines = sorted(every, key=lambda name: -sum(row[y] or 0 for row in picture.rows if row[by] == name))[:LINES]
    days: dict[Any, dict[Any, Any]] = {}
    for row in picture.rows:
        days.setdefault(row[x], {})[row[by]] = row[y]
    newest = sorted(days, key=lambda moment: (moment is not None, moment), reverse=True)
    headings = (Heading(label_of(day), numeric=False), *(Heading(str(cell(name)) or "unknown", True) for name in lines))
    rows = [(moment, *(days[moment].get(name) for name in lines)) for moment in newest[:ROWS]]
    left = f"; {len(every) - LINES} smaller ones are left out" if len(every) > LINES else ""
    told = f"{label_of(number)}, a row for each {day}{left}"
    return Table(headings, rows, len(newest), picture.truncated, told)


def _is_numeric(cells: Any) -> bool:
    known = [cell for cell in cells if cell is not None]
    return bool(known) and all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in known)


def _short(value: Any) -> Any:
    """Return a cell that is not longer than is read; a list of texts in JSON as such a list."""
    if not isinstance(value, str):
        return value
    if value.startswith('["'):
        with suppress(ValueError):
            value = cell(json.loads(value))
    return f"{value[:LONGEST]}..." if len(value) > LONGEST else value
