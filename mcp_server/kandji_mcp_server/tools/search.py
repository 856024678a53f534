"""Everything that has a name, by words: ``search``."""

from typing import TYPE_CHECKING, Annotated

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult

from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.render.answers import Absent, SearchAnswer, age_range, tool_result
from kandji_mcp_server.tools.queries import json_rows
from kandji_queries.catalog.search import USUAL
from kandji_queries.catalog.search import search as search_everything

if TYPE_CHECKING:
    from kandji_queries.reader import Reader

MOST_BYTES = 2_700
"""About 800 tokens: what the hits of a search may take where nobody said how many are wanted."""


async def search(
    ctx: Context[ServerContext],
    words: str,
    kind: str | Absent = None,
    limit: int | Absent = None,
) -> Annotated[CallToolResult, SearchAnswer]:
    """Find columns, queries, apps, people, devices (any number) by words; tells what is not in the mirror."""
    context = ctx.request_context.lifespan_context
    return tool_result(await context.ask(lambda reader: search_answer(context, reader, words, kind, limit)))


def search_answer(
    context: ServerContext, reader: "Reader", words: str, kind: str | None, limit: int | None
) -> SearchAnswer:
    """Make the answer of ``search``; :class:`UsageError` for words that are none."""
    found = search_everything(reader, words, kind, USUAL if limit is None else limit)
    page = json_rows(found.result()).measured()
    return SearchAnswer(
        notes=[*reader.warnings, *found.notes],
        age=age_range(found.as_of, context.clock()) if found.as_of else None,
        columns=page.columns,
        rows=page.within(context.most_bytes if limit else min(context.most_bytes, MOST_BYTES)).rows
        if page.rows
        else [],
    )
