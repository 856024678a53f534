"""When the next request may be sent: after a pause the provider asked for, within its hour, and with a permit."""

from collections.abc import Callable
from threading import Lock

from kandji_mirror.api.answers import remaining_hour
from kandji_mirror.api.budget import Permits
from kandji_schema.errors import RateLimited
from kandji_schema.http import Response

MOST_JITTER = 1.0
PROBE_AFTER = 300.0
"""Seconds after which one request finds out whether a used-up hour is over: the provider does not tell."""


class Turns:
    """Gives every thread of a client its turn. The parameters are the client's, ``sleep`` is one that stopping ends."""

    def __init__(
        self,
        limiter: Permits,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], object],
        patience: float,
        floor: int,
    ) -> None:
        self._limiter = limiter
        self._clock = clock
        self._sleep = sleep
        self._patience = patience
        self._floor = max(floor, 1)
        self._lock = Lock()
        self._remaining_hour: int | None = None
        self._resume_at = 0.0
        self._probe_at = 0.0

    @property
    def remaining_hour(self) -> int | None:
        """Requests the tenant has left in this hour, as last told by the provider; None while it has not told."""
        return self._remaining_hour

    def wait(self) -> None:
        """Return when one request may be sent; :class:`RateLimited` at once where that would take too long."""
        self._sit_out_pause()
        self._check_hour()
        self._limiter.acquire(self._patience, self._sleep)
        self._sit_out_pause()  # another thread may have met a 429 meanwhile

    def note(self, response: Response) -> None:
        """Take in what an answer tells about the hour."""
        left = remaining_hour(response)
        if left is None:
            return
        with self._lock:
            self._remaining_hour = left
            if left < self._floor:
                self._probe_at = self._clock() + PROBE_AFTER

    def pause(self, seconds: float) -> None:
        """Let nobody send for so long: a rate limit is the tenant's, not one thread's."""
        with self._lock:
            self._resume_at = max(self._resume_at, self._clock() + seconds)

    def too_long(self, seconds: float) -> bool:
        """Whether a wait is beyond our patience, and an error instead."""
        return seconds > self._patience + MOST_JITTER

    def _check_hour(self) -> None:
        """Refuse while the hour is nearly used up, but let one request through every five minutes to see."""
        with self._lock:
            left = self._remaining_hour
            if left is None or left >= self._floor:
                return
            wait = self._probe_at - self._clock()
            if wait <= 0:
                self._probe_at = self._clock() + PROBE_AFTER
                return
        raise RateLimited(
            f"The tenant has {left} requests left in this hour; below {self._floor} they are left to its other tokens. "
            f"Try again in {wait:.0f} s.",
            retry_after=wait,
        )

    def _sit_out_pause(self) -> None:
        while (left := self._resume_at - self._clock()) > 0:
            if self.too_long(left):
                raise RateLimited(f"The provider asked us to wait; try again in {left:.0f} s.", retry_after=left)
            self._sleep(left)
