"""Public feeds in the background: the process that syncs reads those that are due, and what people ask for of them."""

import logging
from collections.abc import Sequence
from pathlib import Path

from kandji_mirror.feeds.load import load_into, read_files
from kandji_mirror.feeds.update import FeedSources, note_turned_off, update_feeds
from kandji_mirror.report import Report
from kandji_mirror.scheduler.queue import Batch, RefreshQueue
from kandji_mirror.scheduler.timer import Job
from kandji_mirror.state import record_run
from kandji_mirror.store.store import Store
from kandji_schema.errors import Interrupted, MirrorError, StoreError
from kandji_schema.events import recovery, trouble
from kandji_schema.feeds import Feed
from kandji_schema.manifest import State

log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
"""How often it is looked whether a feed is due."""


class FeedWorker:
    """Keeps the feeds of one store fresh. Feeds that are off are read only where someone has their documents."""

    def __init__(self, store: Store, queue: RefreshQueue, sources: FeedSources, keep_days: int) -> None:
        self._store = store
        self._queue = queue
        self._sources = sources
        self._keep_days = keep_days
        self._failing: set[str] = set()

    def begin(self) -> None:
        """Say of feeds that are off now that their rows are not updated any more. :class:`StoreError`."""
        note_turned_off(self._store, self._sources)

    def jobs(self) -> tuple[Job, ...]:
        """Return what is to be called how often; nothing where no feed is on."""
        return (Job("feeds", LOOK_SECONDS, self.update_due),) if self._sources.feeds else ()

    def update_due(self) -> None:
        """Read the feeds that are due. Never raises: what is wrong with one is the state of its tables."""
        for feed in self._sources.due(self._store.current.tables, self._store.wall()):
            names = self._queue.claim(feed.tables)
            try:
                if len(names) == len(feed.tables):
                    self._record(self._update([feed]))
            except Interrupted:
                return
            except MirrorError as error:
                log.warning(
                    "The feed %s could not be read: %s", feed.name, error, extra=trouble("feed.failed", feed=feed.name)
                )
            except Exception as error:
                log.error(
                    "Reading the feed %s met with a bug and will be tried again.",
                    feed.name,
                    exc_info=error,
                    extra=trouble("feed.bug", feed=feed.name),
                )
            finally:
                self._queue.release(names)

    def fulfil(self, batch: Batch) -> None:
        """Do what people ask for, of feeds alone. Never raises: they are told."""
        asked = batch.requests[0]
        try:
            if asked.files:
                report = self._load([Path(file) for file in asked.files], accept_fewer=asked.whole)
            else:
                report = self._update([feed for feed in self._sources.feeds if feed in batch.feeds])
            self._record(report)
            batch.fulfil(report)
        except Exception as error:
            batch.fail(error)
        finally:
            self._queue.release([name for request in batch.requests for name in request.names])

    def _update(self, feeds: Sequence[Feed]) -> Report:
        return update_feeds(self._store, self._sources, feeds, keep_days=self._keep_days)

    def _load(self, files: Sequence[Path], *, accept_fewer: bool) -> Report:
        return load_into(self._store, read_files(files), accept_fewer=accept_fewer, keep_days=self._keep_days)

    def _record(self, report: Report) -> None:
        """Write down how it went; a table's trouble is told once in the log."""
        for outcome in report.outcomes:
            if outcome.state is not State.FAILED:
                if outcome.table in self._failing:
                    ended = recovery("table.recovered", "table.failed", table=outcome.table)
                    log.info("%s is read again.", outcome.table, extra=ended)
                self._failing.discard(outcome.table)
            elif outcome.table not in self._failing:
                self._failing.add(outcome.table)
                words = "%s could not be read and keeps its rows: %s"
                about_it = trouble("table.failed", table=outcome.table)
                log.warning(words, outcome.table, outcome.error, extra=about_it)
        try:
            record_run(self._store.home, report)
        except StoreError as error:
            log.warning("The run is not in the record of runs: %s", error, extra=trouble("runs.unwritten"))
