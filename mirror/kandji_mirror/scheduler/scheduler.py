"""The scheduler: in every process that may sync, one at a time does."""

import logging
import random
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event, Lock, Thread

from kandji_mirror.api.client import token_mark
from kandji_mirror.api.credentials import token
from kandji_mirror.api.endpoint import base_url
from kandji_mirror.connection import background_per_hour, connect
from kandji_mirror.report import Progress, Report
from kandji_mirror.scheduler.asking import ask
from kandji_mirror.scheduler.desk import Desk, Wish
from kandji_mirror.scheduler.hour import Hour
from kandji_mirror.scheduler.lanes import LANES, Lane
from kandji_mirror.scheduler.pauses import Pauses
from kandji_mirror.scheduler.runs import Connect, RunOrder, Runs
from kandji_mirror.scheduler.syncing import WISHES, Syncing, Terms, rests
from kandji_mirror.scheduler.timer import Timer
from kandji_mirror.store.opening import open_store
from kandji_mirror.sync.planner import parse_ttl_overrides
from kandji_mirror.sync.run import run_request
from kandji_schema.errors import AlreadySyncing, Interrupted, MirrorError
from kandji_schema.home import name_here
from kandji_schema.privacy import Privacy
from kandji_schema.registry import resources
from kandji_schema.settings import Settings

log = logging.getLogger(__name__)

STOP_SECONDS = 2.0
"""What a stop may take; after that the process may end: nothing of the store is ever half-written."""

SWEEP = 100
"""Requests a refresh spends on tables that cost one a device, unless told otherwise."""

_STORE = "(the store)"


@dataclass(frozen=True)
class Rhythm:
    """Seconds between two attempts at the lock (and up to a fifth more), two looks at the clock, and for wishes."""

    compete: float = 10.0
    watch: float = 5.0
    look: float = 1.0
    lanes: tuple[Lane, ...] = LANES


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
        terms: Terms,
        *,
        keep_days: int,
        privacy: Privacy = Privacy.OFF,
        rhythm: Rhythm = Rhythm(),  # frozen
        read: RunOrder = run_request,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """``keep_days`` is for how long changes are kept, ``privacy`` what is written; ``read`` runs an order."""
        self._home = home
        self._tenant = tenant
        self._connect = connect
        self._terms = terms
        self._keep_days = keep_days
        self._privacy = privacy
        self._rhythm = rhythm
        self._read = read
        self._wall = wall
        self._jitter = jitter
        self._desk = Desk()
        self._hour = Hour()
        self._pauses = Pauses(jitter=jitter)
        self._stopping = Event()
        self._thread = Thread(target=self._compete, name="scheduler", daemon=True)
        self._timer: Timer | None = None
        self._runs: Runs | None = None
        self._lock = Lock()

    @property
    def syncing(self) -> bool:
        """Whether this process is the one that syncs."""
        return self._timer is not None

    @property
    def resting(self) -> bool:
        """Whether syncing failed as a whole and rests, between attempts too; single tables may fail beside it."""
        return rests(self._pauses, self._rhythm.lanes) or self._pauses.failing(_STORE)

    def start(self) -> None:
        """Begin, in threads of its own. Nothing is raised: what goes wrong is in the log and in the status."""
        self._thread.start()

    def stop(self, timeout: float = STOP_SECONDS) -> bool:
        """End everything; what was complete is published, the lock let go. False where that takes longer."""
        self._stopping.set()
        self._desk.close(Interrupted("This process stops; what was asked for was not read."))
        with self._lock:
            if self._runs:
                self._runs.stop()
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

        The report comes when it is done; wait for it with a timeout. Wishes that nobody has begun to fulfil share one
        run. ``whole`` and ``sweep`` are those of an :class:`~kandji_mirror.sync.request.Order`. ``progress`` is told
        only where this process is the one that syncs. :class:`UnknownName` at once.
        """
        return self._wish(Wish.of_tables(names, whole=whole, sweep=sweep, progress=progress))

    def refresh_devices(
        self, devices: Sequence[str], names: Sequence[str] = (), *, progress: Progress | None = None
    ) -> Future[Report]:
        """Have some devices, by identifier, read now in the named tables, or in all that have rows of devices.

        One request a device and list, one a Prism category; all is published at one moment. A device that the tenant no
        longer has is closed. An outcome of the report tells how the devices fared in a table. The rest is as for
        :meth:`refresh`. :class:`UsageError` at once for a table of other things, and without a device.
        """
        return self._wish(Wish.of_devices(devices, names, progress=progress))

    def _wish(self, wish: Wish) -> Future[Report]:
        with self._lock:
            timer = self._timer
        if timer is None and not self._stopping.is_set():
            Thread(target=self._ask_around, args=(wish,), name="refresh", daemon=True).start()
        else:
            self._desk.ask(wish)
        if timer is not None:
            timer.now(WISHES)
        return wish.done

    def _ask_around(self, wish: Wish) -> None:
        """Leave the wish in the mailbox of the home, for whoever syncs, be it this process in a moment."""
        if not wish.done.set_running_or_notify_cancel():
            return
        try:
            wish.done.set_result(ask(self._home, wish, sleep=self._sleep))
        except Exception as error:
            wish.done.set_exception(error)

    def _sleep(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise Interrupted("This process stops; what was asked for was not waited for.")

    # -- the one that syncs ------------------------------------------------------------------------------------

    def _compete(self) -> None:
        """Try for the lock, hold it, and after trouble with the store try again, more and more slowly."""
        while not self._stopping.is_set():
            pause = self._rhythm.compete * (1 + self._jitter() / 5)
            try:
                self._hold()
            except AlreadySyncing:
                self._pauses.passed(_STORE)
            except Exception as error:
                self._troubled(error)
            self._stopping.wait(pause)
            while self._pauses.resting(_STORE) and not self._stopping.wait(pause):
                continue

    def _troubled(self, error: Exception) -> None:
        first = self._pauses.failed(_STORE)
        if not isinstance(error, MirrorError):
            log.error("The scheduler met with a bug and will try again.", exc_info=error)
        elif first:
            log.warning("The mirror cannot be synced and will be tried again: %s", error)

    def _hold(self) -> None:
        """Be the one that syncs until stopped. The lock must be let go by the thread that took it."""
        with open_store(self._home, self._tenant, resources(), self._wall, privacy=self._privacy) as store:
            self._pauses.passed(_STORE)
            runs = Runs(store, self._connect, self._read, self._hour, keep_days=self._keep_days)
            syncing = Syncing(store, runs, self._desk, self._hour, self._pauses, self._terms)
            timer = Timer(syncing.jobs(self._rhythm.lanes, self._rhythm.look), self._jitter)
            log.info("This process syncs %s now.", self._home)
            with self._lock:
                self._runs, self._timer = runs, timer
            try:
                timer.start()
                while not self._stopping.wait(self._rhythm.watch):
                    timer.keep_up()
            finally:
                with self._lock:
                    self._runs = self._timer = None
                runs.stop()
                timer.stop()
                self._desk.wait_until_idle()


def scheduler_of(settings: Settings, rhythm: Rhythm = Rhythm()) -> Scheduler:  # frozen
    """The scheduler of the configured tenant. :class:`ConfigurationError` where a setting or the token is missing."""
    tenant = name_here(settings, base_url(settings))
    token(settings)  # told now where it is missing; read anew for every run
    return Scheduler(
        settings.home,
        tenant,
        partial(connect, settings),
        Terms(
            background_per_hour(settings),
            parse_ttl_overrides(settings.mirror_ttl, resources()),
            mark=lambda: token_mark(token(settings)),
        ),
        keep_days=settings.mirror_history_days,
        privacy=settings.privacy,
        rhythm=rhythm,
    )
