"""What a run is asked to do, and when a table is due."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kandji_mirror.sync.pace import Pace
from kandji_schema import ddl
from kandji_schema.ages import in_future
from kandji_schema.manifest import State, TableState
from kandji_schema.resource import Resource

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
