"""The simulated tenant over HTTP/1.1 on loopback, with doors that the provider does not have.

``GET /_truth/{table}`` gives the rows as they are now, one JSON object a line; ``POST /_advance?steps=N`` lets time
pass; ``GET /_journal`` lists the requests so far. None of them takes a token, so only 127.0.0.1 is listened on.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Thread
from types import TracebackType

from kandji_mirror.simulator.listener import HOST, Listener
from kandji_mirror.simulator.tenant import Tenant


class Server:
    """A running simulated tenant. A context manager; ``url`` is its base URL."""

    def __init__(self, tenant: Tenant, port: int) -> None:
        self._listener = Listener(tenant, port)
        self._thread = Thread(target=partial(self._listener.serve_forever, poll_interval=0.05), daemon=True)
        self._thread.start()
        self.url = f"http://{HOST}:{self._listener.server_address[1]}"

    def wait(self) -> None:
        """Return when the server was closed."""
        self._thread.join()

    def close(self) -> None:
        """Stop listening and end the open connections."""
        self._listener.shutdown()
        self._thread.join()
        self._listener.hang_up()

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def serve(tenant: Tenant, port: int = 0) -> Server:
    """Serve on 127.0.0.1 from threads of its own; ``port`` 0 takes a free one. ``UsageError`` if it is taken."""
    return Server(tenant, port)


def run(tenant: Tenant, port: int, announce: Callable[[str], None]) -> None:
    """Serve until interrupted (Ctrl-C); ``announce`` is told the base URL once requests are taken."""
    with serve(tenant, port) as server, suppress(KeyboardInterrupt):
        announce(server.url)
        server.wait()
