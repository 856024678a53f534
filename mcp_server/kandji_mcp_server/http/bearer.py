"""A static bearer token before everything; the health of the server tells no more than a word without it.

The SDK's own authorisation is OAuth's: it would send clients to an authorisation server that does not exist here.
"""

import hmac
import logging

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

OPEN = frozenset({"/health"})
"""Paths that need no token."""

KNOWN = "kandji_mirror.known"
"""Key of the scope: whether the request carried the token."""

LONGEST_PATH = 80
"""Most characters of a path in the log."""

log = logging.getLogger(__name__)


class Bearer:
    """Lets requests through that carry the token, and answers 401 to the others."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        """``token`` is compared in constant time."""
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[KNOWN] = self._known(Headers(scope=scope))
        if scope[KNOWN] or scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        _tell(scope)
        refused = JSONResponse(
            {"error": "invalid_token", "error_description": "Send the server's token: Authorization: Bearer ..."},
            status_code=401,
            headers={"WWW-Authenticate": 'Bearer realm="kandji-mirror", error="invalid_token"'},
        )
        await refused(scope, receive, send)

    def _known(self, headers: Headers) -> bool:
        kind, _, sent = headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and hmac.compare_digest(sent.strip().encode("latin-1"), self._token)


def _tell(scope: Scope) -> None:
    """Who tried what; what was sent as a token is nobody's business, it may be another server's."""
    peer = scope["client"][0] if scope.get("client") else "somebody"
    path = ascii(scope["path"])[:LONGEST_PATH]
    log.warning("401 for %s, which sent no token or a wrong one: %s %s", peer, scope["method"][:10], path)
