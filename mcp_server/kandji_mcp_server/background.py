"""Syncing in the background of an MCP server, and refreshes that a client asks for.

None of it is loaded before the client was greeted, and none of it can break reading.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from kandji_schema.errors import ConfigurationError, Interrupted, MirrorError
from kandji_schema.events import about
from kandji_schema.settings import Settings
from kandji_schema.text import counted

if TYPE_CHECKING:
    from kandji_mirror.report import Outcome, Report
    from kandji_mirror.scheduler.service import Scheduler

log = logging.getLogger(__name__)

GRACE_SECONDS = 2.0
"""A client's first questions come in one breath; loading waits until they are answered."""

STOP_SECONDS = 2.0


@dataclass
class Refresh:
    """A refresh that is under way, and its progress: ``steps`` only ever grow, ``words`` say where it is.

    One in another process tells nothing before its end.
    """

    steps: int = 0
    words: str = "asked for"
    report: "Future[Report]" = field(default_factory=Future)

    def planned(self, tables: Sequence[str]) -> None:
        """See :class:`~kandji_mirror.report.Progress`: which tables were asked for its caller knows."""

    def started(self, table: str) -> None:
        """See :class:`~kandji_mirror.report.Progress`."""
        self._step(f"{table}: begun")

    def advanced(self, table: str, *, pages: int, rows: int, total: int | None) -> None:
        """See :class:`~kandji_mirror.report.Progress`."""
        self._step(f"{table}: {rows:,} of {total:,} rows" if total else f"{table}: {counted(rows, 'row')}")

    def finished(self, outcome: "Outcome") -> None:
        """See :class:`~kandji_mirror.report.Progress`."""
        self._step(f"{outcome.table}: {outcome.state.value}, {counted(outcome.rows, 'row')}")

    def _step(self, words: str) -> None:
        self.words = words
        self.steps += 1


class Background:
    """The scheduler of this process. ``scheduler`` is None until it is there, and where there is none."""

    def __init__(
        self, settings: Settings, *, grace: float = GRACE_SECONDS, scheduler: "Scheduler | None" = None
    ) -> None:
        """``grace`` is how many seconds pass between :meth:`start` and the loading.

        A ``scheduler`` that runs already needs no :meth:`start`; whoever made it stops it.
        """
        self.scheduler: Scheduler | None = scheduler
        self._settings = settings
        self._grace = grace
        self._stopping = Event()
        self._hurry = Event()
        self._settled = Event()
        self._failure: MirrorError | None = None
        self._thread: Thread | None = None
        self._lock = Lock()
        self._refreshes: dict[tuple[str, ...], Refresh] = {}

    @property
    def running(self) -> bool:
        """Whether there is anything to stop."""
        return self._thread is not None

    @property
    def stopping(self) -> bool:
        """Whether :meth:`stop` was called."""
        return self._stopping.is_set()

    def use(self, scheduler: "Scheduler") -> None:
        """Take another scheduler, of other settings. Whoever made it starts and stops it, and stops the former one."""
        with self._lock:
            self.scheduler = scheduler
            self._refreshes.clear()

    def start(self) -> None:
        """Begin soon, in a thread of its own; once, and not at all where the settings say so."""
        if self._thread is None and self._settings.mirror_background:
            self._thread = Thread(target=self._load, name="background", daemon=True)
            self._thread.start()

    def ready(self, timeout: float) -> "Scheduler":
        """Return the scheduler, loaded now where it is not yet. Waits ``timeout`` seconds at most.

        :class:`ConfigurationError` says why there is none, such as a missing token.
        """
        if self.scheduler is None and not self._settings.mirror_background:
            raise ConfigurationError(
                "This server only reads (KANDJI_MIRROR_BACKGROUND is off). `kandji-mirror sync` reads from the tenant."
            )
        self._hurry.set()
        self.start()
        if self.scheduler is None:
            self._settled.wait(timeout)
        if self.scheduler is None:
            raise self._failure or Interrupted("Syncing could not begin here; the log of the server says why.")
        return self.scheduler

    def refresh_tables(self, tables: tuple[str, ...], timeout: float) -> Refresh:
        """Have whole tables read now; a refresh of the same that is under way is joined. Errors as of :meth:`ready`."""
        scheduler = self.ready(timeout)
        return self._join_or_begin(("tables", *tables), lambda progress: scheduler.refresh(tables, progress=progress))

    def refresh_device(self, device_id: str, timeout: float) -> Refresh:
        """Have one device read now in all its tables, as :meth:`refresh_tables`."""
        scheduler = self.ready(timeout)
        key = ("device", device_id)
        return self._join_or_begin(key, lambda progress: scheduler.refresh_devices([device_id], progress=progress))

    def _join_or_begin(self, key: tuple[str, ...], begin: "Callable[[Refresh], Future[Report]]") -> Refresh:
        with self._lock:
            refresh = self._refreshes.get(key)
            if refresh is None or refresh.report.done():
                refresh = self._refreshes[key] = Refresh()
                refresh.report = begin(refresh)
            return refresh

    def stop(self, timeout: float = STOP_SECONDS) -> bool:
        """End it; False where it does not within ``timeout`` seconds."""
        self._stopping.set()
        self._hurry.set()
        with self._lock:
            scheduler = self.scheduler
        return scheduler is None or scheduler.stop(timeout)

    def _load(self) -> None:
        self._hurry.wait(self._grace)
        if self._stopping.is_set():
            return
        try:
            from kandji_mirror.scheduler.service import scheduler_of  # with it come httpx, sqlmodel and apscheduler

            scheduler = scheduler_of(self._settings)
            with self._lock:
                if not self._stopping.is_set():
                    self.scheduler = scheduler
                    scheduler.start()
        except MirrorError as error:
            self._failure = error
            log.warning("Only reading, nothing is synced from here: %s", error, extra=about("sync.off"))
        except Exception:
            log.exception("Only reading, nothing is synced from here.", extra=about("sync.off"))
        finally:
            self._settled.set()
