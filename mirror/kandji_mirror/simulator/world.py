"""The world of a simulated tenant: a fleet drawn from a seed, and the verbs that change it."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

from kandji_mirror.simulator.app_rows import AppRows
from kandji_mirror.simulator.catalogue import CURRENT, App, catalogue
from kandji_mirror.simulator.events import step
from kandji_mirror.simulator.fleet import Recruiter
from kandji_mirror.simulator.hardware import APPLE, RELEASES, Release
from kandji_mirror.simulator.moments import MICROSECOND, MINUTE, moment_of, time_of
from kandji_mirror.simulator.records import AppState, Blueprint, Device, User
from kandji_mirror.simulator.tables import Tables
from kandji_schema.errors import UnknownName
from kandji_schema.registry import resources as all_resources
from kandji_schema.resource import Resource

START = datetime(2026, 1, 12, 9, 0, tzinfo=UTC)
"""When a world begins that is not told another time: the same bytes on every day."""
STEP = timedelta(minutes=15)
"""How much time one step of :meth:`World.advance` is: the agent's interval between check-ins."""

_T = TypeVar("_T")


class World:
    """Devices, people and blueprints, now. The same arguments and the same verbs give the same world, byte for byte.

    ``apps_per_device`` is the average number of app rows of a Mac (helpers count; mobile devices have fewer), up to
    some 700; there are as many ``blueprints`` and ``users`` as the number of ``devices`` suggests, unless given.
    Not safe for threads: :class:`~kandji_mirror.simulator.tenant.Tenant` takes one request at a time.
    """

    def __init__(
        self,
        seed: int = 1,
        devices: int = 100,
        *,
        apps_per_device: int = 60,
        blueprints: int | None = None,
        users: int | None = None,
        start: datetime = START,
        resources: Mapping[str, Resource] | None = None,
    ) -> None:
        self.seed = seed
        self.moment = moment_of(start)
        self.revision = 0
        self.steps = 0
        self.devices: dict[str, Device] = {}
        self.users: dict[str, User] = {}
        self.blueprints: dict[str, Blueprint] = {}
        self.apps: AppRows = AppRows(seed, apps_per_device)
        self.resources = all_resources() if resources is None else resources
        self._order: list[str] = []
        self._numbers = {"user": 0, "blueprint": 0, "device": 0}
        self._recruiter = Recruiter(seed)
        self._remembered: dict[str, tuple[int, Any]] = {}
        self._tables = Tables(self)
        self._populate(devices, _or(blueprints, 4 + min(devices // 250, 120)), _or(users, devices * 9 // 10 + 2))

    def _populate(self, devices: int, blueprints: int, users: int) -> None:
        for _ in range(blueprints):
            self.add_blueprint()
        for _ in range(users):
            self.add_user()
        for _ in range(devices):
            self._join(platform=None, name=None)
        self._order.sort()

    # -- looking ------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The world's time; it moves by :meth:`advance` only."""
        return time_of(self.moment)

    def device_ids(self) -> tuple[str, ...]:
        """All listed devices, sorted."""
        return tuple(self._order)

    def devices_from(self, device_id: str) -> Iterator[Device]:
        """Devices in order of their id, from ``device_id`` (which need not exist) on."""
        order = self._order
        return (self.devices[i] for i in order[bisect_left(order, device_id) :])

    def user_ids(self) -> tuple[str, ...]:
        """All users, oldest first."""
        return tuple(self.users)

    def blueprint_ids(self) -> tuple[str, ...]:
        """All blueprints, oldest first."""
        return tuple(self.blueprints)

    @property
    def tables(self) -> Tables:
        """The world as the provider's rows."""
        return self._tables

    def truth(self, resource_name: str) -> Iterator[dict[str, Any]]:
        """The provider's rows of a table now; rows below a parent get the parent's columns added."""
        return self._tables.truth(resource_name)

    def truth_lines(self, resource_name: str) -> Iterator[bytes]:
        """The same as lines of JSON, each ending in a line break."""
        return self._tables.truth_lines(resource_name)

    def count(self, resource_name: str) -> int:
        """Number of rows of a table now."""
        return self._tables.count(resource_name)

    def remember(self, name: str, make: Callable[[], _T]) -> _T:
        """The value of ``make``, made again only after the world has changed."""
        revision, value = self._remembered.get(name, (-1, None))
        if revision != self.revision:
            value = make()
            self._remembered[name] = (self.revision, value)
        return cast(_T, value)

    # -- changing -----------------------------------------------------------------------------------------------------

    def advance(self, steps: int = 1) -> None:
        """Let time pass: 15 minutes a step, in which devices check in, change, come and go."""
        for _ in range(steps):
            self.steps += 1
            self.wait(STEP)
            step(self)

    def wait(self, time: timedelta) -> None:
        """Let time pass in which nothing happens."""
        self.moment += time // MICROSECOND
        self.revision += 1

    def enrol(self, *, platform: str | None = "Mac", name: str | None = None) -> str:
        """A new device, just enrolled and collected; its id. ``platform`` None draws one."""
        device = self._join(platform=platform, name=name)
        self._order.pop()
        insort(self._order, device.id)
        device.first_enrolled = device.enrolled = self.moment - MINUTE
        device.missing = device.removed = False
        device.collected = None
        self.check_in(device.id)
        return device.id

    def remove(self, device_id: str) -> None:
        """The device is deleted: gone from every answer."""
        del self.devices[self._device(device_id).id]
        del self._order[bisect_left(self._order, device_id)]

    def rename(self, device_id: str, name: str) -> None:
        """Another device name; no Prism row counts as written by that."""
        self._device(device_id).name = name

    def check_in(self, device_id: str) -> None:
        """The device is seen, and collected where Prism covers its platform."""
        device = self._device(device_id)
        if device.collected is None:
            device.first_collected = device.drawn_until = self.moment
            self.apps.prepare(device)
        device.checked_in = self.moment
        device.collected = self.moment if device.platform in APPLE else None
        device.missing = False

    def update_os(self, device_id: str, version: str | None = None) -> None:
        """The newest release of its platform, or ``version``."""
        device = self._device(device_id)
        known = {r.version: r for r in RELEASES[device.platform]}
        newest = RELEASES[device.platform][-1]
        device.release = newest if version is None else known.get(version, Release(version, ""))
        self.check_in(device_id)

    def assign_user(self, device_id: str, user_id: str | None) -> None:
        """Another person, or none."""
        self._device(device_id).user = None if user_id is None else self._user(user_id)

    def assign_blueprint(self, device_id: str, blueprint_id: str) -> None:
        """Another blueprint; ``""`` for none."""
        self._device(device_id).blueprint = self._blueprint(blueprint_id) if blueprint_id else None

    def install_app(self, device_id: str, bundle_id: str) -> None:
        """The newest release of an app of the catalogue, with its helpers."""
        index, app = self._app(device_id, bundle_id)
        self._put_app(device_id, index, app.release(CURRENT + self.steps // 8))

    def set_app_version(self, device_id: str, bundle_id: str, version: str) -> None:
        """Install or update an app of the catalogue at exactly this version."""
        self._put_app(device_id, self._app(device_id, bundle_id)[0], version)

    def remove_app(self, device_id: str, bundle_id: str) -> None:
        """The app and its helpers are gone from the device."""
        self.apps.put(self._device(device_id), self._app(device_id, bundle_id)[0], None)

    def set_fact(self, device_id: str, category: str, **columns: Any) -> None:
        """Fixed values for columns of the device's rows in a Prism category other than apps (``filevault``)."""
        name = self._tables.named(category).name
        device = self._device(device_id)
        device.facts = {**(device.facts or {}), name: {**(device.facts or {}).get(name, {}), **columns}}
        self.redraw(device_id, category, again=False)

    def redraw(self, device_id: str, category: str, *, again: bool = True) -> None:
        """The device's rows in a Prism category are collected anew, and unless ``again`` is False, come out anew."""
        device = self._device(device_id)
        name = self._tables.named(category).name
        epoch = (device.redrawn or {}).get(name, (0, 0))[0]
        device.redrawn = {**(device.redrawn or {}), name: (epoch + again, self.moment)}
        self.check_in(device_id)

    def add_blueprint(self, name: str | None = None) -> str:
        """A new blueprint without devices; its id."""
        blueprint = self._recruiter.blueprint(self._next("blueprint"), self.moment, name)
        self.blueprints[blueprint.id] = blueprint
        return blueprint.id

    def rename_blueprint(self, blueprint_id: str, name: str) -> None:
        """Another name, in the blueprint and in all rows that repeat it."""
        blueprint = self._blueprint(blueprint_id)
        blueprint.name, blueprint.updated = name, self.moment

    def remove_blueprint(self, blueprint_id: str) -> None:
        """The blueprint is gone; its devices have none."""
        gone = self.blueprints.pop(self._blueprint(blueprint_id).id)
        for device in self.devices.values():
            if device.blueprint is gone:
                device.blueprint = None

    def add_user(self, name: str | None = None) -> str:
        """A new person without devices; the id."""
        user = self._recruiter.user(self._next("user"), self.moment, name)
        self.users[user.id] = user
        return user.id

    def archive_user(self, user_id: str) -> None:
        """The person is archived and keeps the devices."""
        user = self._user(user_id)
        user.archived, user.updated = True, self.moment

    def remove_user(self, user_id: str) -> None:
        """The person is gone; the devices have none."""
        gone = self.users.pop(self._user(user_id).id)
        for device in self.devices.values():
            if device.user is gone:
                device.user = None

    # -- inside -------------------------------------------------------------------------------------------------------

    def _join(self, *, platform: str | None, name: str | None) -> Device:
        people = self.remember("people", lambda: list(self.users.values()))
        homes = self.remember("homes", lambda: list(self.blueprints.values()))
        number = self._numbers["device"]
        self._numbers["device"] += 1
        device = self._recruiter.device(
            number, self.moment, users=people, blueprints=homes, platform=platform, name=name
        )
        self.devices[device.id] = device
        self._order.append(device.id)
        self.apps.prepare(device)
        return device

    def _put_app(self, device_id: str, index: int, version: str) -> None:
        device = self._device(device_id)
        self.check_in(device_id)
        before = self.apps.installed(device).get(index)
        self.apps.put(device, index, AppState(version, before.created if before else self.moment, self.moment))

    def _app(self, device_id: str, bundle_id: str) -> tuple[int, App]:
        apps = catalogue(self._device(device_id).platform)
        return _known("app", bundle_id, apps.by_bundle_id)

    def _next(self, kind: str) -> int:
        self.revision += 1
        self._numbers[kind] += 1
        return self._numbers[kind] - 1

    def _device(self, device_id: str) -> Device:
        self.revision += 1
        return _known("device", device_id, self.devices)

    def _user(self, user_id: str) -> User:
        self.revision += 1
        return _known("user", user_id, self.users)

    def _blueprint(self, blueprint_id: str) -> Blueprint:
        self.revision += 1
        return _known("blueprint", blueprint_id, self.blueprints)


def _or(given: int | None, otherwise: int) -> int:
    return otherwise if given is None else given


def _known(what: str, name: str, known: Mapping[str, _T]) -> _T:
    if name not in known:
        raise UnknownName(what, name, known)
    return known[name]
