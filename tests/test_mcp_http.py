"""``kandji-mirror serve`` over real HTTP: both eras, the token, names and pages, several clients, a clean end."""

import json
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from commands import run
from http_serving import INITIALIZE, MCP, TOKEN, Era, Serving, asked, client, connected, serving
from mcp.types import TextContent
from reads_home import small_fleet

ERAS: list[Era] = ["auto", "legacy"]
SLOW = "SELECT count(*) FROM range(1000000) AS a, range(1000000) AS b WHERE a.range + b.range = 7"
OPEN_DOOR = {
    "KANDJI_MIRROR_HTTP_TOKEN": TOKEN,
    "KANDJI_MIRROR_HTTP_ALLOWED_HOSTS": "mirror.example.com",
    "KANDJI_MIRROR_HTTP_ALLOWED_ORIGINS": "https://portal.example.com",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    small_fleet(folder)
    return folder


@pytest.fixture(scope="module")
def plain(home: Path) -> Iterator[Serving]:
    """Without a token, for this machine alone."""
    with serving(home, "--no-sync", KANDJI_MIRROR_QUERY_SECONDS="1") as server:
        yield server


@pytest.fixture(scope="module")
def guarded(home: Path) -> Iterator[Serving]:
    """With a token, another name and a web page."""
    with serving(home, "--no-sync", **OPEN_DOOR) as server:
        yield server


async def _macs(url: str, era: Era, token: str | None = None, times: int = 1) -> list[Any]:
    async with client(url, era, token) as caller:
        sql = {"sql": "SELECT count(*) FROM devices"}
        found = [await caller.call_tool("run_sql", sql) for _ in range(times)]
        texts = [content.text for answer in found for content in answer.content if isinstance(content, TextContent)]
        return [json.loads(text)["rows"] for text in texts]


@pytest.mark.parametrize("era", ERAS)
def test_a_client_of_either_era_is_answered(plain: Serving, era: Era) -> None:
    assert anyio.run(_macs, plain.url, era) == [[[4]]]


@pytest.mark.parametrize("era", ERAS)
def test_a_client_with_the_token_is_answered(guarded: Serving, era: Era) -> None:
    assert anyio.run(_macs, guarded.url, era, TOKEN) == [[[4]]]


@pytest.mark.parametrize(
    "sent", [{}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {TOKEN}"}, {"authorization": TOKEN}]
)
def test_without_the_right_token_nothing_is_answered(guarded: Serving, sent: dict[str, str]) -> None:
    refused = asked(guarded.url, "POST", "/mcp", INITIALIZE, **MCP, **sent)
    assert refused.status == 401
    assert refused.headers["www-authenticate"].startswith("Bearer ")
    assert refused.json()["error"] == "invalid_token"


def test_several_clients_of_both_eras_are_answered_at_once(guarded: Serving) -> None:
    async def all_at_once() -> list[Any]:
        found: list[Any] = []

        async def one(era: Era) -> None:
            found.extend(await _macs(guarded.url, era, TOKEN, times=3))

        async with anyio.create_task_group() as tasks:
            for number in range(6):
                tasks.start_soon(one, ERAS[number % 2])
        return found

    assert anyio.run(all_at_once) == [[[4]]] * 18


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example.com"}, 421),
        ({"host": "127.0.0.1.example.com:80"}, 421),
        ({"origin": "http://evil.example.com"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost:6274"}, 200),
        ({"host": "localhost:8765"}, 200),
    ],
)
def test_pages_and_names_of_others_are_refused(plain: Serving, headers: dict[str, str], status: int) -> None:
    assert asked(plain.url, "POST", "/mcp", INITIALIZE, **MCP, **headers).status == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "mirror.example.com"}, 200),
        ({"host": "mirror.example.com:8443"}, 200),
        ({"host": "other.example.com"}, 421),
        ({"origin": "https://portal.example.com"}, 200),
        ({"origin": "https://other.example.com"}, 403),
    ],
)
def test_allowed_names_and_pages_are_let_in(guarded: Serving, headers: dict[str, str], status: int) -> None:
    known = {"authorization": f"bearer {TOKEN}"}
    assert asked(guarded.url, "POST", "/mcp", INITIALIZE, **MCP, **known, **headers).status == status


@pytest.mark.parametrize(("page", "allowed"), [("https://portal.example.com", True), ("https://evil.example", False)])
def test_a_browser_is_told_which_pages_may_ask(guarded: Serving, page: str, allowed: bool) -> None:
    wants = {"access_control_request_method": "POST", "access_control_request_headers": "authorization"}
    answer = asked(guarded.url, "OPTIONS", "/mcp", None, origin=page, **wants)
    assert (answer.headers.get("access-control-allow-origin") == page) is allowed


def test_the_health_needs_no_token_and_tells_nothing_of_the_fleet(guarded: Serving) -> None:
    answer = asked(guarded.url, "GET", "/health")
    assert answer.status == 200
    document = answer.json()
    assert document.pop("devices_age_seconds") > 0
    assert document == {"status": "ok", "syncing": False, "stale": True}


def test_the_health_of_an_empty_mirror_is_503_and_its_clients_are_told_what_to_do(tmp_path: Path) -> None:
    with serving(tmp_path, "--no-sync") as server:
        answer = asked(server.url, "GET", "/health")
        assert (answer.status, answer.json()) == (503, {"status": "nothing mirrored yet", "syncing": False})


def test_what_is_no_request_of_the_protocol_harms_nobody(plain: Serving) -> None:
    for body in (b"", b"not json", b"[]", b"{}", b"\xff" * 100, b"[" * 100_000):
        assert asked(plain.url, "POST", "/mcp", body, **MCP).status == 400
    assert asked(plain.url, "POST", "/mcp", b" " * 5_000_000, **MCP).status == 413
    assert asked(plain.url, "GET", "/../etc/passwd").status == 404
    assert anyio.run(_macs, plain.url, "auto") == [[[4]]]


@pytest.mark.parametrize("era", ERAS)
def test_a_client_that_leaves_in_the_middle_of_a_call_harms_nobody(plain: Serving, era: Era) -> None:
    async def leave() -> None:
        async with client(plain.url, era) as caller:
            with anyio.move_on_after(0.3):
                await caller.call_tool("run_sql", {"sql": SLOW})

    anyio.run(leave)
    assert anyio.run(_macs, plain.url, era) == [[[4]]]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_whatever_goes_on_and_the_log_holds_no_token_and_no_question(
    home: Path, number: signal.Signals
) -> None:
    with (
        serving(home, "--no-sync", **OPEN_DOOR) as server,
        connected(server.url) as stream,
        connected(server.url) as wrong,
        connected(server.url) as busy,
    ):
        known = {"authorization": f"Bearer {TOKEN}", "accept": "application/json, text/event-stream"}
        opened = asked(server.url, "POST", "/mcp", INITIALIZE, content_type="application/json", **known)
        headers = {**known, "mcp-session-id": opened.headers["mcp-session-id"]}
        stream.request("GET", "/mcp", headers=headers)
        assert stream.getresponse().status == 200
        assert asked(server.url, "POST", "/mcp", INITIALIZE, **MCP, authorization="Bearer a-secret-too").status == 401
        for connection, sql in ((wrong, "SELECT 'jane.doe@example.org' FROM"), (busy, SLOW)):
            connection.request("POST", "/mcp", _call(sql), {**headers, "content-type": "application/json"})
            assert connection.getresponse().status == 200  # the stream of its answer
        began = time.monotonic()
        server.process.send_signal(number)
        assert server.process.wait(20) == 0
        assert time.monotonic() - began < 5
        log = server.said()
    assert log.endswith("with the bearer token; `kandji-mirror mcp-config CLIENT --http` tells how.\nStopping.\n")
    assert not [words for words in (TOKEN, "jane.doe", "a-secret-too") if words in log]


def _call(sql: str) -> bytes:
    params = {"name": "run_sql", "arguments": {"sql": sql}}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()


# -- refusing to start ---------------------------------------------------------------------------------------------


def test_a_port_in_use_is_told_with_exit_code_3(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(home, "serve", "--no-sync", "--port", str(port))
    assert done.returncode == 3
    assert f"127.0.0.1 port {port} cannot be listened on: Address already in use." in done.stderr


def test_beyond_loopback_without_a_token_it_does_not_start(home: Path) -> None:
    done = run(home, "serve", "--host", "0.0.0.0")  # noqa: S104  # it is what must be refused
    assert done.returncode == 3
    assert "is to listen on 0.0.0.0, so it needs a bearer token" in done.stderr


def test_without_credentials_of_the_tenant_it_reads_what_is_mirrored_and_says_so(home: Path) -> None:
    with serving(home) as server:
        assert anyio.run(_macs, server.url, "auto") == [[[4]]]
        server.process.terminate()
        assert "warning: nothing is synced from here, answers come from what is mirrored: No tenant is" in server.said()


def test_without_credentials_and_without_a_mirror_it_does_not_start(tmp_path: Path) -> None:
    done = run(tmp_path, "serve", KANDJI_SUBDOMAIN="acme")
    assert done.returncode == 3
    assert "No API token." in done.stderr


def test_there_must_be_something_to_do(tmp_path: Path) -> None:
    done = run(tmp_path, "serve", "--no-sync", "--no-mcp")
    assert (done.returncode, "nothing to do" in done.stderr) == (2, True)
