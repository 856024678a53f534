"""A door to a server that wants a token, for tools that cannot send one: it adds the token to every request."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from urllib.parse import urlsplit

PIECE = 65_536


@contextmanager
def forwarding(url: str, token: str) -> Iterator[str]:
    """The URL of the door on loopback, open until the block ends; one request a connection."""
    place = urlsplit(url)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        added = f"Authorization: Bearer {token}\r\nConnection: close\r\n".encode()
        target = place.hostname or "", place.port or 80
        Thread(target=_serve, args=(listener, target, added), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}{place.path}"


def _serve(listener: socket.socket, target: tuple[str, int], added: bytes) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return  # the block has ended
        Thread(target=_forward, args=(client, target, added), daemon=True).start()


def _forward(client: socket.socket, target: tuple[str, int], added: bytes) -> None:
    with client, socket.create_connection(target) as server:
        head = b""
        while b"\r\n\r\n" not in head:
            if not (piece := client.recv(PIECE)):
                return
            head += piece
        first, _, rest = head.partition(b"\r\n")
        names, gap, body = rest.partition(b"\r\n\r\n")
        kept = [line for line in names.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        server.sendall(first + b"\r\n" + added + b"\r\n".join(kept) + gap + body)
        Thread(target=_pass_on, args=(client, server), daemon=True).start()
        _pass_on(server, client)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(PIECE):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return  # either side is gone
