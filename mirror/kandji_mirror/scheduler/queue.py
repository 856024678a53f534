"""The refresh queue: which tables people wait for and which are being read, none of them by two runs at once."""

from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Condition
from typing import Any

from kandji_mirror.report import Outcome, Progress, Report
from kandji_mirror.sync.request import SyncRequest, device_request
from kandji_schema.errors import MirrorError
from kandji_schema.feeds import Feed, feed_of
from kandji_schema.registry import tenant_table

MANY = 10
"""A request for more tables than this is a wide one."""


@dataclass(frozen=True)
class RefreshRequest:
    """Tables that someone wants fresh: how the run is to read them, and who watches it.

    With ``devices``, identifiers, only the rows of these. With ``due`` only those tables that are due when the run
    begins. A request for tables of feeds has none of the tenant; with ``files`` they are read from these, and ``whole``
    takes documents that lost most of their rows.
    """

    names: tuple[str, ...]
    whole: bool = False
    sweep: int | None = None
    devices: tuple[str, ...] = ()
    due: bool = False
    files: tuple[str, ...] = ()
    progress: Progress | None = None
    done: Future[Report] = field(default_factory=Future, compare=False)

    @classmethod
    def of_tables(cls, names: Sequence[str], **how: Any) -> "RefreshRequest":
        """Make the request for whole tables; :class:`UnknownName` for one that there is not."""
        return cls(tuple(tenant_table(name).name for name in names), **how)

    @classmethod
    def of_devices(
        cls, devices: Sequence[str], names: Sequence[str] = (), *, progress: Progress | None = None
    ) -> "RefreshRequest":
        """Make the request for some devices, see :func:`~kandji_mirror.sync.request.device_request`."""
        wanted = device_request(devices, names)
        return cls(wanted.names, devices=wanted.devices, progress=progress)

    @classmethod
    def of_feeds(cls, feeds: Iterable[Feed], files: Sequence[Path] = (), *, whole: bool = False) -> "RefreshRequest":
        """Make the request for all tables of some feeds, or for documents of theirs in files."""
        names = tuple(table for feed in feeds for table in feed.tables)
        return cls(names, whole=whole, files=tuple(str(file.absolute()) for file in files))

    @property
    def feeds(self) -> tuple[Feed, ...]:
        """The feeds whose tables are asked for; none where tables of the tenant are."""
        return tuple(dict.fromkeys(feed for name in self.names if (feed := feed_of(name))))

    @property
    def mode(self) -> tuple[object, ...]:
        """Requests of the same mode can share a run."""
        return self.whole, self.sweep, bool(self.devices), self.due, bool(self.feeds), self.files

    @property
    def wide(self) -> bool:
        """Whether it is for most tables at one moment, which it would never find all free."""
        return bool(self.devices) or len(self.names) > MANY


@dataclass(frozen=True)
class Batch:
    """Requests that one run fulfils. It is also the run's progress, told to whoever watches."""

    requests: tuple[RefreshRequest, ...]

    @property
    def sync_request(self) -> SyncRequest:
        """All their tables and devices, each once."""
        whole, sweep = self.requests[0].whole, self.requests[0].sweep
        names = dict.fromkeys(name for request in self.requests for name in request.names)
        devices = dict.fromkeys(device for request in self.requests for device in request.devices)
        return SyncRequest(
            tuple(names), asked=True, whole=whole, sweep=sweep, devices=tuple(devices), only_due=self.due
        )

    @property
    def due(self) -> bool:
        """Whether only those tables are wanted that are due."""
        return self.requests[0].due

    @property
    def feeds(self) -> tuple[Feed, ...]:
        """The feeds that are asked for; none where tables of the tenant are."""
        return tuple(dict.fromkeys(feed for request in self.requests for feed in request.feeds))

    def fulfil(self, report: Report) -> None:
        """Give everyone the part of the report that was asked for."""
        for request in self.requests:
            outcomes = tuple(o for o in report.outcomes if o.table in request.names)
            request.done.set_result(replace(report, outcomes=outcomes))

    def fail(self, error: BaseException) -> None:
        """Tell everyone why there is no report."""
        for request in self.requests:
            request.done.set_exception(error)

    def planned(self, tables: Sequence[str]) -> None:
        """See :class:`Progress`."""
        for request in self.requests:
            if request.progress:
                request.progress.planned([table for table in tables if table in request.names])

    def started(self, table: str) -> None:
        """See :class:`Progress`."""
        for progress in self._watching(table):
            progress.started(table)

    def advanced(self, table: str, *, pages: int, rows: int, total: int | None) -> None:
        """See :class:`Progress`."""
        for progress in self._watching(table):
            progress.advanced(table, pages=pages, rows=rows, total=total)

    def finished(self, outcome: Outcome) -> None:
        """See :class:`Progress`."""
        for progress in self._watching(outcome.table):
            progress.finished(outcome)

    def _watching(self, table: str) -> Iterable[Progress]:
        return (request.progress for request in self.requests if request.progress and table in request.names)


class RefreshQueue:
    """Takes requests and hands out tables. Any thread may call any method."""

    def __init__(self) -> None:
        self._lock = Condition()
        self._waiting: list[RefreshRequest] = []
        self._reading: set[str] = set()
        self._closed: MirrorError | None = None

    def add(self, request: RefreshRequest) -> None:
        """Add a request. A run that reads its tables already does not fulfil it: that one began before."""
        with self._lock:
            if self._closed is None:
                self._waiting.append(request)
                return
        request.done.set_exception(self._closed)

    def claim(self, names: Collection[str]) -> tuple[str, ...]:
        """Take those of the tables that nobody reads or is about to; they are the caller's until :meth:`release`.

        A request that waits for another table keeps nobody from reading its other ones meanwhile, unless it is about
        devices or :attr:`~RefreshRequest.wide`: it wants most tables at one moment and would never find them all free.
        """
        with self._lock:
            first = [*self._ready(), *(request for request in self._waiting if request.wide)]
            taken = self._reading.union(*(request.names for request in first))
            free = tuple(name for name in names if name not in taken)
            self._reading.update(free)
            return free

    def next_batch(self) -> Batch | None:
        """Take the oldest request whose tables nobody reads, with all that fit to it; None while there is none.

        Its tables are the caller's until :meth:`release`.
        """
        with self._lock:
            ready = self._ready()
            together = [request for request in ready if request.mode == ready[0].mode]
            self._waiting = [request for request in self._waiting if request not in together]
            batch = Batch(tuple(request for request in together if request.done.set_running_or_notify_cancel()))
            self._reading.update(name for request in batch.requests for name in request.names)
        return batch if batch.requests else None

    def _ready(self) -> list[RefreshRequest]:
        return [request for request in self._waiting if self._reading.isdisjoint(request.names)]

    def release(self, names: Collection[str]) -> None:
        """Take in that the tables are no longer being read."""
        with self._lock:
            self._reading.difference_update(names)
            self._lock.notify_all()

    def wait_until_idle(self) -> None:
        """Return when no table is being read."""
        with self._lock:
            self._lock.wait_for(lambda: not self._reading)

    def close(self, reason: MirrorError) -> None:
        """Refuse every request that no run has begun to fulfil, and all that come."""
        with self._lock:
            self._closed = reason
            waiting, self._waiting = self._waiting, []
        for request in waiting:
            if request.done.set_running_or_notify_cancel():
                request.done.set_exception(reason)
