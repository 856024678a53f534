"""What a sync is asked for: which tables are due, which were refused a short while ago, and the request that results.

The first step of the pipeline. Whoever syncs makes a :class:`SyncRequest`; everything after it only carries that out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

from kandji_mirror.capabilities import Capability, ServerCapabilities
from kandji_mirror.privacy.people import tells_of_people
from kandji_mirror.sync.devices import DEVICES
from kandji_schema import ddl
from kandji_schema.durations import in_future
from kandji_schema.errors import UsageError
from kandji_schema.manifest import State, TableState
from kandji_schema.registry import resource as resource_named
from kandji_schema.registry import resources
from kandji_schema.resource import Resource

UNFINISHED = timedelta(minutes=5)
"""A table that is only partly read goes on after so long."""

REFUSED = frozenset({State.FORBIDDEN, State.ABSENT})
"""How a table fares that this token, or this tenant, does not have."""


@dataclass(frozen=True)
class SyncRequest:
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


def reading_groups(lists: Sequence[Resource], *, people_first: bool) -> list[list[Resource]]:
    """Return tables in groups that are read side by side, one group after the other.

    The first goes alone, as it shows whether host and token are right; then the others that hang on nothing, where
    ``people_first`` those that tell of people before the rest; then those that are asked for by the rows of others.
    """
    parents = {resource.parent for resource in resources().values()}
    roots = sorted((r for r in lists if r.parent is None), key=lambda resource: resource.name not in parents)
    late = [r for r in roots[1:] if people_first and not tells_of_people(r)]
    early = [r for r in roots[1:] if r not in late]
    children = sorted((r for r in lists if r.parent is not None), key=_depth)
    return [roots[:1], early, late, *(list(group) for _, group in groupby(children, key=_depth))]


def _depth(resource: Resource) -> int:
    """Return how many tables stand above one whose lists are asked for once a row of another."""
    return 0 if resource.parent is None else 1 + _depth(resources()[resource.parent])


def device_request(devices: Sequence[str], names: Sequence[str] = ()) -> SyncRequest:
    """Return the request for the rows of some devices, by identifier, in the named tables and in the list of devices.

    Without names, in all tables that have any. :class:`UsageError` for a table of other things and without a device.
    """
    known = device_tables()
    for name in names:
        if resource_named(name).name not in known:
            raise UsageError(f"The rows of {name} are not of devices. Tables that are: {', '.join(known)}.")
    if not devices or not all(device.strip() for device in devices):
        raise UsageError("Name at least one device, by its identifier.")
    chosen = dict.fromkeys((DEVICES, *names)) if names else known
    return SyncRequest(tuple(chosen), asked=True, devices=tuple(dict.fromkeys(devices)))


def device_tables() -> tuple[str, ...]:
    """Return the tables whose rows belong to devices and can be asked for by device."""
    return tuple(r.name for r in resources().values() if r.name == DEVICES or r.swept or r.category)


@dataclass(frozen=True)
class Ttl:
    """The ``age`` at which a table is due; ``reason`` says why that is not the declared one, else None."""

    age: timedelta
    reason: str | None = None


def is_due(state: TableState, resource: Resource, now: datetime, ttl: Ttl | None = None) -> bool:
    """Return whether a table is older than its time to live, failed last time, or was written with other columns.

    One that was read in the future, by a clock that was ahead, is due too. ``ttl`` replaces the declared time to live.
    """
    if state.state is State.FAILED or state.attempted_at is None:
        return True
    if state.ddl[0] != ddl.statements(resource)[0]:
        return True
    age = ttl.age if ttl else timedelta(seconds=state.ttl_seconds)
    if state.state is State.PARTIAL:
        age = min(age, UNFINISHED)
    read_at = _read_at(state, resource)
    return now - read_at >= age or in_future(read_at, now) or in_future(state.synced_at, now)


def _read_at(state: TableState, resource: Resource) -> datetime:
    """Return the moment a table's age counts from. A swept one is as old as the oldest of its rows."""
    attempted = state.attempted_at or datetime.min.replace(tzinfo=UTC)
    swept = resource.swept and state.state is State.OK
    return min(attempted, state.synced_at or attempted) if swept else attempted


@dataclass(frozen=True)
class Refusals:
    """What was refused to one token, which ``mark`` stands for: another token is asked for anew.

    A refused table is asked for once and then left alone for a day.
    """

    capabilities: ServerCapabilities
    mark: str

    def holds(self, table: str, states: Mapping[str, TableState]) -> bool:
        """Return whether a table need not be asked for: it, or what it hangs on, was refused a short while ago."""
        if states[table].state not in REFUSED:
            return False
        parent = parent_of(resources()[table])
        if parent is not None and self.holds(parent, states):
            return True
        return self.capabilities.lacks(table, Capability.PERMISSION, seen=self.mark)

    def is_due(
        self, resource: Resource, states: Mapping[str, TableState], now: datetime, ttl: Ttl | None = None
    ) -> bool:
        """Return whether a table is due; a refused one is when that does not hold any more, however young it is."""
        state = states[resource.name]
        if state.state in REFUSED:
            return not self.holds(resource.name, states)
        return is_due(state, resource, now, ttl)

    def note(self, table: str) -> None:
        """Remember that the provider refused a table just now."""
        self.capabilities.note_lack(table, Capability.PERMISSION, self.mark)


def parent_of(resource: Resource) -> str | None:
    """Return the table whose rows another one is asked for by; a swept one goes through the devices."""
    return resource.parent or (DEVICES if resource.swept else None)
