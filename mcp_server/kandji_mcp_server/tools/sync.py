"""Syncing: ``sync_status`` tells how current the mirror is, ``refresh`` reads from the tenant now."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

from anyio import sleep, to_thread
from mcp.server.mcpserver import Context
from mcp.types import CallToolResult
from pydantic import Field

from kandji_mcp_server.background import Refresh
from kandji_mcp_server.context import REMEDY, ServerContext
from kandji_mcp_server.render.answers import Absent, RefreshAnswer, StatusAnswer, tool_result
from kandji_mirror.api.usage import usage
from kandji_mirror.store.lock import holder
from kandji_queries.catalog import device_lookup
from kandji_queries.results.data_notes import data_notes, is_overdue
from kandji_schema.durations import age, in_words
from kandji_schema.errors import ConfigurationError, UnknownName, UsageError
from kandji_schema.feeds import is_on
from kandji_schema.manifest import Manifest, State, newest_whole
from kandji_schema.utc import iso_utc

if TYPE_CHECKING:
    from kandji_schema.manifest import TableState

STATUS_COLUMNS = ["table", "state", "rows", "age", "due_after", "overdue"]

REFRESH_COLUMNS = ["table", "state", "rows", "as_of", "age", "error"]

LOAD_SECONDS = 20.0
"""What loading the scheduler may take; it is a second or two."""

LOOK_SECONDS = 0.1


async def sync_status(
    ctx: Context[ServerContext],
    tables: Annotated[list[str] | Absent, Field(description="Tell all about these.")] = None,
) -> Annotated[CallToolResult, StatusAnswer]:
    """Tell how current the mirror is: state, age and due time of each table, and what failed and why.

    Every answer is dated already; call this to find out why data is old or missing.
    """
    context = ctx.request_context.lifespan_context
    return tool_result(await to_thread.run_sync(status_answer, context, tables or ()))


def status_answer(context: ServerContext, wanted: Sequence[str]) -> StatusAnswer:
    """Read from the manifest and small files beside it, so it answers also while the data files do not."""
    manifest, warnings = newest_whole(context.home)
    for name in wanted:
        if name not in manifest.tables:
            raise UnknownName("table", name, manifest.tables)
    now = context.clock()
    spent = usage(context.home, now)
    shown = [state for name, state in manifest.tables.items() if name in wanted or not wanted]
    told = [state for name, state in manifest.tables.items() if name in wanted or not state.is_off]
    return StatusAnswer(
        notes=[*warnings, *data_notes(told, now, remedy=REMEDY)],
        tenant=manifest.tenant,
        published_at=iso_utc(manifest.published_at.replace(microsecond=0)),
        syncing=holder(context.home) is not None,
        requests=spent.requests if spent else None,
        background_requests=spent.background if spent else None,
        changes_since=_history_since(manifest),
        columns=STATUS_COLUMNS,
        tables=[_status_row(state, now, context.settings.mirror_feeds) for state in shown],
        details={state.name: _details(state) for state in shown if wanted or _is_remarkable(state)},
    )


def _history_since(manifest: Manifest) -> str | None:
    return _utc_text(min((segment.since for segment in manifest.history), default=None))


def _status_row(state: "TableState", now: datetime, feeds: str) -> list[Any]:
    due = in_words(state.ttl_seconds)
    overdue = is_on(state.name, feeds) and is_overdue(state.synced_at, state.ttl_seconds, now)
    return [state.name, state.state_word, state.rows, age(state.synced_at, now), due, overdue]


def _is_remarkable(state: "TableState") -> bool:
    return bool(state.note or state.ttl_reason or state.drift.odd or state.drift.unknown)


def _details(state: "TableState") -> dict[str, Any]:
    """Return what the line does not tell, without what is empty."""
    drift = asdict(state.drift)
    facts = {
        "as_of": _utc_text(state.synced_at),
        "attempted_at": _utc_text(state.attempted_at),
        "counted_at": _utc_text(state.checked_at),
        "method": state.method,
        "error": state.error,
        "note": state.note,
        "due_later_because": state.ttl_reason,
        "values_that_did_not_fit": drift["odd"],
        "unknown_fields": drift["unknown"],
        "missing_fields": list(drift["missing"]),
    }
    return {name: value for name, value in facts.items() if value}


def _utc_text(at: datetime | None) -> str | None:
    return iso_utc(at.replace(microsecond=0)) if at else None


async def refresh(
    ctx: Context[ServerContext],
    tables: Annotated[list[str] | Absent, Field(description="Tables to read, such as devices and apps.")] = None,
    device: Annotated[str | Absent, Field(description="Instead: one device, in all its tables.")] = None,
    wait_seconds: Annotated[int, Field(ge=0, le=300)] = 45,
) -> Annotated[CallToolResult, RefreshAnswer]:
    """Read tables, or one device, from the tenant now: only when a question needs younger data than there is.

    It changes the mirror, never the tenant, and spends requests of the tenant's hour. done=false: it still goes on.
    """
    context = ctx.request_context.lifespan_context
    names, device_id = await _requested(context, tables, device)
    refresh = await to_thread.run_sync(_begin_refresh, context, names, device_id)
    await _wait_for(ctx, refresh, wait_seconds)
    return tool_result(await to_thread.run_sync(_refresh_answer, context, refresh, names, wait_seconds))


async def _requested(
    context: ServerContext, tables: list[str] | None, device: str | None
) -> tuple[tuple[str, ...], str | None]:
    """Return the tables, or the device's identifier; :class:`UsageError` for neither and for both."""
    if bool(tables) == bool(device):
        raise UsageError("Name either tables, such as ['devices'], or one device.")
    if device is not None:
        found = await context.ask(lambda reader: device_lookup.find_one(reader, device))
        return (), str(found["device_id"])
    return await to_thread.run_sync(_known_tables, tables or []), None


def _known_tables(tables: Iterable[str]) -> tuple[str, ...]:
    from kandji_schema.registry import tenant_table  # with it comes sqlmodel

    return tuple(sorted({tenant_table(name).name for name in tables}))


def _begin_refresh(context: ServerContext, tables: tuple[str, ...], device_id: str | None) -> Refresh:
    if context.background is None:
        raise ConfigurationError("This server only reads the mirror. `kandji-mirror sync` reads from the tenant.")
    if device_id is None:
        return context.background.refresh_tables(tables, LOAD_SECONDS)
    return context.background.refresh_device(device_id, LOAD_SECONDS)


async def _wait_for(ctx: Context[ServerContext], refresh: Refresh, seconds: int) -> None:
    """Wait until it is done or the time is over, telling who listens how far it is."""
    told, ends = -1, monotonic() + seconds
    while not refresh.report.done() and monotonic() < ends:
        if refresh.steps > told:
            told = refresh.steps
            await ctx.report_progress(told, message=refresh.words)
        await sleep(LOOK_SECONDS)


def _refresh_answer(context: ServerContext, refresh: Refresh, names: tuple[str, ...], waited: int) -> RefreshAnswer:
    if not refresh.report.done():
        notes = [f"Still reading after {waited} s ({refresh.words}). It goes on; sync_status tells when it is done."]
        return RefreshAnswer(notes=notes, done=False, columns=REFRESH_COLUMNS, tables=[])
    report = refresh.report.result()
    errors = {outcome.table: outcome.error or outcome.note for outcome in report.outcomes}
    rows = _refreshed_rows(context, names or tuple(errors), errors)
    failed = [row[0] for row in rows if row[1] != State.OK.value]
    notes = [f"Not as it should be: {', '.join(failed)}; these kept their previous rows."] if failed else []
    return RefreshAnswer(notes=[*notes, *report.warnings], done=True, columns=REFRESH_COLUMNS, tables=rows)


def _refreshed_rows(context: ServerContext, names: tuple[str, ...], errors: dict[str, str | None]) -> list[list[Any]]:
    manifest, _ = newest_whole(context.home)
    states = [manifest.tables[name] for name in names if name in manifest.tables]
    now = context.clock()
    return [
        [
            state.name,
            state.state.value,
            state.rows,
            state.synced_at and iso_utc(state.synced_at.replace(microsecond=0)),
            age(state.synced_at, now),
            errors.get(state.name),
        ]
        for state in states
    ]
