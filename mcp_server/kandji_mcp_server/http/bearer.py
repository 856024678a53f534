"""A static bearer token before everything but the health of the server.

The SDK's own authorisation is OAuth's: it would send clients to an authorisation server that does not exist here.
"""

import hmac

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

OPEN = frozenset({"/health"})
"""Paths that need no token."""


class Bearer:
    """Lets requests through that carry the token, and answers 401 to the others."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        """``token`` is compared in constant time."""
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] in OPEN or self._known(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        refused = JSONResponse(
            {"error": "invalid_token", "error_description": "Send the server's token: Authorization: Bearer ..."},
            status_code=401,
            headers={"WWW-Authenticate": 'Bearer realm="kandji-mirror", error="invalid_token"'},
        )
        await refused(scope, receive, send)

    def _known(self, headers: Headers) -> bool:
        kind, _, sent = headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and hmac.compare_digest(sent.strip().encode("latin-1"), self._token)
