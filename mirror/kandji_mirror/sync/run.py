"""One run: the tables that are due or named, side by side, published together."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kandji_mirror.api.client import Client
from kandji_mirror.ingest.staging import read_key
from kandji_mirror.store.store import Store, open_store
from kandji_mirror.sync.full_pass import Pass
from kandji_mirror.sync.outcome import Outcome, Progress, Report, Silent
from kandji_schema import ddl
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
from kandji_schema.registry import resource as resource_named
from kandji_schema.registry import resources as all_resources
from kandji_schema.resource import Resource

TABLES_AT_ONCE = 4
"""Prism's cursor pages come one after the other, so categories are read side by side."""


def sync(
    home: Path,
    tenant: str,
    client: Client,
    *,
    names: Sequence[str] = (),
    everything: bool = False,
    progress: Progress | None = None,
    wall: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Report:
    """Bring the named tables up to date, or those that are due, or with ``everything`` all of them.

    A table that fails keeps its previous rows and is told in the report. Raises :class:`AlreadySyncing`,
    :class:`ConfigurationError` (a wrong token stops the run) and :class:`StoreError`. Tables that were complete before
    such an end, or before Ctrl-C, are published all the same.
    """
    began, clock = wall(), time.monotonic()
    named = [resource_named(name) for name in names]
    with open_store(home, tenant, all_resources(), wall) as store:
        wanted = named or [r for r in all_resources().values() if everything or is_due(store, r)]
        run = Run(store, client, wanted, progress or Silent())
        try:
            run.read_all()
        finally:
            generation = run.publish()
        return Report(
            started_at=began,
            seconds=_since(clock),
            outcomes=tuple(run.outcomes),
            fresh=tuple(name for name in all_resources() if name not in {r.name for r in wanted}),
            requests=client.requests,
            remaining_hour=client.remaining_hour,
            generation=generation,
            warnings=tuple(store.warnings),
        )


def is_due(store: Store, resource: Resource) -> bool:
    """Whether a table is older than its TTL, failed the last time, or was written by a version with other columns."""
    known = store.current.tables[resource.name]
    if known.state is State.FAILED or known.attempted_at is None:
        return True
    if known.ddl[0] != ddl.statements(resource)[0]:
        return True
    return store.wall() - known.attempted_at >= timedelta(seconds=known.ttl_seconds)


class Run:
    """The passes of one run and what became of them."""

    def __init__(self, store: Store, client: Client, wanted: Iterable[Resource], progress: Progress) -> None:
        """``wanted`` are the tables to read."""
        self.outcomes: list[Outcome] = []
        self._store = store
        self._client = client
        self._wanted = list(wanted)
        self._progress = progress
        self._states: dict[str, TableState] = {}
        self._stopped = False
        self._answered = True

    def read_all(self) -> None:
        """Read every wanted table. The first one goes alone: it shows whether host and token are right at all."""
        roots = [r for r in self._wanted if r.parent is None]
        children = [r for r in self._wanted if r.parent is not None]
        for group in (roots[:1], roots[1:], children):
            self._read_side_by_side(group)
            if not self._answered:
                return  # not even the first table was; asking for the others would only take as long again

    def _read_side_by_side(self, group: list[Resource]) -> None:
        pool = ThreadPoolExecutor(TABLES_AT_ONCE, thread_name_prefix="sync")
        try:
            running: list[Future[None]] = [pool.submit(self._read, r) for r in group]
            for done in as_completed(running):
                done.result()
        except BaseException:
            self._stopped = True
            self._client.stop()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _read(self, resource: Resource) -> None:
        """One table, with every error that concerns it alone turned into its state."""
        clock = time.monotonic()
        self._progress.started(resource.name)
        previous = self._store.current.tables[resource.name]
        try:
            state = Pass(self._store, self._client, resource, self._progress, self._parents(resource)).run()
        except ConfigurationError:
            raise
        except (ApiError, SyncError, StoreError) as error:
            if self._stopped:
                return
            self._answered = bool(self.outcomes) or not isinstance(error, Unreachable)
            state = self._failed(previous, error)
        if self._stopped and state.state is State.FAILED:
            return
        self._states[resource.name] = state
        outcome = Outcome(
            table=resource.name,
            state=state.state,
            rows=state.rows,
            requests=state.requests,
            seconds=_since(clock),
            changed=state.file != previous.file,
            error=state.error,
        )
        self.outcomes.append(outcome)
        self._progress.finished(outcome)

    def _failed(self, previous: TableState, error: MirrorError) -> TableState:
        state = State.FORBIDDEN if isinstance(error, PermissionMissing) else State.FAILED
        return replace(previous, state=state, attempted_at=self._store.wall(), error=str(error), requests=0)

    def _parents(self, resource: Resource) -> list[tuple[str, ...]]:
        """Key values of the parent's rows: of this run where it was read, else as published."""
        if resource.parent is None:
            return []
        parent = self._states.get(resource.parent) or self._store.current.tables[resource.parent]
        if parent.file is None:
            if parent.state is State.FORBIDDEN:
                raise PermissionMissing(f"{resource.name} needs {resource.parent}, which the token may not read.")
            raise SyncError(f"{resource.name} needs {resource.parent}, which could not be read yet.")
        return read_key(data_dir(self._store.home) / parent.file, resource.parent, list(resource.parent_key.values()))

    def publish(self) -> int | None:
        """Make what was read current; returns the manifest's number, None where nothing was read."""
        return self._store.publish(self._states).generation if self._states else None


def _since(clock: float) -> float:
    return round(time.monotonic() - clock, 3)
