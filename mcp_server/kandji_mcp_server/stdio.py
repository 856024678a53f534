"""Serving one client over stdin and stdout until its input ends."""

from collections.abc import Callable, Coroutine
from typing import Any

import anyio
from mcp.server import MCPServer
from mcp.server.stdio import stdio_server

from kandji_mcp_server.unanswered import Unanswered

PATIENCE = 60.0
"""Seconds the end of input waits for answers: ``printf ... | kandji-mirror mcp`` gets them all."""


def serve(server: MCPServer[Any], warm_up: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Serve until the client closes stdin. ``warm_up`` runs beside the first exchange, which is about other things."""
    try:
        anyio.run(_serve, server, warm_up)
    except* BrokenPipeError:
        pass  # the client is gone; there is nobody left to tell


async def _serve(server: MCPServer[Any], warm_up: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(warm_up)
        await _converse(server)
        tasks.cancel_scope.cancel()


async def _converse(server: MCPServer[Any]) -> None:
    """As the SDK's ``run_stdio_async``, but requests that came before the end of input are answered, not dropped."""
    protocol = server._lowlevel_server  # there is no public way to give a server its streams
    to_server, from_client = anyio.create_memory_object_stream[Any]()
    to_client, from_server = anyio.create_memory_object_stream[Any]()
    unanswered = Unanswered()
    async with stdio_server() as (read, write), anyio.create_task_group() as tasks:
        tasks.start_soon(unanswered.relay_requests, read, to_server, PATIENCE)
        tasks.start_soon(unanswered.relay_answers, from_server, write)
        await protocol.run(from_client, to_client, protocol.create_initialization_options())
