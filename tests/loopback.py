"""Small servers on loopback, for what only real sockets can show."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Semaphore, Thread


class Server:
    """Answers every connection with the same bytes and remembers what it was sent."""

    def __init__(self, listener: socket.socket, answer: bytes) -> None:
        self.listener = listener
        self.answer = answer
        self.received: list[bytes] = []
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                self.received.append(connection.recv(65_536))
                connection.sendall(self.answer)


@contextmanager
def served(answer: bytes) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(listener, answer)
        thread = Thread(target=server.run, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


class Silent:
    """Takes every connection, says its first words, and then nothing any more; ``connected`` counts."""

    def __init__(self, listener: socket.socket, first_words: bytes) -> None:
        self.listener = listener
        self.first_words = first_words
        self.connections: list[socket.socket] = []
        self.connected = Semaphore(0)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            connection.sendall(self.first_words)
            self.connected.release()

    def close(self) -> None:
        for connection in self.connections:
            with suppress(OSError):
                connection.close()


@contextmanager
def silent(first_words: bytes = b"") -> Iterator[Silent]:
    """A server that hangs after ``first_words``."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Silent(listener, first_words)
        thread = Thread(target=server.run, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)
            server.close()
