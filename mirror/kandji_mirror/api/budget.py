"""The request budget: requests a second and an hour, counted for all processes that share one home directory."""

import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Protocol, Self

from filelock import FileLock, Timeout

from kandji_mirror.api.windows import Limits, Refused, Windows
from kandji_schema.errors import StoreError, StoreFull
from kandji_schema.files import make_file, make_folder, tighten_home

FILE = "budget.sqlite"
_LOCK_SECONDS = 10.0  # a permit takes half a millisecond; whoever holds the lock longer is stuck
_POLL_SECONDS = 0.005
SHORTEST_WINDOW = 1.0
"""Seconds of the shortest window: who has to wait longer was refused by the hour, or by a wrong clock."""

_SWEEP_EVERY = 500  # permits between two removals of what has left the hour
_CORRUPT = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}
_FILES = ("", "-wal", "-shm")

Sleep = Callable[[float], object]


class Permits(Protocol):
    """Something that says when a request may be sent."""

    def acquire(self, timeout: float, sleep: Sleep = ...) -> None:
        """Return when one request may be sent; :class:`RateLimited` when that would take longer than ``timeout`` s."""


class Unlimited:
    """Permits without a limit, for tests, benchmarks and simulated tenants."""

    def acquire(self, timeout: float, sleep: Sleep = time.sleep) -> None:
        """Return at once."""


class Limiter:
    """Permits out of one file, ``budget.sqlite`` in ``home``, for every thread and process that opens it.

    ``tenant`` tells whose budget it is, usually the base URL. All windows roll: in no second more than ``per_second``,
    in no hour more than ``per_hour``. Of these, background work gets ``background_per_hour``, and never the last ones
    of the hour (:data:`~kandji_mirror.api.windows.RESERVED`). ``wall`` is the time of day in seconds since 1970, since
    a permit outlives its process.
    """

    def __init__(
        self,
        home: Path,
        tenant: str,
        *,
        per_second: int,
        per_hour: int,
        background_per_hour: int | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """``background_per_hour`` is the whole hour unless given."""
        self._path = home / FILE
        self._name = hashlib.sha256(tenant.encode()).hexdigest()[:16]
        self._limits = Limits.of(per_second, per_hour, background_per_hour or per_hour)
        self._wall = wall
        self._threads = Lock()
        self._processes = FileLock(f"{self._path}.lock", mode=0o600, poll_interval=_POLL_SECONDS)
        self._given = 0
        with _explained(self._path):
            make_folder(home)
            tighten_home(home)
        with self._alone():
            self._windows = self._opened()

    def acquire(self, timeout: float, sleep: Sleep = time.sleep, *, background: bool = False) -> None:
        """Take one permit, waiting up to ``timeout`` seconds by calling ``sleep``.

        :class:`RateLimited` at once when no permit will be free in time; its ``retry_after`` says when one will be.
        :class:`StoreError` when the file cannot be used.
        """
        waited = 0.0
        while (refused := self._take(background)) is not None:
            if waited + refused.wait > timeout:
                raise refused.error()
            sleep(refused.wait)
            waited += refused.wait

    def background(self) -> Permits:
        """Permits of the same file for work nobody waits for; they count against its share and the whole budget."""
        return _Background(self)

    def close(self) -> None:
        """Close the file. No permit can be had any more."""
        with self._threads:
            self._windows.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take(self, background: bool) -> Refused | None:
        """None and a permit, or what stands against it."""
        with self._alone():
            try:
                return self._put(background)
            except sqlite3.DatabaseError as error:
                if not _corrupt(error):
                    raise
                self._windows.close()
                self._windows = self._rebuilt()
                return self._put(background)

    def _put(self, background: bool) -> Refused | None:
        now = self._now()
        put = self._windows.put_background if background else self._windows.put
        refused = put(now)
        if refused is not None and refused.wait > SHORTEST_WINDOW:  # it may have been counted by a clock that was ahead
            self._windows.sweep(now)
            refused = put(now)
        if refused is None:
            self._given += 1
            if self._given % _SWEEP_EVERY == 0:
                self._windows.sweep(now)
        return refused

    def _now(self) -> int:
        return round(self._wall() * 1000)

    def _opened(self) -> Windows:
        try:
            return self._open()
        except sqlite3.DatabaseError as error:
            if not _corrupt(error):
                raise
            return self._rebuilt()

    def _rebuilt(self) -> Windows:
        """A new empty file: forgetting an hour's count is better than no answer, the provider still counts."""
        for suffix in _FILES:
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)
        return self._open()

    def _open(self) -> Windows:
        make_file(self._path)
        windows = Windows(self._path, self._name, self._limits)
        try:
            windows.sweep(self._now())
        except sqlite3.Error:
            windows.close()
            raise
        return windows

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One thread of one process at a time."""
        try:
            with self._threads, _explained(self._path), self._processes.acquire(timeout=_LOCK_SECONDS):
                yield
        except Timeout:
            raise StoreError(
                f"Another process has held {self._path}.lock for more than {_LOCK_SECONDS:g} s. Look for a stopped "
                "kandji-mirror process and end it."
            ) from None


class _Background:
    """The :class:`Permits` of a limiter for background work."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter

    def acquire(self, timeout: float, sleep: Sleep = time.sleep) -> None:
        """See :meth:`Limiter.acquire`."""
        self._limiter.acquire(timeout, sleep, background=True)


def _corrupt(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorcode", None) in _CORRUPT


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Every trouble with the file, as a :class:`StoreFull` that says what it is for."""
    try:
        yield
    except Timeout:
        raise
    except (sqlite3.Error, OSError) as error:
        raise StoreFull(
            f"{path} cannot be used: {getattr(error, 'strerror', None) or error}. Check the space left and your right "
            "to write there; the file only counts recent requests and may be removed."
        ) from error
