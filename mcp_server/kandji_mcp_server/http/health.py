"""``GET /health``: whether questions are answered from data that is kept up to date, for monitoring.

200 and ``ok`` where they are. 503 where nothing is mirrored yet, its files are damaged, the last sync of the device
list failed, syncing rests (a rejected token, an outage), or the list is overdue. Everyone is told that word; numbers
and names of tables only who sends the token. No person and no device is named.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kandji_mcp_server.callers import CALLER
from kandji_mcp_server.context import Clock, ServerContext
from kandji_mirror.store.lock import holder
from kandji_queries.results.data_notes import is_overdue
from kandji_schema.errors import MirrorError, NothingMirrored
from kandji_schema.feeds import is_on
from kandji_schema.manifest import State, TableState, newest_whole

FRESH_SECONDS = 1.0
"""An answer is given again for so long, so that asking often costs nothing."""


OK = "ok"

FAILED = frozenset({State.FAILED, State.FORBIDDEN})
"""How a sync of the device list ends after which nothing is kept up to date."""


@dataclass(frozen=True)
class Health:
    """``devices_age_seconds`` is that of the device list, None while there is none; ``stale``: it is overdue.

    ``failed`` and ``overdue`` name tables.
    """

    status: str
    syncing: bool
    devices_age_seconds: int | None = None
    stale: bool | None = None
    failed: tuple[str, ...] = ()
    overdue: tuple[str, ...] = ()

    @property
    def code(self) -> int:
        """The HTTP status."""
        return 200 if self.status == OK else 503


def health(home: Path, clock: Clock, *, resting: bool = False, feeds: str = "") -> Health:
    """Return the health of the mirror in ``home``; ``resting`` tells that this process cannot sync it now.

    ``feeds`` are the public feeds that are on: tables of others are no part of it.
    """
    syncing = holder(home) is not None
    try:
        listed = newest_whole(home)[0].tables
        tables = {name: table for name, table in listed.items() if is_on(name, feeds)}
    except NothingMirrored:
        return Health("nothing mirrored yet", syncing)
    except MirrorError:
        return Health("damaged", syncing)
    devices = tables.get("devices")
    if devices is None or devices.synced_at is None:
        return Health("nothing mirrored yet", syncing, failed=_failed(tables))
    now = clock()
    age, stale = int((now - devices.synced_at).total_seconds()), _is_overdue(devices, now)
    troubles = {"syncing rests": resting, "the last sync failed": devices.state in FAILED, "stale": stale}
    status = next((words for words, true in troubles.items() if true), OK)
    overdue = tuple(name for name, table in tables.items() if table.synced_at and _is_overdue(table, now))
    return Health(status, syncing, age, stale, _failed(tables), overdue)


def _failed(tables: Mapping[str, TableState]) -> tuple[str, ...]:
    return tuple(name for name, table in tables.items() if table.state is State.FAILED)


def _is_overdue(table: TableState, now: datetime) -> bool:
    return is_overdue(table.synced_at, table.ttl_seconds, now)


def endpoint(context: ServerContext) -> Callable[[Request], Awaitable[Response]]:
    """Return the function of the route."""
    known: tuple[float, Health] | None = None

    async def answer(request: Request) -> Response:
        nonlocal known
        if known is None or time.monotonic() - known[0] > FRESH_SECONDS:
            known = (time.monotonic(), await to_thread.run_sync(_current_health, context))
        found = known[1]
        told = _health_document(found) if request.scope.get(CALLER) else {"status": found.status}
        return JSONResponse(told, status_code=found.code, headers={"Cache-Control": "no-store"})

    return answer


def _current_health(context: ServerContext) -> Health:
    scheduler = context.background.scheduler if context.background else None
    resting = scheduler is not None and scheduler.resting
    return health(context.home, context.clock, resting=resting, feeds=context.settings.mirror_feeds)


def _health_document(found: Health) -> dict[str, Any]:
    return {name: value for name, value in vars(found).items() if value is not None}
