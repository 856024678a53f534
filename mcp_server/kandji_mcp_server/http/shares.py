"""How many questions are answered at once: never so many that no connection is left, and of one client half of them.

A connection whose question is being answered cannot make room for another. So who asks more than their share is told to
come back (503), while others, and who looks after the server's health, are answered.
"""

from collections import Counter

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from kandji_mcp_server.http.sessions import SESSION

RETRY_SECONDS = 2
"""After so long a statement that keeps others waiting is stopped."""

_LEFT_FREE = 8
"""One connection of so many, and four at least, is never taken by a question under way."""


def most_under_way(connections: int) -> int:
    """How many questions may be under way on so many connections."""
    return max(2, connections - max(4, connections // _LEFT_FREE))


class Shares:
    """Passes questions on; one beyond a share is refused. A client is a session, else an address."""

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
            await _refused(scope, receive, send)
            return
        self._under_way[client] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way[client] -= 1
            if not self._under_way[client]:
                del self._under_way[client]


_refused = JSONResponse(
    {"error": "busy", "error_description": "Too many questions are being answered. Ask again in a moment."},
    status_code=503,
    headers={"Retry-After": str(RETRY_SECONDS)},
)


def _client(scope: Scope) -> str:
    address = scope["client"][0] if scope.get("client") else ""
    return Headers(scope=scope).get(SESSION, "") or address
