"""One run over some devices: their rows read anew in every table that has any, and nothing else."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from threading import Semaphore
from uuid import uuid4

from kandji_mirror.api.client import Client
from kandji_mirror.capabilities import SyncState
from kandji_mirror.ingest.engine import Engine
from kandji_mirror.privacy.newcomers import recall
from kandji_mirror.report import Outcome, Progress, forbidden_reason, state_of, unforeseen_error
from kandji_mirror.store.store import Store
from kandji_mirror.sync.context import PassContext
from kandji_mirror.sync.device_refresh import Refreshed, refresh_category, refresh_device_list
from kandji_mirror.sync.devices import DEVICES, Fleet, read_fleet
from kandji_mirror.sync.per_device import Sweep, SweepSlice
from kandji_mirror.sync.publish import note_device_edits, publish
from kandji_mirror.sync.request import SyncRequest
from kandji_mirror.sync.strategy import Method
from kandji_mirror.sync.swept_table import open_swept_table, path_of
from kandji_mirror.sync.table_run import TABLES_AT_ONCE
from kandji_mirror.threads import run_parallel
from kandji_schema.errors import (
    ApiError,
    ConfigurationError,
    MirrorError,
    NothingMirrored,
    StoreError,
    SyncError,
)
from kandji_schema.manifest import State, TableState, data_dir
from kandji_schema.registry import resources as all_resources
from kandji_schema.resource import Resource

BY_DEVICE = "by device"
"""What the record of runs calls this way of reading."""


@dataclass
class DeviceRun:
    """The requested devices, in every requested table that is mirrored, published at one moment.

    The device table comes first: it tells which devices are gone and what platform the others are of. A table that
    cannot be asked keeps its rows and its state; the outcome tells why.
    """

    store: Store
    client: Client
    request: SyncRequest
    state: SyncState
    progress: Progress
    keep_days: int
    outcomes: list[Outcome] = field(default_factory=list)
    generation: int | None = None
    engine: Engine = field(init=False)
    _turn: Semaphore = field(default_factory=lambda: Semaphore(TABLES_AT_ONCE))
    _states: dict[str, TableState] = field(default_factory=dict)
    _slices: list[tuple[Sweep, SweepSlice]] = field(default_factory=list)
    _fleet: Fleet = field(default_factory=dict)

    def execute(self) -> None:
        """Read and publish. Raises :class:`NothingMirrored` where there is no device table, and what concerns all."""
        if self.store.data_file(DEVICES) is None:
            raise NothingMirrored("The device list is not mirrored yet. Run `kandji-mirror sync` first.")
        began = self.store.wall()
        spill = data_dir(self.store.home) / f"devices.{uuid4().hex}.tmp"
        with Engine(spill, key=self.store.key) as self.engine:
            recall(self.store, self.engine)
            self._read_devices()
            run_parallel(list(self._others()), self.client.stop)
            note_device_edits(self.store, self.state.edits, self._states[DEVICES], began)
            published = publish(self.store, self.engine, self._states, keep_days=self.keep_days, at=began)
        self.generation = published.generation
        for sweep, taken in self._slices:
            sweep.record(taken)

    @property
    def outage(self) -> str | None:
        """Why the provider as a whole could not be asked; None where it could."""
        return str(self.client.outage) if self.client.outage else None

    def _read_devices(self) -> None:
        """Read the device table; without it nothing is known of the rest, so its errors are raised."""
        clock, ctx = time.monotonic(), self._context(all_resources()[DEVICES])
        self.progress.started(DEVICES)
        refreshed = refresh_device_list(ctx, self.request.devices)
        self._fleet = read_fleet(data_dir(self.store.home) / str(refreshed.state.file))
        self._finish(ctx.resource, refreshed, clock)

    def _others(self) -> Iterator[Callable[[], None]]:
        chosen = [r for r in all_resources().values() if r.name in self.request.names and r.name != DEVICES]
        by_path = [r for r in chosen if r.swept or self._published(r).method == Method.PER_DEVICE]
        for _, group in groupby(sorted(by_path, key=path_of), key=path_of):
            tables = list(group)
            yield partial(self._guarded, tables, partial(self._per_device, tables))
        for resource in chosen:
            if resource not in by_path:
                yield partial(self._guarded, [resource], partial(self._category, resource))

    def _guarded(self, tables: Sequence[Resource], read: Callable[[float], None]) -> None:
        """Read tables, with every error that concerns them alone told as their outcome."""
        with self._turn:
            clock = time.monotonic()
            for resource in tables:
                self.progress.started(resource.name)
            try:
                read(clock)
            except ConfigurationError:
                raise
            except (ApiError, SyncError, StoreError) as error:
                if self.client.stopped:
                    raise
                for resource in tables:
                    self._trouble(resource, error, clock)
            except Exception as error:  # whatever is in a table, the others go on
                for resource in tables:
                    self._trouble(resource, unforeseen_error(resource, error), clock)

    def _category(self, resource: Resource, clock: float) -> None:
        mirrored = self._published(resource).file is not None
        refreshed = refresh_category(self._context(resource), self.request.devices, self._fleet) if mirrored else None
        self._finish(resource, refreshed, clock)

    def _per_device(self, group: Sequence[Resource], clock: float) -> None:
        """Read tables of one path: one request a device fills all of them."""
        tables = [open_swept_table(self._context(resource), self._fleet) for resource in group]
        devices = [device for device in self.request.devices if any(device in table.fleet for table in tables)]
        begun = [table for table in tables if devices or table.ctx.current_file]
        for table in tables:
            if table not in begun:
                self._finish(table.resource, None, clock)
        if begun:
            self._take(Sweep(begun), devices, clock)

    def _take(self, sweep: Sweep, devices: Sequence[str], clock: float) -> None:
        taken = sweep.read_slice(devices, len(devices))
        for place, (name, state) in enumerate(taken.states.items()):
            before = self.store.current.tables[name]
            as_due = replace(state, attempted_at=before.attempted_at, requests=before.requests)
            self._finish(all_resources()[name], Refreshed(as_due, 0 if place else taken.requests), clock)
        self._slices.append((sweep, taken))

    # -- shared --------------------------------------------------------------------------------------------------

    def _context(self, resource: Resource) -> PassContext:
        return PassContext(
            store=self.store,
            engine=self.engine,
            client=self.client,
            resource=resource,
            state=self.state,
            progress=self.progress,
            request=self.request,
            turn=self._turn,
            fleet=lambda: self._fleet,
        )

    def _published(self, resource: Resource) -> TableState:
        return self.store.current.tables[resource.name]

    def _finish(self, resource: Resource, refreshed: Refreshed | None, clock: float) -> None:
        """Take a table in; None where it is not mirrored at all."""
        before = self._published(resource)
        if refreshed is None:
            self._tell(_outcome(before, before.state, clock))
            return
        state = refreshed.state
        self._states[resource.name] = state
        outcome = _outcome(state, State.FAILED if state.error and state.error != before.error else State.OK, clock)
        self._tell(replace(outcome, requests=refreshed.requests, changed=state.file != before.file))

    def _trouble(self, resource: Resource, error: MirrorError, clock: float) -> None:
        state = state_of(error)
        text = f"{forbidden_reason(resource)}: {error}" if state is State.FORBIDDEN else str(error)
        self._tell(replace(_outcome(self._published(resource), state, clock), error=text))

    def _tell(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self.progress.finished(outcome)


def _outcome(table: TableState, state: State, clock: float) -> Outcome:
    """Return how the devices fared, which is not how the table did when it was last read."""
    seconds = round(time.monotonic() - clock, 3)
    return Outcome(table.name, state, table.rows, 0, seconds, changed=False, error=table.error, method=BY_DEVICE)
