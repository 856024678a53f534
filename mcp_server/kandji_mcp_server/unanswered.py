"""Which requests the client still waits for."""

from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCError, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse

ENDLESS = "subscriptions/listen"
"""A request that is answered when the client no longer wants it, so nothing waits for its answer."""


class Unanswered:
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
