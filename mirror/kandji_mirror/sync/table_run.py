"""One run over whole tables: their passes side by side, what became of each, and what is published.

Lists and Prism tables come first and are published together; then the tables that cost a request a device, slice by
slice. A parent goes before the lists that are asked for by its rows.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from http import HTTPStatus
from itertools import groupby
from threading import Lock, Semaphore
from uuid import uuid4

from kandji_mirror.api.client import Client
from kandji_mirror.capabilities import Capability, SyncState
from kandji_mirror.ingest.engine import Engine
from kandji_mirror.ingest.staging import read_key
from kandji_mirror.privacy.newcomers import recall
from kandji_mirror.report import Outcome, Progress, forbidden_reason, outcome_of, state_of, unforeseen_error
from kandji_mirror.store.store import Store
from kandji_mirror.sync.context import PassContext
from kandji_mirror.sync.devices import DEVICES, Fleet, read_fleet
from kandji_mirror.sync.dispatch import read_table
from kandji_mirror.sync.per_device import Sweep
from kandji_mirror.sync.publish import note_device_edits, publish
from kandji_mirror.sync.request import REFUSED, Refusals, SyncRequest, Ttl, reading_groups
from kandji_mirror.sync.strategy import Method
from kandji_mirror.sync.swept_table import open_swept_table, path_of
from kandji_mirror.threads import run_parallel
from kandji_schema.errors import (
    ApiError,
    ConfigurationError,
    MirrorError,
    PermissionMissing,
    StoreError,
    SyncError,
    Unreachable,
)
from kandji_schema.manifest import State, TableState, data_dir
from kandji_schema.registry import resources as all_resources
from kandji_schema.resource import Resource

TABLES_AT_ONCE = 4
"""Prism's cursor pages come one after the other, so categories are read side by side."""


MOMENTS = ("attempted_at", "synced_at", "whole_at", "checked_at")
"""What a pass writes into a table's state by this machine's clock."""

SPENT_BEFORE_SWEEPS = 240
"""A run whose lists took more requests than this, as the first one of a large fleet does, leaves sweeps to the next."""


@dataclass
class TableRun:
    """One run over the requested tables. ``outcomes`` and ``generation`` tell how it went."""

    store: Store
    client: Client
    request: SyncRequest
    state: SyncState
    ttls: Mapping[str, Ttl]
    progress: Progress
    keep_days: int
    outcomes: list[Outcome] = field(default_factory=list)
    generation: int | None = None
    engine: Engine = field(init=False)
    _began: datetime = field(init=False)
    _turn: Semaphore = field(default_factory=lambda: Semaphore(TABLES_AT_ONCE))
    _states: dict[str, TableState] = field(default_factory=dict)
    _per_device: list[Resource] = field(default_factory=list)
    _fleet: Fleet | None = None
    _opening: Lock = field(default_factory=Lock)
    _stopped: bool = False
    _unanswered: str | None = None
    _spent_before: int = 0

    def execute(self) -> None:
        """Read every requested table and publish.

        The first one goes alone: it shows whether host and token are right.
        """
        self._spent_before = self.client.requests
        self._began = self.store.wall()
        self.store.hold_current()
        spill = data_dir(self.store.home) / f"run.{uuid4().hex}.tmp"
        with Engine(spill, key=self.store.key) as self.engine:
            recall(self.store, self.engine)
            self._read_and_publish()

    def _read_and_publish(self) -> None:
        chosen = [r for r in all_resources().values() if r.name in self.request.names]
        people_first = self.store.privacy.masks_agents
        try:
            for group in reading_groups([r for r in chosen if not r.swept], people_first=people_first):
                run_parallel([partial(self._read, r) for r in group], self._stop)
                if not self._goes_on:
                    break
        finally:
            self._publish(self._states)
        swept = [r for r in chosen if r.swept or r in self._per_device]
        if swept and self._goes_on:
            run_parallel([partial(self._sweep_all, swept)], self._stop)

    @property
    def _goes_on(self) -> bool:
        """Not in an outage, where it would only take as long again for the others."""
        return not self.client.stopped and self.outage is None

    @property
    def outage(self) -> str | None:
        """Why the provider as a whole could not be asked: it is out, or not even the first table was answered."""
        return str(self.client.outage) if self.client.outage else self._unanswered

    def _stop(self) -> None:
        self._stopped = True
        self.client.stop()

    # -- lists and Prism -----------------------------------------------------------------------------------------

    def _read(self, resource: Resource) -> None:
        """Read one table, with every error that concerns it alone turned into its state."""
        with self._turn:
            if self.outage:
                return
            clock, client = time.monotonic(), self.client.part()
            self.progress.started(resource.name)
            previous = self._published(resource)
            try:
                state = read_table(self._context(resource, client, self._parents(resource)))
            except PermissionMissing as error:
                if _goes_per_device(resource, previous):
                    if client.requests:
                        self.state.capabilities.note_lack(resource.name, Capability.PRISM, client.token_mark)
                    self._per_device.append(resource)
                    return
                state = self._refused(resource, error, client)
            except ConfigurationError:
                raise
            except (ApiError, SyncError, StoreError) as error:
                if isinstance(error, Unreachable) and not self.outcomes:
                    self._unanswered = str(error)
                state = self._refused(resource, error, client)
            except Exception as error:  # whatever is in a table, the others go on
                state = self._failed(resource, unforeseen_error(resource, error))
            self._finish(state, previous, clock, client.requests)

    def _finish(self, state: TableState, previous: TableState, clock: float, requests: int) -> None:
        """Take a table's state in, unless it only says that the run was stopped."""
        if state.state is State.FAILED and (self._stopped or self.client.stopped):
            return
        self._states[state.name] = state
        if state.name == DEVICES:
            note_device_edits(self.store, self.state.edits, state)
        outcome = replace(outcome_of(state, previous, _since(clock)), requests=requests)
        self.outcomes.append(outcome)
        self.progress.finished(outcome)

    def _refused(self, resource: Resource, error: MirrorError, client: Client) -> TableState:
        """Return the state after trouble; what the provider itself refused is remembered."""
        state = self._failed(resource, error)
        if state.state in REFUSED and client.requests:
            Refusals(self.state.capabilities, client.token_mark).note(resource.name)
        return state

    def _failed(self, resource: Resource, error: MirrorError) -> TableState:
        """Return the published state with what went wrong; its rows stay."""
        state = state_of(error)
        text = f"{forbidden_reason(resource)}: {error}" if state is State.FORBIDDEN else str(error)
        return replace(self._published(resource), state=state, attempted_at=self.store.wall(), error=text, requests=0)

    def _parents(self, resource: Resource) -> list[tuple[str, ...]]:
        """Return the key values of the parent's rows: of this run where it was read, else as published."""
        if resource.parent is None:
            return []
        parent = self._newest(resource.parent)
        if parent.file is None:
            raise _lacking(resource, parent)
        return read_key(data_dir(self.store.home) / parent.file, resource.parent, list(resource.parent_key.values()))

    # -- tables that cost a request a device -----------------------------------------------------------------------

    def _sweep_all(self, resources: Sequence[Resource]) -> None:
        """Sweep the tables of one path after those of another; what one leaves of the budget, the next may spend."""
        groups = [list(group) for _, group in groupby(sorted(resources, key=path_of), key=path_of)]
        left = self._sweep_budget()
        for place, group in enumerate(groups):
            if not self._goes_on:
                break
            share = None if left is None else left // (len(groups) - place)
            spent = self._sweep(group, share)
            left = None if left is None else max(0, left - spent)

    def _sweep_budget(self) -> int | None:
        spent = self.client.requests - self._spent_before
        return 0 if self.request.sweep is not None and spent > SPENT_BEFORE_SWEEPS else self.request.sweep

    def _sweep(self, group: Sequence[Resource], budget: int | None) -> int:
        """Sweep the tables of one path, with every error that concerns them alone turned into their states."""
        clock, client = time.monotonic(), self.client.part()
        previous = {resource.name: self._published(resource) for resource in group}
        for resource in group:
            if resource.swept:  # the others began as lists
                self.progress.started(resource.name)
        spent = 0
        try:
            spent = self._swept(group, budget, client)
        except ConfigurationError:
            raise
        except (ApiError, SyncError, StoreError) as error:
            if not (self._stopped or self.client.stopped):
                self._publish({resource.name: self._refused(resource, error, client) for resource in group})
        except Exception as error:  # whatever is in a table, the others go on
            self._publish(
                {resource.name: self._failed(resource, unforeseen_error(resource, error)) for resource in group}
            )
        for place, resource in enumerate(group):
            outcome = outcome_of(self._published(resource), previous[resource.name], _since(clock))
            outcome = replace(outcome, requests=0 if place else client.requests)  # they share every answer
            self.outcomes.append(outcome)
            self.progress.finished(outcome)
        return spent

    def _swept(self, group: Sequence[Resource], budget: int | None, client: Client) -> int:
        fleet = self._current_fleet()
        if fleet is None:
            raise _lacking(group[0], self._newest(DEVICES))
        tables = [open_swept_table(self._context(resource, client), fleet) for resource in group]
        return Sweep(tables).read_due(budget, self._publish)

    # -- shared --------------------------------------------------------------------------------------------------

    def _context(self, resource: Resource, client: Client, parents: Sequence[tuple[str, ...]] = ()) -> PassContext:
        return PassContext(
            store=self.store,
            engine=self.engine,
            client=client,
            resource=resource,
            state=self.state,
            progress=self.progress,
            request=self.request,
            turn=self._turn,
            fleet=self._current_fleet,
            fleet_is_new=lambda: self._fleet_is_new,
            parents=parents,
        )

    def _published(self, resource: Resource) -> TableState:
        return self.store.current.tables[resource.name]

    def _newest(self, table: str) -> TableState:
        return self._states.get(table) or self.store.current.tables[table]

    def _current_fleet(self) -> Fleet | None:
        """Return the devices the tenant lists: of this run where they were read, else as published."""
        with self._opening:
            file = self._newest(DEVICES).file
            if self._fleet is None and file:
                self._fleet = read_fleet(data_dir(self.store.home) / file)
            return self._fleet

    @property
    def _fleet_is_new(self) -> bool:
        """Whether the list of devices was read in this run, so that a device that is not in it is gone."""
        read = self._states.get(DEVICES)
        return read is not None and read.state is State.OK

    def _with_ttl(self, state: TableState) -> TableState:
        ttl = self.ttls.get(state.name)
        if ttl is None:
            return state
        return replace(state, ttl_seconds=int(ttl.age.total_seconds()), ttl_reason=ttl.reason)

    def _dated(self, state: TableState) -> TableState:
        """Return the state dated by the provider's clock, where that shows this machine's as wrong."""
        ahead = self.client.witness.proven
        if ahead is None:
            return state
        now, moments = self.store.wall(), {name: getattr(state, name) for name in MOMENTS}
        return replace(state, **{n: m - ahead for n, m in moments.items() if m and self._began <= m <= now})

    def _publish(self, states: Mapping[str, TableState]) -> None:
        """Make states current; the number of the manifest is the run's from then on."""
        if states:
            dated = {name: self._with_ttl(self._dated(state)) for name, state in states.items()}
            self.generation = publish(self.store, self.engine, dated, keep_days=self.keep_days).generation


def _lacking(resource: Resource, parent: TableState) -> MirrorError:
    """Return why a table cannot be asked for while there is nothing to ask by; it is refused as its parent is."""
    if parent.state is State.FORBIDDEN:
        return PermissionMissing(f"{resource.name} needs {parent.name}, which the token may not read.")
    if parent.state is State.ABSENT:
        text = f"{resource.name} needs {parent.name}, which is not offered to this tenant."
        return PermissionMissing(text, status=HTTPStatus.NOT_FOUND)
    return SyncError(f"{resource.name} needs {parent.name}, which could not be read yet.")


def _goes_per_device(resource: Resource, state: TableState) -> bool:
    """Return whether a table that Prism refuses is read otherwise; rows of Prism go at the second refusal only."""
    has_prisms_rows = state.file is not None and state.method != Method.PER_DEVICE
    return resource.fallback is not None and (not has_prisms_rows or state.state is State.FORBIDDEN)


def _since(clock: float) -> float:
    return round(time.monotonic() - clock, 3)
