"""The simulated tenant's API: a function from request to response over a :class:`World`, with its clock and its log."""

import json
import re
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from threading import RLock
from typing import Any, NamedTuple
from urllib.parse import urlencode

from kandji_schema.errors import Unreachable
from kandji_schema.http import Request, Response, Target
from kandji_simulator.api.bodies import BODY_LIMIT, TOO_LARGE, Refused, content_type, parsed
from kandji_simulator.api.clock import WorldClock
from kandji_simulator.api.exports import ExportRules, Exports, Storage
from kandji_simulator.api.faults import Fault, FaultKind
from kandji_simulator.api.paging import Quirks
from kandji_simulator.api.rate_limit import RateLimiter, ServerLimits
from kandji_simulator.api.routes import Hosts, routes
from kandji_simulator.api.routing import (
    FORBIDDEN,
    LIMITED,
    NO_ROUTE,
    UNAUTHORIZED,
    Permissions,
    Route,
    Transport,
    json_answer,
)
from kandji_simulator.simulation.world import World


class LoggedRequest(NamedTuple):
    """One request as it was answered; ``status`` 0 where no answer went out."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    status: int


class LoggedWrite(NamedTuple):
    """One request that is to change something.

    ``parsed`` is the body as JSON, None where it is none; ``time`` the tenant's clock in seconds, ``now`` the world's
    time; ``status`` what went out, 0 where nothing did; ``executed`` whether the tenant did it, whatever it answered.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    content_type: str
    body: bytes
    parsed: Any
    time: float
    now: str
    status: int
    executed: bool

    def as_json(self) -> dict[str, Any]:
        """Return the request as JSON; bytes that are no UTF-8 are escaped."""
        return {**self._asdict(), "body": self.body.decode("utf-8", "backslashreplace")}


_READS_BY_POST = "/api/v1/prism/export"


def is_write(request: Request) -> bool:
    """Tell whether a request is to change something; an export is ordered by POST and changes nothing."""
    return request.method != "GET" and request.path != _READS_BY_POST


def written(request: Request, time: float, now: str, status: int, *, executed: bool) -> LoggedWrite:
    """Return the request for the log."""
    query = tuple(request.query)
    kind, body = content_type(request), parsed(request)
    return LoggedWrite(request.method, request.path, query, kind, request.body, body, time, now, status, executed)


TOKEN = "11111111-2222-4333-8444-555555555555"  # noqa: S105  # opens nothing but a synthetic tenant
_JOURNAL_LENGTH = 100_000


class Answer(NamedTuple):
    """A response, what becomes of it on its way, and how long a slow or hanging one takes in seconds."""

    response: Response
    transport: Transport = Transport.WHOLE
    seconds: float = 0.0


class Tenant:
    """The provider's API over ``world``. Safe for threads; requests are answered one at a time.

    ``clock`` gives seconds since 1970 for the rate limits and exports; ``limits`` None switches limits and their
    headers off. ``requests`` records what was asked and ``writes`` what was to be changed, ``faults`` what is to go
    wrong (the first that strikes is used), ``storage`` holds exported files, whose making follows ``exports``.
    With ``answering`` the world's time follows the clock once something was written, and devices answer commands
    after so many seconds; otherwise it stands still, and they answer in :meth:`World.advance` or when told. With a
    ``pace`` everyday life goes on, so many times as fast as the clock.
    """

    def __init__(
        self,
        world: World,
        *,
        token: str = TOKEN,
        limits: ServerLimits | None = ServerLimits(),  # noqa: B008  # frozen
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        quirks: Quirks = Quirks(),  # noqa: B008  # frozen
        host: str = "acme.api.kandji.io",
        web_host: str = "acme.kandji.io",
        answering: float | None = None,
        pace: float = 0.0,
    ) -> None:
        self.world = world
        self.requests: deque[LoggedRequest] = deque(maxlen=_JOURNAL_LENGTH)
        self.writes: deque[LoggedWrite] = deque(maxlen=_JOURNAL_LENGTH)
        self.faults: list[Fault] = []
        self.lock = RLock()
        self._token = token
        self._clock = clock
        self._sleep = sleep
        self._limiter = RateLimiter(limits, clock)
        self._time = WorldClock(world, clock, quirks, answering, pace)
        self._permissions = Permissions()
        self._changes: dict[str, Callable[[Any], Any]] = {}
        self._between: dict[str, Callable[[World], object]] = {}
        made = Exports(world)
        self.exports: ExportRules = made.rules
        self.storage = Storage(made, self.faults, self.lock, clock, sleep)
        self.routes = routes(world, quirks, made, hosts=Hosts(host, web_host), clock=clock, url=self.storage.url)

    def handle(self, request: Request) -> Response:
        """Answer a request in process; raises :class:`Unreachable` where a fault breaks the connection."""
        answer = self.answer(request)
        if answer.transport in {Transport.SLOW, Transport.HANGING}:
            self._sleep(answer.seconds)
        if answer.transport in {Transport.RESET, Transport.TORN, Transport.HANGING}:
            raise Unreachable(f"The simulated connection broke: {answer.transport.value}.", sent=True)
        return answer.response

    def fetch(self, url: str, target: Target) -> None:
        """Download a signed URL in process; raises what the client's ``Fetch`` does."""
        self.storage.fetch(url, target)

    def answer(self, request: Request) -> Answer:
        """Answer a request, leaving it to the caller to break or slow down the connection."""
        with self.lock:
            target = f"{request.path}?{urlencode(request.query)}"
            fault = next((fault for fault in self.faults if fault.strikes(request.method, target)), None)
            ran: list[Response] = []
            self._time.catch_up(writing=is_write(request))
            said = self._limited(lambda: self._run(request, ran), fault)
            response = _with_headers(said, self._limiter.headers(), self._time.date())
            answer = Answer(response, fault.transport, fault.seconds) if fault else Answer(response)
            status = 0 if answer.transport in {Transport.RESET, Transport.HANGING} else answer.response.status
            self.requests.append(LoggedRequest(request.method, request.path, tuple(request.query), status))
            self._record_write(request, status, ran)
            self._change_world(target)
        if fault and fault.kind is FaultKind.DELAY:
            self._sleep(fault.seconds)
        return answer

    def forbid(self, path: str, method: str = "") -> None:
        """Answer 403 to every path that begins so or, given a method, to one endpoint; ``{device_id}`` is any."""
        self._permissions.forbid(path, method)

    def allow(self, path: str, method: str = "") -> None:
        """Take :meth:`forbid` back."""
        self._permissions.allow(path, method)

    def reshape(self, pattern: str, change: Callable[[Any], Any] | None) -> None:
        """Let ``change`` alter the decoded body of every 200 whose path matches; None takes that back."""
        _set_or_drop(self._changes, pattern, change)

    def between(self, pattern: str, change: Callable[[World], object] | None) -> None:
        """Let ``change`` alter the world after every request whose ``path?query`` matches; None takes that back."""
        _set_or_drop(self._between, pattern, change)

    def _change_world(self, target: str) -> None:
        for pattern, change in tuple(self._between.items()):
            if re.search(pattern, target):
                change(self.world)

    def _record_write(self, request: Request, status: int, ran: Sequence[Response]) -> None:
        if is_write(request):
            executed = any(response.status < 300 for response in ran)
            now = self.world.now.isoformat()
            self.writes.append(written(request, self._clock(), now, status, executed=executed))

    def _run(self, request: Request, ran: list[Response]) -> Response:
        """Carry the request out and return the true answer, whatever the client gets instead; ``ran`` is told."""
        try:
            with self.world.audit.by_token():
                ran.append(TOO_LARGE if len(request.body) > BODY_LIMIT else self._checked(request))
        except Refused as refused:
            ran.append(refused.response)
        return ran[-1]

    def _limited(self, run: Callable[[], Response], fault: Fault | None) -> Response:
        if fault and fault.kind is FaultKind.HOUR_SPENT:
            self._limiter.spend_hour()
        if not self._limiter.take():
            return _with_headers(LIMITED, self._limiter.retry_headers())
        if fault is None:
            return run()
        return fault.spoil(run, self._clock())

    def _checked(self, request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        found = self._find(request.path)
        if not found:
            return NO_ROUTE
        if headers.get("authorization") != f"Bearer {self._token}":
            return UNAUTHORIZED
        if self._permissions.refuses(request.method, request.path):
            return FORBIDDEN
        for route, names in found:
            if route.method == request.method:
                return self._reshaped(request.path, route.answer(request, names))
        return json_answer(405, {"detail": f'Method "{request.method}" not allowed.'})

    def _find(self, path: str) -> Sequence[tuple[Route, Mapping[str, str]]]:
        """Return the routes of the most fixed pattern that matches, with the names in the path."""
        matches = [(route, match) for route in self.routes if (match := route.pattern.fullmatch(path))]
        return [(route, m.groupdict()) for route, m in matches if route.pattern == matches[0][0].pattern]

    def _reshaped(self, path: str, response: Response) -> Response:
        for pattern, change in self._changes.items():
            if response.status == 200 and re.search(pattern, path):
                changed = json_answer(200, change(json.loads(response.body)))
                response = replace(changed, headers=response.headers)
        return response


def _set_or_drop(known: dict[str, Any], name: str, value: object | None) -> None:
    if value is None:
        known.pop(name, None)
    else:
        known[name] = value


def _with_headers(response: Response, *more: Mapping[str, str]) -> Response:
    headers = {name: value for some in more for name, value in some.items()}
    return replace(response, headers={**response.headers, **headers}) if headers else response
