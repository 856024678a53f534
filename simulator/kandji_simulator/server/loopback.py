"""HTTP/1.1 on loopback: keep-alive, a thread a connection, and connections that break on purpose."""

import os
import socket
import struct
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event
from typing import Any

from kandji_schema.errors import ConfigurationError
from kandji_schema.http import Response
from kandji_simulator.api.routing import Transport

HOST = "127.0.0.1"
_DRIPS = 20
_IDLE_SECONDS = 60
_CHUNK = 1 << 16


class Loopback(ThreadingHTTPServer):
    """Listens on loopback and keeps track of its connections, so that it can end them.

    ``said_always`` are headers of every answer.
    """

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, port: int, connection: type["Connection"]) -> None:
        self.closing = Event()
        self.said_always: Mapping[str, str] = {}
        self._open: set[socket.socket] = set()
        try:
            super().__init__((HOST, port), connection)
        except OSError as error:
            raise ConfigurationError(
                f"Port {port} of {HOST} cannot be used: {error.strerror}. Choose another one."
            ) from error

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://{HOST}:{self.server_address[1]}"

    def hang_up(self) -> None:
        """End the open connections, hanging ones too, and wait for their threads."""
        self.closing.set()
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
        """Say nothing of a client that left; anything else is a bug worth its traceback."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Connection(BaseHTTPRequestHandler):
    """One client's connection, request after request."""

    server: Loopback
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it
        """Print nothing: requests are recorded by who answers them."""

    def body(self, most: int) -> bytes | None:
        """Return the body; None, and the connection is to close, where it says no length up to ``most``."""
        length = self.headers.get("content-length", "0")
        if "transfer-encoding" in self.headers or not length.isdecimal() or int(length) > most:
            self.close_connection = True
            return None
        return self.rfile.read(int(length))

    def send(self, response: Response, transport: Transport = Transport.WHOLE, seconds: float = 0.0) -> None:
        """Send an answer, the way it is to travel."""
        if not self._broke(transport, seconds):
            half = len(response.body) // 2
            # 204 means that there is no body, and HTTP forbids to say how long it is.
            self._send_head(response, {} if response.status == 204 else {"content-length": str(len(response.body))})
            if transport is Transport.SLOW:
                self._drip(response.body, seconds)
            else:
                self.wfile.write(response.body[:half] if transport is Transport.TORN else response.body)
        self.close_connection |= transport is Transport.TORN

    def send_chunks(
        self,
        response: Response,
        chunks: Iterable[bytes],
        transport: Transport = Transport.WHOLE,
        seconds: float = 0.0,
    ) -> None:
        """Send an answer whose body is not known yet; torn, it has no end."""
        if self._broke(transport, seconds):
            return
        self._send_head(response, {"transfer-encoding": "chunked"})
        if transport is Transport.SLOW:
            time.sleep(seconds)
        for data in _gathered(chunks):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        if transport is Transport.TORN:
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")

    def _broke(self, transport: Transport, seconds: float) -> bool:
        """Break the connection where nothing is to arrive."""
        if transport is Transport.HANGING:
            self.server.closing.wait(seconds)
            self.close_connection = True
        elif transport is Transport.RESET:
            self._reset()
        return transport in {Transport.HANGING, Transport.RESET}

    def _reset(self) -> None:
        """Close without the closing handshake: the client sees a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())
        self.close_connection = True

    def _send_head(self, response: Response, framing: dict[str, str]) -> None:
        """Send only the headers of the answer: no server name, no clock but the tenant's."""
        self.send_response_only(response.status)
        for name, value in {**self.server.said_always, **response.headers, **framing}.items():
            self.send_header(name, value)
        self.end_headers()

    def _drip(self, body: bytes, seconds: float) -> None:
        size = max(1, len(body) // _DRIPS)
        for start in range(0, len(body), size):
            self.wfile.flush()
            time.sleep(seconds / _DRIPS)
            self.wfile.write(body[start : start + size])


def _gathered(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in pieces of some size: many chunks are single lines."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        if len(waiting) >= _CHUNK:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)
