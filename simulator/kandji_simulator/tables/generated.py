"""Rows drawn from the declaration of a table alone: this is why a new table file is served without a line here."""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice, product
from random import Random
from typing import Any

from kandji_schema.columns import Column, Kind, Personal
from kandji_schema.prism import ALWAYS_NULL, DENORMALISED, PrismRow
from kandji_schema.resource import Resource
from kandji_simulator.tables.prism import Record, RecordCategory, identity, times
from kandji_simulator.world.records import Device
from kandji_simulator.world.rng import rng, uuid_of
from kandji_simulator.world.seed_data import person
from kandji_simulator.world.time import DAY, SECOND, offset

_MOST = 40
"""Most rows of one device in a category that has several."""
_LIST_ROWS = 24
"""Rows of a list that belongs to no device."""
_SOME_TIME = 1_735_689_600 * SECOND
"""The first of January 2025: drawn times lie in that year."""
_SHARED = frozenset({*PrismRow.model_fields, *DENORMALISED, *ALWAYS_NULL})
"""Columns that come from the device and the clock."""


def _own_columns(resource: Resource, given: Iterable[str]) -> tuple[Column, ...]:
    """The columns that are drawn: all but our own and those ``given``, by their name or the provider's."""
    known = {*given, "extra", *(["ordinal"] if resource.repeats else [])}
    return tuple(c for c in resource.columns if known.isdisjoint({c.name, c.sources[0]}))


class GeneratedCategory(RecordCategory):
    """A Prism category with one row a device, written at every collection: see :class:`Category`."""

    def __init__(self, seed: int, resource: Resource) -> None:
        self._seed = seed
        self._name = resource.name
        self._columns = _own_columns(resource, _SHARED)

    @property
    def columns(self) -> tuple[str, ...]:
        """See :class:`Category`."""
        return tuple(column.sources[0] for column in self._columns)

    def records(self, device: Device, since: int = 0) -> list[Record]:
        """See :class:`RecordCategory`."""
        if self.latest(device) < since:
            return []
        epoch, changed = (device.redrawn or {}).get(self._name, (0, 0))
        draw = rng(self._seed, self._name, device.number, epoch)
        collected = device.collected or 0
        row = identity(device) | times(device.first_collected, collected, changed or None, collected)
        for column in self._columns:
            _place(row, column, _UNSET, draw, device.account)
        row |= (device.facts or {}).get(self._name, {})
        _misspell(row, self._columns, device.number)
        return [Record(0, collected, row)]

    def count(self, device: Device) -> int:
        """See :class:`Category`."""
        return 1

    def latest(self, device: Device) -> int:
        """See :class:`Category`."""
        return device.collected or 0


class GeneratedRows:
    """What stands in a Prism category with several rows a device: see :class:`RowGenerator`."""

    always = 0

    def __init__(self, resource: Resource) -> None:
        self._columns = _own_columns(resource, _SHARED)
        self._keys = _combinations([c for c in self._columns if c.key], copies=4)

    @property
    def size(self) -> int:
        """See :class:`RowGenerator`; 0 where the table has no key besides the device."""
        return len(self._keys)

    @property
    def per_device(self) -> float:
        """See :class:`RowGenerator`; they are few as it is: two thirds, whatever the scale of others."""
        return self.size * 2 / 3

    def columns(self, place: int, device: Device, number: int) -> dict[str, Any]:
        """See :class:`RowGenerator`."""
        draw, keys = rng(number), {**self._keys[place]}
        keys |= _drawn_keys(self._columns, keys, rng("key", device.id, place))
        row: dict[str, Any] = {}
        for column in self._columns:
            _place(row, column, keys.get(column.name, _UNSET), draw, device.account)
        _misspell(row, tuple(c for c in self._columns if not c.key), device.number + place if number else 0)
        return row


def _drawn_keys(columns: tuple[Column, ...], keys: Mapping[str, Any], draw: Random) -> dict[str, str]:
    """Keys that are drawn row by row; they outlive a change of the row."""
    return {c.name: uuid_of(draw) for c in columns if c.key and c.name not in keys}


class GeneratedList:
    """A list of the tenant, or of one parent row, drawn from its declaration."""

    def __init__(self, seed: int, resource: Resource) -> None:
        self._seed = seed
        self._resource = resource
        self._columns = _own_columns(resource, resource.parent_key)
        self._keys = _combinations([c for c in self._columns if c.key], copies=_LIST_ROWS) or [{}]

    def rows(self, parent: Mapping[str, str]) -> list[dict[str, Any]]:
        """The rows below a parent row, whose columns are in ``parent`` (empty for a list of the tenant)."""
        draw = rng(self._seed, self._resource.name, *sorted(parent.items()))
        return [self._row(keys, draw) for keys in islice(self._keys, _LIST_ROWS)]

    def _row(self, keys: dict[str, Any], draw: Random) -> dict[str, Any]:
        """Sections come before the columns that are members of them."""
        row: dict[str, Any] = {}
        owner = person(draw)
        for column in sorted(self._columns, key=lambda c: c.sources[0].count(".")):
            _place(row, column, keys.get(column.name, _UNSET), draw, owner)
        return row


_UNSET = object()


def _combinations(keys: list[Column], *, copies: int) -> list[dict[str, Any]]:
    """Distinct values of the key columns together; ``copies`` of them where a key is drawn row by row."""
    if not keys:
        return []
    sampled = [[(c.name, value) for value in dict.fromkeys(c.samples)] for c in keys if c.samples]
    found = [dict(pairs) for pairs in islice(product(*sampled), _MOST)]
    return found if len(sampled) == len(keys) else found * copies


def _place(row: dict[str, Any], column: Column, value: Any, draw: Random, owner: str) -> None:
    """Put a value where the provider has it: ``integration.id`` is a field of the object ``integration``."""
    *objects, name = column.sources[0].split(".")
    for step in objects:
        row = row.setdefault(step, {})
    found = _value(column, draw, owner) if value is _UNSET else value
    row[name] = {**found, **row[name]} if isinstance(row.get(name), dict) and isinstance(found, dict) else found


def _value(column: Column, draw: Random, owner: str) -> Any:
    if column.samples:
        return column.samples[int(draw.random() * len(column.samples))]
    if column.key:
        return uuid_of(draw)
    if column.personal and column.kind is Kind.TEXT:
        return owner if column.personal is Personal.IDENTITY else f"{column.name.replace('_', ' ')} of {owner}"
    return _BY_KIND[column.kind](column, draw)


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


def _misspell(row: dict[str, Any], columns: tuple[Column, ...], number: int) -> None:
    """The provider's looseness, on every 23rd row each: booleans and numbers as text, empty columns left out."""
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
