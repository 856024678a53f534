"""Serving one client over its two pipes until its input ends."""

import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from io import TextIOWrapper
from types import TracebackType
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

WarmUp = Callable[[], Coroutine[Any, Any, None]]


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Callbacks:
    """What is called once each, if it comes to that; none may take long.

    ``greeted`` after the first answer, ``hung_up`` at the end of input, ``given_up`` when it has ended and something
    still runs that cannot be ended: threads cannot, so it should end the process.
    """

    greeted: Callable[[], None] = _nothing
    hung_up: Callable[[], None] = _nothing
    given_up: Callable[[], None] = _nothing


def serve(server: MCPServer[Any], wire: Pipes, warm_up: WarmUp, moments: Callbacks) -> None:
    """Serve until the client ends its input. ``warm_up`` runs beside the first exchange, which is about other things.

    A client that is gone is no error: there is nobody left to tell.
    """
    try:
        anyio.run(_serve, server, wire, warm_up, moments)
    except* BrokenPipeError:
        pass


async def _serve(server: MCPServer[Any], wire: Pipes, warm_up: WarmUp, moments: Callbacks) -> None:
    warm = anyio.Event()

    async def warm_up_once() -> None:
        await warm_up()
        warm.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(warm_up_once)
        await _converse(server, wire, warm, moments)
        tasks.cancel_scope.cancel()


async def _converse(server: MCPServer[Any], wire: Pipes, warm: anyio.Event, moments: Callbacks) -> None:
    """Do as the SDK's ``run_stdio_async``, but requests that came before the end of input are answered, not dropped."""
    protocol = server._lowlevel_server  # there is no public way to give a server its streams
    to_server, from_client = anyio.create_memory_object_stream[Any]()
    to_client, from_server = anyio.create_memory_object_stream[Any]()
    unanswered = PendingRequests()
    patience = min(MOST_PATIENCE, max(PATIENCE, STARTS * (time.monotonic() - wire.began)))

    async def until_hung_up(read: Any) -> None:
        async with to_server:
            await unanswered.relay_requests(read, to_server)
            moments.hung_up()
            await warm.wait()
            if not await unanswered.all_answered(patience):
                moments.given_up()

    lines = _Lines(wire)
    pipes: Any = lines, anyio.wrap_file(TextIOWrapper(wire.write, encoding="utf-8", newline="\n"))
    async with stdio_server(*pipes) as (read, write), anyio.create_task_group() as tasks:
        lines.answers.set(write)
        tasks.start_soon(until_hung_up, read)
        tasks.start_soon(unanswered.relay_answers, from_server, _Telling(write, moments.greeted))
        await protocol.run(from_client, to_client, protocol.create_initialization_options())


class _Lines:
    """What the client sends, line by line, read by a thread; a line that is no message is answered from here."""

    def __init__(self, wire: Pipes) -> None:
        self._wire = wire
        self.answers = _Later()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        while line := await to_thread.run_sync(self._wire.line):
            wrong = self._wrong(line)
            if not wrong and line.strip():
                return line.removeprefix(BOM).decode()
            for error in wrong:
                await (await self.answers.get()).send(SessionMessage(error))
        raise StopAsyncIteration

    def _wrong(self, line: bytes) -> list[JSONRPCError]:
        if is_cut(line):
            return [too_long(line[:HEAD], LONGEST_LINE)]
        return errors_in(line.removeprefix(BOM)) if line.strip() else []


class _Later:
    """A stream that is there later than who needs it."""

    def __init__(self) -> None:
        self._there = anyio.Event()
        self._stream: Any = None

    def set(self, stream: Any) -> None:
        """Give the stream to who waits."""
        self._stream = stream
        self._there.set()

    async def get(self) -> Any:
        """Return the stream, once it is there."""
        await self._there.wait()
        return self._stream


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


ENDLESS = "subscriptions/listen"
"""A request that is answered when the client no longer wants it, so nothing waits for its answer."""


class PendingRequests:
    """Passes messages on in both directions and keeps the numbers of the requests that have no answer yet."""

    def __init__(self) -> None:
        self._ids: set[object] = set()
        self._change = anyio.Event()

    async def relay_requests(self, source: Any, target: MemoryObjectSendStream[Any]) -> None:
        """Pass on what the client sends, until it ends."""
        async for item in source:
            self._note(item)
            await target.send(item)

    async def all_answered(self, patience: float) -> bool:
        """Wait until nothing is unanswered; False where nothing changes for ``patience`` seconds before."""
        while self._ids:
            self._change = anyio.Event()
            with anyio.move_on_after(patience) as waiting:
                await self._change.wait()
            if waiting.cancelled_caught:
                return False
        return True

    async def relay_answers(self, source: MemoryObjectReceiveStream[Any], target: Any) -> None:
        """Pass on what the server sends."""
        async with target:
            async for item in source:
                await target.send(item)
                self._note(item)

    def _note(self, item: SessionMessage | Exception) -> None:
        match item:
            case SessionMessage(message=JSONRPCRequest(id=number, method=method)) if method != ENDLESS:
                self._ids.add(number)
            case SessionMessage(message=JSONRPCResponse(id=number) | JSONRPCError(id=number)):
                self._ids.discard(number)
            case SessionMessage(message=JSONRPCNotification(method="notifications/cancelled", params=params)):
                self._ids.discard((params or {}).get("requestId"))
        self._change.set()
