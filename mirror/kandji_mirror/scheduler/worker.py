"""The sync worker: the process that holds the writer's lock reads what is due, and what people ask for."""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from kandji_mirror.report import Report, outcome_of
from kandji_mirror.scheduler.backoff import Backoff
from kandji_mirror.scheduler.due import DueTables, Priority, SyncPolicy
from kandji_mirror.scheduler.feeds import FeedWorker
from kandji_mirror.scheduler.inbox import Inbox, InboxEntry
from kandji_mirror.scheduler.queue import Batch, RefreshQueue
from kandji_mirror.scheduler.runner import Quota, Runner
from kandji_mirror.scheduler.timer import Job
from kandji_mirror.state import record_run
from kandji_mirror.store.store import Store
from kandji_mirror.sync.planner import SyncPlan
from kandji_mirror.sync.request import SyncRequest
from kandji_mirror.sync.run import KEEP_DAYS
from kandji_schema.errors import ConfigurationError, Interrupted, MirrorError, StoreError
from kandji_schema.events import about, recovery, trouble
from kandji_schema.manifest import State
from kandji_schema.registry import resources

log = logging.getLogger(__name__)

REQUESTS = "requests"
"""The job that looks for what people ask for."""

ASKED_AT_ONCE = 3
"""Runs for people who wait that go on at a time."""

ASKED = "asked"
"""What runs for people who wait are called in the log."""

UNFORESEEN = "unforeseen"
"""What kind of error a bug is called in the record of runs."""

_EVERYTHING = "(every table)"


class SyncWorker:
    """Keeps one store fresh. Its jobs are called by a timer, each in threads of its own."""

    def __init__(
        self,
        store: Store,
        runner: Runner,
        queue: RefreshQueue,
        quota: Quota,
        backoff: Backoff,
        policy: SyncPolicy,
        clock: Callable[[], float] = time.monotonic,
        *,
        feeds: FeedWorker | None = None,
    ) -> None:
        """``queue`` is where this process's own requests are; others come by the home's inbox."""
        self._feeds = feeds or FeedWorker(store, queue, policy.feeds, KEEP_DAYS)
        self._store = store
        self._runner = runner
        self._queue = queue
        self._quota = quota
        self._backoff = backoff
        self._due = DueTables(store, policy, clock)
        self._inbox = Inbox(store.home)
        self._opened: set[Path] = set()

    def jobs(self, priorities: Iterable[Priority], look: float) -> tuple[Job, ...]:
        """Return what is to be called how often; every ``look`` seconds it is looked what people ask for."""
        due = (Job(each.name, each.seconds, partial(self.sync_due, each)) for each in priorities)
        return (*due, *self._feeds.jobs(), Job(REQUESTS, look, self.fulfil_requests, at_once=ASKED_AT_ONCE))

    # -- what is due -------------------------------------------------------------------------------------------

    def sync_due(self, priority: Priority) -> None:
        """Read what is due of a priority, as one run. Never raises."""
        if self._backoff.is_active(_EVERYTHING) or self._backoff.is_active(_whole(priority.name)):
            return
        began, made = self._store.wall(), self.planned()
        sweep = self._due.saved_up(made) if priority.sweeps else 0
        wanted = self._due.of_priority(priority, made, self._backoff.is_active) if sweep or not priority.sweeps else []
        if not wanted or (self._quota.is_tight and not self._quota.may_probe()):
            return
        names = self._queue.claim(wanted)
        if not names:
            return
        try:
            report = self._runner.execute(
                priority.name, SyncRequest(names, sweep=sweep), ttls=made.ttls, background=True
            )
            if report:
                self._note_outcomes(priority.name, names, report)
        except Interrupted:
            return
        except Exception as error:
            self._note_failed_run(priority.name, names, error, began)
        finally:
            if priority.sweeps:
                self._due.note_sweep()
            self._queue.release(names)

    def planned(self) -> SyncPlan:
        """Return how often every table is read as things are now, and what is left for sweeps."""
        return self._due.plan(self._quota.left)

    # -- what people ask for -----------------------------------------------------------------------------------

    def fulfil_requests(self) -> None:
        """Take in the requests of other processes, and run what can begin. Never raises."""
        self._take_in()
        while batch := self._queue.next_batch():
            if batch.feeds:
                self._feeds.fulfil(batch)
            else:
                self._run_batch(batch)

    def _take_in(self) -> None:
        pending = self._inbox.pending()
        self._opened &= {entry.path for entry in pending}
        for entry in pending:
            if entry.path not in self._opened:
                self._opened.add(entry.path)
                self._open(entry)

    def _open(self, entry: InboxEntry) -> None:
        try:
            request = entry.read()
        except MirrorError as error:
            entry.reply(error)
            return
        request.done.add_done_callback(lambda done: _reply(entry, done.exception() or done.result()))
        self._queue.add(request)

    def _run_batch(self, batch: Batch) -> None:
        asked, began, made = batch.sync_request, self._store.wall(), self.planned()
        wanted = replace(asked, names=self._still_due(asked.names, made)) if batch.due else asked
        try:
            report = self._runner.execute(ASKED, wanted, ttls=made.ttls, background=False, progress=batch)
            if report and not wanted.devices:
                self._note_outcomes(ASKED, wanted.names, report)
            if report:
                batch.fulfil(report)
        except Exception as error:
            if not isinstance(error, Interrupted) and not wanted.devices:  # those say nothing about the tables
                self._note_failed_run(ASKED, wanted.names, error, began)
            batch.fail(error)
        finally:
            self._queue.release(asked.names)

    def _still_due(self, names: Sequence[str], made: SyncPlan) -> tuple[str, ...]:
        """Return those of the tables that are due now: others were read while the request waited."""
        return tuple(self._due.among([resources()[name] for name in names], made))

    # -- how it went -------------------------------------------------------------------------------------------

    def _note_outcomes(self, priority: str, names: Collection[str], report: Report) -> None:
        """Let a table that failed rest a while, longer each time; its trouble is told once.

        In an outage the whole priority rests, and so does one whose run ended before all were asked for.
        """
        self._recovered(_EVERYTHING)
        if report.outage:
            if self._backoff.note_failure(_whole(priority), report.outage):
                rests = about("sync.rests", priority=priority)
                log.warning("Syncing rests and will be tried again: %s", report.outage, extra=rests)
            return
        if len(report.outcomes) < len(names):
            self._backoff.note_failure(_whole(priority))
        else:
            self._recovered(_whole(priority))
        for outcome in report.outcomes:
            if outcome.state is not State.FAILED:
                if self._backoff.note_success(outcome.table):
                    log.info("%s is synced again.", outcome.table, extra=about("table.recovered", table=outcome.table))
            elif self._backoff.note_failure(outcome.table, outcome.error or ""):
                words, failed = (
                    "%s could not be synced and keeps its rows: %s",
                    about("table.failed", table=outcome.table),
                )
                log.warning(words, outcome.table, outcome.error, extra=failed)

    def _recovered(self, name: str) -> None:
        if self._backoff.note_success(name):
            log.info("Syncing goes on.", extra=recovery("sync.goes-on", "sync.bug"))

    def _note_failed_run(self, priority: str, names: Iterable[str], error: Exception, began: datetime) -> None:
        """Let a priority rest after what ended its whole run, such as a full disk; all after a setting or the token."""
        first = self._backoff.note_failure(_whole(priority), str(error))
        if isinstance(error, ConfigurationError):
            first = self._backoff.note_failure(_EVERYTHING, str(error))
        if not isinstance(error, MirrorError):
            log.error("Syncing met with a bug and will be tried again.", exc_info=error, extra=trouble("sync.bug"))
        elif first:
            log.warning(
                "Syncing rests and will be tried again: %s", error, extra=about("sync.rests", priority=priority)
            )
        reason = str(error) if isinstance(error, MirrorError) else f"Unforeseen ({type(error).__name__}); see the log."
        self._record_failure(names, reason, error.word if isinstance(error, MirrorError) else UNFORESEEN, began)
        self._publish_failure(names, reason, began)

    def _record_failure(self, names: Iterable[str], reason: str, kind: str, began: datetime) -> None:
        """Write down in the record of runs that none of the tables was read."""
        tables, now = self._store.current.tables, self._store.wall()
        failed = (replace(tables[name], state=State.FAILED, error=reason, requests=0) for name in names)
        outcomes = tuple(outcome_of(state, tables[state.name], 0.0, kind) for state in failed)
        seconds = (now - began).total_seconds()
        with suppress(StoreError):  # a full disk, say, which the log tells
            record_run(self._store.home, Report(began, seconds, outcomes, (), 0, None, None))

    def _publish_failure(self, names: Iterable[str], error: str, began: datetime) -> None:
        """Say in the manifest what stands against the tables that were not read since the run began."""
        now, tables = self._store.wall(), self._store.current.tables
        failed = {
            name: replace(tables[name], state=State.FAILED, attempted_at=now, error=error, requests=0)
            for name in names
            if (tables[name].attempted_at or began) <= began
        }
        try:
            if failed:
                self._store.publish(failed)
        except StoreError as unwritten:
            log.warning("The status could not be written: %s", unwritten, extra=trouble("status.unwritten"))


def rests(backoff: Backoff, priorities: Iterable[Priority]) -> bool:
    """Tell whether everything, or a whole priority, is not synced: a rejected token, an outage, a full disk."""
    return any(map(backoff.is_failing, (_EVERYTHING, *(_whole(priority.name) for priority in priorities))))


def _whole(name: str) -> str:
    """Return the name of a priority among those that may rest, which are tables otherwise."""
    return f"(priority {name})"


def _reply(entry: InboxEntry, done: Report | BaseException) -> None:
    """Answer a request, unless this process stopped: then the next one that syncs finds it."""
    if not isinstance(done, Interrupted):
        entry.reply(done)
