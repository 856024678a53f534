"""How the rows of an answer fall apart by one column: what is known to be so, what is only not known, what leads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from kandji_queries.results.result import Row
from kandji_queries.results.values import ResultColumn
from kandji_schema.text import one_line

MOST = 6
"""Of a column with more values only the commonest are told. Of numbers and times it is told how many are known."""

NAMED = 5
"""So many of the commonest are told then."""

LONGEST = 60
"""Most characters of a value in the note."""

DEVICE = "device_id"


@dataclass
class Split:
    """Rows counted by the values of one ``column``, devices where rows are of devices; nothing without such a column.

    ``place`` is that of the column in a row, ``device`` that of the device's identifier, or -1 where there is none.
    ``is_words`` tells that its values are words or flags, so that each can be told; ``unknown`` is said of empty ones.
    """

    column: str = ""
    place: int = 0
    device: int = -1
    is_words: bool = False
    unknown: str = "not known"
    rows: int = 0
    seen: dict[object, set[object]] = field(default_factory=dict)

    @classmethod
    def of(cls, answer: Sequence[ResultColumn], column: str, unknown: str) -> "Split":
        """Return the split of rows with these columns by one of them; of none where it is not there.

        ``unknown`` is what rows without a value are called.
        """
        names = [found.name for found in answer]
        if column not in names:
            return cls()
        place = names.index(column)
        device = names.index(DEVICE) if DEVICE in names else -1
        return cls(column, place, device, answer[place].type in {"VARCHAR", "BOOLEAN"}, unknown)

    def add(self, rows: Sequence[Row]) -> None:
        """Count some rows; one without a device counts as itself."""
        if not self.column:
            return
        for number, row in enumerate(rows, self.rows):
            device = row[self.device] if self.device >= 0 else None
            self.seen.setdefault(_value(row[self.place]), set()).add(number if device is None else device)
        self.rows += len(rows)

    def notes(self) -> Iterator[str]:
        """Yield ``By sip_on: 36 false, 34 not known.``; nothing where all rows have one value that is known.

        Where a device has several rows it is ``Devices by app: 20 'zoom.us', 12 'Zoom Rooms'.``
        """
        counts = {value: len(found) for value, found in self.seen.items()}
        unknown = counts.pop(None, 0)
        if not unknown and len(counts) < 2:
            return
        parts = [f"{n:,} {_shown(value)}" for value, n in self._told(counts, unknown)]
        if unknown:
            parts.append(f"{unknown:,} {self.unknown}")
        if parts:
            others = len(counts) - NAMED if self.is_words and len(counts) > MOST else 0
            each = sum(counts.values()) + unknown == self.rows
            ending = f" and {others:,} others" if others else ""
            yield f"{'By' if each else 'Devices by'} {self.column}: {', '.join(parts)}{ending}."

    def _told(self, counts: dict[object, int], unknown: int) -> list[tuple[object, int]]:
        """Return the values that are told, the commonest first."""
        if not self.is_words:
            return [("known", self.rows - unknown)] if unknown and counts else []
        told = sorted(counts.items(), key=lambda item: -item[1])
        return told if len(told) <= MOST else told[:NAMED]


def _value(cell: object) -> object:
    """Return what a cell is called; a flag is true or false, and what somebody typed is one short line."""
    return str(cell).lower() if isinstance(cell, bool) else None if cell is None else one_line(str(cell))[:LONGEST]


def _shown(value: object) -> str:
    """Write a value so that its end is seen: a name of several words or with digits in quotes."""
    text = str(value)
    return text if text.replace("_", "").isalpha() else repr(text)
