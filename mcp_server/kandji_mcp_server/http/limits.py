"""How much one client may take of the server: sessions, and requests that are answered at once.

Sessions of older clients: the SDK refuses one beyond the last, so that one client with hundreds of them would shut out
all others for as long as they are kept. Here the one that is missed least is ended instead; its client is told so (404)
and, as the protocol says, begins anew.

Requests: never so many are answered at once that no connection is left, and of one client half of them. A connection
whose request is being answered cannot make room for another. So who asks more than their share is told to come back
(503), while others, and who looks after the server's health, are answered.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kandji_mcp_server.callers import CALLER, Caller

SESSION = "mcp-session-id"
GREETING = 2
"""Requests of a client that has said hello and asked nothing."""

NEWCOMERS = 16
"""So many clients that only just said hello are about to ask, and not missed less than those that did."""

RETRY_SECONDS = 2
"""After so long a statement that keeps others waiting is stopped."""

_LEFT_FREE = 8
"""One connection of so many, and four at least, is never taken by a request under way."""


@dataclass
class Session:
    """``asked`` counts its requests, ``busy`` those under way; a stream that only listens is none.

    ``opener`` is what the scope of a request says of who opened it, who alone may end it.
    """

    identifier: str
    peer: str
    opener: Mapping[str, object]
    asked: int = 1
    busy: int = 0
    last: float = field(default_factory=time.monotonic)

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Count one more request, which is under way until the end of the block."""
        self.busy += 1
        self.asked += 1
        try:
            yield
        finally:
            self.busy -= 1
            self.last = time.monotonic()


class SessionLimit:
    """Passes requests on and ends a session where there would be more than ``most``."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most
        self._open: dict[str, Session] = {}

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._open)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        session = self._open.get(Headers(scope=scope).get(SESSION, ""))
        came = dict(scope)

        async def watched(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start":
                self._track(came, session, message["status"], Headers(raw=message["headers"]).get(SESSION, ""))

        with session.in_flight() if session and scope["method"] == "POST" else nullcontext():
            await self._app(scope, receive, watched)
        await self._end_some(came)

    def _track(self, scope: Scope, session: Session | None, status: int, identifier: str) -> None:
        if session is not None and (status == 404 or scope["method"] == "DELETE"):
            self._open.pop(session.identifier, None)
        elif session is None and identifier and status < 400:
            opener = {key: scope[key] for key in ("user", CALLER) if key in scope}
            self._open[identifier] = Session(identifier, _client(scope), opener)

    async def _end_some(self, scope: Scope) -> None:
        while len(self._open) > self._most and (session := self._least_missed()):
            del self._open[session.identifier]
            named = [(SESSION.encode(), session.identifier.encode())]
            without = {key: value for key, value in scope.items() if key != "user"}
            asked = {**without, **session.opener, "method": "DELETE", "headers": named}
            await self._app(asked, _empty_body, _discard)

    def _least_missed(self) -> Session | None:
        """Choose, of a peer with many, one that said hello and no more, else one unused for longest; none that works.

        The newest that only said hello are spared: where all others are in use, each newcomer would end at once.
        """
        of_peer = Counter(session.peer for session in self._open.values())
        idle = [session for session in self._open.values() if not session.busy]
        silent = sorted((s for s in idle if s.asked <= GREETING), key=lambda s: s.last)
        abandoned = {session.identifier for session in silent[:-NEWCOMERS]}
        return min(idle, key=lambda s: (-of_peer[s.peer], s.identifier not in abandoned, s.last), default=None)


def _peer(scope: Scope) -> str:
    return scope["client"][0] if scope.get("client") else ""


async def _empty_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _discard(_: Message) -> None:
    return


def most_under_way(connections: int) -> int:
    """Return how many requests may be under way on so many connections."""
    return max(2, connections - max(4, connections // _LEFT_FREE))


class RequestLimit:
    """Passes requests on; one beyond a share is refused. A client is a person, else a session, else an address."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most
        self._under_way: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        client = _client(scope)
        if self._under_way.total() >= self._most or self._under_way[client] >= self._most // 2:
            await _busy(scope, receive, send)
            return
        self._under_way[client] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way[client] -= 1
            if not self._under_way[client]:
                del self._under_way[client]


_busy = JSONResponse(
    {"error": "busy", "error_description": "Too many questions are being answered. Ask again in a moment."},
    status_code=503,
    headers={"Retry-After": str(RETRY_SECONDS)},
)


def _client(scope: Scope) -> str:
    """Name who asks: the person, whatever address a proxy has; else the session, else the address."""
    caller: Caller | None = scope.get(CALLER)
    if caller and caller.person:
        return caller.person.subject
    return Headers(scope=scope).get(SESSION, "") or _peer(scope)
