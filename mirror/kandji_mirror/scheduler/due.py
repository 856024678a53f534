"""What is due: tables by refresh priority, those of one read together when their time to live is over.

Priorities keep a long export from holding up a table that is due every few minutes.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from kandji_mirror.capabilities import open_state
from kandji_mirror.feeds.update import FeedSources
from kandji_mirror.store.store import Store
from kandji_mirror.sync.planner import SyncPlan, plan_sync
from kandji_mirror.sync.request import REFUSED, Refusals
from kandji_mirror.sync.strategy import Method
from kandji_schema.manifest import TableState
from kandji_schema.registry import tenant_tables
from kandji_schema.resource import Resource

FAST = timedelta(minutes=5)
"""The longest time to live of tables that are read with the fast priority."""

SAVED_SECONDS = 600.0
"""Sweeps may save up what they did not spend, for so long."""


@dataclass(frozen=True)
class Priority:
    """Tables that ``takes`` names; every ``seconds`` it is looked whether one of them is due."""

    name: str
    seconds: float
    takes: Callable[[Resource, TableState], bool]
    sweeps: bool = False


def _per_device(resource: Resource, state: TableState) -> bool:
    """Tell whether a table costs a request a device: always, or because the token may not read Prism."""
    return resource.swept or state.method == Method.PER_DEVICE


def _fast(resource: Resource, state: TableState) -> bool:
    return not _per_device(resource, state) and resource.ttl <= FAST


def _slow(resource: Resource, state: TableState) -> bool:
    return not _per_device(resource, state) and resource.ttl > FAST


PRIORITIES = (
    Priority("fast", 5, _fast),
    Priority("slow", 20, _slow),
    Priority("sweep", 60, _per_device, sweeps=True),
)
"""Every table is in exactly one, by its declared time to live: a stretched one stays where it is."""


@dataclass(frozen=True)
class SyncPolicy:
    """What background syncing may spend: requests an hour; and the times to live that replace the declared ones.

    ``mark`` tells what stands for the token of the moment: what was refused to another one is asked for again.
    ``feeds`` are those that are read beside the tenant.
    """

    per_hour: int
    overrides: Mapping[str, timedelta] = field(default_factory=dict)
    mark: Callable[[], str] = str
    feeds: FeedSources = field(default_factory=FeedSources)


class DueTables:
    """Tells which tables of a store are due, and what sweeps may spend. ``clock`` is monotonic, in seconds."""

    def __init__(self, store: Store, policy: SyncPolicy, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._policy = policy
        self._clock = clock
        self._swept_at = clock() - SAVED_SECONDS

    def plan(self, remaining_hour: int | None) -> SyncPlan:
        """Work out how often every table is read as things are now, and what is left for sweeps."""
        return plan_sync(
            tenant_tables(),
            self._store.current.tables,
            per_hour=self._policy.per_hour,
            remaining_hour=remaining_hour,
            overrides=self._policy.overrides,
        )

    def of_priority(self, priority: Priority, made: SyncPlan, skip: Callable[[str], bool]) -> list[str]:
        """Return the due tables of a priority, without those to ``skip`` and those that would lack their parent."""
        tables = self._store.current.tables
        own = [r for r in tenant_tables().values() if priority.takes(r, tables[r.name])]
        names = [name for name in self.among(own, made) if not skip(name)]
        return [r.name for r in own if r.name in names and self._has_parent(r, names)]

    def among(self, some: Sequence[Resource], made: SyncPlan) -> list[str]:
        """Return those of some tables that are due and were not refused a short while ago."""
        now, tables = self._store.wall(), self._store.current.tables
        asked = any(tables[r.name].state in REFUSED for r in some)  # the token is not looked up for nothing
        with open_state(self._store.home, self._store.wall) as state:
            refusals = Refusals(state.capabilities, self._policy.mark() if asked else "")
            return [r.name for r in some if refusals.is_due(r, tables, now, made.ttls[r.name])]

    def saved_up(self, made: SyncPlan) -> int:
        """Return the requests that sweeps may spend now: what has come together since the last one."""
        seconds = min(self._clock() - self._swept_at, SAVED_SECONDS)
        return int(made.sweep_per_hour * seconds / 3600)

    def note_sweep(self) -> None:
        """Begin to save up anew."""
        self._swept_at = self._clock()

    def _has_parent(self, resource: Resource, names: Iterable[str]) -> bool:
        """Tell whether the rows a table is asked for by are there, or come with the same run."""
        return (
            resource.parent is None
            or resource.parent in names
            or self._store.current.tables[resource.parent].file is not None
        )
