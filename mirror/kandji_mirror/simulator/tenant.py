"""The simulated tenant's API: a function from request to response over a :class:`World`."""

import json
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import RLock
from typing import Any, NamedTuple
from urllib.parse import urlencode

from kandji_mirror.api.wire import Request, Response
from kandji_mirror.simulator.answers import (
    FORBIDDEN,
    LIMITED,
    NO_ROUTE,
    UNAUTHORIZED,
    Transport,
    json_answer,
)
from kandji_mirror.simulator.faults import Fault, Kind
from kandji_mirror.simulator.limits import Limits, RateLimiter
from kandji_mirror.simulator.quirks import Quirks
from kandji_mirror.simulator.routes import Route, routes
from kandji_mirror.simulator.world import World
from kandji_schema.errors import Unreachable

TOKEN = "11111111-2222-4333-8444-555555555555"  # noqa: S105  # opens nothing but an invented tenant
_JOURNAL_LENGTH = 100_000


class Journal(NamedTuple):
    """One request as it was answered; ``status`` 0 where no answer went out."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    status: int


class Answer(NamedTuple):
    """A response, what becomes of it on its way, and how long a slow one takes in seconds."""

    response: Response
    transport: Transport = Transport.WHOLE
    seconds: float = 0.0


class Tenant:
    """The provider's API over ``world``. Safe for threads; requests are answered one at a time.

    ``clock`` gives seconds since 1970 for the rate limits; ``limits`` None switches limits and their headers off.
    ``requests`` records what was asked, ``faults`` what is to go wrong (the first that strikes is used).
    """

    def __init__(
        self,
        world: World,
        *,
        token: str = TOKEN,
        limits: Limits | None = Limits(),  # noqa: B008  # frozen
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        quirks: Quirks = Quirks(),  # noqa: B008  # frozen
        host: str = "acme.api.kandji.io",
        web_host: str = "acme.kandji.io",
    ) -> None:
        self.world = world
        self.requests: deque[Journal] = deque(maxlen=_JOURNAL_LENGTH)
        self.faults: list[Fault] = []
        self.lock = RLock()
        self._token = token
        self._clock = clock
        self._sleep = sleep
        self._limiter = RateLimiter(limits, clock)
        self._forbidden: set[str] = set()
        self._changes: dict[str, Callable[[Any], Any]] = {}
        self._routes = routes(world, quirks, host=host, web_host=web_host)

    def handle(self, request: Request) -> Response:
        """Answer a request in process; raises :class:`Unreachable` where a fault breaks the connection."""
        answer = self.answer(request)
        if answer.transport in {Transport.RESET, Transport.TORN}:
            raise Unreachable(f"The simulated connection broke: {answer.transport.value}.", sent=True)
        if answer.transport is Transport.SLOW:
            self._sleep(answer.seconds)
        return answer.response

    def answer(self, request: Request) -> Answer:
        """Answer a request, leaving it to the caller to break or slow down the connection."""
        with self.lock:
            target = f"{request.path}?{urlencode(request.query)}"
            fault = next((fault for fault in self.faults if fault.strikes(target)), None)
            response = _with_headers(self._limited(request, fault), self._limiter.headers())
            answer = Answer(response, fault.transport, fault.seconds) if fault else Answer(response)
            status = 0 if answer.transport is Transport.RESET else answer.response.status
            self.requests.append(Journal(request.method, request.path, tuple(request.query), status))
        if fault and fault.kind is Kind.DELAY:
            self._sleep(fault.seconds)
        return answer

    def forbid(self, prefix: str) -> None:
        """Answer 403 to every path that begins with ``prefix``."""
        self._forbidden.add(prefix)

    def allow(self, prefix: str) -> None:
        """Take :meth:`forbid` back."""
        self._forbidden.discard(prefix)

    def reshape(self, pattern: str, change: Callable[[Any], Any] | None) -> None:
        """Let ``change`` alter the decoded body of every 200 whose path matches; None takes that back."""
        if change is None:
            self._changes.pop(pattern, None)
        else:
            self._changes[pattern] = change

    def _limited(self, request: Request, fault: Fault | None) -> Response:
        if not self._limiter.take():
            return _with_headers(LIMITED, self._limiter.retry_headers())
        if fault is None:
            return self._checked(request)
        return fault.spoil(lambda: self._checked(request), self._clock())

    def _checked(self, request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        route, found = self._find(request.path)
        if route is None:
            return NO_ROUTE
        if headers.get("authorization") != f"Bearer {self._token}":
            return UNAUTHORIZED
        if any(request.path.startswith(prefix) for prefix in self._forbidden):
            return FORBIDDEN
        if request.method != "GET":
            return json_answer(405, {"detail": f'Method "{request.method}" not allowed.'})
        return self._reshaped(request.path, route.answer(request, found))

    def _find(self, path: str) -> tuple[Route | None, Mapping[str, str]]:
        for route in self._routes:
            match = route.pattern.fullmatch(path)
            if match:
                return route, match.groupdict()
        return None, {}

    def _reshaped(self, path: str, response: Response) -> Response:
        for pattern, change in self._changes.items():
            if response.status == 200 and re.search(pattern, path):
                changed = json_answer(200, change(json.loads(response.body)))
                response = replace(changed, headers=response.headers)
        return response


def _with_headers(response: Response, headers: Mapping[str, str]) -> Response:
    return replace(response, headers={**response.headers, **headers}) if headers else response
