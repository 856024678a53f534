"""The simulated tenant over HTTP/1.1 on loopback, with doors that the provider does not have.

``GET /_truth/{table}`` gives the rows as they are now, one JSON object a line; the others are in ``doors.py``. None of
them takes a token, so only 127.0.0.1 is listened on. Exported files are on a second port.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Thread
from types import TracebackType

from kandji_simulator.listener import ApiListener, StorageListener
from kandji_simulator.loopback import Loopback
from kandji_simulator.tenant import Tenant


class Server:
    """A running simulated tenant. A context manager; ``url`` is its base URL, ``storage_url`` that of its files."""

    def __init__(self, tenant: Tenant, port: int) -> None:
        api = ApiListener(tenant, port)
        storage = StorageListener(tenant, 0)
        tenant.storage.base = storage.url
        self.url, self.storage_url = api.url, storage.url
        self._listeners = (api, storage)
        self._threads = [_started(listener) for listener in self._listeners]

    def wait(self) -> None:
        """Return when the server was closed."""
        for thread in self._threads:
            thread.join()

    def close(self) -> None:
        """Stop listening and end the open connections."""
        for listener in self._listeners:
            listener.shutdown()
        self.wait()
        for listener in self._listeners:
            listener.hang_up()

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _started(listener: Loopback) -> Thread:
    thread = Thread(target=partial(listener.serve_forever, poll_interval=0.05), daemon=True)
    thread.start()
    return thread


def serve(tenant: Tenant, port: int = 0) -> Server:
    """Serve on 127.0.0.1 from threads of its own; ``port`` 0 takes a free one. ``UsageError`` if it is taken."""
    return Server(tenant, port)


def run(tenant: Tenant, port: int, announce: Callable[[str], None]) -> None:
    """Serve until interrupted (Ctrl-C); ``announce`` is told the base URL once requests are taken."""
    with serve(tenant, port) as server, suppress(KeyboardInterrupt):
        announce(server.url)
        server.wait()
