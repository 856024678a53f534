"""The API client: requests that carry the token, keep to the budget, and are sent again where that may help."""

import hashlib
import random
import re
import time
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from datetime import UTC, datetime
from importlib.metadata import version
from threading import Event, Lock, local
from typing import TypeVar

from kandji_mirror.api.answers import Asked, failure, sent_at
from kandji_mirror.api.bodies import dump
from kandji_mirror.api.budget import Permits
from kandji_mirror.api.outage import NAMED_SECONDS, OutageWatch
from kandji_mirror.api.turns import MOST_JITTER, PROBE_AFTER, Turns
from kandji_mirror.api.witness import Witness
from kandji_mirror.threads import AbandonableCalls
from kandji_schema.errors import ApiError, ExportFailed, Outage, RateLimited, RetryLater, Unreachable, Unreadable
from kandji_schema.http import Fetch, Request, Response, Send, Target

ATTEMPTS = 6
"""A GET is sent at most so often: once, and five retries (the provider's contract).

Waits that the provider names itself are kept beyond that, for as long as
:data:`~kandji_mirror.api.outage.NAMED_SECONDS`.
"""

LEAST_NAMED = 1.0
"""Seconds that a wait the provider names counts for at least, however short it is."""

UNPROVEN_ATTEMPTS = 3
"""So often while no host has answered at all: a wrong name or a missing network is not mended by waiting."""

UNREADABLE_ATTEMPTS = 2
"""What is too large, or nested beyond reason, mostly is so again."""

DOWNLOAD_ATTEMPTS = 3
"""A file may be large: it is downloaded at most so often from one URL."""

LONGEST_BACKOFF = 60.0

_AN_ID = re.compile(r"(?<=/)[^/]*[0-9][^/]*")
_RETRIED = frozenset({None, 200, 429, 500, 502, 503, 504})  # None: no answer; 200: an answer that is not the endpoint's

T = TypeVar("T")


class Client:
    """Reads the API through ``send``, and signed URLs through ``fetch``. Any number of threads may call it at once.

    ``limiter`` gives a permit for every request. ``clock`` (monotonic) and ``wall`` (since 1970) are in seconds;
    ``sleep`` is by default one that :meth:`stop` ends. ``jitter`` answers 0.0 to 1.0. A wait longer than ``patience``
    seconds is an error instead. Once the provider as a whole is out, every request is :class:`Outage`. With fewer than
    ``floor`` requests left to the tenant in this hour none is sent: other tokens need the rest. A ``quiet`` one repeats
    no words of the provider in errors.
    """

    def __init__(
        self,
        send: Send,
        token: str,
        limiter: Permits,
        *,
        fetch: Fetch | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], object] | None = None,
        jitter: Callable[[], float] = random.random,
        patience: float = 120.0,
        floor: int = 500,
        quiet: bool = False,
    ) -> None:
        self.quiet = quiet
        self._send = send
        self._fetch = fetch
        self._token = token
        self._wall = wall
        self._calls = AbandonableCalls()
        self._clock = clock
        self._stopped = Event()
        self._ended = Event()
        self._watch = OutageWatch(clock)
        self._whole: Client | None = None
        self._wait = sleep or self._ended.wait
        self._jitter = jitter
        self._turns = Turns(limiter, clock=clock, sleep=self._sleep, patience=patience, floor=floor)
        self._headers = _headers(token)
        self._lock = Lock()
        self._requests = 0
        self._own = local()
        self._witness = Witness()
        self._proven: set[str] = set()

    @property
    def requests(self) -> int:
        """How many requests left this machine."""
        return self._requests

    @property
    def own_requests(self) -> int:
        """How many of them the calling thread has sent."""
        return int(getattr(self._own, "requests", 0))

    @property
    def remaining_hour(self) -> int | None:
        """Requests the tenant has left in this hour, as last told by the provider; None while it has not told."""
        return self._turns.remaining_hour

    @property
    def provider_now(self) -> datetime | None:
        """The provider's time of day in UTC, as of its newest answer; None where it never told."""
        return self._witness.now

    @property
    def clock(self) -> Callable[[], float]:
        """The monotonic clock, in seconds, that waits are measured by."""
        return self._clock

    @property
    def witness(self) -> Witness:
        """What the provider's answers tell of the time."""
        return self._witness

    @property
    def stopped(self) -> bool:
        """Whether :meth:`stop` was called."""
        return self._stopped.is_set()

    @property
    def outage(self) -> Outage | None:
        """What ended this client by itself: the provider answers nothing; None while it does."""
        return self._watch.outage

    @property
    def token_mark(self) -> str:
        """What stands for the token where something is remembered of it."""
        return token_mark(self._token)

    def part(self) -> "Client":
        """A client that counts its own requests, which count here too; all else the two share."""
        part = copy(self)
        part._whole, part._requests = self, 0
        return part

    def get(self, path: str, params: Iterable[tuple[str, str]] = ()) -> Response:
        """The answer to a GET, with a status from 200 to 299; anything else is one of our errors."""
        return self.read(path, params, _as_it_is)

    def read(self, path: str, params: Iterable[tuple[str, str]], parse: Callable[[Response], T]) -> T:
        """What ``parse`` makes of the answer. A :class:`ServerFault` of ``parse`` is retried like one of the server."""
        request = Request("GET", path, tuple(params), self._headers)
        once = self._watched(_endpoint(request), lambda: parse(self._send_once(request)))
        return self._repeated(once, _worth_retrying, ATTEMPTS)

    def post(self, path: str, body: Mapping[str, object]) -> Response:
        """The answer to a POST of a JSON object. It is sent again only where it is certain that it was not carried out.

        That is after a 429, and after a connection that was never made. :class:`Unreachable` with ``sent``, and
        :class:`ServerFault`, leave open whether it was.
        """
        headers = {**self._headers, "Content-Type": "application/json"}
        request = Request("POST", path, (), headers, dump(body).encode())
        once = self._watched(_endpoint(request), lambda: self._send_once(request))
        return self._repeated(once, _never_carried_out, ATTEMPTS)

    def once(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Response:
        """The answer to one request of any kind, sent at most once, whatever happens.

        Of its errors only :class:`Unreachable` without ``sent``, :class:`RateLimited` and the other 4xx say that it was
        not carried out; after any other nobody knows.
        """
        headers = dict(self._headers) if body is None else {**self._headers, "Content-Type": "application/json"}
        return self._send_once(Request(method, path, (), headers, b"" if body is None else dump(body).encode()))

    def download(self, url: str, target: Target) -> None:
        """Write what a signed URL holds into ``target``, retried like a GET. It costs no request of the budget.

        :class:`ExportFailed` where this client cannot download at all.
        """
        fetch = self._fetch
        if fetch is None:
            raise ExportFailed("This client was made without a way to download files.")

        def once() -> None:
            self._check_stopped()
            self._calls.wait_for(lambda: fetch(url, target))

        self._repeated(once, _worth_retrying, DOWNLOAD_ATTEMPTS)

    def pause(self, seconds: float) -> None:
        """Wait. :meth:`stop` ends it, with :class:`Unreachable`."""
        self._sleep(seconds)

    def stop(self) -> None:
        """End every wait at once, also for answers that are on their way, and send nothing more.

        The threads that waited get :class:`Unreachable`.
        """
        self._stopped.set()
        self._ended.set()
        self._calls.abandon(lambda: Unreachable("Stopped before the answer came.", sent=True))

    def _watched(self, endpoint: str, once: Callable[[], T]) -> Callable[[], T]:
        """``once``, with what becomes of it told to the watch; an outage ends all that this client does."""

        def told() -> T:
            began = self._clock()
            try:
                done = once()
            except Unreadable:
                self._watch.answered()
                raise
            except RetryLater as error:
                self._note_failure(endpoint, began, error)
                raise
            except ApiError:
                self._watch.answered()
                raise
            self._watch.answered()
            return done

        return told

    def _note_failure(self, endpoint: str, began: float, error: RetryLater) -> None:
        our_own = isinstance(error, RateLimited) and error.status is None
        if our_own or self._ended.is_set():
            return
        if outage := self._watch.failed(endpoint, began, error):
            self._ended.set()
            self._calls.abandon(lambda: Outage(str(outage)))
            raise outage from error

    def _repeated(self, once: Callable[[], T], again: Callable[[RetryLater], bool], attempts: int) -> T:
        """What ``once`` returns, called again after errors that ``again`` approves of."""
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
        """How many attempts there may be: one more where the provider names a wait, none after a minute of them."""
        if error.retry_after is None:
            return min(attempts, self._sensible_attempts(error))
        return attempt + 1 if named < NAMED_SECONDS else 0

    def _send_once(self, request: Request) -> Response:
        """One request, never retried: what it raises after it left says nothing about whether it was carried out."""
        self._check_stopped()
        self._turns.wait()
        self._check_stopped()
        response = self._counted(request)
        self._turns.note(response)
        error = failure(response, self._asked(request))
        if error is not None:
            raise error
        self._note_success(request, response)
        return response

    def _counted(self, request: Request) -> Response:
        try:
            response = self._calls.wait_for(lambda: self._send(request))
        except RetryLater as error:
            self._count(sent=not isinstance(error, Unreachable) or error.sent)
            raise
        self._count(sent=True)
        return response

    def _count(self, *, sent: bool) -> None:
        self._own.requests = self.own_requests + sent
        with self._lock:
            self._requests += sent
            if self._whole is not None:
                self._whole._requests += sent

    def _asked(self, request: Request) -> Asked:
        return Asked(
            request=f"{request.method} {request.path}",
            token=self._token,
            proven=bool(self._proven),
            answered=_endpoint(request) in self._proven,
            now=self._wall(),
            quiet=self.quiet,
        )

    def _note_success(self, request: Request, response: Response) -> None:
        self._proven.add(_endpoint(request))
        self._witness.note(sent_at(response), datetime.fromtimestamp(self._wall(), UTC))

    def _before_retry(self, error: RetryLater, wait: float, attempt: int, attempts: int) -> None:
        """Wait so many seconds, or raise the error again where no retry is due."""
        if isinstance(error, RateLimited) and error.status is not None:
            self._turns.pause(wait)
        if attempt >= attempts or self._turns.too_long(wait):
            raise error
        if not isinstance(error, RateLimited):  # a rate limit is sat out by whoever sends next, this thread too
            self._sleep(wait)

    def _sensible_attempts(self, error: RetryLater) -> int:
        if isinstance(error, Unreadable):
            return UNREADABLE_ATTEMPTS
        no_host = isinstance(error, Unreachable) and not error.sent and not self._proven
        return UNPROVEN_ATTEMPTS if no_host else ATTEMPTS

    def _wait_after(self, error: RetryLater, attempt: int) -> float:
        if error.retry_after is not None:
            return error.retry_after + MOST_JITTER * self._jitter()
        if isinstance(error, RateLimited) and self._turns.remaining_hour == 0:
            return PROBE_AFTER
        return min(LONGEST_BACKOFF, 2.0 ** (attempt - 1)) + MOST_JITTER * self._jitter()

    def _sleep(self, seconds: float) -> None:
        self._check_stopped()
        self._wait(seconds)
        self._check_stopped()

    def _check_stopped(self) -> None:
        if self._stopped.is_set():
            raise Unreachable("Stopped before the request was sent.", sent=False)
        if self.outage:
            raise Outage(str(self.outage))


def token_mark(token: str) -> str:
    """The same for the same token; nobody can tell the token from it."""
    return hashlib.sha256(b"kandji-mirror token " + token.encode()).hexdigest()[:16]


def _headers(token: str) -> Mapping[str, str]:
    return {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json",
        "User-Agent": f"kandji-mirror/{version('kandji-mirror')}",
    }


def _endpoint(request: Request) -> str:
    """Method and path, the same for every id in it: a segment with a digit is one."""
    return f"{request.method} {_AN_ID.sub('*', request.path)}"


def _as_it_is(response: Response) -> Response:
    return response


def _worth_retrying(error: RetryLater) -> bool:
    """Not for our own refusals (an hour used up) and not in an outage, which no wait of seconds changes."""
    our_own = isinstance(error, RateLimited) and error.status is None
    return error.status in _RETRIED and not our_own and not isinstance(error, Outage)


def _never_carried_out(error: RetryLater) -> bool:
    """Whether even a write may be sent again."""
    never_left = isinstance(error, Unreachable) and not error.sent
    return never_left or (isinstance(error, RateLimited) and error.status is not None)
