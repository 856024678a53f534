"""Serving one client over stdin and stdout until its input ends."""

from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

import anyio
from mcp.server import MCPServer
from mcp.server.stdio import stdio_server

from kandji_mcp_server.unanswered import Unanswered

PATIENCE = 60.0
"""Seconds the end of input waits for answers: ``printf ... | kandji-mirror mcp`` gets them all."""


WarmUp = Callable[[], Coroutine[Any, Any, None]]


def serve(server: MCPServer[Any], warm_up: WarmUp, greeted: Callable[[], None] = lambda: None) -> None:
    """Serve until the client closes stdin.

    ``warm_up`` runs beside the first exchange, which is about other things; ``greeted`` is called once after its
    answer, and must not take long.
    """
    try:
        anyio.run(_serve, server, warm_up, greeted)
    except* BrokenPipeError:
        pass  # the client is gone; there is nobody left to tell


async def _serve(server: MCPServer[Any], warm_up: WarmUp, greeted: Callable[[], None]) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(warm_up)
        await _converse(server, greeted)
        tasks.cancel_scope.cancel()


async def _converse(server: MCPServer[Any], greeted: Callable[[], None]) -> None:
    """As the SDK's ``run_stdio_async``, but requests that came before the end of input are answered, not dropped."""
    protocol = server._lowlevel_server  # there is no public way to give a server its streams
    to_server, from_client = anyio.create_memory_object_stream[Any]()
    to_client, from_server = anyio.create_memory_object_stream[Any]()
    unanswered = Unanswered()
    async with stdio_server() as (read, write), anyio.create_task_group() as tasks:
        tasks.start_soon(unanswered.relay_requests, read, to_server, PATIENCE)
        tasks.start_soon(unanswered.relay_answers, from_server, _Telling(write, greeted))
        await protocol.run(from_client, to_client, protocol.create_initialization_options())


class _Telling:
    """A stream that tells once when its first message is on its way."""

    def __init__(self, stream: Any, tell: Callable[[], None]) -> None:
        self._stream = stream
        self._tell = tell
        self._told = False

    async def send(self, item: Any) -> None:
        await self._stream.send(item)
        if not self._told:
            self._told = True
            self._tell()

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stream.__aexit__(kind, error, trace)
