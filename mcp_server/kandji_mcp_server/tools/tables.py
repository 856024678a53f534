"""What is in the mirror: ``fleet_overview`` of all tables, ``describe_table`` of one."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult
from pydantic import Field

from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.examples import FrequentValues, examples, frequent_values
from kandji_mcp_server.render.answers import FleetAnswer, TableAnswer, age_words, tool_result
from kandji_mcp_server.tools.queries import signature
from kandji_queries.catalog.queries import catalog
from kandji_queries.definitions import views
from kandji_queries.describe import functions_in_short
from kandji_schema.manifest import newest_whole

if TYPE_CHECKING:
    from kandji_queries.catalog.dictionary import ColumnInfo, TableInfo
    from kandji_queries.reader import Reader

USUAL: Mapping[str, Sequence[str] | None] = {
    "fleet": None,
    "apps": ("device_id", "name", "bundle_id", "version", "path", "developer_name", "device_family"),
    "compliance": ("device_id", "rule", "severity", "result", "reason"),
    "changes_by_thing": ("changed_at", "device_name", "thing", "name", "change", "what"),
}
"""Columns of what answers most questions; None are all of them."""


async def fleet_overview(ctx: Context[ServerContext]) -> Annotated[CallToolResult, FleetAnswer]:
    """Show the mirror in short: devices by platform, tables with rows, age and content, views, most used columns.

    The view fleet has one wide row a device; installed software is in apps.
    """
    context = ctx.request_context.lifespan_context
    return tool_result(await context.ask(lambda reader: overview_answer(context, reader)))


def overview_answer(context: ServerContext, reader: "Reader") -> FleetAnswer:
    """Make the answer of ``fleet_overview``."""
    infos = reader.tables()
    tables = [info for info in infos if info.kind == "table"]
    manifest, _ = newest_whole(context.home)
    platforms = reader.run("SELECT coalesce(platform, 'unknown'), count(*) FROM devices GROUP BY ALL ORDER BY 2 DESC")
    now = context.clock()
    return FleetAnswer(
        notes=[*reader.warnings, *reader.data_notes(info.name for info in tables)],
        tenant=manifest.tenant,
        platforms=dict(platforms.rows),
        columns=["table", "rows", "age", "one row is"],
        tables=[_table_row(info, now) for info in tables],
        views={view.name: view.title for view in views().values()},
        functions=functions_in_short(reader),
        columns_of={name: _column_names(reader, name, chosen) for name, chosen in USUAL.items()},
    )


def _table_row(info: "TableInfo", now: datetime) -> list[object]:
    return [info.name, info.rows, age_words(info.synced_at, now), _subject(info)]


def _subject(info: "TableInfo") -> str:
    """Return the first clause of the description, without what all of them begin with."""
    words = info.description.split(". ")[0].split("; ")[0].split(": ")[0].removeprefix("One row per ")
    return words.removeprefix("One row ").rstrip(".")


def _column_names(reader: "Reader", table: str, chosen: Sequence[str] | None) -> str:
    return ", ".join(chosen or (column.name for column in reader.describe(table).columns))


HUBS = ("devices", "users", "blueprints", "apps")
"""Tables that many others join to; joins to all the others would be a long list of the same."""


async def describe_table(
    ctx: Context[ServerContext],
    table: Annotated[str, Field(description="Name of a table or view, such as fleet.")],
) -> Annotated[CallToolResult, TableAnswer]:
    """Explain one table or view: columns with type, meaning and frequent values, joins, named queries, examples."""
    context = ctx.request_context.lifespan_context
    return tool_result(await context.ask(lambda reader: table_answer(context, reader, table)))


def table_answer(context: ServerContext, reader: "Reader", table: str) -> TableAnswer:
    """Make the answer of ``describe_table``; :class:`UnknownName` with the nearest names."""
    detail = reader.describe(table)
    info, columns = detail.info, detail.columns
    found = frequent_values(reader, info.name, columns)
    joined = _joins(info.name, columns)
    return TableAnswer(
        notes=[*reader.warnings, *reader.data_notes([info.name])],
        name=info.name,
        kind=info.kind,
        description=info.description,
        row_count=info.rows,
        as_of=info.synced_at,
        age=age_words(info.synced_at, context.clock()) if info.state else None,
        columns=[_column_row(column, found) for column in columns],
        joins=joined,
        named_queries=[signature(query) for query in catalog().values() if reads(query.sql, info.name)],
        examples=examples(info.name, columns, found, joined),
    )


def _column_row(column: "ColumnInfo", found: FrequentValues) -> list[object]:
    """Return name, type, meaning, and the values that are there most often where these are no secret."""
    values = found.get(column.name)
    return [column.name, column.type, column.description, *([values] if values else ())]


def reads(sql: str, table: str) -> bool:
    """Tell whether a statement of ours names the table after FROM or JOIN."""
    return re.search(rf"\b(?:FROM|JOIN)\s+{table}\b", sql) is not None


def _joins(table: str, columns: Sequence["ColumnInfo"]) -> dict[str, list[str]]:
    """Find by column where the same identifiers are; of many tables :data:`HUBS` are named, else the first."""
    from kandji_schema.registry import joins  # with it comes sqlmodel, which nothing else here needs

    return {column: _few(matches) for column, matches in joins(table, (c.name for c in columns)).items()}


def _few(matches: list[str]) -> list[str]:
    if len(matches) <= len(HUBS):
        return matches
    named = [match for match in matches if match.split(".")[0] in HUBS] or matches[: len(HUBS)]
    return [*named, f"and {len(matches) - len(named)} more tables"]
