"""Serving any number of clients over streamable HTTP, from a thread of its own."""

import logging
from threading import Event, Thread

from starlette.types import ASGIApp

from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.http.access import Access
from kandji_mcp_server.http.application import MOST_SESSIONS, CountChecks, MakePages, make_application
from kandji_mcp_server.http.connections import BeatingServer, BoundedConfig, Bounds
from kandji_mcp_server.http.limits import most_under_way
from kandji_mcp_server.http.listening import BACKLOG, listen
from kandji_mcp_server.http.well_known import PATH
from kandji_mcp_server.process import raise_file_limit

OTHER_FILES = 128
"""Open files this process needs for itself: data files, history, the pipes of its children."""

GRACE_SECONDS = 1
"""What answers under way are given when the server stops. Streams that a client keeps open end then too."""

_UVICORN = logging.getLogger("uvicorn.error")


class Server:
    """Answers on ``url`` from the time it is made, until :meth:`stop`."""

    def __init__(self, app: ASGIApp, host: str, port: int, bounds: Bounds) -> None:
        """:class:`ConfigurationError` where the address cannot be listened on."""
        self._listener = listen(host, port)
        host, port = self._listener.getsockname()[:2]
        self.pages_url = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
        self.url = f"{self.pages_url.rstrip('/')}{PATH}"
        self._server = BeatingServer(_uvicorn_config(app, bounds))
        self._ended = Event()
        self._thread = Thread(target=self._run, name="http", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether nothing answers any more."""
        return self._ended.is_set()

    @property
    def started(self) -> bool:
        """Whether it takes requests: what it needs was made, and its loop began."""
        return self._server.started

    @property
    def alive(self) -> bool:
        """Whether its loop goes on; one that hangs for half a minute answers nobody any more."""
        return not self.ended and self._server.beats

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


class HttpServer(Server):
    """Answers for one tenant, at the root."""

    def __init__(
        self,
        context: ServerContext,
        access: Access,
        bounds: Bounds | None = None,
        pages: MakePages | None = None,
        checks: CountChecks | None = None,
    ) -> None:
        """``bounds`` follow from the limits of the process unless given; ``pages`` are served beside MCP.

        ``checks`` counts how checks stand, for metrics.

        :class:`ConfigurationError` where the address cannot be listened on, or there is no token.
        """
        bounds = bounds or bounds_of_process()
        app = make_application(context, access, *shares(bounds), pages, checks)
        super().__init__(app, access.host, access.port, bounds)


def bounds_of_process() -> Bounds:
    """Return how many connections this process may have, its limit of open files raised as far as may be."""
    return Bounds(connections=_most_connections(raise_file_limit()))


def shares(bounds: Bounds, tenants: int = 1) -> tuple[int, int]:
    """Return how many sessions, and requests under way, each of so many tenants may have."""
    sessions = max(1, min(MOST_SESSIONS, bounds.connections // 2) // tenants)
    return sessions, max(2, most_under_way(bounds.connections) // tenants)


def _most_connections(files: int) -> int:
    """Return how many a process may have that may open so many files."""
    return max(16, min(Bounds.connections, files - OTHER_FILES - 2 * BACKLOG))


def _uvicorn_config(app: ASGIApp, bounds: Bounds) -> BoundedConfig:
    """Configure uvicorn without an access log: the log tells no names, no questions and no tokens."""
    return BoundedConfig(
        app,
        bounds,
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws="none",
        lifespan="on",
        loop="asyncio",
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
