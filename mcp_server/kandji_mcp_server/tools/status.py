"""How current the mirror is: ``sync_status``."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from anyio import to_thread
from mcp.server.mcpserver import Context
from mcp.types import CallToolResult

from kandji_mcp_server.answers import StatusAnswer, SyncedTable, result
from kandji_mcp_server.mirror import Mirror
from kandji_mirror.api.spending import spending
from kandji_mirror.store.holder import holder
from kandji_queries.cautions import is_overdue
from kandji_queries.values import moment
from kandji_schema.ages import age
from kandji_schema.manifest import newest_whole

if TYPE_CHECKING:
    from kandji_schema.manifest import TableState


async def sync_status(ctx: Context[Mirror]) -> Annotated[CallToolResult, StatusAnswer]:
    """Tell how current the mirror is: per table the state of the last sync, age, error, and what is overdue.

    Every other answer is dated already; call this to find out why data is old or missing.
    """
    mirror = ctx.request_context.lifespan_context
    return result(await to_thread.run_sync(_status, mirror))


def _status(mirror: Mirror) -> StatusAnswer:
    """Read from the manifest and small files beside it, so it answers also while the data files do not."""
    manifest, warnings = newest_whole(mirror.home)
    now = mirror.clock()
    spent = spending(mirror.home, now)
    return StatusAnswer(
        notes=warnings,
        tenant=manifest.tenant,
        published_at=moment(manifest.published_at),
        syncing=holder(mirror.home) is not None,
        requests=spent.requests if spent else None,
        background_requests=spent.background if spent else None,
        changes_since=_text(min((segment.since for segment in manifest.history), default=None)),
        tables=[_table(state, now) for state in manifest.tables.values()],
    )


def _table(state: "TableState", now: datetime) -> SyncedTable:
    return SyncedTable(
        name=state.name,
        state=state.state.value,
        rows=state.rows,
        as_of=_text(state.synced_at),
        age=age(state.synced_at, now),
        ttl_seconds=state.ttl_seconds,
        overdue=is_overdue(state.synced_at, state.ttl_seconds, now),
        attempted_at=_text(state.attempted_at),
        method=state.method,
        checked_at=_text(state.checked_at),
        error=state.error,
        note=state.note,
        ttl_reason=state.ttl_reason,
        odd_values=dict(state.drift.odd),
        unknown_fields=dict(state.drift.unknown),
        missing_fields=list(state.drift.missing),
    )


def _text(at: datetime | None) -> str | None:
    return moment(at) if at else None
