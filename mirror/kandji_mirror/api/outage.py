"""Telling an outage of the provider from one broken endpoint, by what became of the requests of all threads."""

from collections.abc import Callable
from threading import Lock

from kandji_schema.errors import Outage, RateLimited, RetryLater, Unreachable

OUTAGE_SECONDS = 30.0
"""So long nothing at all may be answered before that is called an outage: a restart of a gateway is shorter."""

NAMED_SECONDS = 60.0
"""Waits that the provider names itself are kept, all those of one request together, for so long."""


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
        """The provider gave an answer of its own, be it a refusal."""
        with self._lock:
            self._answered_at, self._since = self._clock(), None
            self._failing.clear()

    def failed(self, endpoint: str, began: float, error: RetryLater) -> Outage | None:
        """A request of an endpoint that ``began`` then came to nothing; the outage, where that is one by now."""
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
    """A provider that tells how long to wait is there, so it gets the time that its waits get."""
    named = isinstance(error, RateLimited) or error.retry_after is not None
    return NAMED_SECONDS if named else OUTAGE_SECONDS
