"""How current the mirror is: ``sync_status``."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from anyio import to_thread
from mcp.server.mcpserver import Context
from mcp.types import CallToolResult
from pydantic import Field

from kandji_mcp_server.answers import Absent, StatusAnswer, result
from kandji_mcp_server.mirror import Mirror
from kandji_mirror.api.spending import spending
from kandji_mirror.store.holder import holder
from kandji_queries.cautions import cautions, is_overdue
from kandji_queries.values import moment
from kandji_schema.ages import age
from kandji_schema.errors import UnknownName
from kandji_schema.manifest import Manifest, newest_whole

if TYPE_CHECKING:
    from kandji_schema.manifest import TableState

COLUMNS = ["table", "state", "rows", "age", "due_after", "overdue"]


async def sync_status(
    ctx: Context[Mirror],
    tables: Annotated[list[str] | Absent, Field(description="Tell all about these.")] = None,
) -> Annotated[CallToolResult, StatusAnswer]:
    """Tell how current the mirror is: state, age and due time of each table, and what failed and why.

    Every other answer is dated already; call this to find out why data is old or missing.
    """
    mirror = ctx.request_context.lifespan_context
    return result(await to_thread.run_sync(status, mirror, tables or ()))


def status(mirror: Mirror, wanted: Sequence[str]) -> StatusAnswer:
    """Read from the manifest and small files beside it, so it answers also while the data files do not."""
    manifest, warnings = newest_whole(mirror.home)
    for name in wanted:
        if name not in manifest.tables:
            raise UnknownName("table", name, manifest.tables)
    now = mirror.clock()
    spent = spending(mirror.home, now)
    shown = [state for name, state in manifest.tables.items() if name in wanted or not wanted]
    return StatusAnswer(
        notes=[*warnings, *cautions(manifest.tables.values(), now)],
        tenant=manifest.tenant,
        published_at=moment(manifest.published_at.replace(microsecond=0)),
        syncing=holder(mirror.home) is not None,
        requests=spent.requests if spent else None,
        background_requests=spent.background if spent else None,
        changes_since=_since(manifest),
        columns=COLUMNS,
        tables=[_line(state, now) for state in shown],
        details={state.name: _details(state) for state in shown if wanted or _is_remarkable(state)},
    )


def _since(manifest: Manifest) -> str | None:
    return _text(min((segment.since for segment in manifest.history), default=None))


def _line(state: "TableState", now: datetime) -> list[Any]:
    due = age(now - timedelta(seconds=state.ttl_seconds), now)
    overdue = is_overdue(state.synced_at, state.ttl_seconds, now)
    return [state.name, state.state.value, state.rows, age(state.synced_at, now), due, overdue]


def _is_remarkable(state: "TableState") -> bool:
    return bool(state.note or state.ttl_reason or state.drift.odd or state.drift.unknown)


def _details(state: "TableState") -> dict[str, Any]:
    """What the line does not tell, without what is empty."""
    drift = asdict(state.drift)
    facts = {
        "as_of": _text(state.synced_at),
        "attempted_at": _text(state.attempted_at),
        "counted_at": _text(state.checked_at),
        "method": state.method,
        "error": state.error,
        "note": state.note,
        "due_later_because": state.ttl_reason,
        "values_that_did_not_fit": drift["odd"],
        "unknown_fields": drift["unknown"],
        "missing_fields": list(drift["missing"]),
    }
    return {name: value for name, value in facts.items() if value}


def _text(at: datetime | None) -> str | None:
    return moment(at.replace(microsecond=0)) if at else None
