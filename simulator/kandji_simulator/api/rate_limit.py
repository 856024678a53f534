"""The provider's rate limits: 50 requests a second and 10 000 an hour, with their headers."""

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from enum import Enum


class RetryAfter(Enum):
    """How a 429 says when to come back."""

    SECONDS = "seconds"
    DATE = "HTTP date"
    ABSENT = "not at all"
    GARBAGE = "in words"


@dataclass(frozen=True)
class ServerLimits:
    """``enforced`` False counts but never refuses; ``headers`` False is the provider before 2024."""

    per_second: int = 50
    per_hour: int = 10_000
    enforced: bool = True
    headers: bool = True
    retry_after: RetryAfter = RetryAfter.SECONDS


class _Window:
    """Requests in the running second or hour of the clock."""

    def __init__(self, seconds: int, limit: int) -> None:
        self.seconds = seconds
        self.limit = limit
        self._number = -1
        self._used = 0

    def take(self, now: float) -> bool:
        """Count one request; False if it is one too many."""
        number = int(now // self.seconds)
        if number != self._number:
            self._number, self._used = number, 0
        self._used += 1
        return self._used <= self.limit

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self._used)

    def spend(self, now: float) -> None:
        """Use up what is left of the running window."""
        self.take(now)
        self._used = max(self._used, self.limit + 1)

    def resets_in(self, now: float) -> float:
        return self.seconds - now % self.seconds


class RateLimiter:
    """Counts requests against :class:`ServerLimits`; None means no limits and no headers."""

    def __init__(self, limits: ServerLimits | None, clock: Callable[[], float]) -> None:
        self._limits = limits or ServerLimits(enforced=False, headers=False)
        self._clock = clock
        self._second = _Window(1, self._limits.per_second)
        self._hour = _Window(3_600, self._limits.per_hour)
        self._spent_until = 0.0

    def take(self) -> bool:
        """Count one request; False where the provider answers 429."""
        now = self._clock()
        within = self._second.take(now) & self._hour.take(now)
        return within or not (self._limits.enforced or self._spent)

    def spend_hour(self) -> None:
        """Let other tokens of the tenant use up what is left of this hour, even where no limits are set."""
        now = self._clock()
        self._hour.spend(now)
        self._spent_until = now + self._hour.resets_in(now)

    @property
    def _spent(self) -> bool:
        return self._clock() < self._spent_until

    def headers(self) -> dict[str, str]:
        """Return both spellings of the headers; there is no reset of the hour."""
        if not self._limits.headers:
            return {"x-ratelimit-remaining-hour": "0"} if self._spent else {}
        tightest = min(self._second, self._hour, key=lambda window: window.remaining)
        return {
            "x-ratelimit-limit-hour": str(self._hour.limit),
            "x-ratelimit-remaining-hour": str(self._hour.remaining),
            "x-ratelimit-limit-second": str(self._second.limit),
            "x-ratelimit-remaining-second": str(self._second.remaining),
            "ratelimit-limit": str(tightest.limit),
            "ratelimit-remaining": str(tightest.remaining),
            "ratelimit-reset": str(self._wait(tightest)),
        }

    def retry_headers(self) -> dict[str, str]:
        """Return ``Retry-After`` of a 429 by these limits; an hour that others spent does not say when it ends."""
        if self._spent:
            return {}
        spent = self._hour if self._hour.remaining == 0 else self._second
        return retry_after(self._limits.retry_after, self._wait(spent), self._clock())

    def _wait(self, window: _Window) -> int:
        return max(1, round(window.resets_in(self._clock())))


def retry_after(spelling: RetryAfter, seconds: float, now: float) -> dict[str, str]:
    """Return the header in one of its spellings."""
    if spelling is RetryAfter.ABSENT:
        return {}
    if spelling is RetryAfter.GARBAGE:
        return {"retry-after": "in a little while"}
    value = formatdate(now + seconds, usegmt=True) if spelling is RetryAfter.DATE else f"{seconds:g}"
    return {"retry-after": value}
