"""Serving one client over its two pipes until its input ends."""

import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from io import TextIOWrapper
from types import TracebackType
from typing import Any, Self

import anyio
from anyio import to_thread
from mcp.server import MCPServer
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCError

from kandji_mcp_server.faults import BOM, faults, too_long
from kandji_mcp_server.unanswered import Unanswered
from kandji_mcp_server.wire import LONGEST_LINE, Wire, is_cut

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
class Moments:
    """What is called once each, if it comes to that; none may take long.

    ``greeted`` after the first answer, ``hung_up`` at the end of input, ``given_up`` when it has ended and something
    still runs that cannot be ended: threads cannot, so it should end the process.
    """

    greeted: Callable[[], None] = _nothing
    hung_up: Callable[[], None] = _nothing
    given_up: Callable[[], None] = _nothing


def serve(server: MCPServer[Any], wire: Wire, warm_up: WarmUp, moments: Moments) -> None:
    """Serve until the client ends its input. ``warm_up`` runs beside the first exchange, which is about other things.

    A client that is gone is no error: there is nobody left to tell.
    """
    try:
        anyio.run(_serve, server, wire, warm_up, moments)
    except* BrokenPipeError:
        pass


async def _serve(server: MCPServer[Any], wire: Wire, warm_up: WarmUp, moments: Moments) -> None:
    warm = anyio.Event()

    async def warm_up_once() -> None:
        await warm_up()
        warm.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(warm_up_once)
        await _converse(server, wire, warm, moments)
        tasks.cancel_scope.cancel()


async def _converse(server: MCPServer[Any], wire: Wire, warm: anyio.Event, moments: Moments) -> None:
    """As the SDK's ``run_stdio_async``, but requests that came before the end of input are answered, not dropped."""
    protocol = server._lowlevel_server  # there is no public way to give a server its streams
    to_server, from_client = anyio.create_memory_object_stream[Any]()
    to_client, from_server = anyio.create_memory_object_stream[Any]()
    unanswered = Unanswered()
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

    def __init__(self, wire: Wire) -> None:
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
        return faults(line.removeprefix(BOM)) if line.strip() else []


class _Later:
    """A stream that is there later than who needs it."""

    def __init__(self) -> None:
        self._there = anyio.Event()
        self._stream: Any = None

    def set(self, stream: Any) -> None:
        """Here it is."""
        self._stream = stream
        self._there.set()

    async def get(self) -> Any:
        """The stream, once it is there."""
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
