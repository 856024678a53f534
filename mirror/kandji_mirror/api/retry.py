"""Retrying: when a client may send, which failed requests it sends again and when, and when nothing helps any more.

:class:`Throttle` heeds what the provider says of its limits, :class:`Retry` sends again, :class:`OutageWatch` tells an
outage of the provider from one broken endpoint. They belong to one client and are shared by all its threads.
"""

from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from kandji_mirror.api.rate_limit import Permits
from kandji_schema.errors import Outage, RateLimited, RetryLater, Unreachable, Unreadable
from kandji_schema.text import counted

ATTEMPTS = 6
"""A GET is sent at most so often: once, and five retries (the provider's contract).

Waits that the provider names itself are kept beyond that, for as long as :data:`NAMED_SECONDS`.
"""

UNPROVEN_ATTEMPTS = 3
"""So often while no host has answered at all: a wrong name or a missing network is not mended by waiting."""

UNREADABLE_ATTEMPTS = 2
"""What is too large, or nested beyond reason, mostly is so again."""

DOWNLOAD_ATTEMPTS = 3
"""A file may be large: it is downloaded at most so often from one URL."""

NAMED_SECONDS = 60.0
"""Waits that the provider names itself are kept, all those of one request together, for so long."""

LEAST_NAMED = 1.0
"""Seconds that a wait the provider names counts for at least, however short it is."""

OUTAGE_SECONDS = 30.0
"""So long nothing at all may be answered before that is called an outage: a restart of a gateway is shorter."""

PROBE_AFTER = 300.0
"""Seconds after which one request finds out whether a used-up hour is over: the provider does not tell."""

LONGEST_BACKOFF = 60.0
MOST_JITTER = 1.0

_RETRIED = frozenset({None, 200, 429, 500, 502, 503, 504})  # None: no answer; 200: an answer that is not the endpoint's

T = TypeVar("T")


class Throttle:
    """Gives every thread of a client its turn. The parameters are the client's, ``sleep`` is one that stopping ends."""

    def __init__(
        self,
        permits: Permits,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], object],
        patience: float,
        floor: int,
    ) -> None:
        self._permits = permits
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
        self._permits.acquire(self._patience, self._sleep)
        self._sit_out_pause()  # another thread may have met a 429 meanwhile

    def note(self, remaining_hour: int | None) -> None:
        """Take in what an answer tells about the hour; None tells nothing."""
        if remaining_hour is None:
            return
        with self._lock:
            self._remaining_hour = remaining_hour
            if remaining_hour < self._floor:
                self._probe_at = self._clock() + PROBE_AFTER

    def pause(self, seconds: float) -> None:
        """Let nobody send for so long: a rate limit is the tenant's, not one thread's."""
        with self._lock:
            self._resume_at = max(self._resume_at, self._clock() + seconds)

    def too_long(self, seconds: float) -> bool:
        """Tell whether a wait is beyond our patience, and an error instead."""
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
            f"The tenant has {counted(left, 'request')} left in this hour; below {self._floor} they are left to its "
            f"other tokens. Try again in {wait:.0f} s.",
            retry_after=wait,
        )

    def _sit_out_pause(self) -> None:
        while (left := self._resume_at - self._clock()) > 0:
            if self.too_long(left):
                raise RateLimited(f"The provider asked us to wait; try again in {left:.0f} s.", retry_after=left)
            self._sleep(left)


class Retry:
    """Sends again what failed, after waits that grow or that the provider names.

    ``sleep`` is one that stopping ends, ``jitter`` answers 0.0 to 1.0, ``answered`` whether the host ever did.
    """

    def __init__(
        self,
        throttle: Throttle,
        sleep: Callable[[float], object],
        jitter: Callable[[], float],
        answered: Callable[[], bool],
    ) -> None:
        self._throttle = throttle
        self._sleep = sleep
        self._jitter = jitter
        self._answered = answered

    def call(self, once: Callable[[], T], again: Callable[[RetryLater], bool], attempts: int = ATTEMPTS) -> T:
        """Return what ``once`` returns, called again after errors that ``again`` approves of."""
        attempt, named = 0, 0.0
        while True:
            try:
                return once()
            except RetryLater as error:
                attempt += 1
                wait = self._wait_after(error, attempt)
                most = self._most_attempts(error, attempt, attempts, named)
                self._before_retry(error, wait, attempt, most if again(error) else 0)
                named += 0.0 if error.retry_after is None else max(LEAST_NAMED, wait)

    def _most_attempts(self, error: RetryLater, attempt: int, attempts: int, named: float) -> int:
        """Return how many attempts there may be: one more where a wait is named, none after a minute of them."""
        if error.retry_after is None:
            return min(attempts, self._sensible_attempts(error))
        return attempt + 1 if named < NAMED_SECONDS else 0

    def _sensible_attempts(self, error: RetryLater) -> int:
        if isinstance(error, Unreadable):
            return UNREADABLE_ATTEMPTS
        no_host = isinstance(error, Unreachable) and not error.sent and not self._answered()
        return UNPROVEN_ATTEMPTS if no_host else ATTEMPTS

    def _before_retry(self, error: RetryLater, wait: float, attempt: int, attempts: int) -> None:
        """Wait so many seconds, or raise the error again where no retry is due."""
        if isinstance(error, RateLimited) and error.status is not None:
            self._throttle.pause(wait)
        if attempt >= attempts or self._throttle.too_long(wait):
            raise error
        if not isinstance(error, RateLimited):  # a rate limit is sat out by whoever sends next, this thread too
            self._sleep(wait)

    def _wait_after(self, error: RetryLater, attempt: int) -> float:
        if error.retry_after is not None:
            return error.retry_after + MOST_JITTER * self._jitter()
        if isinstance(error, RateLimited) and self._throttle.remaining_hour == 0:
            return PROBE_AFTER
        return min(LONGEST_BACKOFF, 2.0 ** (attempt - 1)) + MOST_JITTER * self._jitter()


def may_read_again(error: RetryLater) -> bool:
    """Tell whether a GET is worth another attempt: not after our own refusals, and not in an outage."""
    return error.status in _RETRIED and not is_our_own(error) and not isinstance(error, Outage)


def was_not_carried_out(error: RetryLater) -> bool:
    """Tell whether even a write may be sent again."""
    never_left = isinstance(error, Unreachable) and not error.sent
    return never_left or (isinstance(error, RateLimited) and not is_our_own(error))


def is_our_own(error: RetryLater) -> bool:
    """Tell whether an error is a refusal of ours, such as an hour used up: no answer of the provider."""
    return isinstance(error, RateLimited) and error.status is None


class OutageWatch:
    """Knows since when nothing was answered, and for which endpoints. ``clock`` is monotonic, in seconds.

    Two endpoints that fail at once are an outage, one is a broken table; but where no request was ever answered and
    no answer of any kind comes, one is enough.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._answered_at: float | None = None
        self._since: float | None = None
        self._failing: set[str] = set()
        self.outage: Outage | None = None
        """What was found; None while the provider answers anything."""

    def answered(self) -> None:
        """Take in that the provider gave an answer of its own, be it a refusal."""
        with self._lock:
            self._answered_at, self._since = self._clock(), None
            self._failing.clear()

    def failed(self, endpoint: str, began: float, error: RetryLater) -> Outage | None:
        """Take in a request that ``began`` then and came to nothing; return the outage, where that is one by now."""
        with self._lock:
            first = max(began, self._answered_at or began)
            self._since = first if self._since is None else min(self._since, first)
            self._failing.add(endpoint)
            seconds = self._clock() - self._since
            if seconds < _limit(error) or not self._is_general(error):
                return None
            self.outage = Outage(
                f"The provider has given no usable answer to anything for {seconds:.0f} s. The last one: {error}"
            )
            return self.outage

    def _is_general(self, error: RetryLater) -> bool:
        unheard = isinstance(error, Unreachable) and self._answered_at is None
        return unheard or len(self._failing) > 1


def _limit(error: RetryLater) -> float:
    """Return the seconds of an outage: a provider that names a wait is there, and gets the time that its waits get."""
    named = isinstance(error, RateLimited) or error.retry_after is not None
    return NAMED_SECONDS if named else OUTAGE_SECONDS
