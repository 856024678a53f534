"""How many connections there are, and how long each may keep the server waiting.

uvicorn alone bounds neither: whoever connects and says nothing, or half of a request, would keep a file open for ever,
and a process without files left can neither answer nor open its own data.
"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState


@dataclass(frozen=True)
class Bounds:
    """``connections`` at most. Seconds: for the head of a request, for its body, and between two requests."""

    connections: int = 1_000
    head: float = 10.0
    body: float = 30.0
    idle: float = 15.0


class BoundedConfig(uvicorn.Config):
    """uvicorn's configuration with bounds for every connection."""

    def __init__(self, app: Any, bounds: Bounds, **options: Any) -> None:
        super().__init__(app, http=BoundedProtocol, timeout_keep_alive=0, **options)
        self.timeout_keep_alive = bounds.idle  # type: ignore[assignment]  # seconds for a timer, which takes parts too
        self.bounds = bounds


SILENT_SECONDS = 30.0
"""The loop of the server goes round ten times a second; one that did not for so long hangs."""


class BeatingServer(uvicorn.Server):
    """uvicorn's server, which notes that its loop goes on."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._beat_at = time.monotonic()

    @property
    def beats(self) -> bool:
        """Whether the loop went round a moment ago."""
        return time.monotonic() - self._beat_at < SILENT_SECONDS

    async def on_tick(self, counter: int) -> bool:
        """Note it; called by uvicorn."""
        self._beat_at = time.monotonic()
        return await super().on_tick(counter)


class BoundedProtocol(H11Protocol):
    """One connection, closed when it says nothing for too long, or when another one needs its place."""

    def __init__(
        self,
        config: BoundedConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Take what uvicorn gives."""
        super().__init__(config, server_state, app_state, _loop)
        self._bounds = config.bounds
        self._awaited: type | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.since = 0.0

    @property
    def idle(self) -> bool:
        """Whether no request is being answered, or a part of it is still to come."""
        return self.cycle is None or self.cycle.response_complete or self.conn.their_state is h11.SEND_BODY

    @property
    def listens(self) -> bool:
        """Whether it is a stream of an older client that waits for news; its client opens another."""
        return not self.idle and bool(self.cycle) and self.cycle.scope["method"] == "GET"

    @property
    def address(self) -> str:
        """Of the peer."""
        return self.client[0] if self.client else ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self.since = self.loop.time()
        self._await(h11.IDLE)
        self._make_room()

    def data_received(self, data: bytes) -> None:
        """Take a piece; a peer that sends letter by letter wins no time by that."""
        super().data_received(data)
        self._await(self.conn.their_state)

    def on_response_complete(self) -> None:
        """Wait for the next request; nothing of it is there yet, or uvicorn has begun with it."""
        self.since = self.loop.time()
        super().on_response_complete()
        self._await(None if self.conn.their_state is h11.IDLE else self.conn.their_state)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._await(None)
        super().connection_lost(exc)

    def _await(self, state: type | None) -> None:
        """Have the part of a request that comes in this state within its time, counted from its beginning."""
        if state is self._awaited:
            return
        if self._timer:
            self._timer.cancel()
        self._awaited = state
        bounds = self._bounds
        seconds = bounds.head if state is h11.IDLE else bounds.body if state is h11.SEND_BODY else None
        self._timer = self.loop.call_later(seconds, self.transport.abort) if seconds else None

    def _make_room(self) -> None:
        """Close an idle connection where there are too many; this one where all others work."""
        there = [c for c in self.connections if isinstance(c, BoundedProtocol) and not c.transport.is_closing()]
        if len(there) > self._bounds.connections:
            (_least_missed(there, self) or self).transport.abort()


def _least_missed(there: list[BoundedProtocol], newest: BoundedProtocol) -> BoundedProtocol | None:
    """Choose the one missed least: never asked anything, listens to nothing, of an address with many, idle longest."""
    idle = [c for c in there if (c.idle or c.listens) and c is not newest]
    of_address = Counter(c.address for c in there)
    return min(idle, key=lambda c: (c.listens, c.cycle is not None, -of_address[c.address], c.since), default=None)
