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
from pyrate_limiter import Duration, Rate, RateItem, SQLiteBucket

from kandji_schema.errors import RateLimited, StoreError, StoreFull

FILE = "budget.sqlite"
_LOCK_SECONDS = 10.0  # a permit takes half a millisecond; whoever holds the lock longer is stuck
_POLL_SECONDS = 0.005
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

    ``tenant`` tells whose budget it is, usually the base URL. Both windows roll: in no second more than
    ``per_second``, in no hour more than ``per_hour``. ``wall`` is the time of day in seconds since 1970, since a
    permit outlives its process.
    """

    def __init__(
        self,
        home: Path,
        tenant: str,
        *,
        per_second: int,
        per_hour: int,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._path = home / FILE
        self._table = "permits_" + hashlib.sha256(tenant.encode()).hexdigest()[:16]
        self._rates = _rates(per_second, per_hour)
        self._wall = wall
        self._threads = Lock()
        self._processes = FileLock(f"{self._path}.lock", poll_interval=_POLL_SECONDS)
        self._given = 0
        with _explained(self._path):
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._alone():
            self._bucket = self._opened()

    def acquire(self, timeout: float, sleep: Sleep = time.sleep) -> None:
        """Take one permit, waiting up to ``timeout`` seconds by calling ``sleep``.

        :class:`RateLimited` at once when no permit will be free in time; its ``retry_after`` says when one will be.
        :class:`StoreError` when the file cannot be used.
        """
        waited = 0.0
        while (wait := self._take()) > 0:
            if waited + wait > timeout:
                raise self._used_up(wait)
            sleep(wait)
            waited += wait

    def close(self) -> None:
        """Close the file. No permit can be had any more."""
        with self._threads:
            _close(self._bucket)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take(self) -> float:
        """0.0 and a permit, or the seconds until one may be free."""
        with self._alone():
            try:
                return self._put()
            except sqlite3.DatabaseError as error:
                if not _corrupt(error):
                    raise
                _close(self._bucket)
                self._bucket = self._rebuilt()
                return self._put()

    def _put(self) -> float:
        item = RateItem("request", self._now())
        if self._bucket.put(item):
            self._given += 1
            if self._given % _SWEEP_EVERY == 0:
                self._sweep(self._bucket)
            return 0.0
        return max(1, int(self._bucket.waiting(item))) / 1000  # type: ignore[arg-type]  # awaitable for async buckets only

    def _now(self) -> int:
        return round(self._wall() * 1000)

    def _sweep(self, bucket: SQLiteBucket) -> None:
        """Remove permits older than an hour, and those of a clock that was ahead."""
        bucket.leak(self._now())
        bucket.conn.execute(f"DELETE FROM '{self._table}' WHERE item_timestamp > ?", [self._now() + 1000]).close()
        bucket.conn.commit()

    def _opened(self) -> SQLiteBucket:
        try:
            return self._open()
        except sqlite3.DatabaseError as error:
            if not _corrupt(error):
                raise
            return self._rebuilt()

    def _rebuilt(self) -> SQLiteBucket:
        """A new empty file: forgetting an hour's count is better than no answer, the provider still counts."""
        for suffix in _FILES:
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)
        return self._open()

    def _open(self) -> SQLiteBucket:
        # The library's own file lock waits without end for a process that was stopped while holding it: we hold ours.
        bucket = SQLiteBucket.init_from_file(self._rates, table=self._table, db_path=str(self._path))
        try:
            bucket.conn.execute("PRAGMA journal_mode=WAL").close()
            bucket.conn.execute("PRAGMA synchronous=NORMAL").close()
            self._sweep(bucket)
        except sqlite3.Error:
            _close(bucket)
            raise
        return bucket

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

    def _used_up(self, wait: float) -> RateLimited:
        return RateLimited(
            f"The request budget is used up: {' and '.join(map(_in_words, self._rates))} for all processes together. "
            f"The next request is free in {_duration(wait)}.",
            retry_after=wait,
        )


def _rates(per_second: int, per_hour: int) -> list[Rate]:
    """The two windows, shortest first; one where the hour is the tighter of the two at any moment."""
    hour = Rate(min(per_hour, per_second * 3600), Duration.HOUR)
    return [Rate(per_second, Duration.SECOND), hour] if hour.limit > per_second else [hour]


def _in_words(rate: Rate) -> str:
    return f"{rate.limit:,} {'a second' if rate.interval == Duration.SECOND else 'an hour'}"


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds / 60:.0f} min"


def _close(bucket: SQLiteBucket) -> None:
    bucket.close()  # type: ignore[no-untyped-call]  # the library leaves it without annotations


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
