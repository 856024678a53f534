"""Who is let in, request by request: under which name, from which web page, with the bearer token.

``Host`` and ``Origin`` are compared whole: a name that merely begins like an allowed one is another. Without that a web
page could reach the server under a name of its own that leads to loopback (DNS rebinding). It stands before all paths,
``/health`` included; the SDK's own check compares beginnings and is switched off. So is the SDK's authorisation, which
is OAuth's: it would send clients to an authorisation server that does not exist here.
"""

import hmac
import logging
import re
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_NAME = re.compile(r"(?P<base>(?:https?://)?(?:\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?))(?::[0-9]{1,5})?")


class AllowedNames:
    """Names that are let in: ``host``, ``host:8765``, ``http://host``; ``:*`` at the end is any port or none."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(allowed)

    def __contains__(self, sent: str) -> bool:
        """Tell whether a header names one of them; letters of either case are the same, nothing else is."""
        found = _NAME.fullmatch(sent.lower())
        return found is not None and (found[0] in self._allowed or f"{found['base']}:*" in self._allowed)


class HostCheck:
    """Lets requests through that were sent under a known name, from a known page or from none: else 421 or 403."""

    def __init__(self, app: ASGIApp, hosts: AllowedNames, origins: AllowedNames) -> None:
        self._app = app
        self._hosts = hosts
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        refused = self._refusal(Headers(scope=scope)) if scope["type"] == "http" else None
        await (refused or self._app)(scope, receive, send)

    def _refusal(self, headers: Headers) -> ASGIApp | None:
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return PlainTextResponse("Invalid Host header", status_code=421)
        if any(origin not in self._origins for origin in origins):
            return PlainTextResponse("Invalid Origin header", status_code=403)
        return None


PUBLIC_PATHS = frozenset({"/health"})
"""Paths that need no token."""

AUTHENTICATED = "kandji_mirror.known"
"""Key of the scope: whether the request carried the token."""

LONGEST_PATH = 80
"""Most characters of a path in the log."""

log = logging.getLogger(__name__)


class BearerAuth:
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
        scope[AUTHENTICATED] = self._has_token(Headers(scope=scope))
        if scope[AUTHENTICATED] or scope["path"] in PUBLIC_PATHS:
            await self._app(scope, receive, send)
            return
        _log_refusal(scope)
        refused = JSONResponse(
            {"error": "invalid_token", "error_description": "Send the server's token: Authorization: Bearer ..."},
            status_code=401,
            headers={"WWW-Authenticate": 'Bearer realm="kandji-mirror", error="invalid_token"'},
        )
        await refused(scope, receive, send)

    def _has_token(self, headers: Headers) -> bool:
        kind, _, sent = headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and hmac.compare_digest(sent.strip().encode("latin-1"), self._token)


def _log_refusal(scope: Scope) -> None:
    """Log who tried what; what was sent as a token is nobody's business, it may be another server's."""
    peer = scope["client"][0] if scope.get("client") else "somebody"
    path = ascii(scope["path"])[:LONGEST_PATH]
    log.warning("401 for %s, which sent no token or a wrong one: %s %s", peer, scope["method"][:10], path)


class OriginCors(CORSMiddleware):
    """Tells browsers which web pages may ask: those whose requests are let in."""

    def __init__(self, app: ASGIApp, pages: AllowedNames) -> None:
        super().__init__(
            app,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],
            allow_private_network=True,
            expose_headers=["Mcp-Session-Id", "WWW-Authenticate"],
        )
        self._pages = pages

    def is_allowed_origin(self, origin: str) -> bool:
        """Tell whether a page may ask."""
        return origin in self._pages
