"""Targets on loopback: a webhook that answers as it is told to, and a server that takes mail."""

import json
import socket
import socketserver
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Event, Thread
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


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
    secure: bool = False

    @property
    def messages(self) -> list[str]:
        """The texts between DATA and its end."""
        return ["\n".join(text.split("\n")) for text in self.got if text.startswith("Message:")]


@contextmanager
def mail_server(says: Mapping[str, str] | None = None, tls: ssl.SSLContext | None = None) -> Iterator[MailServer]:
    """Served until the block ends; any user is taken. With ``tls`` a connection is made secure where that is asked."""
    mail = MailServer(dict(says or {}))

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
                    self.say(f"250-here\r\n250{'-STARTTLS' if tls else '-8BITMIME'}\r\n250 AUTH PLAIN")
                elif verb == "STARTTLS" and tls:
                    self.say("220 go on")
                    self.connection = tls.wrap_socket(self.connection, server_side=True)
                    self.rfile = self.connection.makefile("rb")
                    self.wfile = self.connection.makefile("wb", 0)
                    mail.secure = True
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

        def finish(self) -> None:
            super().finish()
            self.connection.close()

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


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate of 127.0.0.1 that signs itself: its file, and the server's side."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - DAY, now + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    whole, public = folder / "server.pem", folder / "public.pem"
    public.write_bytes(made.public_bytes(Encoding.PEM))
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    whole.write_bytes(secret + public.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(whole)
    return public, context
