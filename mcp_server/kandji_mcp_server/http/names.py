"""``Host`` and ``Origin`` of every request, compared whole: a name that merely begins like an allowed one is another.

Without this a web page could reach the server under a name of its own that leads to loopback (DNS rebinding). It stands
before all paths, ``/health`` included; the SDK's own check compares beginnings and is switched off.
"""

import re
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_NAME = re.compile(r"(?P<base>(?:https?://)?(?:\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?))(?::[0-9]{1,5})?")


class Names:
    """Names that are let in: ``host``, ``host:8765``, ``http://host``; ``:*`` at the end is any port or none."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(allowed)

    def __contains__(self, sent: str) -> bool:
        """Whether a header names one of them; letters of either case are the same, nothing else is."""
        found = _NAME.fullmatch(sent.lower())
        return found is not None and (found[0] in self._allowed or f"{found['base']}:*" in self._allowed)


class Named:
    """Lets requests through that were sent under a known name, from a known page or from none: else 421 or 403."""

    def __init__(self, app: ASGIApp, hosts: Names, origins: Names) -> None:
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
