"""Every table of the schema as rows of the provider: own makers for many, the declaration for the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kandji_schema.errors import UnknownName
from kandji_schema.resource import Resource
from kandji_simulator.tables.app_content import device_apps
from kandji_simulator.tables.audit_events import AuditList
from kandji_simulator.tables.device_details import device_details
from kandji_simulator.tables.device_reports import (
    device_activity,
    device_commands,
    device_notes,
    library_items,
    lost_mode,
    parameters,
)
from kandji_simulator.tables.devices import DeviceInformationRows, DeviceList
from kandji_simulator.tables.enrollment import ade_devices, ade_integrations
from kandji_simulator.tables.generated import GeneratedCategory, GeneratedRows
from kandji_simulator.tables.library import (
    LibraryItemActivity,
    custom_apps,
    custom_profiles,
    custom_scripts,
    in_house_apps,
    self_service_categories,
)
from kandji_simulator.tables.listing import DeviceRows, GeneratedListing, Listing, PerDevice, RowList, SingleObject
from kandji_simulator.tables.prism import Category, ListCategory, RowGenerator, encode, reports
from kandji_simulator.tables.prism_lists import (
    Certificates,
    InstalledProfiles,
    KernelExtensions,
    LaunchAgents,
    LocalUsers,
    SystemExtensions,
    TransparencyDatabase,
)
from kandji_simulator.tables.tenant_lists import BlueprintList, LibraryItemList, UserList, licensing, tags
from kandji_simulator.tables.threats import BehaviorList, ThreatList, behaviors, threats
from kandji_simulator.tables.vulnerabilities import DetectionList, Findings, vulnerabilities
from kandji_simulator.world.fleet import specimen
from kandji_simulator.world.records import Device

if TYPE_CHECKING:  # the world owns its tables
    from kandji_simulator.world.world import World

_CATEGORIES: Mapping[str, Callable[[World], Category]] = {
    "apps": lambda world: world.apps,
    "prism_device_information": lambda world: DeviceInformationRows(),
}
_RECIPES: Mapping[str, Callable[[World], RowGenerator]] = {
    "prism_certificates": lambda world: Certificates(),
    "prism_installed_profiles": lambda world: InstalledProfiles(world.generator.library),
    "prism_kernel_extensions": lambda world: KernelExtensions(),
    "prism_launch_agents_and_daemons": lambda world: LaunchAgents(),
    "prism_local_users": lambda world: LocalUsers(),
    "prism_system_extensions": lambda world: SystemExtensions(),
    "prism_transparency_database": lambda world: TransparencyDatabase(),
}
_LISTINGS: Mapping[str, Callable[[World], Listing]] = {
    "devices": DeviceList,
    "users": UserList,
    "blueprints": BlueprintList,
    "blueprint_library_items": LibraryItemList,
    "audit_events": AuditList,
    "device_library_items": lambda world: DeviceRows(world, library_items),
    "device_parameters": lambda world: DeviceRows(world, parameters),
    "device_details": lambda world: DeviceRows(world, device_details, single=True),
    "device_activity": lambda world: DeviceRows(world, device_activity),
    "device_commands": lambda world: DeviceRows(world, device_commands),
    "device_notes": lambda world: DeviceRows(world, device_notes),
    "lost_mode": lambda world: DeviceRows(world, lost_mode, single=True),
    "library_item_activity": LibraryItemActivity,
    "device_apps": lambda world: DeviceRows(world, device_apps),
    "tags": lambda world: RowList(world, tags),
    "licensing": lambda world: SingleObject(world, licensing),
    "custom_apps": lambda world: RowList(world, custom_apps),
    "custom_profiles": lambda world: RowList(world, custom_profiles),
    "custom_scripts": lambda world: RowList(world, custom_scripts),
    "in_house_apps": lambda world: RowList(world, in_house_apps),
    "self_service_categories": lambda world: RowList(world, self_service_categories),
    "ade_integrations": lambda world: RowList(world, ade_integrations),
    "ade_devices": lambda world: RowList(world, ade_devices),
    "vulnerabilities": lambda world: RowList(world, vulnerabilities, key="cve_id"),
    "vulnerability_detections": DetectionList,
    "threats": lambda world: ThreatList(world, threats, key="file_hash"),
    "behavioral_detections": lambda world: BehaviorList(world, behaviors),
}


class Tables:
    """The rows of a world, by the name of the table or of the Prism category."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._made_categories: dict[str, Category] = {}
        self._made_listings: dict[str, Listing] = {}
        self._counts: dict[str, PerDevice[int]] = {}

    @cached_property
    def findings(self) -> Findings:
        """The flaws on each device."""
        return Findings(self._world)

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
            self._made_categories[name] = make(self._world) if make else self._rowed(self.named(name))
        return self._made_categories[name]

    def _rowed(self, resource: Resource) -> Category:
        """A category by its recipe, else by its declaration: with one row a device where it has no key of its own."""
        make = _RECIPES.get(resource.name)
        recipe: RowGenerator = make(self._world) if make else GeneratedRows(resource)
        if not recipe.size:
            return GeneratedCategory(self._world.seed, resource)
        scale = self._world.rows_scale if make else 1.0
        example = specimen((resource.platforms or ("Mac",))[0])
        return ListCategory(self._world.seed, resource, recipe, example, scale)

    def listing(self, name: str) -> Listing:
        """The rows of the table ``name``, one that is not Prism's."""
        if name not in self._made_listings:
            make = _LISTINGS.get(name)
            made = make(self._world) if make else GeneratedListing(self._world, self.named(name))
            self._made_listings[name] = made
        return self._made_listings[name]

    def count(self, name: str) -> int:
        """Rows of a table now."""
        resource = self.named(name)
        if not resource.category:
            return sum(1 for _ in self.truth(name))
        if resource.name not in self._counts:
            self._counts[resource.name] = PerDevice(self._world, self._counter(resource))
        counts = self._counts[resource.name]
        return self._world.remember(f"count {resource.name}", lambda: sum(counts.values().values()))

    def _counter(self, resource: Resource) -> Callable[[Device], int]:
        category = self.category(resource.name)
        return lambda device: category.count(device) if reports(device, resource) else 0

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
        keys = resource.parent_key
        found = (tuple(str(row[theirs]) for theirs in keys.values()) for row in self.truth(resource.parent))
        yield from (dict(zip(keys, values, strict=True)) for values in dict.fromkeys(found))
