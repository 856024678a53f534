"""Serving one client over its two pipes until its input ends."""

import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from io import TextIOWrapper
from typing import Any, Self

import anyio
from anyio import to_thread
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server import MCPServer
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCError, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse

from kandji_mcp_server.pipes import LONGEST_LINE, Pipes, is_cut
from kandji_mcp_server.protocol_errors import BOM, errors_in, too_long

PATIENCE = 2.0
"""Seconds without an answer after which the end of input ends the conversation, whatever is unanswered then.

``printf ... | kandji-mirror mcp`` gets all its answers, and a statement nobody waits for any more holds up nothing.
"""

STARTS = 3.0
"""Patience is at least so many times what this process needed to start, which tells how slow the machine is now."""

MOST_PATIENCE = 15.0

HEAD = 1_000
"""Bytes of a line that is too long in which its number is looked for."""

ENDLESS = "subscriptions/listen"
"""A request that is answered when the client no longer wants it, so nothing waits for its answer."""

WarmUp = Callable[[], Coroutine[Any, Any, None]]


def _do_nothing() -> None:
    pass


@dataclass(frozen=True)
class Callbacks:
    """What is called once each, if it comes to that; none may take long.

    ``greeted`` after the first answer, ``hung_up`` at the end of input, ``given_up`` when it has ended and something
    still runs that cannot be ended: threads cannot, so it should end the process.
    """

    greeted: Callable[[], None] = _do_nothing
    hung_up: Callable[[], None] = _do_nothing
    given_up: Callable[[], None] = _do_nothing


def serve(server: MCPServer[Any], pipes: Pipes, warm_up: WarmUp, callbacks: Callbacks) -> None:
    """Serve until the client ends its input. ``warm_up`` runs beside the first exchange, which is about other things.

    A client that is gone is no error: there is nobody left to tell.
    """
    try:
        anyio.run(_serve, server, pipes, warm_up, callbacks)
    except* BrokenPipeError:
        pass


async def _serve(server: MCPServer[Any], pipes: Pipes, warm_up: WarmUp, callbacks: Callbacks) -> None:
    warm = anyio.Event()

    async def warm_up_once() -> None:
        await warm_up()
        warm.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(warm_up_once)
        await _converse(server, pipes, warm, callbacks)
        tasks.cancel_scope.cancel()


async def _converse(server: MCPServer[Any], pipes: Pipes, warm: anyio.Event, callbacks: Callbacks) -> None:
    """Do as the SDK's ``run_stdio_async``, but requests that came before the end of input are answered, not dropped."""
    protocol = server._lowlevel_server  # there is no public way to give a server its streams
    to_server, from_client = anyio.create_memory_object_stream[Any]()
    to_client, from_server = anyio.create_memory_object_stream[Any]()
    pending = PendingRequests()
    patience = min(MOST_PATIENCE, max(PATIENCE, STARTS * (time.monotonic() - pipes.began)))

    async def until_hung_up(read: Any) -> None:
        async with to_server:
            await pending.relay_requests(read, to_server)
            callbacks.hung_up()
            await warm.wait()
            if not await pending.all_answered(patience):
                callbacks.given_up()

    lines = _Lines(pipes)
    streams: Any = lines, anyio.wrap_file(TextIOWrapper(pipes.write, encoding="utf-8", newline="\n"))
    async with stdio_server(*streams) as (read, write), anyio.create_task_group() as tasks:
        lines.answer_to(write)
        tasks.start_soon(until_hung_up, read)
        tasks.start_soon(pending.relay_answers, from_server, write, callbacks.greeted)
        await protocol.run(from_client, to_client, protocol.create_initialization_options())


class _Lines:
    """What the client sends, line by line, read by a thread; a line that is no message is answered from here."""

    def __init__(self, pipes: Pipes) -> None:
        self._pipes = pipes
        self._answers: Any = None
        self._can_answer = anyio.Event()

    def answer_to(self, answers: Any) -> None:
        """Send the answers to that stream, which the SDK makes after it has begun to read lines."""
        self._answers = answers
        self._can_answer.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        while line := await to_thread.run_sync(self._pipes.line):
            errors = self._errors(line)
            if not errors and line.strip():
                return line.removeprefix(BOM).decode()
            for error in errors:
                await self._can_answer.wait()
                await self._answers.send(SessionMessage(error))
        raise StopAsyncIteration

    def _errors(self, line: bytes) -> list[JSONRPCError]:
        if is_cut(line):
            return [too_long(line[:HEAD], LONGEST_LINE)]
        return errors_in(line.removeprefix(BOM)) if line.strip() else []


class PendingRequests:
    """Passes messages on in both directions and keeps the numbers of the requests that have no answer yet."""

    def __init__(self) -> None:
        self._ids: set[object] = set()
        self._change = anyio.Event()

    async def relay_requests(self, source: Any, target: MemoryObjectSendStream[Any]) -> None:
        """Pass on what the client sends, until it ends."""
        async for item in source:
            self._track(item)
            await target.send(item)

    async def all_answered(self, patience: float) -> bool:
        """Wait until nothing is pending; False where nothing changes for ``patience`` seconds before."""
        while self._ids:
            self._change = anyio.Event()
            with anyio.move_on_after(patience) as waiting:
                await self._change.wait()
            if waiting.cancelled_caught:
                return False
        return True

    async def relay_answers(
        self, source: MemoryObjectReceiveStream[Any], target: Any, began: Callable[[], None]
    ) -> None:
        """Pass on what the server sends; ``began`` is called once the first message is on its way."""
        sent = 0
        async with target:
            async for item in source:
                await target.send(item)
                sent += 1
                if sent == 1:
                    began()
                self._track(item)

    def _track(self, item: SessionMessage | Exception) -> None:
        match item:
            case SessionMessage(message=JSONRPCRequest(id=number, method=method)) if method != ENDLESS:
                self._ids.add(number)
            case SessionMessage(message=JSONRPCResponse(id=number) | JSONRPCError(id=number)):
                self._ids.discard(number)
            case SessionMessage(message=JSONRPCNotification(method="notifications/cancelled", params=params)):
                self._ids.discard((params or {}).get("requestId"))
        self._change.set()
