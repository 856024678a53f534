"""Targets on loopback: a webhook that answers as it is told to, and a server that takes mail."""

import json
import socket
import socketserver
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any


@dataclass
class Hook:
    """A webhook. ``answers`` are what it does next, the last one for ever.

    A status; with ``(status, headers)`` headers as well; ``"cut"`` closes the connection, ``"hang"`` says nothing; a
    function is called with the body and returns one of these. ``got`` are the documents that came.
    """

    answers: list[Any] = field(default_factory=lambda: [200])
    got: list[dict[str, Any]] = field(default_factory=list)
    gone: Event = field(default_factory=Event)
    url: str = ""

    def next(self, body: dict[str, Any]) -> Any:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(body) if callable(answer) else answer


@contextmanager
def webhook(*answers: Any) -> Iterator[Hook]:
    """Served until the block ends."""
    hook = Hook([*answers] or [200])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            hook.got.append(body)
            answer = hook.next(body)
            if answer == "cut":
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if answer == "hang":
                hook.gone.wait(20)
                return
            status, headers = answer if isinstance(answer, tuple) else (answer, {})
            self.send_response(status)
            for name, value in {"content-length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as the library names it
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.url = f"http://127.0.0.1:{server.server_port}/services/SECRET"
    with _running(server):
        try:
            yield hook
        finally:
            hook.gone.set()


@dataclass
class MailServer:
    """A server that speaks SMTP. ``says`` is its answer by command in place of 250; ``got`` are sessions' lines."""

    says: dict[str, str] = field(default_factory=dict)
    got: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def messages(self) -> list[str]:
        """The texts between DATA and its end."""
        return ["\n".join(text.split("\n")) for text in self.got if text.startswith("Message:")]


@contextmanager
def mail_server(**says: str) -> Iterator[MailServer]:
    """Served until the block ends; ``AUTH LOGIN`` and ``PLAIN`` are taken from anybody."""
    mail = MailServer(says)

    class Handler(socketserver.StreamRequestHandler):
        def say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

        def handle(self) -> None:
            self.say("220 ready")
            while line := self.rfile.readline().decode().strip():
                verb = line.split()[0].upper()
                if verb in mail.says and mail.says[verb] == "cut":
                    return
                if verb == "EHLO":
                    self.say("250-here\r\n250 AUTH PLAIN")
                elif verb == "AUTH":
                    self.say(mail.says.get("AUTH", "235 yes"))
                elif verb == "DATA":
                    self.say("354 go on")
                    self.take()
                elif verb == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say(mail.says.get(verb, "250 ok"))

        def take(self) -> None:
            lines = []
            while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                lines.append(line)
            mail.got.append("Message:\n" + "\n".join(lines))
            if mail.says.get("END") != "cut":
                self.say(mail.says.get("END", "250 taken"))
            else:
                self.connection.shutdown(socket.SHUT_RDWR)

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    mail.port = server.server_address[1]
    with _running(server):
        yield mail


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


Answer = Callable[[dict[str, Any]], Any]
