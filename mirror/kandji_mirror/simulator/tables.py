"""Every table of the schema as rows of the provider: own makers for a few, the declaration for the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from kandji_mirror.simulator.device_rows import DeviceInformationRows
from kandji_mirror.simulator.invented import InventedCategory
from kandji_mirror.simulator.listings import (
    BlueprintList,
    DeviceList,
    InventedListing,
    LibraryItemList,
    Listing,
    UserList,
)
from kandji_mirror.simulator.prism_rows import Category, encode, reports
from kandji_schema.errors import UnknownName
from kandji_schema.resource import Resource

if TYPE_CHECKING:  # the world owns its tables
    from kandji_mirror.simulator.world import World

_CATEGORIES: dict[str, Callable[[World], Category]] = {
    "apps": lambda world: world.apps,
    "prism_device_information": lambda world: DeviceInformationRows(),
}
_LISTINGS: dict[str, Callable[[World], Listing]] = {
    "devices": DeviceList,
    "users": UserList,
    "blueprints": BlueprintList,
    "blueprint_library_items": LibraryItemList,
}


class Tables:
    """The rows of a world, by the name of the table or of the Prism category."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._made_categories: dict[str, Category] = {}
        self._made_listings: dict[str, Listing] = {}

    def named(self, name: str) -> Resource:
        """The resource of that table or Prism category; :class:`UnknownName` otherwise."""
        for resource in self._world.resources.values():
            if name in {resource.name, resource.category}:
                return resource
        raise UnknownName("table", name, self._world.resources)

    def category(self, name: str) -> Category:
        """The rows of the Prism table ``name``."""
        if name not in self._made_categories:
            make = _CATEGORIES.get(name)
            made = make(self._world) if make else InventedCategory(self._world.seed, self.named(name))
            self._made_categories[name] = made
        return self._made_categories[name]

    def listing(self, name: str) -> Listing:
        """The rows of the table ``name``, one that is not Prism's."""
        if name not in self._made_listings:
            make = _LISTINGS.get(name)
            made = make(self._world) if make else InventedListing(self._world, self.named(name))
            self._made_listings[name] = made
        return self._made_listings[name]

    def count(self, name: str) -> int:
        """Rows of a table now."""
        resource = self.named(name)
        if resource.category:
            return self._world.remember(f"count {resource.name}", lambda: self._count(resource))
        return sum(1 for _ in self.truth(name))

    def _count(self, resource: Resource) -> int:
        category = self.category(resource.name)
        return sum(category.count(d) for d in self._world.devices.values() if reports(d, resource))

    def truth(self, name: str) -> Iterator[dict[str, Any]]:
        """See :meth:`World.truth`."""
        resource = self.named(name)
        if resource.category:
            return (json.loads(line) for line in self._prism_lines(resource))
        return self._rows(resource)

    def truth_lines(self, name: str) -> Iterator[bytes]:
        """See :meth:`World.truth_lines`."""
        resource = self.named(name)
        lines = self._prism_lines(resource) if resource.category else map(encode, self._rows(resource))
        return (line + b"\n" for line in lines)

    def _prism_lines(self, resource: Resource) -> Iterator[bytes]:
        category = self.category(resource.name)
        for device in self._world.devices_from(""):
            if reports(device, resource):
                yield from (row.text for row in category.rows(device))

    def _rows(self, resource: Resource) -> Iterator[dict[str, Any]]:
        listing = self.listing(resource.name)
        for parent in self._parents(resource):
            for record in listing.records({}, parent) or ():
                yield {**parent, **listing.row(record)}

    def _parents(self, resource: Resource) -> Iterator[dict[str, str]]:
        """The columns each parent row gives to its rows; nothing, once, for a list of the tenant."""
        if resource.parent is None:
            yield {}
            return
        for row in self.truth(resource.parent):
            yield {ours: str(row[theirs]) for ours, theirs in resource.parent_key.items()}
