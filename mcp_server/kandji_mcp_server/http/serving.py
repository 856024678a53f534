"""Serving any number of clients over streamable HTTP, from a thread of its own."""

import logging
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Event, Thread
from typing import Any

import anyio
import uvicorn
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from kandji_mcp_server.http.access import Access
from kandji_mcp_server.http.bearer import Bearer
from kandji_mcp_server.http.health import endpoint
from kandji_mcp_server.mirror import Mirror
from kandji_mcp_server.server import build
from kandji_schema.errors import ConfigurationError

PATH = "/mcp"
MOST_SESSIONS = 1_000
"""Older clients keep a session each, half an hour after their last word; further ones are asked to wait (503)."""

GRACE_SECONDS = 1
"""What answers under way are given when the server stops. Streams that a client keeps open end then too."""

_UVICORN = logging.getLogger("uvicorn.error")


class HttpServer:
    """Answers on ``url`` from the time it is made, until :meth:`stop`."""

    def __init__(self, mirror: Mirror, access: Access) -> None:
        """:class:`ConfigurationError` where the address cannot be listened on."""
        self._listener = listen(access.host, access.port)
        host, port = self._listener.getsockname()[:2]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}{PATH}"
        self._server = uvicorn.Server(_config(application(mirror, access)))
        self._ended = Event()
        self._thread = Thread(target=self._run, name="http", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether nothing answers any more."""
        return self._ended.is_set()

    def stop(self, timeout: float = GRACE_SECONDS + 1.0) -> bool:
        """Take no more requests, end those under way; False where that takes longer than ``timeout`` seconds."""
        _UVICORN.setLevel(logging.CRITICAL)  # it calls every stream that is cut off an error
        self._server.should_exit = True
        return self._ended.wait(timeout)

    def _run(self) -> None:
        try:
            self._server.run([self._listener])
        finally:
            self._ended.set()


def listen(host: str, port: int) -> socket.socket:
    """A socket clients can connect to; :class:`ConfigurationError` where the address is taken or none of ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise ConfigurationError(
            f"{host} port {port} cannot be listened on: {_reason(error)}. Choose others with "
            "KANDJI_MIRROR_HTTP_HOST and KANDJI_MIRROR_HTTP_PORT, or --host and --port."
        ) from None


def _reason(error: OSError) -> str:
    """The system's words alone; asyncio and socket add the address to them."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror or error)


def application(mirror: Mirror, access: Access) -> ASGIApp:
    """The ASGI application: the SDK's, which checks ``Host`` and ``Origin``, behind the token and before browsers."""
    server = build(mirror)
    server.custom_route("/health", methods=["GET"])(endpoint(mirror.home, mirror.clock))
    inner = server.streamable_http_app(
        streamable_http_path=PATH,
        max_sessions=MOST_SESSIONS,
        transport_security=TransportSecuritySettings(
            allowed_hosts=list(access.hosts), allowed_origins=list(access.origins)
        ),
    )
    _warm_up_at_start(inner, mirror)
    guarded: ASGIApp = Bearer(inner, access.token) if access.token else inner
    return _for_browsers(guarded, access.pages) if access.pages else guarded


def _warm_up_at_start(app: Starlette, mirror: Mirror) -> None:
    sessions = app.router.lifespan_context

    @asynccontextmanager
    async def life(started: Starlette) -> AsyncIterator[Any]:
        async with sessions(started) as state, anyio.create_task_group() as tasks:
            mirror.ready_worker()
            tasks.start_soon(mirror.warm_up)
            yield state
            tasks.cancel_scope.cancel()

    app.router.lifespan_context = life


def _for_browsers(app: ASGIApp, pages: tuple[str, ...]) -> ASGIApp:
    return CORSMiddleware(
        app,
        allow_origins=pages,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["*"],
        expose_headers=["Mcp-Session-Id", "WWW-Authenticate"],
    )


def _config(app: ASGIApp) -> uvicorn.Config:
    """No access log: the log tells no names, no questions and no tokens."""
    return uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws="none",
        lifespan="on",
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
