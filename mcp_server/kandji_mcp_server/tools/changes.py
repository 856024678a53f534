"""What became other than it was: ``changes``."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult
from pydantic import Field

from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.own_sql import own_statement
from kandji_mcp_server.render.answers import Absent, ChangesAnswer, tool_result
from kandji_mcp_server.render.truncate import truncate
from kandji_mcp_server.tools.queries import json_rows, rows_answer
from kandji_queries.catalog import device_lookup
from kandji_queries.history import period

if TYPE_CHECKING:
    from kandji_queries.reader import Reader

USUAL = 40
"""Changes shown where nobody says how many."""

WHEN = "30m, 24h, 7d ago, or a time such as 2026-11-20T12:00 UTC."


async def changes(
    ctx: Context[ServerContext],
    since: Annotated[str, Field(description=WHEN)] = "24h",
    until: Annotated[str | Absent, Field(description="By default now.")] = None,
    device: Annotated[str | Absent, Field(description="Only this device.")] = None,
    table: Annotated[str | Absent, Field(description="Only this table.")] = None,
    limit: Annotated[int, Field(ge=1, le=500)] = USUAL,
) -> Annotated[CallToolResult, ChangesAnswer]:
    """Tell what changed: rows that came and went, values before and after, newest first; summary counts all of them.

    Devices that came, went, or changed user or blueprint: run_query device_changes is shorter.
    """
    context = ctx.request_context.lifespan_context
    return tool_result(
        await context.ask(lambda reader: _changes_answer(context, reader, since, until, device, table, limit))
    )


def _changes_answer(
    context: ServerContext,
    reader: "Reader",
    since: str,
    until: str | None,
    device: str | None,
    table: str | None,
    limit: int,
) -> ChangesAnswer:
    now = context.clock()
    wanted = period.read_period(since, until, now)
    begins = period.known_since(reader, table, wanted)
    end = wanted.until or wanted.now
    past = None if device is None else device_lookup.find_in_history(reader, device)
    asked = {"since": wanted.since, "until": end, "table": table, "device": past and past.device["device_id"]}
    counted = reader.run(own_statement("how_much_changed"), asked)
    summary = json_rows(counted)
    changed = {table or "devices", *(row[0] for row in summary.rows)}
    total = sum(row[summary.columns.index("changes")] for row in summary.rows)
    found = reader.run(own_statement("what_changed"), asked)
    shown = truncate(replace(json_rows(found).slice(0, limit), total=total), context.most_bytes)
    notes = [
        *found.notes,
        *period.coverage_notes(begins, wanted),
        *(past.notes() if past else ()),
        *_truncation_note(total, len(shown.rows)),
    ]
    as_of = {name: at for name, at in found.as_of.items() if name in changed}
    told = rows_answer(context, found, shown, notes, as_of=as_of)
    return ChangesAnswer(**vars(told), summary=[[row[0], row[1], row[2]] for row in summary.rows])


def _truncation_note(total: int, shown: int) -> Iterator[str]:
    if shown < total:
        yield (
            f"{shown:,} of {total:,} changes, the newest. Narrow with table, device, since and until, or count with "
            "SQL on the view changes."
        )
