"""The real command over real pipes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.types import TextContent
from reads_home import small_fleet
from support import slow_but

from kandji_mcp_server.server import TOOLS

SCRIPTS = Path(sys.executable).parent
COMMANDS = [[str(SCRIPTS / "kandji-mirror-mcp")], [str(SCRIPTS / "kandji-mirror"), "mcp"]]
COMMAND = COMMANDS[0]
SLOW = "SELECT count(*) FROM range(1000000) AS a, range(1000000) AS b WHERE a.range + b.range = 7"
WAIT = 60.0


def message(method: str, number: int | None = None, **params: Any) -> bytes:
    """One line of the protocol; a notification without a number."""
    head: dict[str, Any] = {"jsonrpc": "2.0"} if number is None else {"jsonrpc": "2.0", "id": number}
    return json.dumps({**head, "method": method, "params": params}).encode() + b"\n"


def call(number: int, tool: str, **arguments: Any) -> bytes:
    return message("tools/call", number, name=tool, arguments=arguments)


GREETING = message(
    "initialize", 0, protocolVersion="2025-06-18", capabilities={}, clientInfo={"name": "test", "version": "1"}
) + message("notifications/initialized")


def environment(home: Path, **more: str) -> Mapping[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "KANDJI_MIRROR_HOME": str(home),
        "KANDJI_MIRROR_BACKGROUND": "off",
        **more,
    }


@contextmanager
def running(home: Path, command: list[str] = COMMAND, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """The command with pipes; killed at the end if it is still there."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment(home, **more), cwd=home
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def conversation(home: Path, said: bytes, command: list[str] = COMMAND, **more: str) -> tuple[dict[int, Any], int, str]:
    """Send everything at once and close: answers by number, exit code, log. Every line of stdout is the protocol's."""
    with running(home, command, **more) as process:
        out, log = process.communicate(said, timeout=WAIT)
    answers = [json.loads(line) for line in out.splitlines()]
    assert all(answer["jsonrpc"] == "2.0" for answer in answers)
    return {answer["id"]: answer for answer in answers}, process.returncode, log.decode()


def exchanged(process: subprocess.Popen[bytes], said: bytes) -> Any:
    """Send one thing and wait for one answer."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(said)
    process.stdin.flush()
    return json.loads(process.stdout.readline())


@pytest.mark.heavy
@pytest.mark.parametrize("command", COMMANDS)
def test_everything_asked_before_the_end_of_input_is_answered(tmp_path: Path, command: list[str]) -> None:
    small_fleet(tmp_path)
    asked = GREETING + message("tools/list", 1) + call(2, "run_sql", sql="SELECT count(*) FROM devices")

    answers, code, log = conversation(tmp_path, asked, command)

    assert answers[0]["result"]["serverInfo"]["name"] == "kandji-mirror"
    assert [tool["name"] for tool in answers[1]["result"]["tools"]] == [spec.function.__name__ for spec in TOOLS]
    assert answers[2]["result"]["structuredContent"]["rows"] == [[4]]
    assert (code, log) == (0, "")


@pytest.mark.heavy
@pytest.mark.parametrize("era", ["auto", "legacy"])
def test_the_official_client_gets_the_same_over_a_pipe(tmp_path: Path, era: Any) -> None:
    small_fleet(tmp_path)
    server = StdioServerParameters(command=COMMAND[0], env=dict(environment(tmp_path)), cwd=tmp_path)

    async def talk() -> list[str]:
        async with Client(server, mode=era) as client:
            found = await client.call_tool("run_query", {"name": "devices_with_app", "params": {"app": "zoom"}})
            return [content.text for content in found.content if isinstance(content, TextContent)]

    (text,) = anyio.run(talk)
    assert json.loads(text)["row_count"] == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", slow_but(signal.SIGTERM, of=[signal.SIGTERM, signal.SIGINT]))
@pytest.mark.parametrize("busy", slow_but(True, of=[False, True]))
def test_a_signal_ends_it_cleanly(tmp_path: Path, number: signal.Signals, busy: bool) -> None:
    small_fleet(tmp_path)
    with running(tmp_path) as process:
        exchanged(process, GREETING)
        if busy:
            exchanged(process, call(1, "run_sql", sql=SLOW) + message("ping", 2))
        process.send_signal(number)
        code = process.wait(10)
        log = process.stderr.read() if process.stderr else b""

    assert (code, log) == (0, b"")


@pytest.mark.heavy
def test_every_line_is_answered_also_what_is_no_message(tmp_path: Path) -> None:
    small_fleet(tmp_path)
    half = call(3, "find_device", device="\ud83d").strip()  # half an emoji
    pair = b'[{"jsonrpc":"2.0","id":4,"method":"ping"},{"jsonrpc":"2.0","id":"five","method":"ping"},"x"]'
    wrong = (
        b"not json",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"jsonrpc":"2.0"}',
        b'{"jsonrpc":"2.0","id":null,"method":"ping"}',
    )
    lines = (
        *wrong,
        half,
        b'{"jsonrpc":"2.0","id":6,"method":"ping"',
        pair,
        b"",
        b"\xef\xbb\xbf" + message("no/such", 7),
    )

    said = b"\xef\xbb\xbf" + GREETING + b"\n".join(lines) + call(9, "sync_status") + b"the end"
    with running(tmp_path) as process:
        out, log = process.communicate(said, timeout=WAIT)
    answers = [json.loads(line) for line in out.splitlines()]

    errors = [(answer["id"], answer["error"]["code"]) for answer in answers if "error" in answer]
    unknown = [(None, code) for code in (-32700, -32700, -32600, -32600, -32600, -32600)]
    assert errors[:6] == unknown
    assert set(errors[6:]) == {
        *((3, -32700), (6, -32700), (4, -32600), ("five", -32600), (7, -32601), (None, -32700)),
    }
    (status,) = (answer for answer in answers if answer["id"] == 9)
    assert status["result"]["structuredContent"]["tenant"] == "example"
    assert (process.returncode, log) == (0, b"")


@pytest.mark.slow
def test_the_script_tells_what_it_is_and_takes_no_argument(tmp_path: Path) -> None:
    for argument, code, words in (("--help", 0, "over stdio"), ("--version", 0, "version "), ("--port", 2, "'--port'")):
        done = subprocess.run(
            [*COMMAND, argument], env=environment(tmp_path), capture_output=True, text=True, check=False, timeout=WAIT
        )
        assert (done.returncode, words in done.stdout + done.stderr) == (code, True), argument


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")
@pytest.mark.parametrize("command", COMMANDS)
def test_at_a_terminal_it_says_what_it_waits_for(tmp_path: Path, command: list[str]) -> None:
    terminal, keyboard = os.openpty()
    with subprocess.Popen(
        command, stdin=keyboard, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(tmp_path), cwd=tmp_path
    ) as process:
        os.close(keyboard)
        try:
            assert process.stderr is not None
            assert b"Waiting for an AI client" in process.stderr.readline()
        finally:
            process.kill()
            os.close(terminal)


@pytest.mark.slow
def test_the_greeting_is_answered_without_a_mirror(tmp_path: Path) -> None:
    answers, code, log = conversation(tmp_path, GREETING + call(1, "fleet_overview"))

    assert answers[0]["result"]["protocolVersion"] == "2025-06-18"
    assert answers[1]["result"]["isError"] is True
    assert "Run `kandji-mirror sync`" in answers[1]["result"]["content"][0]["text"]
    assert (code, log) == (0, "")


@pytest.mark.slow
def test_a_wrong_setting_is_one_line_on_stderr_and_exit_3(tmp_path: Path) -> None:
    answers, code, log = conversation(tmp_path, GREETING, KANDJI_MIRROR_MCP_ROWS="many")

    assert (answers, code) == ({}, 3)
    assert log == (
        "kandji-mirror mcp: KANDJI_MIRROR_MCP_ROWS is 'many'; it must be a whole number from 1 to 100000. "
        "Change or remove it in the environment.\n"
    )


@pytest.mark.slow
def test_a_client_that_goes_away_leaves_no_traceback(tmp_path: Path) -> None:
    small_fleet(tmp_path)
    with running(tmp_path) as process:
        exchanged(process, GREETING)
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.close()
        process.stdin.write(message("tools/list", 1))
        process.stdin.close()
        code = process.wait(WAIT)
        log = process.stderr.read() if process.stderr else b""

    assert (code, log) == (0, b"")


@pytest.mark.heavy
@pytest.mark.parametrize("syncing", ["off", "on"])
def test_the_end_of_input_is_a_clean_end_also_while_a_statement_runs(tmp_path: Path, syncing: str) -> None:
    small_fleet(tmp_path)
    with running(tmp_path, KANDJI_MIRROR_BACKGROUND=syncing, KANDJI_MIRROR_QUERY_SECONDS="120") as process:
        exchanged(process, GREETING)
        exchanged(process, call(1, "run_sql", sql="SELECT 1"))
        exchanged(process, call(2, "run_sql", sql=SLOW) + message("ping", 3))
        began = time.monotonic()
        out, _ = process.communicate(timeout=WAIT)
    assert (process.returncode, out) == (0, b"")
    assert time.monotonic() - began < 30  # two seconds, or more where the machine is slow; not two minutes


NOISE = """
import os, sys, threading, time
def speak():
    while True:
        if "kandji_mcp_server.pipes" in sys.modules and "mcp" in sys.modules:  # the command has begun
            print("printed by a library", flush=True)
            os.write(1, b"written by an engine\\n")
            os.system("echo said by a child")
        time.sleep(0.02)
threading.Thread(target=speak, daemon=True).start()
"""


@pytest.mark.heavy
def test_what_anything_else_prints_never_reaches_the_client(tmp_path: Path) -> None:
    small_fleet(tmp_path)
    (tmp_path / "sitecustomize.py").write_text(NOISE)
    asked = GREETING + b"".join(call(number, "run_sql", sql="SELECT 1") for number in range(1, 6))

    answers, code, log = conversation(tmp_path, asked, PYTHONPATH=str(tmp_path))

    assert (set(answers), code) == (set(range(6)), 0)
    assert all(words in log for words in ("printed by a library", "written by an engine", "said by a child"))


@pytest.mark.heavy
def test_lines_beyond_measure_are_refused_and_the_conversation_goes_on(tmp_path: Path) -> None:
    small_fleet(tmp_path)
    endless = b'{"jsonrpc":"2.0","id":5,"method":"' + b"x" * 70_000_000 + b'"}\n'
    large = call(6, "run_sql", sql=f"SELECT '{'x' * 10_000_000}'")

    answers, code, log = conversation(tmp_path, GREETING + endless + large + call(7, "sync_status"))

    assert (set(answers), code, log) == ({0, 5, 6, 7}, 0, "")
    assert answers[5]["error"]["code"] == -32700
    assert answers[6]["result"]["isError"] is True


@pytest.mark.heavy
@pytest.mark.skipif(sys.platform == "win32", reason="Windows closes no single stream")
def test_a_client_that_gives_it_no_stderr_is_served(tmp_path: Path) -> None:
    small_fleet(tmp_path)
    shell = ["/bin/sh", "-c", f"exec '{COMMAND[0]}' 2>&-"]
    answers, code, _ = conversation(tmp_path, GREETING + call(1, "run_sql", sql="SELECT 1"), shell)
    assert (set(answers), code) == ({0, 1}, 0)


@pytest.mark.heavy
def test_the_server_loads_nothing_it_does_not_need(tmp_path: Path) -> None:
    code = (
        "import sys; import kandji_mcp_server.main, kandji_mcp_server.server, kandji_mcp_server.stdio\n"
        "print(sorted({'duckdb', 'sqlglot', 'sqlmodel', 'apscheduler', 'httpx'} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)

    assert loaded.stdout == "[]\n"
