"""The API client: requests that carry the token, keep to the budget, and are sent again where that may help."""

import hashlib
import random
import re
import time
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from datetime import UTC, datetime
from threading import Event, Lock, local
from typing import TypeVar

from kandji_mirror.api.lenient_json import dump
from kandji_mirror.api.rate_limit import Permits
from kandji_mirror.api.responses import Asked, failure, remaining_hour, sent_at
from kandji_mirror.api.retry import (
    DOWNLOAD_ATTEMPTS,
    OutageWatch,
    Retry,
    Throttle,
    is_our_own,
    may_read_again,
    was_not_carried_out,
)
from kandji_mirror.api.server_clock import ServerClock
from kandji_mirror.threads import AbandonableCalls
from kandji_schema.errors import ApiError, ExportFailed, Outage, RetryLater, Unreachable, Unreadable
from kandji_schema.http import Fetch, Request, Response, Send, Target
from kandji_schema.installation import mirror_version

_AN_ID = re.compile(r"(?<=/)[^/]*[0-9][^/]*")

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
        self.clock = clock
        self.server_clock = ServerClock()
        """What the provider's answers tell of the time."""
        self._send = send
        self._fetch = fetch
        self._token = token
        self._wall = wall
        self._calls = AbandonableCalls()
        self._stopped = Event()
        self._ended = Event()
        self._watch = OutageWatch(clock)
        self._whole: Client | None = None
        self._wait = sleep or self._ended.wait
        self._throttle = Throttle(limiter, clock=clock, sleep=self.pause, patience=patience, floor=floor)
        self._retry = Retry(self._throttle, self.pause, jitter, lambda: bool(self._proven))
        self._headers = _headers(token)
        self._lock = Lock()
        self._requests = 0
        self._own = local()
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
        return self._throttle.remaining_hour

    @property
    def provider_now(self) -> datetime | None:
        """The provider's time of day in UTC, as of its newest answer; None where it never told."""
        return self.server_clock.now

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
        """Return a client that counts its own requests, which count here too; all else the two share."""
        part = copy(self)
        part._whole, part._requests = self, 0
        return part

    def get(self, path: str, params: Iterable[tuple[str, str]] = ()) -> Response:
        """Return the answer to a GET, with a status from 200 to 299; anything else is one of our errors."""
        return self.read(path, params, _as_it_is)

    def read(self, path: str, params: Iterable[tuple[str, str]], parse: Callable[[Response], T]) -> T:
        """Return what ``parse`` makes of the answer. A :class:`ServerFault` of it is retried like one of the server."""
        request = Request("GET", path, tuple(params), self._headers)
        once = self._watched(_endpoint(request), lambda: parse(self._send_once(request)))
        return self._retry.call(once, may_read_again)

    def post(self, path: str, body: Mapping[str, object]) -> Response:
        """Return the answer to a POST of a JSON object, sent again only where it certainly was not carried out.

        That is after a 429, and after a connection that was never made. :class:`Unreachable` with ``sent``, and
        :class:`ServerFault`, leave open whether it was.
        """
        request = self._written("POST", path, body)
        once = self._watched(_endpoint(request), lambda: self._send_once(request))
        return self._retry.call(once, was_not_carried_out)

    def once(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Response:
        """Return the answer to one request of any kind, sent at most once, whatever happens.

        Of its errors only :class:`Unreachable` without ``sent``, :class:`RateLimited` and the other 4xx say that it was
        not carried out; after any other nobody knows.
        """
        return self._send_once(self._written(method, path, body))

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

        self._retry.call(once, may_read_again, DOWNLOAD_ATTEMPTS)

    def pause(self, seconds: float) -> None:
        """Wait. :meth:`stop` ends it, with :class:`Unreachable`."""
        self._check_stopped()
        self._wait(seconds)
        self._check_stopped()

    def stop(self) -> None:
        """End every wait at once, also for answers that are on their way, and send nothing more.

        The threads that waited get :class:`Unreachable`.
        """
        self._stopped.set()
        self._ended.set()
        self._calls.abandon(lambda: Unreachable("Stopped before the answer came.", sent=True))

    def _written(self, method: str, path: str, body: Mapping[str, object] | None) -> Request:
        if body is None:
            return Request(method, path, (), self._headers)
        headers = {**self._headers, "Content-Type": "application/json"}
        return Request(method, path, (), headers, dump(body).encode())

    def _watched(self, endpoint: str, once: Callable[[], T]) -> Callable[[], T]:
        """Wrap ``once``, so that what becomes of it is told to the watch; an outage ends all that this client does."""

        def told() -> T:
            began = self.clock()
            try:
                done = once()
            except ApiError as error:
                if isinstance(error, RetryLater) and not isinstance(error, Unreadable):
                    self._note_failure(endpoint, began, error)
                else:
                    self._watch.answered()
                raise
            self._watch.answered()
            return done

        return told

    def _note_failure(self, endpoint: str, began: float, error: RetryLater) -> None:
        if is_our_own(error) or self._ended.is_set():
            return
        if outage := self._watch.failed(endpoint, began, error):
            self._ended.set()
            self._calls.abandon(lambda: Outage(str(outage)))
            raise outage from error

    def _send_once(self, request: Request) -> Response:
        """Send one request, never again: what it raises after it left does not tell whether it was carried out."""
        self._check_stopped()
        self._throttle.wait()
        self._check_stopped()
        response = self._counted(request)
        self._throttle.note(remaining_hour(response))
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
        self.server_clock.note(sent_at(response), datetime.fromtimestamp(self._wall(), UTC))

    def _check_stopped(self) -> None:
        if self._stopped.is_set():
            raise Unreachable("Stopped before the request was sent.", sent=False)
        if self.outage:
            raise Outage(str(self.outage))


def token_mark(token: str) -> str:
    """Return the same for the same token; nobody can tell the token from it."""
    return hashlib.sha256(b"kandji-mirror token " + token.encode()).hexdigest()[:16]


def _headers(token: str) -> Mapping[str, str]:
    return {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json",
        "User-Agent": f"kandji-mirror/{mirror_version()}",
    }


def _endpoint(request: Request) -> str:
    """Return method and path, the same for every id in it: a segment with a digit is one."""
    return f"{request.method} {_AN_ID.sub('*', request.path)}"


def _as_it_is(response: Response) -> Response:
    return response
