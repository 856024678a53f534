"""``GET /health``: whether questions can be answered, for load balancers and monitoring. It names nobody and nothing.

200 while there is a mirror to answer from, however old: restarting the process would not make it younger, so its age
is told and judged by who asks. 503 where nothing is mirrored yet or its files are damaged.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kandji_mcp_server.mirror import Clock
from kandji_mirror.store.holder import holder
from kandji_queries.cautions import is_overdue
from kandji_schema.errors import MirrorError, NothingMirrored
from kandji_schema.manifest import newest_whole

FRESH_SECONDS = 1.0
"""An answer is given again for so long, so that asking often costs nothing."""


@dataclass(frozen=True)
class Health:
    """``devices_age_seconds`` is that of the device list, None while there is none; ``stale``: it is overdue."""

    status: str
    syncing: bool
    devices_age_seconds: int | None = None
    stale: bool | None = None

    @property
    def code(self) -> int:
        """The HTTP status."""
        return 200 if self.status == "ok" else 503


def health(home: Path, clock: Clock) -> Health:
    """The health of the mirror in ``home``."""
    syncing = holder(home) is not None
    try:
        devices = newest_whole(home)[0].tables.get("devices")
    except NothingMirrored:
        return Health("nothing mirrored yet", syncing)
    except MirrorError:
        return Health("damaged", syncing)
    if devices is None or devices.synced_at is None:
        return Health("ok", syncing)
    now = clock()
    age = int((now - devices.synced_at).total_seconds())
    return Health("ok", syncing, age, is_overdue(devices.synced_at, devices.ttl_seconds, now))


def endpoint(home: Path, clock: Clock) -> Callable[[Request], Awaitable[Response]]:
    """The route's function."""
    known: tuple[float, Health] | None = None

    async def answer(_: Request) -> Response:
        nonlocal known
        if known is None or time.monotonic() - known[0] > FRESH_SECONDS:
            known = (time.monotonic(), await to_thread.run_sync(health, home, clock))
        return JSONResponse(_document(known[1]), status_code=known[1].code, headers={"Cache-Control": "no-store"})

    return answer


def _document(found: Health) -> dict[str, Any]:
    return {name: value for name, value in vars(found).items() if value is not None}
