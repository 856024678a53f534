"""How the rows of an answer fall apart by one column: what is known to be so, and what is only not known."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from kandji_queries.results.result import Row
from kandji_queries.results.values import ResultColumn
from kandji_schema.text import one_line

MOST = 6
"""Of a column with more values only those that are not known are told apart."""

LONGEST = 60
"""Most characters of a value in the note."""


@dataclass
class Split:
    """Rows counted by the values of one ``column``; nothing where the answer has no such column."""

    column: str = ""
    place: int = 0
    rows: Counter[object] = field(default_factory=Counter)

    @classmethod
    def of(cls, answer: Sequence[ResultColumn], column: str | None) -> "Split":
        """Return the split of rows with these columns by one of them; of none where it is not there."""
        names = [found.name for found in answer]
        return cls(column, names.index(column)) if column in names and column else cls()

    def add(self, rows: Sequence[Row]) -> None:
        """Count some rows."""
        if self.column:
            self.rows.update(map(_value, (row[self.place] for row in rows)))

    def notes(self) -> Iterator[str]:
        """Yield ``By sip_on: 36 false, 34 not known.``; nothing where all rows have one value that is known."""
        unknown = self.rows.get(None, 0)
        known = {value: n for value, n in self.rows.most_common() if value is not None}
        if not unknown and len(known) < 2:
            return
        if len(known) > MOST:
            known = {"known": sum(known.values())} if unknown else {}
        parts = [f"{n:,} {value}" for value, n in known.items()] + ([f"{unknown:,} not known"] if unknown else [])
        if parts:
            yield f"By {self.column}: {', '.join(parts)}."


def _value(cell: object) -> object:
    """Return what a cell is called; a flag is true or false, and what somebody typed is one short line."""
    return str(cell).lower() if isinstance(cell, bool) else None if cell is None else one_line(str(cell))[:LONGEST]
