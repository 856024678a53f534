"""One run over whole tables: their passes side by side, what became of each, and what is published.

Lists and Prism tables come first and are published together; then the tables that cost a request a device, slice by
slice. A parent goes before the lists that are asked for by its rows.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from itertools import groupby
from threading import Lock

from kandji_mirror.api.client import Client
from kandji_mirror.capabilities import Capability
from kandji_mirror.ingest.file_queries import read_key
from kandji_mirror.report import Outcome, error_of_table, forbidden_reason, outcome_of, state_of
from kandji_mirror.sync.context import PassContext, RunContext
from kandji_mirror.sync.devices import DEVICES, Fleet, read_fleet
from kandji_mirror.sync.dispatch import read_table
from kandji_mirror.sync.per_device import Sweep
from kandji_mirror.sync.publish import note_device_edits, publish
from kandji_mirror.sync.request import REFUSED, Refusals, Ttl, reading_groups
from kandji_mirror.sync.strategy import Method
from kandji_mirror.sync.swept_table import open_swept_table, path_of
from kandji_mirror.threads import run_parallel
from kandji_schema.errors import (
    MirrorError,
    PermissionMissing,
    SyncError,
    Unreachable,
)
from kandji_schema.manifest import State, TableState
from kandji_schema.registry import tenant_tables
from kandji_schema.resource import Resource

MOMENTS = ("attempted_at", "synced_at", "whole_at", "checked_at")
"""What a pass writes into a table's state by this machine's clock."""

SPENT_BEFORE_SWEEPS = 240
"""A run whose lists took more requests than this, as the first one of a large fleet does, leaves sweeps to the next."""


class TableRun:
    """One run over the requested tables. ``outcomes`` and ``generation`` tell how it went."""

    def __init__(self, run: RunContext, ttls: Mapping[str, Ttl]) -> None:
        """``ttls`` become the times to live that the published states tell."""
        self.outcomes: list[Outcome] = []
        self.generation: int | None = None
        self._run = run
        self._ttls = ttls
        self._began = run.store.wall()
        self._spent_before = run.client.requests
        self._states: dict[str, TableState] = {}
        self._per_device: list[Resource] = []
        self._fleet: Fleet | None = None
        self._opening = Lock()
        self._stopped = False
        self._unanswered: str | None = None

    def execute(self) -> None:
        """Read every requested table and publish.

        The first one goes alone: it shows whether host and token are right.
        """
        self._run.store.hold_current()
        chosen = [r for r in tenant_tables().values() if r.name in self._run.request.names]
        people_first = self._run.store.privacy.masks_agents
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
        """Whether to read on: not after a stop, nor in an outage, which would only take as long for the others."""
        return not self._run.client.stopped and self.outage is None

    @property
    def outage(self) -> str | None:
        """Why the provider as a whole could not be asked: it is out, or not even the first table was answered."""
        return str(self._run.client.outage) if self._run.client.outage else self._unanswered

    def _stop(self) -> None:
        self._stopped = True
        self._run.client.stop()

    # -- lists and Prism -----------------------------------------------------------------------------------------

    def _read(self, resource: Resource) -> None:
        """Read one table, with every error that concerns it alone turned into its state."""
        with self._run.turn:
            if self.outage:
                return
            clock, client = time.monotonic(), self._run.client.part()
            self._run.progress.started(resource.name)
            previous, kind = self._run.published(resource), None
            try:
                state = read_table(self._context(resource, client, self._parents(resource)))
            except PermissionMissing as error:
                if _goes_per_device(resource, previous):
                    if client.requests:
                        self._run.state.capabilities.note_lack(resource.name, Capability.PRISM, client.token_mark)
                    self._per_device.append(resource)
                    return
                state, kind = self._refused(resource, error, client), error.word
            except Exception as error:  # whatever is in a table, the others go on
                if isinstance(error, Unreachable) and not self.outcomes:
                    self._unanswered = str(error)
                ours = error_of_table(resource, error)
                state, kind = self._refused(resource, ours, client), ours.word
            self._finish(state, previous, clock, client.requests, kind)

    def _finish(
        self, state: TableState, previous: TableState, clock: float, requests: int, error_kind: str | None = None
    ) -> None:
        """Take a table's state in, unless it only says that the run was stopped."""
        if state.state is State.FAILED and (self._stopped or self._run.client.stopped):
            return
        self._states[state.name] = state
        if state.name == DEVICES:
            note_device_edits(self._run.store, self._run.state.edits, state)
        outcome = replace(outcome_of(state, previous, _since(clock), error_kind), requests=requests)
        self._run.finish(self.outcomes, outcome)

    def _refused(self, resource: Resource, error: MirrorError, client: Client) -> TableState:
        """Return the published state with what went wrong; what the provider itself refused is remembered."""
        state = state_of(error)
        text = f"{forbidden_reason(resource)}: {error}" if state is State.FORBIDDEN else str(error)
        if state in REFUSED and client.requests:
            Refusals(self._run.state.capabilities, client.token_mark).note(resource.name)
        before, now = self._run.published(resource), self._run.store.wall()
        return replace(before, state=state, attempted_at=now, error=text, requests=0)

    def _parents(self, resource: Resource) -> list[tuple[str, ...]]:
        """Return the key values of the parent's rows: of this run where it was read, else as published."""
        if resource.parent is None:
            return []
        parent = self._newest(resource.parent)
        if parent.file is None:
            raise _lacking(resource, parent)
        return read_key(
            self._run.engine, self._run.file_of(parent), resource.parent, list(resource.parent_key.values())
        )

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
        spent = self._run.client.requests - self._spent_before
        return 0 if self._run.request.sweep is not None and spent > SPENT_BEFORE_SWEEPS else self._run.request.sweep

    def _sweep(self, group: Sequence[Resource], budget: int | None) -> int:
        """Sweep the tables of one path, with every error that concerns them alone turned into their states."""
        clock, client = time.monotonic(), self._run.client.part()
        previous = {resource.name: self._run.published(resource) for resource in group}
        for resource in group:
            if resource.swept:  # the others began as lists
                self._run.progress.started(resource.name)
        spent, kind = 0, None
        try:
            spent = self._swept(group, budget, client)
        except Exception as error:  # whatever is in a table, the others go on
            errors = [(resource, error_of_table(resource, error)) for resource in group]
            kind = errors[0][1].word
            if not (self._stopped or self._run.client.stopped):
                self._publish({resource.name: self._refused(resource, told, client) for resource, told in errors})
        for place, resource in enumerate(group):
            outcome = outcome_of(self._run.published(resource), previous[resource.name], _since(clock), kind)
            outcome = replace(outcome, requests=0 if place else client.requests)  # they share every answer
            self._run.finish(self.outcomes, outcome)
        return spent

    def _swept(self, group: Sequence[Resource], budget: int | None, client: Client) -> int:
        fleet = self._current_fleet()
        if fleet is None:
            raise _lacking(group[0], self._newest(DEVICES))
        tables = [open_swept_table(self._context(resource, client), fleet) for resource in group]
        return Sweep(tables).read_due(budget, self._publish)

    # -- shared --------------------------------------------------------------------------------------------------

    def _context(self, resource: Resource, client: Client, parents: Sequence[tuple[str, ...]] = ()) -> PassContext:
        return self._run.pass_over(
            resource, self._current_fleet, client=client, fleet_is_new=self._fleet_is_new, parents=parents
        )

    def _newest(self, table: str) -> TableState:
        return self._states.get(table) or self._run.store.current.tables[table]

    def _current_fleet(self) -> Fleet | None:
        """Return the devices the tenant lists: of this run where they were read, else as published."""
        with self._opening:
            listed = self._newest(DEVICES)
            if self._fleet is None and listed.file:
                self._fleet = read_fleet(self._run.engine, self._run.file_of(listed))
            return self._fleet

    def _fleet_is_new(self) -> bool:
        """Return whether the list of devices was read in this run, so that a device that is not in it is gone."""
        read = self._states.get(DEVICES)
        return read is not None and read.state is State.OK

    def _with_ttl(self, state: TableState) -> TableState:
        ttl = self._ttls.get(state.name)
        if ttl is None:
            return state
        return replace(state, ttl_seconds=int(ttl.age.total_seconds()), ttl_reason=ttl.reason)

    def _dated(self, state: TableState) -> TableState:
        """Return the state dated by the provider's clock, where that shows this machine's as wrong."""
        ahead = self._run.client.server_clock.proven
        if ahead is None:
            return state
        now, moments = self._run.store.wall(), {name: getattr(state, name) for name in MOMENTS}
        return replace(state, **{n: m - ahead for n, m in moments.items() if m and self._began <= m <= now})

    def _publish(self, states: Mapping[str, TableState]) -> None:
        """Make states current; the number of the manifest is the run's from then on."""
        if states:
            dated = {name: self._with_ttl(self._dated(state)) for name, state in states.items()}
            run = self._run
            self.generation = publish(run.store, run.engine, dated, keep_days=run.keep_days).generation


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
