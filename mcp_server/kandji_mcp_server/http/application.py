"""What one tenant answers over HTTP, as an ASGI application: who asks, what they may, and which part of it answers."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Container, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
from anyio.abc import TaskGroup
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from kandji_mcp_server.actions import ConfirmAt
from kandji_mcp_server.callers import CALLER, OWN, Caller, Rights
from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.http.access import Access
from kandji_mcp_server.http.auth import AllowedNames, BearerAuth, HostCheck, KnownTokens, OriginCors
from kandji_mcp_server.http.connections import Bounds
from kandji_mcp_server.http.health import endpoint
from kandji_mcp_server.http.limits import RequestLimit, SessionLimit, most_under_way
from kandji_mcp_server.http.listening import on_loop_error
from kandji_mcp_server.http.messages import LARGEST, MessageCheck
from kandji_mcp_server.http.monitoring import Monitoring
from kandji_mcp_server.http.oauth import OAuthRules
from kandji_mcp_server.http.provider_keys import ProviderKeys, bounded_reader
from kandji_mcp_server.http.tokens import TokenVerifier
from kandji_mcp_server.http.well_known import PATH, public_routes
from kandji_mcp_server.monitoring.samples import CheckCounts, Watched, tenant_label
from kandji_mcp_server.server import build_server
from kandji_schema.errors import ConfigurationError
from kandji_schema.events import about

MOST_SESSIONS = 256
"""Older clients keep a session each, half an hour after their last word; for a further one another is ended."""

SPARE_SESSIONS = 64
"""Sessions that may be opened at one moment beyond these, before others are ended."""

CountChecks = Callable[[], CheckCounts]

Work = Callable[[], Awaitable[None]]

MakePages = Callable[
    [ServerContext, ServerContext, Callable[[str], Awaitable[Caller | None]], Callable[[Work], None]], ASGIApp
]
"""Makes the application for browsers, of what everybody reads, what people read who may see personal data, whose token
it is that somebody signs in with (None for nobody's), and what has something done :class:`BesideRequests`."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Application:
    """One tenant's ASGI application. ``life`` is the time in which it can answer.

    ``documents`` are paths that have to stay where they are when it is served below a path; ``watched`` and
    ``sessions``, how many clients keep one, are for metrics.
    """

    app: ASGIApp
    life: Callable[[], AbstractAsyncContextManager[Any]]
    documents: frozenset[str]
    watched: Watched
    sessions: Callable[[], int]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or begin and end."""
        await self.app(scope, receive, send)


def make_application(
    context: ServerContext,
    access: Access,
    most_sessions: int = MOST_SESSIONS,
    most_questions: int = most_under_way(Bounds.connections),
    pages: MakePages | None = None,
    checks: CountChecks | None = None,
) -> Application:
    """Make the ASGI application. A request passes host names, CORS, the token, the form of its message, its share.

    ``pages`` answers everything that is neither MCP nor public, behind host names alone: it knows its callers itself.

    :class:`ConfigurationError` where there is no token: nothing is served to everyone.
    """
    if access.token is None and access.people is None:
        raise ConfigurationError(f"There is no bearer token. Put one into {access.token_file} (mode 0600).")
    people = _people(access.people, context) if access.people else None
    clear = context.for_personal_data()
    apps = _apps_by_rights(context, clear, most_sessions + SPARE_SESSIONS, several=people is not None)
    public = public_routes(access)
    apps[OWN].router.routes += [Route("/health", endpoint(context), methods=["GET"]), *public]
    beside = BesideRequests()
    _start_together(apps, context, clear, people, beside)
    inner = SessionLimit(ByRights(apps), most_sessions)
    checked = MessageCheck(RequestLimit(inner, most_questions))
    tokens = KnownTokens(access.token, people)
    known = BearerAuth(checked, tokens, {"/health", *(route.path for route in public)})
    origins = AllowedNames(access.origins)
    answers: ASGIApp = OriginCors(known, origins)
    if pages:
        own = {PATH, "/health", *(route.path for route in public)}
        answers = ByPath(answers, own, pages(context, clear, tokens.caller, beside.start))
    first, watched = apps[OWN], Watched(tenant_label(context.settings), (context, clear), checks)
    answers = Monitoring(answers, access, tokens, [watched], lambda: inner.count)
    return Application(
        HostCheck(answers, AllowedNames(access.hosts), origins),
        lambda: first.router.lifespan_context(first),
        frozenset(route.path for route in public if route.path.startswith("/.well-known/oauth")),
        watched,
        lambda: inner.count,
    )


def _people(rules: OAuthRules, context: ServerContext) -> TokenVerifier:
    return TokenVerifier(rules, ProviderKeys(rules.issuer, bounded_reader(context.settings.mirror_ca_file)))


def _apps_by_rights(
    context: ServerContext, clear: ServerContext, most_sessions: int, *, several: bool
) -> dict[Rights, Starlette]:
    """Make an application for each of the rights that somebody may have; sessions of one are unknown to the others.

    Where rights make no difference (nothing is masked, there are no live actions) they share one.
    """
    apps: dict[Rights, Starlette] = {}
    alike = clear.masked == context.masked
    for personal in (False, True) if several else (False,):
        for acts in (True, False) if several else (True,):
            same = Rights(personal and not alike, acts or context.settings.mirror_actions != "on")
            found = apps.get(same) or _app(clear if same.personal else context, most_sessions, acts=same.acts)
            apps[Rights(personal, acts)] = found
    return apps


def _app(context: ServerContext, most_sessions: int, *, acts: bool) -> Starlette:
    server = build_server(context, confirm_at=ConfirmAt.TERMINAL, acts=acts)
    return server.streamable_http_app(
        streamable_http_path=PATH,
        max_sessions=most_sessions,
        max_request_body_size=LARGEST + 1,  # `MessageCheck` refuses it before
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),  # `HostCheck` is stricter
    )


class BesideRequests:
    """Work that goes on beside all requests, while the server does."""

    def __init__(self) -> None:
        self._tasks: TaskGroup | None = None

    @asynccontextmanager
    async def life(self) -> AsyncIterator[None]:
        """Let work be started until the end of the block, which ends it."""
        async with anyio.create_task_group() as self._tasks:
            yield
            tasks, self._tasks = self._tasks, None
            tasks.cancel_scope.cancel()

    def start(self, work: Work) -> None:
        """Start some work, from the server's own thread; nothing is done where the server has ended."""
        if self._tasks is not None:
            self._tasks.start_soon(self._done, work)

    async def _done(self, work: Work) -> None:
        try:
            await work()
        except Exception as error:  # whatever it is, the server goes on
            place = "".join(traceback.format_tb(error.__traceback__)[-3:])
            kind = type(error).__name__
            words = "Work beside requests failed with %s:\n%s"
            log.error(words, kind, place, extra=about("http.fault"))  # no value of it


class ByPath:
    """Passes requests for ``paths`` on to the programs' application, all others to the browsers'."""

    def __init__(self, programs: ASGIApp, paths: Container[str], browsers: ASGIApp) -> None:
        self._programs = programs
        self._paths = paths
        self._browsers = browsers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        programs = scope["type"] != "http" or scope["path"] in self._paths or scope["path"].startswith("/.well-known/")
        await (self._programs if programs else self._browsers)(scope, receive, send)


class ByRights:
    """Passes requests on to the application of what their sender may do; what needs no token to the owner's."""

    def __init__(self, apps: Mapping[Rights, ASGIApp]) -> None:
        self._apps = apps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        caller: Caller | None = scope.get(CALLER)
        public = scope["type"] != "http" or caller is None or scope["path"] != PATH
        await self._apps[OWN if public or caller is None else caller.rights](scope, receive, send)


def _start_together(
    apps: Mapping[Rights, Starlette],
    context: ServerContext,
    clear: ServerContext,
    people: TokenVerifier | None,
    beside: BesideRequests,
) -> None:
    """Have the other applications begin and end with the owner's, and what is slow begin before the first question."""
    first = apps[OWN]
    lives = [app.router.lifespan_context for app in dict.fromkeys((first, *apps.values()))]
    others = list(dict.fromkeys(app for app in apps.values() if app is not first))

    @asynccontextmanager
    async def life(started: Starlette) -> AsyncIterator[Any]:
        asyncio.get_running_loop().set_exception_handler(on_loop_error)
        async with AsyncExitStack() as stack, anyio.create_task_group() as tasks, beside.life():
            for other, begin in zip((started, *others), lives, strict=True):
                await stack.enter_async_context(begin(other))
            context.ready_worker()
            tasks.start_soon(context.warm_up)
            if people:
                tasks.start_soon(people.keys.warm_up)
            yield {}
            tasks.cancel_scope.cancel()
        clear.close()

    first.router.lifespan_context = life
