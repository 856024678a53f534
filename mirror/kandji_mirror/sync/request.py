"""What a run is asked to do, and when a table is due."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kandji_mirror.capabilities import Capability, ServerCapabilities
from kandji_mirror.sync.devices import DEVICES
from kandji_schema import ddl
from kandji_schema.durations import in_future
from kandji_schema.errors import (
    UsageError,
)
from kandji_schema.manifest import State, TableState
from kandji_schema.registry import resource as resource_named
from kandji_schema.registry import resources
from kandji_schema.registry import resources as all_resources
from kandji_schema.resource import Resource


@dataclass(frozen=True)
class Pace:
    """``ttl`` is the age at which a table is due; ``reason`` says why that is not the declared one, else None."""

    ttl: timedelta
    reason: str | None = None


UNFINISHED = timedelta(minutes=5)
"""A table that is only partly read goes on after so long."""


@dataclass(frozen=True)
class Order:
    """Which tables to read, and how.

    ``asked``: someone waits for exact rows, so vanished ones are found in this pass whatever it costs. ``whole``:
    everything is read anew, without increments. ``sweep`` is how many requests the tables that cost one a device may
    spend together; None is as many as it takes. With ``devices``, identifiers, only their rows are read.
    ``only_due``: the tables are read because they are due and not because someone named them, so what the provider
    refused a short while ago is left alone.
    """

    names: tuple[str, ...]
    asked: bool = False
    whole: bool = False
    sweep: int | None = 0
    devices: tuple[str, ...] = ()
    only_due: bool = False

    @property
    def again(self) -> bool:
        """Whether to ask for what the provider refused a short while ago."""
        return self.asked and not self.only_due


def due(state: TableState, resource: Resource, now: datetime, pace: Pace | None = None) -> bool:
    """Whether a table is older than its time to live, failed the last time, or was written with other columns.

    One that was read in the future, by a clock that was ahead, is due too. ``pace`` replaces the declared time to live.
    """
    if state.state is State.FAILED or state.attempted_at is None:
        return True
    if state.ddl[0] != ddl.statements(resource)[0]:
        return True
    ttl = pace.ttl if pace else timedelta(seconds=state.ttl_seconds)
    if state.state is State.PARTIAL:
        ttl = min(ttl, UNFINISHED)
    read_at = _read_at(state, resource)
    return now - read_at >= ttl or in_future(read_at, now) or in_future(state.synced_at, now)


def _read_at(state: TableState, resource: Resource) -> datetime:
    """The moment a table's age counts from. A swept one is as old as the oldest of its rows."""
    attempted = state.attempted_at or datetime.min.replace(tzinfo=UTC)
    swept = resource.swept and state.state is State.OK
    return min(attempted, state.synced_at or attempted) if swept else attempted


REFUSED = frozenset({State.FORBIDDEN, State.ABSENT})
"""How a table fares that this token, or this tenant, does not have."""


@dataclass(frozen=True)
class Refusals:
    """What was refused to one token, which ``mark`` stands for: another token is asked for anew."""

    capabilities: ServerCapabilities
    mark: str

    def stands(self, table: str, states: Mapping[str, TableState]) -> bool:
        """Whether a table need not be asked for: it, or what it is asked for by, was refused a short while ago."""
        if states[table].state not in REFUSED:
            return False
        parent = parent_of(resources()[table])
        if parent is not None and self.stands(parent, states):
            return True
        return self.capabilities.lacks(table, Capability.PERMISSION, seen=self.mark)

    def due(
        self, resource: Resource, states: Mapping[str, TableState], now: datetime, pace: Pace | None = None
    ) -> bool:
        """Whether a table is due; one that was refused is when that does not stand any more, however young it is."""
        state = states[resource.name]
        if state.state in REFUSED:
            return not self.stands(resource.name, states)
        return due(state, resource, now, pace)

    def note(self, table: str) -> None:
        """The provider refused a table just now."""
        self.capabilities.note_lack(table, Capability.PERMISSION, self.mark)


def parent_of(resource: Resource) -> str | None:
    """The table whose rows another one is asked for by; a swept one goes through the devices."""
    return resource.parent or (DEVICES if resource.swept else None)


def tables_of_devices() -> tuple[str, ...]:
    """The tables whose rows belong to devices and can be asked for by device."""
    return tuple(r.name for r in all_resources().values() if r.name == DEVICES or r.swept or r.category)


def order_of_devices(devices: Sequence[str], names: Sequence[str] = ()) -> Order:
    """What to ask for to have the rows of some devices anew, in the named tables and in the list of devices.

    Without names, in all tables that have any. :class:`UsageError` for a table of other things and without a device.
    """
    known = tables_of_devices()
    for name in names:
        if resource_named(name).name not in known:
            raise UsageError(f"The rows of {name} are not of devices. Tables that are: {', '.join(known)}.")
    if not devices or not all(device.strip() for device in devices):
        raise UsageError("Name at least one device, by its identifier.")
    chosen = dict.fromkeys((DEVICES, *names)) if names else known
    return Order(tuple(chosen), asked=True, devices=tuple(dict.fromkeys(devices)))
