"""The rolling windows of a request budget, as tables of one SQLite file."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pyrate_limiter import Duration, Rate, RateItem, SQLiteBucket

from kandji_schema.errors import RateLimited

RESERVED = 1_200
"""Requests of the hour that background work leaves to people who wait (1,000) and to writes (200)."""


@dataclass(frozen=True)
class Refused:
    """A permit that was not given: ``wait`` seconds until one may be, ``rates`` of ``whom`` stand against it."""

    wait: float
    rates: tuple[Rate, ...]
    whom: str

    def error(self) -> RateLimited:
        """The refusal in words."""
        return RateLimited(
            f"The request budget is used up: {' and '.join(map(_in_words, self.rates))} for {self.whom}. "
            f"The next request is free in {_duration(self.wait)}.",
            retry_after=self.wait,
        )


@dataclass(frozen=True)
class Limits:
    """The rates of a budget: of all requests, of them as background work may fill them, and its own share."""

    requests: tuple[Rate, ...]
    unreserved: tuple[Rate, ...]
    share: Rate

    @classmethod
    def of(cls, per_second: int, per_hour: int, background_per_hour: int) -> Self:
        """The limits that keep at least two thirds of a small hour open to background work."""
        unreserved = per_hour - min(RESERVED, per_hour // 3)
        return cls(
            requests=_rates(per_second, per_hour),
            unreserved=_rates(per_second, unreserved),
            share=Rate(background_per_hour, Duration.HOUR),
        )


class Windows:
    """Permits given in the last hour, in a file that only one thread of one process may use at a time.

    Times are in milliseconds since 1970. Errors are those of ``sqlite3``.
    """

    def __init__(self, path: Path, name: str, limits: Limits) -> None:
        """``name`` tells the budgets in one file apart."""
        table = f"permits_{name}"
        # The library's own file lock waits without end for a process that was stopped while holding it: we hold ours.
        self._requests = SQLiteBucket.init_from_file(list(limits.requests), table=table, db_path=str(path))
        self._unreserved = SQLiteBucket(list(limits.unreserved), self._requests.conn, table)
        try:
            _prepare(self._requests)
            self._share = SQLiteBucket.init_from_file([limits.share], table=f"background_{name}", db_path=str(path))
        except sqlite3.Error:
            _close(self._requests)
            raise
        self._limits = limits
        _prepare(self._share)

    def put(self, now: int) -> Refused | None:
        """Count a request in, or say why not."""
        return _put(self._requests, now, "all processes together")

    def put_background(self, now: int) -> Refused | None:
        """Count a request of background work in where every window has room, else in none."""
        share = self._limits.share
        oldest = self._share.peek(share.limit - 1)
        if oldest is not None and (left := oldest.timestamp + share.interval - now) >= 0:
            return Refused((left + 1) / 1000, (share,), "work in the background")
        refused = _put(self._unreserved, now, "work in the background, which leaves the rest to people and writes")
        return refused or _put(self._share, now, "work in the background")

    def sweep(self, now: int) -> None:
        """Remove permits older than an hour, and those of a clock that was ahead."""
        for bucket in (self._requests, self._share):
            bucket.leak(now)
            bucket.conn.execute(f"DELETE FROM '{bucket.table}' WHERE item_timestamp > ?", [now + 1000]).close()
            bucket.conn.commit()

    def close(self) -> None:
        """Close the file."""
        for bucket in (self._requests, self._share):
            _close(bucket)


def _rates(per_second: int, per_hour: int) -> tuple[Rate, ...]:
    """The two windows, shortest first; one where the hour is the tighter of the two at any moment."""
    hour = Rate(min(per_hour, per_second * 3600), Duration.HOUR)
    return (Rate(per_second, Duration.SECOND), hour) if hour.limit > per_second else (hour,)


def _prepare(bucket: SQLiteBucket) -> None:
    """A permit that a power cut loses is no loss, so nothing waits for the disk."""
    for setting in ("journal_mode=WAL", "synchronous=NORMAL"):
        bucket.conn.execute(f"PRAGMA {setting}").close()


def _put(bucket: SQLiteBucket, now: int, whom: str) -> Refused | None:
    item = RateItem("request", now)
    if bucket.put(item):
        return None
    wait = max(1, int(bucket.waiting(item))) / 1000  # type: ignore[arg-type]  # awaitable for async buckets only
    return Refused(wait, tuple(bucket.rates), whom)


def _in_words(rate: Rate) -> str:
    return f"{rate.limit:,} {'a second' if rate.interval == Duration.SECOND else 'an hour'}"


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds / 60:.0f} min"


def _close(bucket: SQLiteBucket) -> None:
    bucket.close()  # type: ignore[no-untyped-call]  # the library leaves it without annotations
