"""Values drawn from the declaration of a column alone: its samples, else what its kind and name suggest.

This is why a new table is served without a line here. Where a column ``references`` another table, its values are that
table's.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice, product
from random import Random
from typing import Any

from kandji_schema.columns import Column, Kind, Personal
from kandji_schema.prism import ALWAYS_NULL, DENORMALISED, PrismRow
from kandji_schema.resource import Resource
from kandji_simulator.world.rng import uuid_of
from kandji_simulator.world.time import DAY, SECOND, offset

Given = Mapping[str, Any]
"""Values that are known, by the name of the column or of the provider's field."""
Make = Callable[[Random, str], Any]
Referred = Callable[[str], Sequence[Any]]
"""The values a ``table.column`` has now."""

_SOME_TIME = 1_735_689_600 * SECOND
"""The first of January 2025: drawn times lie in that year."""
_SHARED = frozenset({*PrismRow.model_fields, *DENORMALISED, *ALWAYS_NULL})
"""Columns of Prism that come from the device and the clock."""
_MOST = 40
"""Most combinations of samples of key columns."""


def _nothing(reference: str) -> Sequence[Any]:
    return ()


class RowTemplate:
    """The columns of a table that are drawn: of today's answers, neither our own nor those of every Prism row.

    ``columns`` are sections first, then the columns that are members of them.
    """

    def __init__(self, resource: Resource, referred: Referred = _nothing) -> None:
        ours = {"extra", *(["ordinal"] if resource.repeats else [])}
        known = ours | (_SHARED if resource.category else set(resource.parent_key))
        found = (c for c in resource.columns if not c.unsent and known.isdisjoint({c.name, c.sources[0]}))
        self.columns = tuple(sorted(found, key=lambda c: c.sources[0].count(".")))
        self._known = {name for c in self.columns for name in (c.name, c.sources[0])}
        self._makers = [(c.name, c.sources[0], _maker(c, referred)) for c in self.columns]

    @property
    def fields(self) -> tuple[str, ...]:
        """The provider's names of the columns."""
        return tuple(column.sources[0] for column in self.columns)

    def fill(self, given: Given, draw: Random, owner: str) -> dict[str, Any]:
        """Return a row of the provider: what is ``given``, the rest drawn. Personal data are those of ``owner``."""
        row: dict[str, Any] = {}
        for name, source, make in self._makers:
            known = name if name in given else source
            value = given[known] if known in given else make(draw, owner)
            if "." in source or isinstance(value, dict):
                _place(row, source, value)
            else:
                row[source] = value
        row.update({name: given[name] for name in given.keys() - self._known})
        return row

    def combinations(self, copies: int) -> list[dict[str, Any]]:
        """Return distinct values of the key columns together; ``copies`` of them where a key is drawn row by row."""
        keys = [c for c in self.columns if c.key]
        if not keys:
            return []
        sampled = [[(c.name, value) for value in dict.fromkeys(c.samples)] for c in keys if c.samples]
        found = [dict(pairs) for pairs in islice(product(*sampled), _MOST)]
        return found if len(sampled) == len(keys) else found * copies


def _place(row: dict[str, Any], source: str, value: Any) -> None:
    """Put a value where the provider has it: ``integration.id`` is a field of the object ``integration``."""
    *objects, name = source.split(".")
    for step in objects:
        row = row.setdefault(step, {})
        if not isinstance(row, dict):
            return  # the section as a whole is something else here
    row[name] = dict(value) if isinstance(value, dict) else value


def dug(row: Any, source: str) -> Any:
    """Return the value the provider has at a place of its row, None where there is no such place."""
    for name in source.split("."):
        row = row.get(name) if isinstance(row, dict) else None
    return row


def _maker(column: Column, referred: Referred) -> Make:
    alone = _maker_alone(column)
    reference = column.references
    if reference is None:
        return alone

    def refer(draw: Random, owner: str) -> Any:
        known = referred(reference)
        return _pick(draw, known) if known else alone(draw, owner)

    return refer


def _maker_alone(column: Column) -> Make:
    if column.samples:
        return lambda draw, owner: _with_digits(_pick(draw, column.samples), draw)
    if column.key:
        return lambda draw, owner: uuid_of(draw)
    if column.personal and column.kind is Kind.TEXT:
        words = column.name.replace("_", " ")
        return lambda draw, owner: owner if column.personal is Personal.IDENTITY else f"{words} of {owner}"
    return lambda draw, owner: _BY_KIND[column.kind](column, draw)


def _pick(draw: Random, among: Sequence[Any]) -> Any:
    return among[int(draw.random() * len(among))]


def _with_digits(sample: Any, draw: Random) -> Any:
    """Return the sample with a digit drawn for each ``~`` of a text: numbers of which no two devices have the same."""
    if not isinstance(sample, str) or "~" not in sample:
        return sample
    return "".join(str(int(draw.random() * 10)) if character == "~" else character for character in sample)


def _words(column: Column, draw: Random) -> str | None:
    return None if draw.random() < 0.2 else f"{column.name.replace('_', ' ')} {draw.randrange(9)}"


def _moment(column: Column, draw: Random) -> str | None:
    return None if draw.random() < 0.3 else offset(_SOME_TIME + int(draw.random() * 300 * DAY))


_BY_KIND: dict[Kind, Callable[[Column, Random], Any]] = {
    Kind.TEXT: _words,
    Kind.BOOLEAN: lambda column, draw: draw.choice((True, True, False, None)),
    Kind.INTEGER: lambda column, draw: draw.randrange(1_000),
    Kind.NUMBER: lambda column, draw: round(draw.random() * 100, 2),
    Kind.TIMESTAMP: _moment,
    Kind.TEXTS: lambda column, draw: [f"{column.name} {n}" for n in range(draw.randrange(4))],
    Kind.DOCUMENT: lambda column, draw: {"type": column.name, "version": draw.randrange(4)},
}


def misspell(row: dict[str, Any], columns: Iterable[Column], number: int) -> None:
    """Write a row with the provider's looseness, every 23rd each: flags and numbers as text, empty columns left out."""
    for column in columns:
        name, value = column.sources[0], row.get(column.sources[0])
        if number % 23 == 5 and isinstance(value, bool):
            row[name] = str(value)
        elif number % 23 == 9 and isinstance(value, bool):
            row[name] = "Yes" if value else "No"
        elif number % 23 == 13 and isinstance(value, int | float) and not isinstance(value, bool):
            row[name] = str(value)
        elif number % 23 == 17 and value is None:
            row.pop(name, None)
