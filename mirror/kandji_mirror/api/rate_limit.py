"""The rate limit: permits for requests, so that all our processes together stay within a second's and an hour's.

A permit is a row of a SQLite file. Each home has one, which its processes share, and all homes of a user share another
for each tenant: the provider's limits are a tenant's, so two tenants never wait for each other.
What the provider itself says of its limits is heeded by :class:`~kandji_mirror.api.retry.Throttle`, which asks here.
"""

import hashlib
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Protocol, Self

from kandji_schema.errors import RateLimited, StoreError, StoreFull
from kandji_schema.files import make_file, make_folder, tighten_home
from kandji_schema.provider import one_address

FILE = "budget.sqlite"
PERMITS, BACKGROUND_PERMITS = "permits", "background"
"""Tables of the file begin so; the name of a tenant follows. Background work has its permits in both."""

SECOND, HOUR = 1_000, 3_600_000
AHEAD = SECOND + 1
"""Milliseconds, as all times in the file. A permit is taken for so much later at most: the rest is another's clock."""

RESERVED = 1_200
"""Requests of the hour that background work leaves to people who wait (1,000) and to writes (200)."""

LEFT_ALONE_SECONDS = 86_400
"""A shared file last written so long ago, or so far ahead, counts no request that matters, and is removed."""

_LOCK_SECONDS = 10.0  # a permit takes half a millisecond; whoever holds the file longer is stuck
_CORRUPT = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}

Sleep = Callable[[float], object]


class Permits(Protocol):
    """Something that says when a request may be sent."""

    def acquire(self, timeout: float, sleep: Sleep = ...) -> None:
        """Return when one request may be sent; :class:`RateLimited` when that would take longer than ``timeout`` s."""


@dataclass(frozen=True)
class _Rates:
    """How many permits of a table may be given in any span of so many milliseconds, and to ``whom`` that applies."""

    table: str
    limits: tuple[tuple[int, int], ...]
    whom: str

    def wait(self, database: sqlite3.Connection, now: int) -> int:
        """Return the milliseconds until every window has room for one more; 0 where all have."""
        newest = f"SELECT item_timestamp FROM {self.table} WHERE item_timestamp >= ? ORDER BY 1 DESC LIMIT 1 OFFSET ?"
        waits = [0]
        for limit, span in self.limits:
            leaves_last = database.execute(newest, [now - span, limit - 1]).fetchone()
            waits.append(leaves_last[0] + span + 1 - now if leaves_last else 0)
        return max(waits)

    def refusal(self, seconds: float) -> RateLimited:
        """Return the error that says which limits are used up, and for how long."""
        limits = " and ".join(f"{limit:,} {'a second' if span == SECOND else 'an hour'}" for limit, span in self.limits)
        free = f"{seconds:.1f} s" if seconds < 60 else f"{seconds / 60:.0f} min"
        return RateLimited(
            f"The request budget is used up: {limits} for {self.whom}. The next request is free in {free}.",
            retry_after=seconds,
        )


class RateLimiter:
    """Permits out of one file, ``budget.sqlite`` in ``folder``, for every thread and process that opens it.

    ``tenant`` tells whose budget it is, usually the base URL. All windows roll: in no second more than ``per_second``,
    in no hour more than ``per_hour``. Of these, background work gets ``background_per_hour``, and never the last ones
    of the hour (:data:`RESERVED`, at most a third). ``wall`` is the time of day in seconds since 1970, since a permit
    outlives its process.
    """

    def __init__(
        self,
        folder: Path,
        tenant: str,
        *,
        per_second: int,
        per_hour: int,
        background_per_hour: int | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """``background_per_hour`` is the whole hour unless given."""
        self._path = folder / FILE
        self._wall = wall
        name = tenant_mark(tenant)
        permits, background = self._tables = f"{PERMITS}_{name}", f"{BACKGROUND_PERMITS}_{name}"
        unreserved = per_hour - min(RESERVED, per_hour // 3)
        whom = "work in the background"
        self._limits = (_Rates(permits, _windows(per_second, per_hour), "all processes together"),)
        self._background_limits = (
            _Rates(background, ((background_per_hour or per_hour, HOUR),), whom),
            _Rates(permits, _windows(per_second, unreserved), f"{whom}, which leaves the rest to people and writes"),
        )
        self._threads = Lock()
        with self._explained():
            make_folder(folder)
            tighten_home(folder)
            self._database = self._open()

    def acquire(self, timeout: float, sleep: Sleep = time.sleep, *, background: bool = False) -> None:
        """Take one permit, waiting up to ``timeout`` seconds by calling ``sleep``; first come, first served.

        :class:`RateLimited` at once when no permit will be free in time; its ``retry_after`` says when one will be.
        :class:`StoreError` when the file cannot be used.
        """
        taken = False
        while not taken:
            wait, taken = self._take(background, timeout)
            if wait:
                sleep(wait)
                timeout -= wait

    def background(self) -> Permits:
        """Return permits of the same file for work nobody waits for; they count against its share and the whole."""
        return _Background(self)

    def close(self) -> None:
        """Close the file. No permit can be had any more."""
        with self._threads:
            self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take(self, background: bool, timeout: float) -> tuple[float, bool]:
        """Return the seconds to wait, and whether a permit is taken for then; else it is to be asked for again."""
        with self._threads, self._explained():
            if self._found() != self._opened:  # removed, or replaced by another process
                self._database.close()
                self._database = self._open()
            try:
                return self._count(background, timeout)
            except sqlite3.DatabaseError as error:
                if not _is_corrupt(error):
                    raise
                self._database.close()
                self._database = self._replaced()
                return self._count(background, timeout)

    def _count(self, background: bool, timeout: float) -> tuple[float, bool]:
        with self._database as database:  # a transaction: a process that is killed in it has counted nothing
            database.execute("BEGIN IMMEDIATE")
            now = round(self._wall() * 1000)
            for table in self._tables:  # what has left the hour, and permits of a clock that was ahead
                database.execute(f"DELETE FROM {table} WHERE item_timestamp < ?", [now - HOUR])
                database.execute(f"DELETE FROM {table} WHERE item_timestamp > ?", [now + AHEAD])
            limits = self._background_limits if background else self._limits
            wait, tightest = max(((limit.wait(database, now), limit) for limit in limits), key=lambda found: found[0])
            if wait > timeout * 1000:
                raise tightest.refusal(wait / 1000)
            taken = wait <= AHEAD  # so whoever came first is served first, and no two race for one permit
            for table in self._tables[: 1 + background] if taken else ():
                database.execute(f"INSERT INTO {table} (item_timestamp) VALUES (?)", [now + wait])
        return wait / 1000, taken

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connected()
        except sqlite3.DatabaseError as error:
            if not _is_corrupt(error):
                raise
            return self._replaced()

    def _replaced(self) -> sqlite3.Connection:
        """Put a new file in place of a damaged one: a forgotten hour is better than none, the provider counts too."""
        if self._found() == self._opened:  # else another process has done so
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
        return self._connected()

    def _found(self) -> int | None:
        """Return the number of the file that is there now."""
        try:
            return self._path.stat().st_ino
        except FileNotFoundError:
            return None

    def _connected(self) -> sqlite3.Connection:
        make_file(self._path)
        self._opened = self._found()
        database = sqlite3.connect(self._path, timeout=_LOCK_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            database.execute("PRAGMA journal_mode=WAL").close()
            database.execute("PRAGMA synchronous=NORMAL")  # a permit that a power cut loses is no loss
            for table in self._tables:  # as earlier versions have them, which may count in the same file
                database.execute(f"CREATE TABLE IF NOT EXISTS {table} (name VARCHAR, item_timestamp INTEGER)")
                index = f"idx_{table}_rate_item_timestamp"
                database.execute(f"CREATE INDEX IF NOT EXISTS {index} ON {table} (item_timestamp)")
        except sqlite3.Error:
            database.close()
            raise
        return database

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Raise every trouble with the file as a :class:`StoreError` that says what it is for."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
                raise StoreError(
                    f"Another process has held {self._path} for more than {_LOCK_SECONDS:g} s. Look for a stopped "
                    "kandji-mirror process and end it."
                ) from None
            raise StoreFull(
                f"{self._path} cannot be used: {getattr(error, 'strerror', None) or error}. Check the space left and "
                "your right to write there; the file only counts recent requests and may be removed."
            ) from error


class _Background:
    """The :class:`Permits` of a limiter for background work."""

    def __init__(self, limiter: RateLimiter) -> None:
        self._limiter = limiter

    def acquire(self, timeout: float, sleep: Sleep = time.sleep) -> None:
        """See :meth:`RateLimiter.acquire`."""
        self._limiter.acquire(timeout, sleep, background=True)


class SharedPermits:
    """Permits that two budgets give. ``shared`` is given up once its file cannot be used: ``own`` counts on."""

    def __init__(self, own: Permits, shared: Permits) -> None:
        self._own = own
        self._shared: Permits | None = shared

    def acquire(self, timeout: float, sleep: Sleep = time.sleep) -> None:
        """See :meth:`RateLimiter.acquire`; each of the two may take the whole ``timeout``."""
        self._own.acquire(timeout, sleep)
        if (shared := self._shared) is not None:
            try:
                shared.acquire(timeout, sleep)
            except StoreError:
                self._shared = None


@contextmanager
def shared_limiter(
    folder: Path, tenant: str, *, per_second: int, per_hour: int, background_per_hour: int
) -> Iterator[RateLimiter | None]:
    """Open what all homes of the tenant may send, counted below ``folder``; None where that cannot be written."""
    place = folder / tenant_mark(tenant)
    try:
        limiter = RateLimiter(
            place, tenant, per_second=per_second, per_hour=per_hour, background_per_hour=background_per_hour
        )
    except StoreError:
        yield None
        return
    with suppress(OSError):  # remove the folders of tenants that nobody asks any more, such as simulated ones
        for other in folder.iterdir():
            if other != place and abs(time.time() - (other / FILE).stat().st_mtime) > LEFT_ALONE_SECONDS:
                shutil.rmtree(other, ignore_errors=True)
    with limiter:
        yield limiter


def tenant_mark(tenant: str) -> str:
    """Return what stands for a tenant in names of folders and tables, the same for both domains of the provider."""
    return hashlib.sha256(one_address(tenant).encode()).hexdigest()[:16]


def _windows(per_second: int, per_hour: int) -> tuple[tuple[int, int], ...]:
    """Return the limits of a second and an hour; of the hour alone where it is the tighter at any moment."""
    hour = (min(per_hour, per_second * 3600), HOUR)
    return ((per_second, SECOND), hour) if hour[0] > per_second else (hour,)


def _is_corrupt(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorcode", None) in _CORRUPT
