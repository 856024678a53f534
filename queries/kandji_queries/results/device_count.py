"""What the rows of an answer are of: how many devices or people, and which of them some would not count."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from kandji_queries.results.result import Row
from kandji_queries.results.values import ResultColumn
from kandji_schema.text import counted

_KINDS = (
    ("device", "device_id", {"removed": ("is_removed",), "missing": ("is_missing",)}),
    ("person", "user_id", {"archived": ("user_archived", "archived")}),
)
"""A thing, the column that tells one from another, and the columns of what is told of them."""

_FLAGS = tuple(name for _, _, marks in _KINDS for names in marks.values() for name in names)

_PLURALS = {"device": "devices", "person": "people"}


@dataclass
class Tally:
    """Devices or people counted by their identifier, however many rows each has; nothing where rows are of neither."""

    thing: str = ""
    key: int = 0
    flags: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    seen: set[object] = field(default_factory=set)
    flagged: dict[str, set[object]] = field(default_factory=dict)

    @classmethod
    def of(cls, answer: Sequence[ResultColumn]) -> "Tally":
        """Return the tally of rows with these columns; of a list of devices and their people it is of the devices.

        A column of another type than the table's, as ``list(device_id) AS device_id``, tells no device from another.
        """
        kinds = {**{key: "VARCHAR" for _, key, _ in _KINDS}, **dict.fromkeys(_FLAGS, "BOOLEAN")}
        columns = [column.name if kinds.get(column.name) == column.type else "" for column in answer]
        for thing, key, marks in _KINDS:
            if key in columns:
                flags = {word: columns.index(name) for word, names in marks.items() if (name := _first(names, columns))}
                return cls(thing if flags else "", columns.index(key), flags, flagged={word: set() for word in flags})
        return cls()

    def add(self, rows: Sequence[Row]) -> None:
        """Count some rows."""
        if not self.thing:
            return
        rows = [row for row in rows if row[self.key] is not None]
        self.rows += len(rows)
        self.seen.update(row[self.key] for row in rows)
        for word, place in self.flags.items():
            self.flagged[word].update(row[self.key] for row in rows if row[place])

    def notes(self) -> Iterator[str]:
        """Yield ``391 devices, of which 3 removed, 41 missing.``, with the number of rows where it is another."""
        marks = [f"{len(found):,} {word}" for word, found in self.flagged.items() if found]
        if len(self.seen) < 2:  # one has its flags beside it
            return
        several = self.rows != len(self.seen)
        if marks or several:
            in_rows = f" in {counted(self.rows, 'row')}" if several else ""
            of_which = f", of which {', '.join(marks)}" if marks else ""
            yield f"{len(self.seen):,} {_PLURALS[self.thing]}{in_rows}{of_which}."


def _first(names: Collection[str], columns: Collection[str]) -> str | None:
    return next((name for name in names if name in columns), None)
