"""``kandji-mirror serve`` as a process on a free port, and a plain HTTP client for what no MCP client would send."""

import http.client
import json
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx2
from commands import COMMAND, environment
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

TOKEN = "an-invented-token-of-more-than-24-characters"
Era = Literal["auto", "legacy"]


@dataclass
class Serving:
    """The process, where it answers, and what it has said on stderr so far."""

    process: subprocess.Popen[str]
    url: str
    log: list[str]

    def said(self) -> str:
        """Its whole log, once it has ended."""
        self.process.wait(20)
        return "".join(self.log)


@contextmanager
def serving(home: Path, *options: str, **settings: str) -> Iterator[Serving]:
    """Serve ``home`` until the end of the block, with :data:`TOKEN`; killed there if it is still running."""
    command = [COMMAND, "serve", "--port", "0", *options]
    known = {"KANDJI_MIRROR_HTTP_TOKEN": TOKEN, "KANDJI_MIRROR_LOG_FORM": "text", **settings}
    with subprocess.Popen(
        command, env=environment(home, **known), cwd=home, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            log: list[str] = []
            for line in process.stderr:
                log.append(line)
                if line.startswith("AI clients connect to "):
                    break
            url = log[-1].split()[4]
            rest = Thread(target=log.extend, args=(process.stderr,), daemon=True)
            rest.start()
            yield Serving(process, url, log)
        finally:
            process.kill()
            rest.join(5)


@contextmanager
def connected(url: str) -> Iterator[http.client.HTTPConnection]:
    """A connection of its own."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        yield connection
    finally:
        connection.close()


@dataclass(frozen=True)
class Answer:
    """What came back: ``headers`` by lower-case name."""

    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Any:
        """The body."""
        return json.loads(self.text)


def asked(url: str, method: str, path: str, body: bytes | None = None, /, **headers: str) -> Answer:
    """One request, its headers with ``_`` for ``-``."""
    with connected(url) as connection:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read().decode())


KNOWN = {"authorization": f"Bearer {TOKEN}"}
MCP = {"content_type": "application/json", "accept": "application/json, text/event-stream"}

INITIALIZE = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 0,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
).encode()


@asynccontextmanager
async def client(url: str, era: Era, **options: Any) -> AsyncIterator[Client]:
    """The official client over HTTP, with the token."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as sender,
        Client(streamable_http_client(url, http_client=sender), mode=era, **options) as caller,
    ):
        yield caller
