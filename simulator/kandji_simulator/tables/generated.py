"""Tables whose rows restate their declaration: drawn from its samples and references, so no maker is needed."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from random import Random

from kandji_schema.resource import Resource
from kandji_simulator.tables.listing import Json, Listing, Query
from kandji_simulator.tables.prism import OneRow, RowGenerator
from kandji_simulator.tables.samples import Given, Referred, RowTemplate, dug, misspell
from kandji_simulator.world.records import Device
from kandji_simulator.world.rng import number_rng, rng, uuid_of
from kandji_simulator.world.seed_data import person
from kandji_simulator.world.state import TenantState

_LIST_ROWS = 24
"""Rows of a list that belongs to no device."""


class GeneratedRow(OneRow):
    """A Prism category with one row a device."""

    def __init__(self, seed: int, resource: Resource) -> None:
        self._seed = seed
        self._template = RowTemplate(resource)
        super().__init__(resource.name, self._template.fields)

    def row(self, device: Device, epoch: int) -> Json:
        """See :class:`OneRow`."""
        found = self._template.fill({}, rng(self._seed, self._name, device.number, epoch), device.account)
        misspell(found, self._template.columns, device.number)
        return found


class GeneratedRows(RowGenerator):
    """A Prism category with several rows a device, one for each combination of samples of its keys; ``size`` 0: none.

    They are few as it is: two thirds, whatever the scale of others.
    """

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource)
        self._keys = self._template.combinations(copies=4)
        self.size = len(self._keys)
        self.per_device = self.size * 2 / 3

    def columns(self, place: int, device: Device, number: int) -> Json:
        """See :class:`RowGenerator`; keys that are drawn row by row outlive a change of the row."""
        keys = self._keys[place]
        draw = rng("key", device.id, place)
        drawn = {c.name: uuid_of(draw) for c in self._template.columns if c.key and c.name not in keys}
        row = self._template.fill({**drawn, **keys}, number_rng(number), device.account)
        misspell(row, (c for c in self._template.columns if not c.key), device.number + place if number else 0)
        return row


class GeneratedListing(Listing):
    """A list of the tenant, or of one parent row, whose columns are drawn; ``given`` says which rows there are.

    The first value of a given row tells it from the others: by it the rest is drawn, the same at every look. Every
    third lacks the fields that are ``newer``, as in older tenants.
    """

    def __init__(
        self,
        state: TenantState,
        resource: Resource,
        referred: Referred,
        above: Listing | None,
        given: Callable[[], Iterable[Given]] | None,
        newer: frozenset[str],
    ) -> None:
        super().__init__(state)
        self.single = bool(resource.parent) and set(resource.key) <= set(resource.parent_key)
        self._resource = resource
        self._above = above
        self._template = RowTemplate(resource, referred)
        self._given = given
        self._newer = newer

    def records(self, query: Query, parent: Mapping[str, str]) -> Sequence[Json] | None:
        """Return all rows below a parent that exists; no query selects."""
        given = self._given
        if given is not None:
            return self._state.remember(f"rows {id(self)}", lambda: list(self._given_rows(given)))
        if self._above and any(self._above.find(value) is None for value in parent.values()):
            return None
        return sorted(self._drawn_rows(parent), key=self.position)

    def find(self, key: str) -> Json | None:
        """See :class:`Listing`."""
        return next((r for r in self.records({}, {}) or () if self.position(r).split("\t")[0] == key), None)

    def position(self, record: Json) -> str:
        """Return the key columns of the row."""
        return "\t".join(str(dug(record, c.sources[0])) for c in self._template.columns if c.key)

    def _given_rows(self, given: Callable[[], Iterable[Given]]) -> Iterator[Json]:
        for number, known in enumerate(given()):
            row = self._row(known, rng(self._state.seed, self._resource.name, next(iter(known.values()))))
            older = self._newer if number % 3 == 2 else ()
            yield {name: value for name, value in row.items() if name not in older}

    def _drawn_rows(self, parent: Mapping[str, str]) -> list[Json]:
        draw = rng(self._state.seed, self._resource.name, *sorted(parent.items()))
        keys = self._template.combinations(copies=_LIST_ROWS) or [{}]
        return [self._row(given, draw) for given in islice(keys, _LIST_ROWS)]

    def _row(self, given: Given, draw: Random) -> Json:
        return self._template.fill(given, draw, person(draw))
