"""What became other than it was: ``changes``."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult
from pydantic import Field

from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.render.answers import Absent, ChangesAnswer, tool_result
from kandji_mcp_server.render.truncate import RowPage, truncate
from kandji_mcp_server.tools.queries import json_rows, rows_answer
from kandji_queries.history import changes as history
from kandji_queries.history.compare import read_comparison

if TYPE_CHECKING:
    from kandji_queries.history.changes import Asked
    from kandji_queries.history.compare import Comparison
    from kandji_queries.reader import Reader

COMPARED = ("difference", "name", "device_name", "serial_number", "what", "row_key")
"""Columns of a comparison."""

MOST_COMPARED = 50_000
"""Most rows of a comparison that are counted."""

MOST = 500
"""Most lines of an answer."""

USUAL_BYTES = 2_800
"""What lines take where nobody says how many: with the summary they are about 900 tokens."""

ON_ALL, ON_ONE = ("changed_at", "what", "changes", "devices", "which"), ("changed_at", "what")
"""Columns of a line; of one device it need not be said which."""

WHEN = "30m, 24h, 7d ago, or a time, 2026-11-20T12:00Z."


async def changes(
    ctx: Context[ServerContext],
    since: Annotated[str, Field(description=WHEN)] = "24h",
    until: Annotated[str | Absent, Field(description="By default now.")] = None,
    device: str | Absent = None,
    table: str | Absent = None,
    limit: Annotated[Annotated[int, Field(ge=1, le=MOST)] | Absent, Field()] = None,
    offset: Annotated[int, Field(ge=0)] = 0,
    compare: Annotated[bool, Field(description="Rows of table that differ.")] = False,
) -> Annotated[CallToolResult, ChangesAnswer]:
    """Tell what changed: apps updated, owners, devices that came or went with what they had.

    The same on several devices is one line; summary counts all.
    """
    context = ctx.request_context.lifespan_context

    def ask(reader: "Reader") -> ChangesAnswer:
        now = context.clock()
        if compare:
            return _comparison_answer(
                context,
                reader,
                read_comparison(reader, table=table, since=since, until=until, device=device, now=now),
                limit,
                offset,
            )
        asked = history.read_asked(reader, since=since, until=until, device=device, table=table, now=now)
        return _changes_answer(context, reader, asked, limit, offset)

    return tool_result(await context.ask(ask))


def _changes_answer(
    context: ServerContext, reader: "Reader", asked: "Asked", limit: int | None, offset: int
) -> ChangesAnswer:
    statement = history.statement(newest_first=True, limit=limit or MOST, offset=offset)
    found = reader.run(statement, asked.values, limits=replace(reader.limits, rows=10_000, bytes=None))
    kinds = history.summary(found.rows)
    page = json_rows(found)
    lines = page.rows[len(kinds) :]
    total = page.rows[0][page.columns.index("lines")] if page.rows else 0
    whole = RowPage(page.columns, lines, total, begin=offset).only(ON_ONE if asked.past else ON_ALL)
    most = context.most_bytes if limit else min(context.most_bytes, USUAL_BYTES)
    shown = truncate(whole, most, limit or MOST)
    notes = [*found.notes, *asked.notes(), *_page_note(shown)]
    told = rows_answer(context, found, shown, notes)
    return ChangesAnswer(
        **vars(told), summary=[[kind.thing, kind.change, kind.changes, kind.devices] for kind in kinds]
    )


def _page_note(shown: RowPage) -> Iterator[str]:
    if shown.truncated:
        end = shown.begin + len(shown.rows)
        rest = f"narrow with table, device, since and until, or go on with offset={end}"
        yield f"Lines {shown.begin + 1} to {end} of {shown.total:,}: {rest}."


def _comparison_answer(
    context: ServerContext, reader: "Reader", both: "Comparison", limit: int | None, offset: int
) -> ChangesAnswer:
    found = reader.run(both.statement, both.values, limits=replace(reader.limits, rows=MOST_COMPARED, bytes=None))
    page = json_rows(found)
    kinds = dict.fromkeys((row[0], row[-1]) for row in page.rows)
    shown = truncate(
        page.only(COMPARED).slice(offset, limit or MOST),
        context.most_bytes if limit else min(context.most_bytes, USUAL_BYTES),
        limit or MOST,
    )
    told = rows_answer(context, found, shown, [*found.notes, *both.notes(), *_page_note(shown)])
    return ChangesAnswer(**vars(told), summary=[[both.resource.name, kind, rows, None] for kind, rows in kinds])
