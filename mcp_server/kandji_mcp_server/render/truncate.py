"""Rows of an answer cut to the size a model can attend to; the answer says how to get the rest."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any

from kandji_queries.results.values import compact
from kandji_schema.errors import UnknownName

BRIEF_BYTES = 6_500
"""About 1,800 tokens: what a list may take where nobody said how much of it is wanted."""

LEAST = (
    "device_id",
    "user_id",
    "blueprint_id",
    "item_id",
    "bundle_id",
    "path",
    "user_name",
    "model",
    "last_check_in",
    "first_enrollment",
)
"""Columns that a long list can do without, the first one first: a serial number says which device it is."""

Row = list[Any]


@dataclass(frozen=True)
class RowPage:
    """Rows of an answer; ``total`` counts those there are, ``begin`` those left out before the first one here.

    ``same`` are columns with one value in all rows, ``left_out`` those that were left out to show more rows. ``sizes``
    are those of the cells as JSON, in bytes, once they are :meth:`measured`.
    """

    columns: list[str]
    rows: list[Row]
    total: int
    begin: int = 0
    same: dict[str, Any] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    sizes: list[list[int]] = field(default_factory=list)

    @property
    def truncated(self) -> bool:
        """Whether there are more behind these."""
        return self.begin + len(self.rows) < self.total

    @property
    def bytes(self) -> int:
        """Size of columns and rows as compact JSON, of measured ones."""
        return _size([self.columns, [], self.same]) + sum(map(_row_size, self.sizes))

    def measured(self) -> "RowPage":
        """Return the same with the size of each cell: it is made JSON once, whatever is left out afterwards."""
        return replace(self, sizes=[list(map(_size, row)) for row in self.rows])

    def only(self, names: Sequence[str]) -> "RowPage":
        """Return the same with these columns alone; :class:`UnknownName` for one that is not there."""
        for name in names:
            if name not in self.columns:
                raise UnknownName("column", name, self.columns)
        places = [self.columns.index(name) for name in names]
        rows, sizes = ([[row[i] for i in places] for row in every] for every in (self.rows, self.sizes))
        return replace(self, columns=list(names), rows=rows, sizes=sizes)

    def without_repetition(self) -> "RowPage":
        """Name a column with one value in all of several rows once instead."""
        if len(self.rows) < 3:
            return self
        first = self.rows[0]
        places = [i for i in range(len(self.columns)) if all(row[i] == first[i] for row in self.rows)]
        same = {self.columns[i]: first[i] for i in places}
        return replace(self.only([name for name in self.columns if name not in same]), same=same)

    def without(self, name: str) -> "RowPage":
        """Leave out a column; the identifier stays where not every device has a serial number to name it by."""
        if name not in self.columns or (name == "device_id" and not self._all_have("serial_number")):
            return self
        return replace(self.only([n for n in self.columns if n != name]), left_out=(*self.left_out, name))

    def _all_have(self, name: str) -> bool:
        return name in self.columns and all(row[self.columns.index(name)] for row in self.rows)

    def within(self, most: int) -> "RowPage":
        """Return the first rows, measured ones, that fit into so many bytes, one at least."""
        left = most - _size([self.columns, self.same])
        count = max(sum(size <= left for size in accumulate(map(_row_size, self.sizes))), 1)
        return replace(self, rows=self.rows[:count], sizes=self.sizes[:count])

    def slice(self, begin: int, count: int | None) -> "RowPage":
        """Return so many rows from the ``begin``-th on."""
        end = None if count is None else begin + count
        return replace(self, rows=self.rows[begin:end], sizes=self.sizes[begin:end], begin=begin)


def truncate(rows: RowPage, most: int, limit: int | None = None, *, narrow: bool = False) -> RowPage:
    """Return few rows as they are; else without repetition, and cut where no ``limit`` asked for so many.

    Where rows would be cut and ``narrow`` allows it, columns that say least are left out before: which devices it is
    matters more than all about them. ``most`` bytes are never exceeded by more than one row.
    """
    rows = rows.measured()
    if rows.bytes <= min(most, BRIEF_BYTES):
        return rows
    shorter = rows.without_repetition()
    if limit is not None:
        return shorter.within(most)
    for name in LEAST if narrow else ():
        if shorter.bytes <= BRIEF_BYTES:
            break
        shorter = shorter.without(name)
    return shorter.within(min(most, BRIEF_BYTES))


def _row_size(cells: list[int]) -> int:
    """Return the size of a row, with its brackets, commas and the comma after it."""
    return sum(cells) + max(len(cells) - 1, 0) + 3


def _size(value: Any) -> int:
    return len(compact(value).encode("utf-8", "replace"))
