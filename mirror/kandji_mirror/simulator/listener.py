"""HTTP/1.1 of the simulated tenant: keep-alive, a thread a connection, and connections that break on purpose."""

import os
import socket
import struct
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from kandji_mirror.api.wire import Request, Response
from kandji_mirror.simulator.answers import Transport, json_answer
from kandji_mirror.simulator.tenant import Answer, Tenant
from kandji_schema.errors import UnknownName, UsageError

HOST = "127.0.0.1"
_DRIPS = 20
_IDLE_SECONDS = 60
_CHUNK = 1 << 16


class Listener(ThreadingHTTPServer):
    """Listens on loopback and keeps track of its connections, so that it can end them."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, tenant: Tenant, port: int) -> None:
        self.tenant = tenant
        self._open: set[socket.socket] = set()
        try:
            super().__init__((HOST, port), _Connection)
        except OSError as error:
            raise UsageError(f"Port {port} of {HOST} cannot be used: {error.strerror}. Choose another one.") from error

    def hang_up(self) -> None:
        """End the open connections and wait for their threads."""
        for connection in tuple(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection while it is open."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget it when it closes."""
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left is no news; anything else is a bug worth its traceback."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Connection(BaseHTTPRequestHandler):
    """One client's connection, request after request."""

    protocol_version = "HTTP/1.1"
    server_version = "simulated-tenant"
    sys_version = ""
    timeout = _IDLE_SECONDS
    wbufsize = -1
    disable_nagle_algorithm = True

    @property
    def tenant(self) -> Tenant:
        return cast(Listener, self.server).tenant

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it
        """Requests are recorded in the tenant's journal."""

    def do_GET(self) -> None:
        """Truth and journal, or the API."""
        path = urlsplit(self.path).path
        if path.startswith("/_truth/"):
            self._send_truth(path.removeprefix("/_truth/"))
        elif path == "/_journal":
            self._send(_journal(self.tenant))
        else:
            self._api()

    def do_POST(self) -> None:
        """Let time pass, or the API."""
        url = urlsplit(self.path)
        if url.path == "/_advance":
            self._send(_advance(self.tenant, dict(parse_qsl(url.query)).get("steps", "1")))
        else:
            self._api()

    def _api(self) -> None:
        """Hand the request to the tenant and its answer to the client, the way the answer is to travel."""
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        query = tuple(parse_qsl(url.query, keep_blank_values=True))
        answer = self.tenant.answer(Request(self.command, url.path, query, dict(self.headers), body))
        _TRAVEL[answer.transport](self, answer)

    def do_PATCH(self) -> None:
        """The API."""
        self._api()

    def do_DELETE(self) -> None:
        """The API."""
        self._api()

    def _send(self, response: Response, *, sent: int | None = None) -> None:
        """Headers and the first ``sent`` bytes of the body (all, if None)."""
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body[:sent])

    def _arrive(self, answer: Answer) -> None:
        self._send(answer.response)

    def _reset(self, answer: Answer) -> None:
        """Close without the closing handshake: the client sees a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())
        self.close_connection = True

    def _tear(self, answer: Answer) -> None:
        self._send(answer.response, sent=len(answer.response.body) // 2)
        self.close_connection = True

    def _drip(self, answer: Answer) -> None:
        body = answer.response.body
        self._send(answer.response, sent=0)
        size = max(1, len(body) // _DRIPS)
        for start in range(0, len(body), size):
            self.wfile.flush()
            time.sleep(answer.seconds / _DRIPS)
            self.wfile.write(body[start : start + size])

    def _send_truth(self, table: str) -> None:
        """The rows while the world stands still, in chunks: they may be gigabytes."""
        with self.tenant.lock:
            try:
                lines = self.tenant.world.truth_lines(table)
            except UnknownName as error:
                self._send(json_answer(404, {"detail": str(error)}))
                return
            self.send_response(200)
            self.send_header("content-type", "application/x-ndjson")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            waiting = bytearray()
            for line in lines:
                waiting += line
                if len(waiting) >= _CHUNK:
                    self._send_chunk(waiting)
                    waiting.clear()
            if waiting:
                self._send_chunk(waiting)
            self._send_chunk(b"")

    def _send_chunk(self, data: bytes | bytearray) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), bytes(data)))


_TRAVEL = {
    Transport.WHOLE: _Connection._arrive,
    Transport.RESET: _Connection._reset,
    Transport.TORN: _Connection._tear,
    Transport.SLOW: _Connection._drip,
}


def _journal(tenant: Tenant) -> Response:
    with tenant.lock:
        return json_answer(200, [entry._asdict() for entry in tenant.requests])


def _advance(tenant: Tenant, steps: str) -> Response:
    if not steps.isdecimal():
        return json_answer(400, {"detail": f"steps is {steps!r}; it must be a whole number."})
    with tenant.lock:
        tenant.world.advance(int(steps))
        return json_answer(200, {"now": tenant.world.now.isoformat(), "revision": tenant.world.revision})
