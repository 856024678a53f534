"""The world of a simulated tenant: a fleet drawn from a seed, its time, and how to look at it."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from kandji_schema.registry import tenant_tables
from kandji_schema.resource import Resource
from kandji_simulator.simulation.events import step
from kandji_simulator.simulation.row_mutations import RowMutations
from kandji_simulator.tables.apps import device_apps
from kandji_simulator.world.seed_data import NAMES
from kandji_simulator.world.time import DAY, MICROSECOND, time_of

START = datetime(2026, 1, 12, 9, 0, tzinfo=UTC)
"""When a world begins that is not told another time: the same bytes on every day."""
STEP = timedelta(minutes=15)
"""How much time one step of :meth:`World.advance` is: the agent's interval between check-ins."""
ROWS_SCALE = 0.13
"""So many of the rows a real device has in the categories with several, apps aside: about 30 instead of 224."""
_REMEMBERED_ENROLMENTS = 400


class World(RowMutations):
    """Devices, people and blueprints, now. The same arguments and the same calls give the same world, byte for byte.

    ``apps_per_device`` is the average number of app rows of a Mac (helpers count; mobile devices have fewer), up to
    some 700; ``rows_scale`` is the same for the other Prism categories with several rows a device: 1.0 is a real fleet.
    There are as many ``blueprints`` and ``users`` as the number of ``devices`` suggests, unless given. ``identity``
    tells one fleet from another.
    Not safe for threads: :class:`~kandji_simulator.api.tenant.Tenant` takes one request at a time.
    """

    def __init__(
        self,
        seed: int = 1,
        devices: int = 100,
        *,
        apps_per_device: int = 60,
        rows_scale: float = ROWS_SCALE,
        blueprints: int | None = None,
        users: int | None = None,
        start: datetime = START,
        resources: Mapping[str, Resource] | None = None,
    ) -> None:
        known = tenant_tables() if resources is None else resources
        super().__init__(seed, start, apps_per_device, known, rows_scale)
        self.identity = f"{seed}-{devices}"
        homes = 4 + min(devices // 250, 120) if blueprints is None else blueprints
        self._populate(devices, homes, devices * 9 // 10 + 2 if users is None else users)

    def _populate(self, devices: int, blueprints: int, users: int) -> None:
        for _ in range(blueprints):
            self.add_blueprint()
        for _ in range(users):
            self.add_user()
        for name in NAMES["tags"] if devices else ():
            self.add_tag(name)
        for _ in range(devices):
            self.order.append(self.join(platform=None, name=None).id)
        self.order.sort()
        self._write_history()

    def _write_history(self) -> None:
        """Write the log of the world's past: some of the enrolments of its last year."""
        self.audit.events.clear()
        past = [d for d in self.devices.values() if d.enrolled > self.moment - 365 * DAY]
        for device in sorted(past, key=lambda d: (d.enrolled, d.id))[-_REMEMBERED_ENROLMENTS:]:
            self.audit.add(device.enrolled, "create", ("device", device.id), name=device.name)

    @property
    def now(self) -> datetime:
        """The world's time; it moves by :meth:`advance` and :meth:`wait` only."""
        return time_of(self.moment)

    def truth(self, resource_name: str) -> Iterator[dict[str, Any]]:
        """Yield the provider's rows of a table now; rows below a parent get the parent's columns added."""
        return self.tables.truth(resource_name)

    def truth_lines(self, resource_name: str) -> Iterator[bytes]:
        """Yield the same as lines of JSON, each ending in a line break."""
        return self.tables.truth_lines(resource_name)

    def count(self, resource_name: str) -> int:
        """Return the number of rows of a table now."""
        return self.tables.count(resource_name)

    def apps_of(self, device_id: str) -> list[dict[str, Any]]:
        """Return the rows of ``GET /devices/{device_id}/apps`` now: the way round Prism, for every platform."""
        return device_apps(self, self.devices[device_id])

    def advance(self, steps: int = 1) -> None:
        """Let time pass: 15 minutes a step, in which devices check in, answer commands, change, come and go."""
        for _ in range(steps):
            self.steps += 1
            self.wait(STEP)
            step(self)
            self.answer_commands()

    def wait(self, time: timedelta) -> None:
        """Let time pass in which nothing happens."""
        self.moment += time // MICROSECOND
        self.revision += 1
