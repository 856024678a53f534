"""Running orders on one store, each with a client of its own, until someone says stop."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from typing import Protocol

from kandji_mirror.api.client import Client
from kandji_mirror.connection import Connection
from kandji_mirror.report import Progress, Report
from kandji_mirror.scheduler.hour import Hour
from kandji_mirror.state import record_run
from kandji_mirror.store.store import Store
from kandji_mirror.sync.request import SyncRequest, Ttl
from kandji_schema.errors import ApiError, Interrupted, StoreError
from kandji_schema.registry import resource

log = logging.getLogger(__name__)

FLEET = "devices"
"""The table whose list is asked for one row to see what is left of the hour: every token may read it."""


class Connect(Protocol):
    """Opens a new client; see :func:`kandji_mirror.connection.connect`."""

    def __call__(self, *, background: bool) -> AbstractContextManager[Connection]:
        """A connection for the time of the block."""


class RunOrder(Protocol):
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
        """The report of the run."""


class Runs:
    """The runs of the process that syncs. Any thread may run an order.

    Every run has a client of its own, so that a 401 is about the token and not about a single table.
    """

    def __init__(self, store: Store, connect: Connect, run_request: RunOrder, hour: Hour, *, keep_days: int) -> None:
        """``keep_days`` is for how long changes are kept."""
        self._store = store
        self._connect = connect
        self._run_order = run_request
        self._hour = hour
        self._keep_days = keep_days
        self._clients: set[Client] = set()
        self._stopped = False
        self._lock = Lock()

    def run(
        self,
        what: str,
        request: SyncRequest,
        *,
        ttls: Mapping[str, Ttl],
        background: bool,
        progress: Progress | None = None,
    ) -> Report | None:
        """Run a request; None where the tenant's hour leaves nothing for the background.

        ``what`` names the run in the log. Raises what ``run_request`` and ``connect`` raise, and :class:`Interrupted`
        after :meth:`stop`.
        """
        with self._client(background) as client:
            if background and self._hour.tight and not self._has_room(client):
                return None
            report = self._run_order(
                self._store,
                client,
                request,
                ttls=ttls,
                progress=progress,
                keep_days=self._keep_days,
            )
        self._hour.note(report.remaining_hour)
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
            log.info("What is left of the tenant's hour could not be asked for: %s", error)
        self._hour.note(client.remaining_hour)
        return not self._hour.tight

    def _record(self, what: str, report: Report) -> None:
        for warning in report.warnings:
            log.warning("%s", warning)
        self._store.warnings.clear()  # the store stays open for long; each is told once
        log.info("%s: %s", what, summary(report))
        try:
            record_run(self._store.home, report)
        except StoreError as error:
            log.warning("The run is not in the record of runs: %s", error)


def summary(report: Report) -> str:
    """One line without names of people or devices: ``7 ok (2 changed), 1 failed, 36 requests in 1.2 s``."""
    states = Counter(outcome.state.value for outcome in report.outcomes)
    counted = ", ".join(f"{count} {state}" for state, count in states.items()) or "nothing read"
    changed = sum(outcome.changed for outcome in report.outcomes)
    left = "" if report.remaining_hour is None else f", {report.remaining_hour:,} left to the tenant this hour"
    return f"{counted}, {changed} changed, {report.requests} requests in {report.seconds:.1f} s{left}"
