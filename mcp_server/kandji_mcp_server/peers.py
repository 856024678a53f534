"""Who asks, and whether it still waits for the answer: what a tool may know of the connection it is called over."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError

T = TypeVar("T")

GONE = "kandji_mirror.gone"
"""Key of an HTTP scope: an event that is set when the connection of the request ends."""


def client_of(ctx: Context[Any, Any]) -> str:
    """Which client asks, as far as can be told, so that each has its share: its session, else its connection.

    Empty over stdio, where there is only one.
    """
    request = ctx.request_context.request
    if request is None:
        return ""
    peer = request.client
    return str(request.headers.get("mcp-session-id") or (f"{peer.host}:{peer.port}" if peer else ""))


async def while_wanted(ctx: Context[Any, Any], work: Callable[[], Awaitable[T]]) -> T:
    """What ``work`` answers; it is cancelled when the connection ends over which it was asked for.

    The answer could reach nobody: none is kept for a client that comes back.
    """
    request = ctx.request_context.request
    gone: anyio.Event | None = request.scope.get(GONE) if request is not None else None
    if gone is None:
        return await work()
    found: list[T] = []
    errors: list[Exception] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_end_when_set, gone, tasks.cancel_scope)
        try:
            found.append(await work())
        except Exception as error:  # raised below, as it is: the group would wrap it
            errors.append(error)
        tasks.cancel_scope.cancel()
    if errors:
        raise errors[0]
    if not found:
        raise ToolError("Nobody waits for this answer any more.")
    return found[0]


async def _end_when_set(gone: anyio.Event, scope: anyio.CancelScope) -> None:
    await gone.wait()
    scope.cancel()
