"""Files instead of long answers: ``export``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult
from pydantic import Field

from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.render.answers import ExportAnswer, age_range, tool_result
from kandji_mcp_server.tools.sql import Values

if TYPE_CHECKING:
    from kandji_queries.export.report import ExportedItem, ExportReport

COLUMNS = ["name", "rows", "file", "bytes", "sha256"]


async def export(
    ctx: Context[ServerContext],
    names: Annotated[list[str], Field(min_length=1, description="Tables, views, named queries.")],
    format: Literal["csv", "parquet", "jsonl"] = "csv",  # noqa: A002  # the word users know
    params: Annotated[Values, Field(description="Of the queries.")] = None,
) -> Annotated[CallToolResult, ExportAnswer]:
    """Write whole tables, views or named queries to files on this machine, for what is too long to show.

    They go into a new folder below the mirror's export folder; the answer names it.
    """
    context = ctx.request_context.lifespan_context
    return tool_result(_export_answer(context, await context.export(names, format, params or {})))


def _export_answer(context: ServerContext, report: "ExportReport") -> ExportAnswer:
    as_of = {table: at for entry in report.exports for table, at in entry.as_of.items()}
    return ExportAnswer(
        notes=list(report.notes),
        folder=str(report.folder),
        age=age_range(as_of, context.clock()),
        columns=COLUMNS,
        files=[_file_row(entry, report.folder) for entry in report.exports],
    )


def _file_row(entry: "ExportedItem", folder: Path) -> list[Any]:
    (file,) = entry.files
    return [entry.name, entry.rows, str(folder / file.path), file.bytes, file.sha256]
