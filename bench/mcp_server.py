"""The MCP server against one of the same SDK whose only tool does nothing: start, a small query, many calls at once."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from threading import Barrier
from typing import Any
from urllib.parse import urlsplit

from figures import Figure
from unlimited import Unlimited

from kandji_mirror.api.client import Client
from kandji_mirror.sync.run import sync
from kandji_queries.reader import Reader
from kandji_simulator import TOKEN, Tenant, World

STARTS = 9
CALLS = 40
AT_ONCE = 20
ROUNDS = 5

EMPTY = """
from mcp.server import MCPServer
server = MCPServer("empty")
@server.tool()
async def nothing() -> str:
    "Do nothing."
    return ""
server.run()
"""
DOOR = "an-invented-bearer-of-more-than-24-characters"
KNOWN = {"Authorization": f"Bearer {DOOR}"}
SCRIPTS = Path(sys.executable).parent
OURS = [str(SCRIPTS / "kandji-mirror-mcp")]
FLOOR = [sys.executable, "-c", EMPTY]
QUERY = "SELECT platform, count(*) AS n FROM devices GROUP BY ALL ORDER BY n DESC"
Call = tuple[str, dict[str, Any]]
ASKED: Call = ("run_sql", {"sql": QUERY})
NOTHING: Call = ("nothing", {})


def measure(folder: Path, devices: int, apps: int) -> list[Figure]:
    tenant = Tenant(World(1, min(devices, 1_000), apps_per_device=10), limits=None)
    sync(folder, "loopback", Client(tenant.handle, TOKEN, Unlimited()), everything=True)
    environment = {**os.environ, "KANDJI_MIRROR_HOME": str(folder), "KANDJI_MIRROR_BACKGROUND": "off"}
    return [*_starts(environment), _small_query(folder, environment), _many_at_once(environment)]


def _starts(environment: dict[str, str]) -> Iterator[Figure]:
    """From nothing to the first answer, which is the greeting, and to the first answer of a tool."""
    rounds = [(_start(OURS, ASKED, environment), _start(FLOOR, NOTHING, environment)) for _ in range(STARTS)]
    for number, (name, wanted) in enumerate((("first answer", "<= 1.50"), ("first rows", ""))):
        ours, floor = (median(times[number] for times in side) for side in zip(*rounds, strict=True))
        yield Figure(f"start over stdio to the {name}", ours, floor, "ms", wanted)


def _start(command: list[str], call: Call, environment: dict[str, str]) -> tuple[float, float]:
    began = time.perf_counter()
    with _running(command, environment) as ask:
        greeted = time.perf_counter()
        ask(call)
        return (greeted - began) * 1_000, (time.perf_counter() - began) * 1_000


def _small_query(home: Path, environment: dict[str, str]) -> Figure:
    """Over stdio, against the same statement in process and a call of the tool that does nothing, one after another."""
    reading = Reader(home, second_opinion=True)  # as the server reads
    with _running(OURS, environment) as ours, _running(FLOOR, environment) as floor, reading as reader:
        asked, alone, empty = (
            _median(call) for call in (lambda: ours(ASKED), lambda: reader.run(QUERY), lambda: floor(NOTHING))
        )
    return Figure("small query over stdio", asked, alone + empty, "ms", "<= 2.00")


def _median(call: Callable[[], object]) -> float:
    call()
    times = []
    for _ in range(CALLS):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1_000)
    return median(times)


def _many_at_once(environment: dict[str, str]) -> Figure:
    """The slowest of as many calls over HTTP at the same moment, against the median one; the worst of some rounds."""
    with _serving(environment) as url, ThreadPoolExecutor(AT_ONCE) as threads:
        _at_once(url, threads)
        rounds = [_at_once(url, threads) for _ in range(ROUNDS)]
    worst = max(rounds, key=lambda times: max(times) / median(times))
    return Figure(f"slowest of {AT_ONCE} calls at once over HTTP", max(worst), median(worst), "ms", "<= 10.00")


def _at_once(url: str, threads: ThreadPoolExecutor) -> Sequence[float]:
    together = Barrier(AT_ONCE)

    def one(_: int) -> float:
        connection = http.client.HTTPConnection(urlsplit(url).netloc)
        session = {"Mcp-Session-Id": str(_posted(connection, _message("initialize", GREETING), {})[0])}
        together.wait()
        began = time.perf_counter()
        said = _posted(connection, _message("tools/call", {"name": ASKED[0], "arguments": ASKED[1]}), session)[1]
        taken = (time.perf_counter() - began) * 1_000
        assert b'"isError":true' not in said, said[:300]
        connection.request("DELETE", "/mcp", headers={**KNOWN, **session})
        connection.getresponse().read()
        connection.close()
        return taken

    return list(threads.map(one, range(AT_ONCE)))


def _posted(connection: http.client.HTTPConnection, body: bytes, headers: dict[str, str]) -> tuple[str | None, bytes]:
    kinds = {**KNOWN, "Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    connection.request("POST", "/mcp", body, {**kinds, **headers})
    response = connection.getresponse()
    return response.headers["mcp-session-id"], response.read()


GREETING = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}


def _message(method: str, params: dict[str, Any], number: int | None = 1) -> bytes:
    head = {"jsonrpc": "2.0"} if number is None else {"jsonrpc": "2.0", "id": number}
    return json.dumps({**head, "method": method, "params": params}).encode() + b"\n"


@contextmanager
def _running(command: list[str], environment: dict[str, str]) -> Iterator[Callable[[Call], Any]]:
    """A server over stdio, once it has answered the greeting; gives a function that calls a tool."""
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        given, taken = process.stdin, process.stdout
        assert given is not None
        assert taken is not None

        def exchange(said: bytes) -> Any:
            given.write(said)
            given.flush()
            return json.loads(taken.readline())

        def ask(call: Call) -> Any:
            answer = exchange(_message("tools/call", {"name": call[0], "arguments": call[1]}))["result"]
            assert not answer.get("isError"), answer
            return answer

        exchange(_message("initialize", GREETING))
        given.write(_message("notifications/initialized", {}, None))
        try:
            yield ask
        finally:
            given.close()


@contextmanager
def _serving(environment: dict[str, str]) -> Iterator[str]:
    command = [str(SCRIPTS / "kandji-mirror"), "serve", "--no-sync", "--port", "0"]
    known = {**environment, "KANDJI_MIRROR_HTTP_TOKEN": DOOR, "KANDJI_MIRROR_LOG_FORM": "text"}
    with subprocess.Popen(command, env=known, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            yield next(word for word in process.stderr.readline().split() if word.startswith("http://"))
        finally:
            process.terminate()
