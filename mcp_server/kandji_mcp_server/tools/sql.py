"""Any question in SQL: ``run_sql``."""

from typing import TYPE_CHECKING, Annotated, Any

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult
from pydantic import Field, WithJsonSchema

from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.registration import client_of
from kandji_mcp_server.render.answers import RowsAnswer, age_range, tool_result
from kandji_queries.results.dates import short_dates
from kandji_queries.results.values import compact
from kandji_schema.errors import UsageError

if TYPE_CHECKING:
    from kandji_queries.results.result import JsonResult

Values = Annotated[
    dict[str, Any] | None,
    WithJsonSchema({"type": "object", "additionalProperties": True}),
]
"""Parameters by name. The schema says plainly ``object``; several clients cannot offer a choice of types."""


async def run_sql(
    ctx: Context[ServerContext],
    sql: Annotated[str, Field(description="One statement: SELECT, WITH, FROM, PIVOT, DESCRIBE, SUMMARIZE or EXPLAIN.")],
    params: Annotated[Values, Field(description='Values for $name in the statement: {"app": "zoom"}.')] = None,
) -> Annotated[CallToolResult, RowsAnswer]:
    """Run one read-only SQL statement (DuckDB dialect) on the mirror.

    fleet_overview names the tables, describe_table their columns. Compare versions with
    version_below(os_version, '14.6'), not as text (NULL: unknown). Times are UTC; now() works. Match names with
    contains(folded(name), folded($app)). The past: changes_by_thing, or FROM devices_as_of('2026-11-20 12:00'). Select
    few columns, aggregate: long answers are cut.
    """
    context = ctx.request_context.lifespan_context
    found = await context.run_sql(sql, params, client_of(ctx))
    return tool_result(_sql_answer(context, found))


def _sql_answer(context: ServerContext, found: "JsonResult") -> RowsAnswer:
    columns = [column.name for column in found.columns]
    _refuse_too_wide(columns, context.most_bytes)
    return RowsAnswer(
        notes=found.notes,
        as_of=short_dates(found.as_of),
        age=age_range(found.as_of, context.clock()),
        row_count=found.row_count,
        truncated=found.truncated,
        columns=columns,
        rows=list(map(list, found.rows)),
    )


def _refuse_too_wide(columns: list[str], most: int) -> None:
    if len(compact(columns)) > most:
        raise UsageError(
            f"The answer has {len(columns):,} columns; their names alone exceed the {most:,} bytes of an answer "
            "(KANDJI_MIRROR_MCP_BYTES). Name the columns you need."
        )
