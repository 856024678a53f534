"""The simulated tenant over HTTP/1.1 on loopback, with control endpoints that the provider does not have.

``GET /_truth/{table}`` gives the rows as they are now, one JSON object a line; for others see ``control.py``. None of
them takes a token, so only 127.0.0.1 is listened on. Exported files are on a second port.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from functools import partial
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

from kandji_schema.errors import UnknownName
from kandji_schema.http import SIMULATED_HEADER, Request, Response
from kandji_simulator.api.bodies import BODY_LIMIT, TOO_LARGE
from kandji_simulator.api.routing import json_answer
from kandji_simulator.api.tenant import Tenant
from kandji_simulator.server.control import CONTROL_ENDPOINTS
from kandji_simulator.server.loopback import Connection, Loopback


class ApiListener(Loopback):
    """The API's host."""

    def __init__(self, tenant: Tenant, port: int) -> None:
        self.tenant = tenant
        super().__init__(port, _ApiConnection)
        self.said_always = {SIMULATED_HEADER: tenant.world.identity}


class StorageListener(Loopback):
    """The storage's host."""

    def __init__(self, tenant: Tenant, port: int) -> None:
        self.storage = tenant.storage
        super().__init__(port, _StorageConnection)


class _ApiConnection(Connection):
    server: ApiListener

    def do_GET(self) -> None:
        """Send the truth, or answer as a control endpoint or the API."""
        path = urlsplit(self.path).path
        if path.startswith("/_truth/"):
            self._send_truth(path.removeprefix("/_truth/"))
        else:
            self._answer()

    def do_POST(self) -> None:
        """Answer as a control endpoint, or the API."""
        self._answer()

    def do_PATCH(self) -> None:
        """Answer as the API."""
        self._answer()

    def do_DELETE(self) -> None:
        """Answer as a control endpoint, or the API."""
        self._answer()

    def _answer(self) -> None:
        url = urlsplit(self.path)
        query, body = tuple(parse_qsl(url.query, keep_blank_values=True)), self.body(BODY_LIMIT)
        endpoint = CONTROL_ENDPOINTS.get((self.command, url.path))
        if body is None:
            self.send(TOO_LARGE)
        elif endpoint:
            with self.server.tenant.lock:
                self.send(endpoint(self.server.tenant, dict(query), body))
        else:
            request = Request(self.command, url.path, query, dict(self.headers), body)
            self.send(*self.server.tenant.answer(request))

    def _send_truth(self, table: str) -> None:
        """Send the rows while the world stands still, in chunks: they may be gigabytes."""
        with self.server.tenant.lock:
            try:
                lines = self.server.tenant.world.truth_lines(table)
            except UnknownName as error:
                self.send(json_answer(404, {"detail": str(error)}))
            else:
                self.send_chunks(Response(200, {"content-type": "application/x-ndjson"}), lines)


class _StorageConnection(Connection):
    server: StorageListener

    def do_GET(self) -> None:
        """Send a file."""
        url = urlsplit(self.path)
        found = self.server.storage.answer(url.path, url.query, dict(self.headers))
        self.send_chunks(*found)


class Server(AbstractContextManager["Server"]):
    """A running simulated tenant. A context manager; ``url`` is its base URL, ``storage_url`` that of its files."""

    def __init__(self, tenant: Tenant, port: int) -> None:
        api = ApiListener(tenant, port)
        storage = StorageListener(tenant, 0)
        tenant.storage.serve_from(storage.url)
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

    def __exit__(self, *broken: object) -> None:
        self.close()


def _started(listener: Loopback) -> Thread:
    thread = Thread(target=partial(listener.serve_forever, poll_interval=0.05), daemon=True)
    thread.start()
    return thread


def serve(tenant: Tenant, port: int = 0) -> Server:
    """Serve on 127.0.0.1 from threads of its own; ``port`` 0 takes a free one. ``UsageError`` if it is taken."""
    return Server(tenant, port)


def serve_forever(tenant: Tenant, port: int, announce: Callable[[str], None]) -> None:
    """Serve until interrupted (Ctrl-C); ``announce`` is told the base URL once requests are taken."""
    with serve(tenant, port) as server, suppress(KeyboardInterrupt):
        announce(server.url)
        server.wait()
