"""Several tenants behind one listener, each below its own path: ``/acme/mcp``, pages at ``/acme/``.

Each is a whole application with its own tokens, sessions, caches and shares; here requests are only told apart by the
first part of their path. So a token of one is none at another, and what goes wrong in one is no other's matter.
"""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kandji_mcp_server.callers import BASE
from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.http.access import Access
from kandji_mcp_server.http.application import Application, CountChecks, MakePages, make_application
from kandji_mcp_server.http.auth import AllowedNames, HostCheck, KnownTokens
from kandji_mcp_server.http.monitoring import Monitoring
from kandji_mcp_server.http.serving import Server, bounds_of_process, shares
from kandji_schema.events import about

HEALTH = "/health"

NOWHERE = PlainTextResponse(
    "Several tenants are served here, each below its own path: /NAME/ for browsers, /NAME/mcp for AI clients.\n",
    status_code=404,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Served:
    """What is served of one tenant: its mirror, who may connect, its pages, and what counts how its checks stand."""

    context: ServerContext
    access: Access
    pages: MakePages | None = None
    checks: CountChecks | None = None


class TenantsServer(Server):
    """Answers for several tenants, each below its own path."""

    def __init__(self, served: Mapping[str, Served], access: Access, alone: str = "") -> None:
        """``served`` are by name; ``access`` says on which address, and who may read the metrics of all.

        A tenant that is served ``alone`` answers at the root, too. :class:`ConfigurationError` where the address cannot
        be listened on, or one has no token.
        """
        bounds = bounds_of_process()
        each = shares(bounds, len(served))
        applications = {
            name: make_application(one.context, one.access, *each, one.pages, one.checks)
            for name, one in served.items()
        }
        root: ASGIApp = applications[alone] if alone else _root(applications, access)
        super().__init__(ByTenant(applications, root), access.host, access.port, bounds)


def _root(applications: Mapping[str, Application], access: Access) -> ASGIApp:
    """Make what answers at the root: metrics and probes of all, and their health in a word."""
    watched = [one.watched for one in applications.values()]
    tokens = KnownTokens(access.token)
    app = Monitoring(
        Root(applications), access, tokens, watched, lambda: sum(a.sessions() for a in applications.values())
    )
    return HostCheck(app, AllowedNames(access.hosts), AllowedNames(access.origins))


class Root:
    """Answers paths that name no tenant; which names there are is nobody's business."""

    def __init__(self, applications: Mapping[str, Application]) -> None:
        self._applications = applications

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["path"] == HEALTH:
            await self._health(scope, receive, send)
            return
        owner = (one.app for one in self._applications.values() if scope["path"] in one.documents)
        await next(owner, NOWHERE)(scope, receive, send)  # some documents for clients have to be here

    async def _health(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 200 where every tenant's health does, else the worst; which one it is their own paths tell."""
        found = [await _status(one.app, scope, receive) for one in self._applications.values()]
        worst = max(found, default=200)
        document = {"status": "ok" if worst == 200 else "not every tenant is well", "tenants": len(found)}
        await JSONResponse(document, status_code=worst, headers={"Cache-Control": "no-store"})(scope, receive, send)


class ByTenant:
    """Passes a request on to the application of the tenant that its path begins with, others to the root's."""

    def __init__(self, applications: Mapping[str, Application], root: ASGIApp) -> None:
        """``applications`` are by name."""
        self._applications = applications
        self._root = root
        self._living = Starlette(lifespan=self._life)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._living(scope, receive, send)
            return
        path: str = scope["path"]
        name, slash, rest = path.removeprefix("/").partition("/")
        if found := self._applications.get(name):
            await _below(found.app, scope, name, f"/{rest}" if slash else "", receive, send)
        else:
            await self._root(scope, receive, send)

    @asynccontextmanager
    async def _life(self, _: Starlette) -> AsyncIterator[None]:
        """Begin and end all of them; one that cannot begin keeps no other from it."""
        async with AsyncExitStack() as stack:
            for name, found in self._applications.items():
                try:
                    await stack.enter_async_context(found.life())
                except Exception as error:  # whatever it is, the others go on
                    words = ("The tenant %s cannot be served: %s.", name, type(error).__name__)
                    log.error(*words, extra=about("serve.failed"))
            yield


async def _below(app: ASGIApp, scope: Scope, name: str, path: str, receive: Receive, send: Send) -> None:
    """Serve a request as if the tenant were alone, and lead on below its path."""
    base = f"/{name}"
    if not path:
        await PlainTextResponse("", status_code=307, headers={"Location": f"{base}/"})(scope, receive, send)
        return
    inner = {**scope, "path": path, "raw_path": path.encode("utf-8", "surrogateescape"), BASE: base}

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if (to := headers.get("location")) is not None:
                headers["location"] = _led_below(to, base, Headers(scope=scope).get("host", ""))
        await send(message)

    await app(inner, receive, sent)


def _led_below(to: str, base: str, host: str) -> str:
    """Return where a redirect leads: what is a path of this server is one of the tenant."""
    parts = urlsplit(to)
    if parts.netloc not in {"", host} or not parts.path.startswith("/"):
        return to
    return urlunsplit(parts._replace(path=f"{base}{parts.path}"))


async def _status(app: ASGIApp, scope: Scope, receive: Receive) -> int:
    """Return the status of a tenant's answer about its health; its words are for who has its token."""
    found: list[int] = []

    async def seen(message: Message) -> None:
        if message["type"] == "http.response.start":
            found.append(message["status"])

    await app({**scope}, receive, seen)
    return found[0] if found else 503
