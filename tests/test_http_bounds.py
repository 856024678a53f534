"""What one peer may take of ``serve``: connections, time, sessions, statements. Real sockets, bounds made small."""

import json
import re
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from commands import COMMAND, environment
from http_serving import INITIALIZE, KNOWN, MCP, TOKEN, Answer, asked, connected
from mcp_calls import opened
from reads_home import small_fleet

from kandji_mcp_server.http.access import read_access
from kandji_mcp_server.http.application import MOST_SESSIONS
from kandji_mcp_server.http.connections import Bounds
from kandji_mcp_server.http.serving import HttpServer
from kandji_schema.settings import Settings

FOREVER = "SELECT count(*) FROM range(1000000) AS a, range(1000000) AS b WHERE a.range + b.range = 7"
SOON = Bounds(connections=8, head=0.5, body=0.5, idle=0.5)
PATIENT = Bounds(connections=8, head=60, body=60, idle=60)


@dataclass(frozen=True)
class Here:
    """A server in this process."""

    url: str

    def connect(self) -> socket.socket:
        """A connection that says nothing yet; reading from it fails after half a minute without a byte."""
        place = urlsplit(self.url)
        return socket.create_connection((place.hostname or "", place.port or 0), timeout=30)

    def post(self, body: bytes, **headers: str) -> Answer:
        """One request of a client that has the token."""
        return asked(self.url, "POST", "/mcp", body, **MCP, **KNOWN, **headers)


@contextmanager
def here(home: Path, bounds: Bounds | None) -> Iterator[Here]:
    settings = Settings(mirror_http_port=0, mirror_http_token=TOKEN)
    with opened(home, mirror_query_seconds=600) as mirror:
        server = HttpServer(mirror, read_access(settings, folder=home), bounds)
        try:
            yield Here(server.url)
        finally:
            assert server.stop(30)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    small_fleet(folder)
    return folder


def ended(connection: socket.socket) -> bytes:
    """What still comes until the server closes it."""
    got = b""
    try:
        while piece := connection.recv(65_536):
            got += piece
    except ConnectionResetError:
        pass
    return got


HEAD = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.heavy
def test_whoever_says_nothing_or_half_of_a_request_is_left_in_time(home: Path) -> None:
    whole = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    length = f"Content-Type: application/json\r\nContent-Length: 100\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
    said = (b"", b"G", HEAD, HEAD + length, HEAD + length + b"{", whole, whole + b"GET /hea", whole + HEAD + length)
    with here(home, SOON) as server, ExitStack() as stack:
        began = time.monotonic()
        for words in said:
            connection = stack.enter_context(server.connect())
            connection.sendall(words)
            answer = ended(connection)
            assert answer.startswith(b"HTTP/1.1 200 ") is words.startswith(whole), words
        assert time.monotonic() - began >= 0.5 * len(said)  # none was cut off at once


def test_whoever_sends_letter_by_letter_wins_no_time_by_that(home: Path) -> None:
    with here(home, SOON) as server, server.connect() as connection:
        connection.sendall(HEAD)
        began = time.monotonic()
        assert any(left(connection) for _ in range(1_000))
        assert time.monotonic() - began + 0.1 >= 0.5


def left(connection: socket.socket) -> bool:
    """Send a letter and listen a moment; tells whether the server has closed the connection."""
    connection.settimeout(0.05)
    try:
        connection.sendall(b"x")
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


@pytest.mark.heavy
def test_a_client_that_takes_its_time_between_requests_is_answered_on_the_same_connection(home: Path) -> None:
    with here(home, PATIENT) as server, connected(server.url) as connection:
        for _ in range(3):
            connection.request(
                "POST", "/mcp", INITIALIZE, {n.replace("_", "-"): v for n, v in {**MCP, **KNOWN}.items()}
            )
            assert b"serverInfo" in connection.getresponse().read()


@pytest.mark.slow
def test_idle_connections_do_not_shut_others_out(home: Path) -> None:
    with here(home, PATIENT) as server, ExitStack() as stack:
        silent = [stack.enter_context(server.connect()) for _ in range(40)]
        assert asked(server.url, "GET", "/health").status == 200
        assert b"serverInfo" in server.post(INITIALIZE).text.encode()
        assert [ended(connection) for connection in silent[:30]] == [b""] * 30  # the oldest made room


@pytest.mark.heavy
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
def test_with_few_files_and_hundreds_of_silent_connections_the_process_answers_and_logs_little(home: Path) -> None:
    """As a process of its own, whose hard limit cannot be raised."""

    def few_files() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
        resource.setrlimit(resource.RLIMIT_CORE, (1_000_000, 1_000_000))

    with (
        subprocess.Popen(
            [COMMAND, "serve", "--no-sync", "--port", "0"],
            env=environment(home, KANDJI_MIRROR_HTTP_TOKEN=TOKEN, KANDJI_MIRROR_LOG_FORM="text"),
            cwd=home,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=few_files,  # before anything runs in the child
        ) as process,
        ExitStack() as stack,
    ):
        stack.callback(process.kill)
        assert process.stderr is not None
        url = process.stderr.readline().split()[4]
        server = Here(url)
        for _ in range(400):
            stack.enter_context(server.connect())
        assert asked(url, "GET", "/health").status == 503  # answered: its rows are of another day
        assert "[[4]]" in called(server, "SELECT count(*) FROM devices").text
        if sys.platform == "linux":
            limits = Path(f"/proc/{process.pid}/limits").read_text()
            assert re.search(r"Max core file size +0 +0 ", limits)
        process.terminate()
        assert process.wait(30) == 0
        assert len(process.stderr.read()) < 2_000


def called(server: Here, sql: str, **headers: str) -> Answer:
    """One statement, as a client of the newest revision asks, or of an older one that names its session."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    head = {"mcp_protocol_version": "2026-07-28", "mcp_method": "tools/call", "mcp_name": "run_sql"}
    return server.post(call(sql) if headers else call(sql, _meta=meta), **(headers or head))


def call(sql: str, number: int = 1, **more: object) -> bytes:
    params = {"name": "run_sql", "arguments": {"sql": sql}, **more}
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}).encode()


def session(server: Here) -> str:
    """A new one, of an older revision."""
    return server.post(INITIALIZE).headers["mcp-session-id"]


@pytest.mark.heavy
def test_sessions_that_nobody_uses_make_room_for_others(home: Path) -> None:
    with here(home, Bounds()) as server:
        used = session(server)
        for _ in range(2):
            assert "[[4]]" in called(server, "SELECT count(*) FROM devices", mcp_session_id=used).text
        flood = [session(server) for _ in range(MOST_SESSIONS + 40)]
        assert "[[4]]" in called(server, "SELECT count(*) FROM devices", mcp_session_id=session(server)).text
        assert "[[4]]" in called(server, "SELECT count(*) FROM devices", mcp_session_id=used).text
        assert called(server, "SELECT 1", mcp_session_id=flood[0]).status == 404  # its client begins anew
        assert "[[1]]" in called(server, "SELECT 1", mcp_session_id=flood[-1]).text


@pytest.mark.heavy
def test_where_all_sessions_were_used_newcomers_are_still_served(home: Path) -> None:
    ping = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
    with here(home, Bounds()) as server:
        for _ in range(MOST_SESSIONS):  # clients that ask something and never say goodbye
            used = session(server)
            for _ in range(2):
                assert server.post(ping, mcp_session_id=used).status == 200
        newcomers = [session(server) for _ in range(4)]
        for newcomer in newcomers:
            assert server.post(ping, mcp_session_id=newcomer).status == 200
        assert "[[4]]" in called(server, "SELECT count(*) FROM devices", mcp_session_id=newcomers[0]).text


@pytest.mark.heavy
def test_dropped_connections_free_the_processes_that_worked_for_them(home: Path) -> None:
    with here(home, Bounds()) as server:
        known = session(server)
        names = {"mcp_session_id": known, **MCP, **KNOWN}
        with ExitStack() as stack:
            for number in range(60):
                connection = stack.enter_context(connected(server.url))
                headers = {name.replace("_", "-"): value for name, value in names.items()}
                connection.request("POST", "/mcp", call(FOREVER, 100 + number), headers)
        began = time.monotonic()
        assert "[[42]]" in called(server, "SELECT 42", mcp_session_id=known).text
        assert "[[4]]" in called(server, "SELECT count(*) FROM devices").text
        assert time.monotonic() - began < 60  # and not ten minutes, the limit of each of the sixty


def on(server: Here, stack: ExitStack, method: str, body: bytes = b"", **headers: str) -> socket.socket:
    """A request of a client with the token that nobody waits for; less of its body than it says where it has more."""
    connection = stack.enter_context(server.connect())
    known = {"host": "localhost", "content_length": str(len(body)), **MCP, **KNOWN, **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in known.items())
    with suppress(OSError):
        connection.sendall(f"{method} /mcp HTTP/1.1\r\n{head}\r\n".encode() + body)
    return connection


def answers_others(server: Here, **headers: str) -> None:
    """Whoever looks after the server, and another client, are answered soon."""
    began = time.monotonic()
    assert asked(server.url, "GET", "/health").status == 200
    assert "[[4]]" in called(server, "SELECT count(*) FROM devices", **headers).text
    assert time.monotonic() - began < 40  # and not the minute, or ten, that the others may take


@pytest.mark.heavy
def test_a_client_with_the_token_that_sends_halves_of_bodies_shuts_nobody_out(home: Path) -> None:
    with here(home, PATIENT) as server, ExitStack() as stack:
        for _ in range(40):
            on(server, stack, "POST", b'{"jsonrpc"', content_length="100")
            time.sleep(0.02)  # each is taken for a question before the next one comes
        answers_others(server)


@pytest.mark.many
@pytest.mark.heavy
def test_one_client_with_many_slow_questions_leaves_others_their_share(home: Path) -> None:
    with here(home, Bounds(connections=16, head=60, body=60, idle=60)) as server, ExitStack() as stack:
        other, greedy = session(server), session(server)
        asked_for = [on(server, stack, "POST", call(FOREVER, 9 + n), mcp_session_id=greedy) for n in range(40)]
        answers_others(server, mcp_session_id=other)
        answers_others(server)
        answers = [started(connection) for connection in asked_for]
        refused = [answer for answer in answers if answer.startswith(b"HTTP/1.1 503 ")]
        assert refused
        assert all(b"retry-after: 2\r\n" in answer for answer in refused)


def started(connection: socket.socket) -> bytes:
    """What came of an answer so far."""
    connection.settimeout(0.05)
    try:
        return connection.recv(65_536)
    except OSError:
        return b""


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # the SDK leaves pipes of cut streams open
@pytest.mark.heavy
def test_streams_that_listen_make_room_for_questions(home: Path) -> None:
    with here(home, Bounds(connections=12, head=60, body=60, idle=60)) as server, ExitStack() as stack:
        known = [session(server) for _ in range(5)]
        for _ in range(4):
            for name in known:
                on(server, stack, "GET", mcp_session_id=name, accept="text/event-stream")
        answers_others(server)
