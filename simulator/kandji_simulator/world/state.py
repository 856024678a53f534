"""What a tenant is made of at a moment, finding things in it by name, and values that are kept until they change."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from kandji_schema.errors import UnknownName
from kandji_schema.resource import Resource
from kandji_simulator.world.audit_log import AuditLog
from kandji_simulator.world.fleet import FleetGenerator
from kandji_simulator.world.installed_apps import InstalledApps
from kandji_simulator.world.management import Command, Managed, newly_managed
from kandji_simulator.world.records import Blueprint, Device, User
from kandji_simulator.world.time import moment_of

_T = TypeVar("_T")


class TenantState:
    """Devices, people, blueprints and tags at a moment. ``touched`` names the devices that changed, in that order.

    ``waiting`` are MDM commands that no device has answered yet.
    """

    def __init__(self, seed: int, start: datetime, apps_per_device: int, resources: Mapping[str, Resource]) -> None:
        self.seed = seed
        self.moment = moment_of(start)
        self.revision = 0
        self.steps = 0
        self.devices: dict[str, Device] = {}
        self.users: dict[str, User] = {}
        self.blueprints: dict[str, Blueprint] = {}
        self.tags: dict[str, str] = {}
        self.apps = InstalledApps(seed, apps_per_device)
        self.resources = resources
        self.audit = AuditLog(seed)
        self.touched: list[str] = []
        self.waiting: list[Command] = []
        self.last_request = 0
        self.generator = FleetGenerator(seed)
        self.order: list[str] = []
        self.late = 0
        self._numbers: dict[str, int] = {}
        self._managed: dict[str, Managed] = {}
        self._remembered: dict[str, tuple[int, Any]] = {}

    def remember(self, name: str, make: Callable[[], _T]) -> _T:
        """Return the value of ``make``, made again only after the world has changed."""
        revision, value = self._remembered.get(name, (-1, None))
        if revision != self.revision:
            value = make()
            self._remembered[name] = (self.revision, value)
        return cast(_T, value)

    def stamp(self, device: Device) -> int:
        """Return what the provider writes as the time of something that happens on the device now."""
        return self.moment - self.late + device.clock

    def count_up(self, kind: str) -> int:
        """Return a running number; something changes with it."""
        self.revision += 1
        self._numbers[kind] = self._numbers.get(kind, 0) + 1
        return self._numbers[kind] - 1

    def device_ids(self) -> tuple[str, ...]:
        """Return all listed devices, sorted."""
        return tuple(self.order)

    def user_ids(self) -> tuple[str, ...]:
        """Return all users, oldest first."""
        return tuple(self.users)

    def blueprint_ids(self) -> tuple[str, ...]:
        """Return all blueprints, oldest first."""
        return tuple(self.blueprints)

    def devices_from(self, device_id: str) -> Iterator[Device]:
        """Yield devices in order of their id, from ``device_id`` (which need not exist) on."""
        return (self.devices[i] for i in self.order[bisect_left(self.order, device_id) :])

    def device(self, device_id: str) -> Device:
        """Return the device, which is about to change."""
        self.revision += 1
        found = _known("device", device_id, self.devices)
        self.touched.append(device_id)
        return found

    def managed(self, device_id: str) -> Managed:
        """Return what the tenant keeps of a device besides its inventory."""
        if device_id not in self._managed:
            self._managed[device_id] = newly_managed(_known("device", device_id, self.devices))
        return self._managed[device_id]

    def managed_so_far(self, device_id: str) -> Managed | None:
        """Return the same of a device somebody looked at or did something to: of whole fleets it would be much."""
        return self._managed.get(device_id)

    def user(self, user_id: str) -> User:
        """Return the person, who is about to change."""
        self.revision += 1
        return _known("user", user_id, self.users)

    def blueprint(self, blueprint_id: str) -> Blueprint:
        """Return the blueprint, which is about to change."""
        self.revision += 1
        return _known("blueprint", blueprint_id, self.blueprints)

    def tag(self, name: str) -> str:
        """Return the identifier of the tag, which is about to change."""
        self.revision += 1
        return _known("tag", name, self.tags)


def _known(what: str, name: str, known: Mapping[str, _T]) -> _T:
    if name not in known:
        raise UnknownName(what, name, known)
    return known[name]


class PerDevice(Generic[_T]):
    """``make(device)`` of every device, up to date at each look: made again only for devices touched since."""

    def __init__(self, state: TenantState, make: Callable[[Device], _T]) -> None:
        self._state = state
        self._make = make
        self._values: dict[str, _T] = {}
        self._read = 0

    def values(self) -> Mapping[str, _T]:
        """Return the values by device id, in no order."""
        touched = self._state.touched
        for device_id in dict.fromkeys(touched[self._read :]):
            device = self._state.devices.get(device_id)
            if device is None:
                self._values.pop(device_id, None)
            else:
                self._values[device_id] = self._make(device)
        self._read = len(touched)
        return self._values
