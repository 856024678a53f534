"""``kandji-mirror serve`` over real HTTP: both eras, the token, names and pages, several clients, a clean end."""

import json
import re
import signal
import socket
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from commands import run
from http_serving import INITIALIZE, KNOWN, MCP, TOKEN, Answer, Era, Serving, asked, client, connected, serving
from live_tenant import live
from mcp.types import ElicitResult, TextContent
from mcp_calls import republish
from reads_home import small_fleet
from support import run_sync, slow_but

from kandji_schema.manifest import State, newest_whole

ERAS: list[Era] = ["auto", "legacy"]
SLOW = "SELECT count(*) FROM range(1000000) AS a, range(1000000) AS b WHERE a.range + b.range = 7"
OPEN_DOOR = {
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
    """For this machine alone."""
    with serving(home, "--no-sync", KANDJI_MIRROR_QUERY_SECONDS="1") as server:
        yield server


@pytest.fixture(scope="module")
def guarded(home: Path) -> Iterator[Serving]:
    """With another name and a web page."""
    with serving(home, "--no-sync", **OPEN_DOOR) as server:
        yield server


async def _macs(url: str, era: Era, times: int = 1) -> list[Any]:
    async with client(url, era) as caller:
        sql = {"sql": "SELECT count(*) FROM devices"}
        found = [await caller.call_tool("run_sql", sql) for _ in range(times)]
        texts = [content.text for answer in found for content in answer.content if isinstance(content, TextContent)]
        return [json.loads(text)["rows"] for text in texts]


@pytest.mark.parametrize("era", ERAS)
def test_a_client_of_either_era_is_answered(plain: Serving, era: Era) -> None:
    assert anyio.run(_macs, plain.url, era) == [[[4]]]


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
            found.extend(await _macs(guarded.url, era, times=3))

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
        ({"host": "localhost:80.example.com"}, 421),
        ({"host": "localhost:80@example.com"}, 421),
        ({"origin": "http://localhost:1.example.com"}, 403),
        ({"origin": ""}, 403),
        ({"origin": "http://evil.example.com"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost:6274"}, 200),
        ({"host": "localhost:8765"}, 200),
    ],
)
def test_pages_and_names_of_others_are_refused(plain: Serving, headers: dict[str, str], status: int) -> None:
    assert asked(plain.url, "POST", "/mcp", INITIALIZE, **MCP, **KNOWN, **headers).status == status
    health = 503 if status == 200 else status  # its rows are old
    assert asked(plain.url, "GET", "/health", None, **headers).status == health


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
    known = {"authorization": f"bearer {TOKEN}"}  # the word in either case
    assert asked(guarded.url, "POST", "/mcp", INITIALIZE, **MCP, **known, **headers).status == status


@pytest.mark.parametrize(
    ("page", "allowed"),
    [
        ("https://portal.example.com", True),
        ("http://localhost:6274", True),
        ("http://127.0.0.1", True),
        ("https://evil.example", False),
        ("http://localhost.evil.example", False),
    ],
)
def test_a_browser_is_told_which_pages_may_ask(guarded: Serving, page: str, allowed: bool) -> None:
    wants = {"access_control_request_method": "POST", "access_control_request_headers": "authorization"}
    answer = asked(guarded.url, "OPTIONS", "/mcp", None, origin=page, **wants)
    assert (answer.headers.get("access-control-allow-origin") == page, answer.status == 200) == (allowed, allowed)
    told = asked(guarded.url, "POST", "/mcp", INITIALIZE, **MCP, **KNOWN, origin=page)
    assert (told.headers.get("access-control-allow-origin") == page, told.status == 200) == (allowed, allowed)


def test_the_health_is_one_word_for_all_and_more_for_those_who_have_the_token(guarded: Serving) -> None:
    answer = asked(guarded.url, "GET", "/health")
    assert (answer.status, answer.json()) == (503, {"status": "stale"})  # its rows are of another day
    document = asked(guarded.url, "GET", "/health", None, **KNOWN).json()
    assert document.pop("devices_age_seconds") > 0
    assert "devices" in document.pop("overdue")
    assert document == {"status": "stale", "syncing": False, "stale": True, "failed": []}


@pytest.mark.heavy
def test_the_health_is_ok_only_where_the_device_list_is_kept_up_to_date(tmp_path: Path) -> None:
    manifest = small_fleet(tmp_path)
    with serving(tmp_path, "--no-sync") as server:
        for facts, status, word in (
            ({"synced_at": datetime.now(UTC)}, 200, "ok"),
            ({"synced_at": datetime.now(UTC), "state": State.FAILED, "error": "401"}, 503, "the last sync failed"),
            ({"synced_at": datetime.now(UTC), "state": State.OK}, 200, "ok"),
            ({"synced_at": datetime.now(UTC) - timedelta(days=1)}, 503, "stale"),
            ({"synced_at": None, "state": State.NEVER}, 503, "nothing mirrored yet"),
        ):
            manifest = republish(tmp_path, manifest, "devices", **facts)
            found = _other(server, word)
            assert (found.status, found.json()) == (status, {"status": word})


def _other(server: Serving, word: str) -> Answer:
    """The health, once it is that word: an answer is given again for a second."""
    ends = time.monotonic() + 20
    while (found := asked(server.url, "GET", "/health")).json()["status"] != word and time.monotonic() < ends:
        time.sleep(0.1)  # asking without end would only take the processor from what is waited for
    return found


@pytest.mark.heavy
def test_a_rejected_token_of_the_tenant_makes_the_health_503(tmp_path: Path) -> None:
    with live(tmp_path) as tenant:
        wrong = tenant.environment(KANDJI_API_TOKEN="another", KANDJI_MIRROR_ACTIONS="off")
        run_sync(tmp_path, tenant.tenant, "devices")
        manifest, _ = newest_whole(tmp_path)
        due = datetime.now(UTC) - timedelta(seconds=1.2 * manifest.tables["devices"].ttl_seconds)
        republish(tmp_path, manifest, "devices", synced_at=due, attempted_at=due)  # due, but not stale
        with serving(tmp_path, **wrong) as server:
            found = _other(server, "syncing rests")
            assert (found.status, found.json()) == (503, {"status": "syncing rests"})
            wanted = {
                'kandji_mirror_sync_resting{tenant="loopback"} 1.0',
                'kandji_mirror_table_state{state="failed",table="devices",tenant="loopback"} 1.0',
                'kandji_mirror_sync_alive{tenant="loopback"} 1.0',
            }
            told, ends = _scraped(server), time.monotonic() + 20
            while not (wanted <= told and _errors(told)) and time.monotonic() < ends:
                time.sleep(0.3)  # an answer is given again for two seconds
                told = _scraped(server)
            assert wanted <= told
            assert _errors(told) == {"authentication_error"}
            assert asked(server.url, "GET", "/healthz").status == 200  # a new start would mend nothing


def _scraped(server: Serving) -> set[str]:
    return set(asked(server.url, "GET", "/metrics", None, **KNOWN).text.splitlines())


def _errors(told: set[str]) -> set[str]:
    """Kinds of errors that were counted."""
    return {found[1] for line in told if (found := re.match(r'kandji_mirror_errors_total\{kind="(\w+)"', line))}


@pytest.mark.heavy
def test_the_health_of_an_empty_mirror_is_503(tmp_path: Path) -> None:
    with serving(tmp_path, "--no-sync") as server:
        answer = asked(server.url, "GET", "/health")
        assert (answer.status, answer.json()) == (503, {"status": "nothing mirrored yet"})


WRONG: tuple[tuple[bytes, int, int | str | None], ...] = (
    (b"", -32700, None),
    (b"not json", -32700, None),
    (b"[]", -32600, None),
    (b"{}", -32600, None),
    (b'"text"', -32600, None),
    (b"\xff" * 100, -32700, None),
    (b"[" * 100_000, -32700, None),
    (b'{"jsonrpc":"2.0","id":3}', -32600, 3),
    (b'{"jsonrpc":"1.0","id":4,"method":"ping"}', -32600, 4),
    (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600, None),
    (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600, None),
    (b'{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"\\ud83d"}}', -32700, "a"),
    (b'{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"\xed\xa0\xbd"}}', -32700, 5),
    (b'{"jsonrpc":"2.0","id":6,"method":"tools/call","params":{"name":"x', -32700, 6),
    (b'[{"jsonrpc":"2.0","id":7,"method":"ping"}]', -32600, 7),
    (b" " * 5_000_000, -32700, None),
)
"""What is no message, the error it gets, and the number that stands in it."""


@pytest.mark.parametrize("revision", ["2025-06-18", "2026-07-28"])
def test_what_is_no_message_is_answered_with_an_error_and_its_number(plain: Serving, revision: str) -> None:
    for body, code, number in WRONG:
        found = asked(plain.url, "POST", "/mcp", body, **MCP, **KNOWN, mcp_protocol_version=revision)
        assert found.status == (413 if len(body) > 4_194_304 else 400), body[:80]
        document = found.json()
        assert (document["error"]["code"], document["id"], document["jsonrpc"]) == (code, number, "2.0"), body[:80]
    marked = b"\xef\xbb\xbf" + INITIALIZE
    assert asked(plain.url, "POST", "/mcp", marked, **MCP, **KNOWN).status == 200  # a byte order mark harms nobody
    assert asked(plain.url, "GET", "/../etc/passwd", None, **KNOWN).status == 404
    assert anyio.run(_macs, plain.url, "auto") == [[[4]]]


@pytest.mark.parametrize("era", ERAS)
def test_a_client_that_leaves_in_the_middle_of_a_call_harms_nobody(plain: Serving, era: Era) -> None:
    async def leave() -> None:
        async with client(plain.url, era) as caller:
            with anyio.move_on_after(0.3):
                await caller.call_tool("run_sql", {"sql": SLOW})

    anyio.run(leave)
    assert anyio.run(_macs, plain.url, era) == [[[4]]]


@pytest.mark.heavy
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", slow_but(signal.SIGTERM, of=[signal.SIGTERM, signal.SIGINT]))
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
        assert time.monotonic() - began < 15
        log = server.said()
    lines = log.splitlines()
    stopped = lines.index("Stopping.")  # a busy machine may have more to say after it
    told, refusal = lines[stopped - 2 : stopped]
    assert told.endswith(
        "with the bearer token in KANDJI_MIRROR_HTTP_TOKEN; `kandji-mirror mcp-config CLIENT --http` tells how."
    )
    assert re.fullmatch(
        r"[0-9-]{10}T[0-9:]{8}Z WARNING 401 for 127\.0\.0\.1, which sent no token or a wrong one: POST '/mcp'", refusal
    )
    assert not [words for words in (TOKEN, "jane.doe", "a-secret-too") if words in log]


def _call(sql: str) -> bytes:
    params = {"name": "run_sql", "arguments": {"sql": sql}}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()


# -- live actions --------------------------------------------------------------------------------------------------


@pytest.mark.heavy
@pytest.mark.parametrize("era", ERAS)
def test_nobody_says_yes_over_the_connection_that_asks(tmp_path: Path, era: Era) -> None:
    asked_of: list[str] = []

    async def yes(_: object, params: Any) -> ElicitResult:
        asked_of.append(params.message)
        return ElicitResult(action="accept", content={"confirm": True})

    async def talk(url: str, serial: str) -> tuple[Any, list[Any]]:
        async with client(url, era, elicitation_callback=yes) as caller:
            tools = {tool.name: tool for tool in (await caller.list_tools()).tools}
            words = tools["erase_device"].input_schema["properties"]["confirm"]["description"]
            wanted = {"device": serial, "confirm": True, "reason": "ticket"}
            names = ("erase_device", "get_filevault_key", "get_unlock_pin", "lock_device")
            return words, [await caller.call_tool(name, wanted) for name in names]

    with live(tmp_path) as tenant, serving(tmp_path, "--no-sync", **tenant.environment()) as server:
        words, answers = anyio.run(talk, server.url, tenant.device().serial)
        assert "a human confirms it at a terminal" in words
        for found in answers:
            document = json.loads(found.content[0].text)
            assert (document["sent"], document["outcome"]) == (False, "awaiting confirmation")
            assert "kandji-mirror action confirm " in document["detail"]
        assert (asked_of, tenant.writes()) == ([], [])
        assert {event for event, _ in tenant.events()} == {"offered"}


@pytest.mark.heavy
def test_the_name_of_a_session_is_no_key_to_it(plain: Serving) -> None:
    opened = asked(plain.url, "POST", "/mcp", INITIALIZE, **MCP, **KNOWN)
    session = {"mcp_session_id": opened.headers["mcp-session-id"]}
    answer = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"action": "accept", "content": {"confirm": True}}})
    for wrong in ({}, {"authorization": "Bearer another-token-of-another-server"}):
        for method, body in (("POST", answer.encode()), ("POST", _call("SELECT 1")), ("GET", None), ("DELETE", None)):
            assert asked(plain.url, method, "/mcp", body, **MCP, **session, **wrong).status == 401
    assert "[[1]]" in asked(plain.url, "POST", "/mcp", _call("SELECT 1"), **MCP, **KNOWN, **session).text


# -- refusing to start ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_port_in_use_is_told_with_exit_code_3(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(home, "serve", "--no-sync", "--port", str(port))
    assert done.returncode == 3
    assert f"127.0.0.1 port {port} cannot be listened on: Address already in use." in done.stderr


@pytest.mark.slow
def test_beyond_loopback_without_a_token_it_does_not_start(tmp_path: Path) -> None:
    done = run(tmp_path, "serve", "--no-sync", "--host", "0.0.0.0")  # noqa: S104  # it is what must be refused
    assert done.returncode == 3
    assert "is to listen on 0.0.0.0, so it needs a bearer token" in done.stderr


@pytest.mark.heavy
def test_without_credentials_of_the_tenant_it_reads_what_is_mirrored_and_says_so(home: Path) -> None:
    with serving(home) as server:
        assert anyio.run(_macs, server.url, "auto") == [[[4]]]
        server.process.terminate()
        assert "warning: nothing is synced from here, answers come from what is mirrored: No tenant is" in server.said()


@pytest.mark.slow
def test_without_credentials_and_without_a_mirror_it_does_not_start(tmp_path: Path) -> None:
    done = run(tmp_path, "serve", KANDJI_SUBDOMAIN="acme")
    assert done.returncode == 3
    assert "No API token." in done.stderr


@pytest.mark.heavy
def test_there_must_be_something_to_do(tmp_path: Path) -> None:
    done = run(tmp_path, "serve", "--no-sync", "--no-mcp")
    assert (done.returncode, "nothing to do" in done.stderr) == (2, True)
