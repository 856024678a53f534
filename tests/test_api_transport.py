"""The real transport, against small servers on loopback."""

import gzip
import logging
import socket
import socketserver
import ssl
import tracemalloc
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from loopback import served

from kandji_mirror.api.transport import LARGE, MIB, HttpTransport
from kandji_schema.errors import ApiError, ConfigurationError, Rejected, ServerFault, Unreachable
from kandji_schema.http import Request, Response

DAY = timedelta(days=1)
TOKEN = "5e0a3c1b-aaaa-4a2b-9c3d-0000deadbeef"
GET = Request("GET", "/api/v1/devices", (("limit", "300"), ("email", "ann@example.com")), {"Authorization": TOKEN})
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nX-Total-Count: 0\r\n\r\n[]"


def asked(answer: bytes, request: Request = GET, *, total_timeout: float = 120.0, max_bytes: int = 10_000) -> Response:
    with (
        served(answer) as server,
        HttpTransport(server.url, read_timeout=2, total_timeout=total_timeout, max_bytes=max_bytes) as send,
    ):
        return send(request)


def refused(answer: bytes, *, max_bytes: int = 10_000) -> ApiError:
    with pytest.raises(ApiError) as raised:
        asked(answer, max_bytes=max_bytes)
    assert_quiet(raised.value)
    return raised.value


def assert_quiet(error: BaseException) -> None:
    shown = f"{error!r} {error.__cause__!r} {error.__suppress_context__ or error.__context__!r}"
    assert TOKEN not in shown
    assert "ann@" not in shown
    assert "ann%40" not in shown


def test_a_request_goes_out_as_it_is_and_the_answer_comes_back() -> None:
    with served(WHOLE) as server, HttpTransport(server.url, read_timeout=20) as send:
        response = send(GET)
    head = server.received[0].split(b"\r\n")
    assert head[0] == b"GET /api/v1/devices?limit=300&email=ann%40example.com HTTP/1.1"
    assert b"Authorization: " + TOKEN.encode() in head
    assert response == Response(
        200, {"content-type": "application/json", "content-length": "2", "x-total-count": "0"}, b"[]"
    )


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    with served(WHOLE) as elsewhere:
        location = f"Location: {elsewhere.url}/api/v1/devices".encode()
        answer = b"HTTP/1.1 %d Moved\r\n%s\r\nContent-Length: 0\r\n\r\n" % (status, location)
        assert asked(answer).status == status
    assert elsewhere.received == []


@pytest.mark.parametrize("path", ["https://evil.example/api/", "/api/v1/../x", "/api//x", "/api/x%2fy", "/api/x?y=1"])
def test_a_path_trick_never_leaves(path: str) -> None:
    with served(WHOLE) as server, HttpTransport(server.url, read_timeout=20) as send, pytest.raises(Rejected):
        send(Request("GET", path))
    assert server.received == []


def test_a_body_beyond_the_limit_is_given_up() -> None:
    error = refused(WHOLE.replace(b"Content-Length: 2", b"Content-Length: 9000") + b" " * 9_000, max_bytes=1_000)
    assert isinstance(error, ServerFault)
    assert "larger than 1,000 bytes" in str(error)


def test_a_body_cut_short_is_no_answer() -> None:
    error = refused(WHOLE.replace(b"Content-Length: 2", b"Content-Length: 900"))
    assert isinstance(error, Unreachable)
    assert error.sent


def test_a_chunked_body_cut_short_is_no_answer() -> None:
    error = refused(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1,2,\r\n")
    assert isinstance(error, Unreachable)


def test_a_connection_closed_without_a_word_is_no_answer() -> None:
    error = refused(b"")
    assert isinstance(error, Unreachable)
    assert error.sent


def test_what_is_not_http_is_no_answer() -> None:
    assert isinstance(refused(b"SSH-2.0-OpenSSH_9.6\r\n"), Unreachable)


def test_a_body_that_cannot_be_decompressed_is_a_fault_of_the_server() -> None:
    error = refused(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope")
    assert isinstance(error, ServerFault)


def packed(body: bytes, encoding: str = "gzip") -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def test_a_compressed_body_arrives_whole_and_one_cut_short_does_not() -> None:
    text = b"[" + b"1234567," * 100_000 + b"0]"
    members = gzip.compress(text[:1000]) + gzip.compress(text[1000:])
    for body, encoding in (
        (gzip.compress(text), "gzip"),
        (gzip.compress(text) + b"\0\0", "x-gzip, identity"),
        (members, "GZIP"),
        (zlib.compress(text), "deflate"),
        (b"", "gzip"),
    ):
        assert asked(packed(body, encoding), max_bytes=len(text)).body == (text if body else b"")
    for body, encoding in ((gzip.compress(text)[:-9], "gzip"), (gzip.compress(gzip.compress(text)), "gzip, gzip")):
        assert isinstance(refused(packed(body, encoding), max_bytes=len(text)), ServerFault)
    assert "'br'" in str(refused(packed(b"x", "br")))


def test_a_bomb_is_given_up_before_it_is_inflated() -> None:
    small = gzip.compress(bytes(80 * MIB), compresslevel=1)
    bombs = [packed(small), packed(gzip.compress(small), "gzip, gzip")]
    for bomb in bombs:
        tracemalloc.start()
        try:
            assert isinstance(refused(bomb, max_bytes=2 * MIB), ServerFault)
            assert tracemalloc.get_traced_memory()[1] < 8 * MIB
        finally:
            tracemalloc.stop()


def test_large_bodies_that_come_at_once_are_read_one_after_the_other() -> None:
    bomb, answers = packed(gzip.compress(bytes(40 * MIB), compresslevel=1)), 6
    with served_at_once(bomb) as url, HttpTransport(url, read_timeout=20, max_bytes=32 * MIB) as send:

        def given_up(_: int) -> bool:
            with pytest.raises(ServerFault, match="larger than"):
                send(GET)
            return True

        tracemalloc.start()
        try:
            with ThreadPoolExecutor(answers) as pool:
                assert all(pool.map(given_up, range(answers)))
            assert tracemalloc.get_traced_memory()[1] < 32 * MIB * 1.25 + answers * (LARGE * 1.25 + MIB)
        finally:
            tracemalloc.stop()


@contextmanager
def served_at_once(answer: bytes) -> Iterator[str]:
    """A server that answers several connections side by side."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65_536)
            with suppress(OSError):
                self.request.sendall(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_refused_connection_is_known_not_to_have_been_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with HttpTransport(url, read_timeout=2) as send, pytest.raises(Unreachable, match="check the network") as raised:
        send(GET)
    assert not raised.value.sent
    assert_quiet(raised.value)


def test_a_silent_server_is_given_up_after_the_read_timeout() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        HttpTransport(f"http://127.0.0.1:{listener.getsockname()[1]}", read_timeout=0.1) as send,
        pytest.raises(Unreachable, match="READ_TIMEOUT") as raised,
    ):
        send(GET)
    assert raised.value.sent


def test_a_server_that_drips_is_given_up_after_the_total_timeout() -> None:
    """The clock moves on by 50 s at every look: the third piece of the body is too late."""
    ticks = iter(range(0, 10_000, 50))
    drip = WHOLE.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked").removesuffix(b"[]")
    with (
        served(drip + b"1\r\n \r\n" * 100) as server,
        HttpTransport(server.url, read_timeout=2, clock=lambda: next(ticks)) as send,
        pytest.raises(Unreachable, match="not complete after 120 s") as raised,
    ):
        send(GET)
    assert raised.value.sent


def test_a_plain_server_behind_https_is_no_connection() -> None:
    with (
        served(WHOLE) as server,
        HttpTransport(server.url.replace("http:", "https:"), read_timeout=2) as send,
        pytest.raises(Unreachable) as raised,
    ):
        send(GET)
    assert not raised.value.sent


@pytest.mark.parametrize("content", [None, "not a certificate"])
def test_a_ca_file_that_cannot_be_used_is_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigurationError, match=r"KANDJI_MIRROR_CA_FILE .*ca\.pem"):
        HttpTransport("https://127.0.0.1:1", read_timeout=2, ca_file=str(path))


def test_requests_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        asked(WHOLE)
    assert caplog.text == ""


def test_proxies_of_the_environment_are_not_asked_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(b"") as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert asked(WHOLE).status == 200
    assert proxy.received == []


def test_proxies_of_the_environment_are_asked_for_other_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n") as proxy:
        for name in ("https_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with (
            HttpTransport("https://acme.api.kandji.io", read_timeout=2) as send,
            pytest.raises(Unreachable, match="proxy refused") as raised,
        ):
            send(GET)
    assert proxy.received[0].startswith(b"CONNECT acme.api.kandji.io:443 HTTP/1.1\r\n")
    assert TOKEN.encode() not in proxy.received[0]
    assert not raised.value.sent


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PEM file of a key and a certificate for 127.0.0.1 that nobody signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - DAY, now + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + signed.public_bytes(Encoding.PEM))
    return path


@contextmanager
def served_over_tls(certificate: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=greet, args=(listener, context), daemon=True)
        thread.start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            thread.join(5)


def greet(listener: socket.socket, context: ssl.SSLContext) -> None:
    connection, _ = listener.accept()
    with connection, suppress(ssl.SSLError):
        connection.settimeout(5)
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65_536)
            secured.sendall(WHOLE)


def test_an_untrusted_certificate_names_the_setting(certificate: Path) -> None:
    with (
        served_over_tls(certificate) as url,
        HttpTransport(url, read_timeout=2) as send,
        pytest.raises(ConfigurationError, match="KANDJI_MIRROR_CA_FILE") as raised,
    ):
        send(GET)
    assert_quiet(raised.value)


def test_a_certificate_of_the_ca_file_is_trusted(certificate: Path) -> None:
    with served_over_tls(certificate) as url, HttpTransport(url, read_timeout=2, ca_file=str(certificate)) as send:
        assert send(GET).body == b"[]"
