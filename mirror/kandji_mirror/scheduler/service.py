"""The scheduler: syncs a home in the background, in one of all the processes that may.

Each process tries for the writer's lock. The one that has it syncs, with a :class:`SyncWorker`; the others leave what
people ask for in its inbox.
"""

import logging
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event, Lock, Thread

from kandji_mirror.api.client import token_mark
from kandji_mirror.api.credentials import token
from kandji_mirror.api.endpoint import base_url
from kandji_mirror.connection import background_per_hour, connect
from kandji_mirror.feeds.update import FeedSources
from kandji_mirror.report import Progress, Report
from kandji_mirror.scheduler.backoff import Backoff
from kandji_mirror.scheduler.due import PRIORITIES, Priority, SyncPolicy
from kandji_mirror.scheduler.feeds import FeedWorker
from kandji_mirror.scheduler.inbox import request_refresh
from kandji_mirror.scheduler.queue import RefreshQueue, RefreshRequest
from kandji_mirror.scheduler.runner import Connect, Quota, Runner, RunRequest
from kandji_mirror.scheduler.timer import Timer
from kandji_mirror.scheduler.worker import REQUESTS, SyncWorker, rests
from kandji_mirror.store.opening import open_store
from kandji_mirror.sync.planner import parse_ttl_overrides
from kandji_mirror.sync.run import run_request
from kandji_schema.disk import UNBOUNDED, DiskBounds
from kandji_schema.errors import AlreadySyncing, Interrupted, MirrorError
from kandji_schema.events import about, recovery, told_of, trouble
from kandji_schema.home import name_here
from kandji_schema.privacy import Privacy
from kandji_schema.registry import resources
from kandji_schema.settings import Settings

log = logging.getLogger(__name__)

STOP_SECONDS = 2.0
"""What a stop may take; after that the process may end: nothing of the store is ever half-written."""

SWEEP = 100
"""Requests a refresh spends on tables that cost one a device, unless told otherwise."""

SILENT_SECONDS = 60.0
"""The scheduler's thread looks at the clock every few seconds; one that did not for so long hangs."""

_STORE = "(the store)"


@dataclass(frozen=True)
class Intervals:
    """Seconds between two attempts at the lock (and up to a fifth more), two looks at the clock, and for requests."""

    compete: float = 10.0
    watch: float = 5.0
    look: float = 1.0
    priorities: tuple[Priority, ...] = PRIORITIES


class Scheduler:
    """Syncs a home in the background while this process holds its writer's lock, and tries to get it otherwise.

    ``tenant`` is the name the home is bound to. Times of the store come from ``wall``, aware UTC. ``jitter`` answers
    0.0 to 1.0.
    """

    def __init__(
        self,
        home: Path,
        tenant: str,
        connect: Connect,
        policy: SyncPolicy,
        *,
        keep_days: int,
        profile: str = "",
        privacy: Privacy = Privacy.OFF,
        disk: DiskBounds = UNBOUNDED,
        intervals: Intervals = Intervals(),  # frozen
        read: RunRequest = run_request,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """``keep_days`` is for how long changes are kept, ``privacy`` what is written, and ``disk`` how much.

        ``profile`` is the tenant's name of one's own, for the log. ``read`` runs a request.
        """
        self._home = home
        self._profile = profile
        self._tenant = tenant
        self._connect = connect
        self._policy = policy
        self._keep_days = keep_days
        self._privacy = privacy
        self._disk = disk
        self._intervals = intervals
        self._read = read
        self._wall = wall
        self._jitter = jitter
        self._queue = RefreshQueue()
        self._quota = Quota()
        self._backoff = Backoff(jitter=jitter)
        self._stopping = Event()
        self._thread = Thread(target=told_of(profile, self._compete), name="scheduler", daemon=True)
        self._timer: Timer | None = None
        self._runner: Runner | None = None
        self._lock = Lock()
        self._heard = time.monotonic()
        self._opening = False

    @property
    def alive(self) -> bool:
        """Whether the scheduler's threads go on: one that ended, or hangs for a minute, syncs nothing any more.

        Opening the store may take long, where an earlier version's files are taken over, and is no hanging.
        """
        if self._thread.ident is None or self._stopping.is_set():
            return True
        return self._thread.is_alive() and (self._opening or time.monotonic() - self._heard < SILENT_SECONDS)

    @property
    def syncing(self) -> bool:
        """Whether this process is the one that syncs."""
        return self._timer is not None

    @property
    def resting(self) -> bool:
        """Whether syncing failed as a whole and rests, between attempts too; single tables may fail beside it."""
        return rests(self._backoff, self._intervals.priorities) or self._backoff.is_failing(_STORE)

    def start(self) -> None:
        """Begin, in threads of its own. Nothing is raised: what goes wrong is in the log and in the status."""
        self._thread.start()

    def stop(self, timeout: float = STOP_SECONDS) -> bool:
        """End everything; what was complete is published, the lock let go. False where that takes longer."""
        self._stopping.set()
        self._queue.close(Interrupted("This process stops; what was asked for was not read."))
        with self._lock:
            if self._runner:
                self._runner.stop()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def refresh(
        self,
        names: Sequence[str],
        *,
        whole: bool = False,
        sweep: int | None = SWEEP,
        progress: Progress | None = None,
    ) -> Future[Report]:
        """Have tables read now, by whichever process syncs. A run that began before does not count.

        The report comes when it is done; wait for it with a timeout. Requests that nobody has begun to fulfil share one
        run. ``whole`` and ``sweep`` are those of a :class:`~kandji_mirror.sync.request.SyncRequest`. ``progress`` is
        told only where this process is the one that syncs. :class:`UnknownName` at once.
        """
        return self._enqueue(RefreshRequest.of_tables(names, whole=whole, sweep=sweep, progress=progress))

    def refresh_devices(
        self, devices: Sequence[str], names: Sequence[str] = (), *, progress: Progress | None = None
    ) -> Future[Report]:
        """Have some devices, by identifier, read now in the named tables, or in all that have rows of devices.

        One request a device and list, one a Prism category; all is published at one moment. A device that the tenant no
        longer has is closed. An outcome of the report tells how the devices fared in a table. The rest is as for
        :meth:`refresh`. :class:`UsageError` at once for a table of other things, and without a device.
        """
        return self._enqueue(RefreshRequest.of_devices(devices, names, progress=progress))

    def _enqueue(self, request: RefreshRequest) -> Future[Report]:
        with self._lock:
            timer = self._timer
        if timer is None and not self._stopping.is_set():
            Thread(target=self._leave_in_inbox, args=(request,), name="refresh", daemon=True).start()
        else:
            self._queue.add(request)
        if timer is not None:
            timer.now(REQUESTS)
        return request.done

    def _leave_in_inbox(self, request: RefreshRequest) -> None:
        """Leave the request in the inbox of the home, for whoever syncs, be it this process in a moment."""
        if not request.done.set_running_or_notify_cancel():
            return
        try:
            request.done.set_result(request_refresh(self._home, request, sleep=self._sleep))
        except Exception as error:
            request.done.set_exception(error)

    def _sleep(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise Interrupted("This process stops; what was asked for was not waited for.")

    # -- the one that syncs ------------------------------------------------------------------------------------

    def _compete(self) -> None:
        """Try for the lock, hold it, and after trouble with the store try again, more and more slowly."""
        while not self._stopping.is_set():
            pause = self._intervals.compete * (1 + self._jitter() / 5)
            try:
                self._hold()
            except AlreadySyncing:
                self._backoff.note_success(_STORE)
            except Exception as error:
                self._note_trouble(error)
            self._note_heard()
            self._stopping.wait(pause)
            while self._backoff.is_active(_STORE) and not self._stopping.wait(pause):
                self._note_heard()

    def _note_heard(self) -> None:
        self._heard, self._opening = time.monotonic(), False

    def _note_trouble(self, error: Exception) -> None:
        first = self._backoff.note_failure(_STORE, str(error))
        if not isinstance(error, MirrorError):
            log.error("The scheduler met with a bug and will try again.", exc_info=error, extra=trouble("sync.bug"))
        elif first:
            log.warning("The mirror cannot be synced and will be tried again: %s", error, extra=about("sync.failed"))

    def _hold(self) -> None:
        """Be the one that syncs until stopped. The lock must be let go by the thread that took it."""
        self._opening = True
        opened = open_store(self._home, self._tenant, resources(), self._wall, privacy=self._privacy, disk=self._disk)
        with opened as store:
            self._backoff.note_success(_STORE)
            runner = Runner(store, self._connect, self._read, self._quota, keep_days=self._keep_days)
            feeds = FeedWorker(store, self._queue, self._policy.feeds.stopping(self._stopping.is_set), self._keep_days)
            feeds.begin()
            worker = SyncWorker(store, runner, self._queue, self._quota, self._backoff, self._policy, feeds=feeds)
            jobs = worker.jobs(self._intervals.priorities, self._intervals.look)
            timer = Timer([replace(job, call=told_of(self._profile, job.call)) for job in jobs], self._jitter)
            log.info("This process syncs %s now.", self._home, extra=recovery("sync.begun", "sync.bug"))
            with self._lock:
                self._runner, self._timer = runner, timer
            self._note_heard()
            try:
                timer.start()
                while not self._stopping.wait(self._intervals.watch):
                    if not timer.is_late():
                        self._note_heard()
                    timer.keep_up()
            finally:
                with self._lock:
                    self._runner = self._timer = None
                runner.stop()
                timer.stop()
                self._queue.wait_until_idle()


def scheduler_of(settings: Settings, intervals: Intervals = Intervals()) -> Scheduler:  # frozen
    """Make the scheduler of the configured tenant; :class:`ConfigurationError` where a setting or token is missing."""
    tenant = name_here(settings, base_url(settings))
    token(settings)  # told now where it is missing; read anew for every run
    return Scheduler(
        settings.home,
        tenant,
        partial(connect, settings),
        SyncPolicy(
            background_per_hour(settings),
            parse_ttl_overrides(settings.mirror_ttl, resources()),
            mark=lambda: token_mark(token(settings)),
            feeds=FeedSources.of(settings),
        ),
        keep_days=settings.mirror_history_days,
        profile=settings.mirror_tenant,
        privacy=settings.privacy,
        disk=settings.disk,
        intervals=intervals,
    )
