"""The table beside a picture: its answer as a reader sees it, of many rows the first ones, which is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kandji_queries.charts.meanings import label_of
from kandji_queries.charts.picture import Picture

ROWS = 60
"""Rows that a report shows of one answer."""

LONGEST = 300
"""Characters of a cell that are shown."""

_NOT_SHOWN = ("_id", "behind")
"""How columns end that are for programs."""


@dataclass(frozen=True)
class Heading:
    """A column as a reader sees it; one with numbers is set to the right."""

    words: str
    numeric: bool


@dataclass(frozen=True)
class Table:
    """The first ``rows`` of ``total``."""

    headings: tuple[Heading, ...]
    rows: Sequence[tuple[Any, ...]]
    total: int
    truncated: bool

    @property
    def left_out(self) -> int:
        """How many rows are not shown."""
        return self.total - len(self.rows)


def table_of(picture: Picture) -> Table:
    """Return the table of an answer."""
    places = [place for place, column in enumerate(picture.columns) if not column.name.endswith(_NOT_SHOWN)]
    shown = picture.rows[:ROWS]
    headings = (Heading(label_of(picture.columns[p].name), _is_numeric(row[p] for row in shown)) for p in places)
    rows = [tuple(_short(row[place]) for place in places) for row in shown]
    return Table(tuple(headings), rows, len(picture.rows), picture.truncated)


def _is_numeric(cells: Any) -> bool:
    known = [cell for cell in cells if cell is not None]
    return bool(known) and all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in known)


def _short(value: Any) -> Any:
    return f"{value[:LONGEST]}..." if isinstance(value, str) and len(value) > LONGEST else value
