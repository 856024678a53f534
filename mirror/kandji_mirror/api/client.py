"""The API client: requests that carry the token, keep to the budget, and are sent again where that may help."""

import random
import time
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from threading import Event, Lock
from typing import TypeVar

from kandji_mirror.api.answers import Asked, failure, remaining_hour
from kandji_mirror.api.budget import Permits
from kandji_mirror.api.wire import Request, Response, Send
from kandji_schema.errors import RateLimited, RetryLater, Unreachable

ATTEMPTS = 6
"""A GET is sent at most so often: once, and five retries (the provider's contract)."""

UNPROVEN_ATTEMPTS = 3
"""So often while no host has answered at all: a wrong name or a missing network is not mended by waiting."""

LONGEST_BACKOFF = 60.0
MOST_JITTER = 1.0
PROBE_AFTER = 300.0
"""Seconds after which one request finds out whether a used-up hour is over: the provider does not tell."""

_RETRIED = frozenset({None, 200, 429, 500, 502, 503, 504})  # None: no answer; 200: an answer that is not the endpoint's

T = TypeVar("T")


class Client:
    """Reads the API through ``send``. Any number of threads may call it at once.

    ``limiter`` gives a permit for every request. ``clock`` (monotonic) and ``wall`` (since 1970) are in seconds;
    ``sleep`` is by default one that :meth:`stop` ends. ``jitter`` answers 0.0 to 1.0. A wait longer than ``patience``
    seconds is an error instead. With fewer than ``floor`` requests left to the tenant in this hour none is sent:
    other tokens need the rest.
    """

    def __init__(
        self,
        send: Send,
        token: str,
        limiter: Permits,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], object] | None = None,
        jitter: Callable[[], float] = random.random,
        patience: float = 120.0,
        floor: int = 500,
    ) -> None:
        self._send = send
        self._token = token
        self._limiter = limiter
        self._clock = clock
        self._wall = wall
        self._stopped = Event()
        self._wait = sleep or self._stopped.wait
        self._jitter = jitter
        self._patience = patience
        self._floor = max(floor, 1)
        self._headers = _headers(token)
        self._lock = Lock()
        self._requests = 0
        self._remaining_hour: int | None = None
        self._proven = False
        self._resume_at = 0.0
        self._probe_at = 0.0

    @property
    def requests(self) -> int:
        """How many requests left this machine."""
        return self._requests

    @property
    def remaining_hour(self) -> int | None:
        """Requests the tenant has left in this hour, as last told by the provider; None while it has not told."""
        return self._remaining_hour

    def get(self, path: str, params: Iterable[tuple[str, str]] = ()) -> Response:
        """The answer to a GET, with a status from 200 to 299; anything else is one of our errors."""
        return self.read(path, params, _as_it_is)

    def read(self, path: str, params: Iterable[tuple[str, str]], parse: Callable[[Response], T]) -> T:
        """What ``parse`` makes of the answer. A :class:`ServerFault` of ``parse`` is retried like one of the server."""
        request = Request("GET", path, tuple(params), self._headers)
        attempt = 0
        while True:
            try:
                return parse(self._send_once(request))
            except RetryLater as error:
                attempt += 1
                self._before_retry(error, attempt)

    def stop(self) -> None:
        """End every wait at once and send nothing more. Threads in a wait get :class:`Unreachable`."""
        self._stopped.set()

    def _send_once(self, request: Request) -> Response:
        """One request, never retried: what it raises after it left says nothing about whether it was carried out."""
        self._await_turn()
        response = self._counted(request)
        self._note(response)
        error = failure(response, self._asked(request))
        if error is not None:
            raise error
        self._proven = True
        return response

    def _counted(self, request: Request) -> Response:
        try:
            response = self._send(request)
        except RetryLater as error:
            self._count(sent=not isinstance(error, Unreachable) or error.sent)
            raise
        self._count(sent=True)
        return response

    def _count(self, *, sent: bool) -> None:
        with self._lock:
            self._requests += sent

    def _asked(self, request: Request) -> Asked:
        what = f"{request.method} {request.path}"
        return Asked(request=what, token=self._token, proven=self._proven, now=self._wall())

    def _note(self, response: Response) -> None:
        left = remaining_hour(response)
        if left is None:
            return
        with self._lock:
            self._remaining_hour = left
            if left < self._floor:
                self._probe_at = self._clock() + PROBE_AFTER

    def _await_turn(self) -> None:
        self._check_stopped()
        self._sit_out_pause()
        self._check_hour()
        self._limiter.acquire(self._patience, self._sleep)
        self._sit_out_pause()  # another thread may have met a 429 meanwhile
        self._check_stopped()

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
            if self._too_long(left):
                raise RateLimited(f"The provider asked us to wait; try again in {left:.0f} s.", retry_after=left)
            self._sleep(left)

    def _before_retry(self, error: RetryLater, attempt: int) -> None:
        """Wait as long as the error asks for, or raise it again where no retry is due."""
        wait = self._wait_after(error, attempt)
        if isinstance(error, RateLimited) and error.status is not None:
            self._pause_everybody(wait)
        tried_enough = attempt >= self._attempts(error) or not _worth_retrying(error)
        if tried_enough or self._too_long(wait) or self._stopped.is_set():
            raise error
        if not isinstance(error, RateLimited):  # a rate limit is sat out by whoever sends next, this thread too
            self._sleep(wait)

    def _attempts(self, error: RetryLater) -> int:
        no_host = isinstance(error, Unreachable) and not error.sent and not self._proven
        return UNPROVEN_ATTEMPTS if no_host else ATTEMPTS

    def _wait_after(self, error: RetryLater, attempt: int) -> float:
        if error.retry_after is not None:
            return error.retry_after + MOST_JITTER * self._jitter()
        if isinstance(error, RateLimited) and self._remaining_hour == 0:
            return PROBE_AFTER
        return min(LONGEST_BACKOFF, 2.0 ** (attempt - 1)) + MOST_JITTER * self._jitter()

    def _too_long(self, seconds: float) -> bool:
        return seconds > self._patience + MOST_JITTER

    def _pause_everybody(self, seconds: float) -> None:
        with self._lock:
            self._resume_at = max(self._resume_at, self._clock() + seconds)

    def _sleep(self, seconds: float) -> None:
        self._check_stopped()
        self._wait(seconds)
        self._check_stopped()

    def _check_stopped(self) -> None:
        if self._stopped.is_set():
            raise Unreachable("Stopped before the request was sent.", sent=False)


def _headers(token: str) -> Mapping[str, str]:
    return {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json",
        "User-Agent": f"kandji-mirror/{version('kandji-mirror')}",
    }


def _as_it_is(response: Response) -> Response:
    return response


def _worth_retrying(error: RetryLater) -> bool:
    """Not for our own refusals (an hour used up), which no wait of seconds changes."""
    return error.status in _RETRIED and not (isinstance(error, RateLimited) and error.status is None)
