"""Every table of the schema as rows of the provider, by the makers in this folder, else by the declaration alone.

A module here whose rows say more than their declaration has ``MAKERS``: by table, what gives the listing, the Prism
category, or the generator of a category's rows. They are found by looking into the folder.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from kandji_schema.errors import UnknownName
from kandji_schema.registry import resource as declared
from kandji_schema.resource import Resource
from kandji_simulator import tables as folder
from kandji_simulator.tables.generated import GeneratedListing, GeneratedRow, GeneratedRows
from kandji_simulator.tables.listing import Listing
from kandji_simulator.tables.prism import Category, ListCategory, RowGenerator, encode, reports
from kandji_simulator.tables.samples import Given, dug
from kandji_simulator.world.fleet import specimen
from kandji_simulator.world.records import Device
from kandji_simulator.world.state import PerDevice, TenantState

Makers = Mapping[str, Callable[["Tables"], Listing | Category | RowGenerator]]


@cache
def _makers() -> Makers:
    modules = (import_module(f"{folder.__name__}.{module.name}") for module in iter_modules(folder.__path__))
    return {name: make for module in modules for name, make in getattr(module, "MAKERS", {}).items()}


class Tables:
    """The rows of a tenant, by the name of the table or of the Prism category. ``scale`` thins out Prism's lists."""

    def __init__(self, state: TenantState, scale: float) -> None:
        self.state = state
        self._scale = scale
        self._categories: dict[str, Category] = {}
        self._listings: dict[str, Listing] = {}
        self._counts: dict[str, PerDevice[int]] = {}

    def named(self, name: str) -> Resource:
        """Return the resource of that table or Prism category; :class:`UnknownName` otherwise."""
        for resource in self.state.resources.values():
            if name in {resource.name, resource.category}:
                return resource
        raise UnknownName("table", name, self.state.resources)

    def category(self, name: str) -> Category:
        """Return the rows of the Prism table ``name``."""
        if name not in self._categories:
            self._categories[name] = self._new_category(self.named(name))
        return self._categories[name]

    def _new_category(self, resource: Resource) -> Category:
        """Make a category by its maker, else by its declaration: one row a device where it has no key of its own."""
        make = _makers().get(resource.name)
        made = make(self) if make else GeneratedRows(resource)
        if isinstance(made, Category):
            return made
        if not isinstance(made, RowGenerator) or not made.size:
            return GeneratedRow(self.state.seed, resource)
        example = specimen((resource.platforms or ("Mac",))[0])
        return ListCategory(self.state.seed, resource.name, made, example, self._scale if make else 1.0)

    def listing(self, name: str) -> Listing:
        """Return the rows of the table ``name``, one that is not Prism's."""
        if name not in self._listings:
            make = _makers().get(name)
            made = make(self) if make else self.generated(name)
            if not isinstance(made, Listing):
                raise TypeError(f"The maker of {name} gives {type(made).__name__}; a table outside Prism is a Listing.")
            self._listings[name] = made
        return self._listings[name]

    def generated(
        self,
        name: str,
        given: Callable[[], Iterable[Given]] | None = None,
        *,
        newer: frozenset[str] = frozenset(),
        kind: type[GeneratedListing] = GeneratedListing,
    ) -> GeneratedListing:
        """Return a list drawn from its declaration: see :class:`GeneratedListing`. The table need not be served."""
        resource = self.state.resources.get(name) or declared(name)
        above = self.listing(resource.parent) if resource.parent else None
        return kind(self.state, resource, self.values, above, given, newer)

    def values(self, reference: str) -> Sequence[Any]:
        """Return what a ``table.column`` holds now: identifiers other tables may refer to."""
        table, _, name = reference.partition(".")
        if table not in self.state.resources:
            return ()
        column = next(column for column in self.state.resources[table].columns if column.name == name)
        return self.state.remember(
            f"values {reference}", lambda: [dug(row, column.sources[0]) for row in self.truth(table)]
        )

    def count(self, name: str) -> int:
        """Return the number of rows of a table now."""
        resource = self.named(name)
        if not resource.category:
            return sum(1 for _ in self.truth(name))
        if resource.name not in self._counts:
            self._counts[resource.name] = PerDevice(self.state, self._counter(resource))
        counts = self._counts[resource.name]
        return self.state.remember(f"count {resource.name}", lambda: sum(counts.values().values()))

    def _counter(self, resource: Resource) -> Callable[[Device], int]:
        category = self.category(resource.name)
        return lambda device: category.count(device) if reports(device, resource) else 0

    def truth(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield the provider's rows of a table now; rows below a parent get the parent's columns added."""
        resource = self.named(name)
        if resource.category:
            return (json.loads(line) for line in self._prism_lines(resource))
        return self._rows(resource)

    def truth_lines(self, name: str) -> Iterator[bytes]:
        """Yield the same as lines of JSON, each ending in a line break."""
        resource = self.named(name)
        lines = self._prism_lines(resource) if resource.category else map(encode, self._rows(resource))
        return (line + b"\n" for line in lines)

    def _prism_lines(self, resource: Resource) -> Iterator[bytes]:
        category = self.category(resource.name)
        for device in self.state.devices_from(""):
            if reports(device, resource):
                yield from (row.text for row in category.rows(device))

    def _rows(self, resource: Resource) -> Iterator[dict[str, Any]]:
        listing = self.listing(resource.name)
        for parent in self._parents(resource):
            for record in listing.records({}, parent) or ():
                yield {**parent, **listing.row(record)}

    def _parents(self, resource: Resource) -> Iterator[dict[str, str]]:
        """Yield the columns each parent row gives to its rows; nothing, once, for a list of the tenant."""
        if resource.parent is None:
            yield {}
            return
        keys = resource.parent_key
        found = (tuple(str(row[theirs]) for theirs in keys.values()) for row in self.truth(resource.parent))
        yield from (dict(zip(keys, values, strict=True)) for values in dict.fromkeys(found))
