"""The runner: runs of a sync on one store, each with a client of its own, within what the tenant's hour leaves."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from typing import Any, Protocol

from kandji_mirror.api.client import Client
from kandji_mirror.api.retry import PROBE_AFTER
from kandji_mirror.connection import Connection
from kandji_mirror.report import Outcome, Progress, Report
from kandji_mirror.state import record_run
from kandji_mirror.store.store import Store
from kandji_mirror.sync.request import SyncRequest, Ttl
from kandji_schema.errors import ApiError, Interrupted, StoreError
from kandji_schema.events import about, remark, trouble
from kandji_schema.manifest import State
from kandji_schema.provider import BACKGROUND_STOPS_BELOW
from kandji_schema.registry import resource

log = logging.getLogger(__name__)

FLEET = "devices"
"""The table whose list is asked for one row to see what is left of the hour: every token may read it."""


class Connect(Protocol):
    """Opens a new client; see :func:`kandji_mirror.connection.connect`."""

    def __call__(self, *, background: bool) -> AbstractContextManager[Connection]:
        """Open a connection for the time of the block."""


class RunRequest(Protocol):
    """Reads tables; see :func:`kandji_mirror.sync.run.run_request`."""

    def __call__(
        self,
        store: Store,
        client: Client,
        request: SyncRequest,
        *,
        ttls: Mapping[str, Ttl] = ...,
        progress: Progress | None = None,
        keep_days: int,
    ) -> Report:
        """Return the report of the run."""


class Quota:
    """What the tenant has left of its hour, as far as the provider told, and when it is time to ask again.

    Shared by all runs of one process. ``clock`` is monotonic, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is known at first."""
        self._clock = clock
        self._left: int | None = None
        self._probe_at = 0.0
        self._lock = Lock()

    @property
    def left(self) -> int | None:
        """Requests the tenant has left in this hour; None while the provider has not told."""
        return self._left

    @property
    def is_tight(self) -> bool:
        """Whether too few are left for work that nobody waits for."""
        return self._left is not None and self._left < BACKGROUND_STOPS_BELOW

    def note(self, left: int | None) -> None:
        """Take in what a run was told last; None tells nothing."""
        if left is None:
            return
        with self._lock:
            self._left = left
            self._probe_at = self._clock() + PROBE_AFTER

    def may_probe(self) -> bool:
        """Tell whether one request may find out how a tight hour is now; the next one may five minutes later."""
        with self._lock:
            if self._clock() < self._probe_at:
                return False
            self._probe_at = self._clock() + PROBE_AFTER
            return True


class Runner:
    """Carries out the runs of the process that syncs. Any thread may begin one.

    Every run has a client of its own, so that a 401 is about the token and not about a single table.
    """

    def __init__(
        self, store: Store, connect: Connect, run_request: RunRequest, quota: Quota, *, keep_days: int
    ) -> None:
        """``keep_days`` is for how long changes are kept."""
        self._store = store
        self._connect = connect
        self._run_request = run_request
        self._quota = quota
        self._keep_days = keep_days
        self._clients: set[Client] = set()
        self._stopped = False
        self._lock = Lock()

    def execute(
        self,
        what: str,
        request: SyncRequest,
        *,
        ttls: Mapping[str, Ttl],
        background: bool,
        progress: Progress | None = None,
    ) -> Report | None:
        """Read what a request names; None where the tenant's hour leaves nothing for the background.

        ``what`` names the run in the log. Raises what ``run_request`` and ``connect`` raise, and :class:`Interrupted`
        after :meth:`stop`.
        """
        with self._client(background) as client:
            if background and self._quota.is_tight and not self._has_room(client):
                return None
            report = self._run_request(
                self._store,
                client,
                request,
                ttls=ttls,
                progress=progress,
                keep_days=self._keep_days,
            )
        self._quota.note(report.remaining_hour)
        self._record(what, report)
        if self._stopped and len(report.outcomes) < len(request.names):
            raise Interrupted("Stopped before all tables were read.")
        return report

    def stop(self) -> None:
        """End every run soon; what was complete is published. No further one begins."""
        with self._lock:
            self._stopped = True
            clients = tuple(self._clients)
        for client in clients:
            client.stop()

    @contextmanager
    def _client(self, background: bool) -> Iterator[Client]:
        if not self._store.home.is_dir():  # a client would make it anew, on whatever disk is there in its place
            raise StoreError(
                f"The data directory {self._store.home} is gone, such as a disk that is not mounted. Bring it back: "
                "syncing goes on by itself then."
            )
        with self._connect(background=background) as connection:
            client = connection.client
            with self._lock:
                if self._stopped:
                    raise Interrupted("Stopped before the run began.")
                self._clients.add(client)
            try:
                yield client
            finally:
                with self._lock:
                    self._clients.discard(client)

    def _has_room(self, client: Client) -> bool:
        """Ask for one device, for the sake of the headers."""
        try:
            client.get(resource(FLEET).path, (("limit", "1"),))
        except ApiError as error:
            log.info(
                "What is left of the tenant's hour could not be asked for: %s", error, extra=trouble("quota.unknown")
            )
        self._quota.note(client.remaining_hour)
        return not self._quota.is_tight

    def _record(self, what: str, report: Report) -> None:
        for warning in report.warnings:
            log.warning("%s", warning, extra=remark("run.warning", warning, run=run_name(report)))
        self._store.warnings.clear()  # the store stays open for long; each is told once
        log_run(what, report)
        try:
            record_run(self._store.home, report)
        except StoreError as error:
            log.warning("The run is not in the record of runs: %s", error, extra=trouble("runs.unwritten"))


RUNS = {
    "fast": "Tables due every few minutes",
    "slow": "Tables due every half an hour or later",
    "sweep": "Tables read device by device",
    "asked": "Asked for",
}
"""What the runs of each priority are called in the log; ``asked`` are those that people wait for."""


def log_run(what: str, report: Report) -> None:
    """Log a run in one line, and at the level ``debug`` each of its tables."""
    run = run_name(report)
    for outcome in report.outcomes:
        log.debug("%s: %s", outcome.table, outcome.state.value, extra=_about_table(run, outcome))
    facts = about(
        "run.ended",
        run=run,
        priority=what,
        tables=[outcome.table for outcome in report.outcomes],
        ok=sum(outcome.state is State.OK for outcome in report.outcomes),
        failed=len(report.failed),
        changed=sum(outcome.changed for outcome in report.outcomes),
        rows=sum(outcome.rows for outcome in report.outcomes),
        requests=report.requests,
        left=report.remaining_hour,
        seconds=round(report.seconds, 3),
        generation=report.generation,
    )
    log.info("%s: %s", RUNS.get(what, what), summary(report), extra=facts)


def run_name(report: Report) -> str:
    """Return what tells the run from others, here and in the record of runs: when it began."""
    return report.started_at.isoformat(timespec="seconds")


def _about_table(run: str, outcome: Outcome) -> dict[str, Any]:
    return about(
        "table.read",
        run=run,
        table=outcome.table,
        state=outcome.state.value,
        method=outcome.method,
        rows=outcome.rows,
        requests=outcome.requests,
        seconds=round(outcome.seconds, 3),
        changed=outcome.changed,
    )


def summary(report: Report) -> str:
    """Sum a run up without names of people or devices: ``7 ok (2 changed), 1 failed, 36 requests in 1.2 s``."""
    states = Counter(outcome.state.value for outcome in report.outcomes)
    counted = ", ".join(f"{count} {state}" for state, count in states.items()) or "nothing read"
    changed = sum(outcome.changed for outcome in report.outcomes)
    left = "" if report.remaining_hour is None else f", {report.remaining_hour:,} left to the tenant this hour"
    return f"{counted}, {changed} changed, {report.requests} requests in {report.seconds:.1f} s{left}"
