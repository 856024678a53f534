"""What is in the mirror: ``fleet_overview`` of all tables, ``describe_table`` of one."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult
from pydantic import BeforeValidator, Field

from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.examples import FrequentValues, examples, frequent_values, joined_columns, row_key
from kandji_mcp_server.render.answers import FleetAnswer, TableAnswer, age_words, tool_result
from kandji_mcp_server.tools.queries import is_listed, signature
from kandji_queries.catalog.queries import catalog
from kandji_queries.definitions import views
from kandji_queries.describe import functions_in_short
from kandji_queries.results.data_notes import flagged_devices
from kandji_queries.results.values import compact
from kandji_schema.errors import UsageError
from kandji_schema.manifest import OFF, newest_whole

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

MOST_TABLES = 8
"""Tables that are described at once."""

LONGEST = 12_000
"""Most characters of the columns of several tables with their meanings."""

NOT_REPEATED = {"notes", "about_cells", "more"}
"""What an answer about several tables says once."""


async def fleet_overview(ctx: Context[ServerContext]) -> Annotated[CallToolResult, FleetAnswer]:
    """Show the mirror in short: devices by platform, tables with rows, age and content, views, most used columns.

    The view fleet has one wide row a device; installed software is in apps.
    """
    context = ctx.request_context.lifespan_context
    return tool_result(await context.ask(lambda reader: overview_answer(context, reader)))


def overview_answer(context: ServerContext, reader: "Reader") -> FleetAnswer:
    """Make the answer of ``fleet_overview``."""
    infos = reader.tables()
    tables = [info for info in infos if info.kind == "table" and info.state != OFF]  # those of feeds have no room
    manifest, _ = newest_whole(context.home)
    platforms = reader.run("SELECT coalesce(platform, 'unknown'), count(*) FROM devices GROUP BY ALL ORDER BY 2 DESC")
    flagged = reader.run("SELECT count(*) FILTER (is_removed), count(*) FILTER (is_missing) FROM devices").rows[0]
    now = context.clock()
    return FleetAnswer(
        notes=[*reader.warnings, *flagged_devices(*flagged), *reader.data_notes(info.name for info in tables)],
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


Names = Annotated[
    str,
    BeforeValidator(lambda given: ",".join(given) if isinstance(given, list) and all(map(_is_text, given)) else given),
    Field(description="Name, or several with commas."),
]


async def describe_table(ctx: Context[ServerContext], table: Names) -> Annotated[CallToolResult, TableAnswer]:
    """Explain tables or views: columns with type, meaning and values, joins, named queries, examples."""
    context = ctx.request_context.lifespan_context
    return tool_result(await context.ask(lambda reader: tables_answer(context, reader, table)))


def tables_answer(context: ServerContext, reader: "Reader", tables: str) -> TableAnswer:
    """Make the answer of ``describe_table`` for one table, or several with commas: ``more`` has those after the first.

    :class:`UnknownName` with the nearest names, :class:`UsageError` for too many.
    """
    names = list(dict.fromkeys(filter(None, (name.strip() for name in tables.split(","))))) or [tables]
    if len(names) > MOST_TABLES:
        raise UsageError(f"{len(names)} tables were named; at most {MOST_TABLES} are described at once.")
    first, *others = answers = [table_answer(context, reader, name) for name in names]
    notes = [*reader.warnings, *reader.data_notes(answer.name for answer in answers)]
    if others and sum(len(compact(answer.columns)) for answer in answers) > LONGEST:
        notes.append("Long together: of columns only names, types and values are here; one table is told in full.")
        for answer in answers:
            answer.columns = [[*row[:2], *row[3:]] for row in answer.columns]
    more = [answer.model_dump(exclude=NOT_REPEATED, exclude_none=True) for answer in others]
    return first.model_copy(update={"notes": notes, "more": more})


def table_answer(context: ServerContext, reader: "Reader", table: str) -> TableAnswer:
    """Describe one table; :class:`UnknownName` with the nearest names."""
    detail = reader.describe(table)
    info, columns = detail.info, detail.columns
    found = frequent_values(reader, info.name, columns)
    return TableAnswer(
        notes=[*reader.warnings, *reader.data_notes([info.name])],
        name=info.name,
        kind=info.kind,
        description=f"{info.description}{row_key(info.name)}",
        row_count=info.rows,
        as_of=info.synced_at,
        age=age_words(info.synced_at, context.clock()) if info.state else None,
        columns=[_column_row(column, found) for column in columns],
        joins=joined_columns(info.name, columns),
        named_queries=[signature(q) for q in catalog().values() if is_listed(q) and reads(q.sql, info.name)],
        examples=examples(info.name),
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _column_row(column: "ColumnInfo", found: FrequentValues) -> list[object]:
    """Return name, type, meaning, and its values where these are few and no secret."""
    values = found.get(column.name)
    return [column.name, column.type, column.description, *([values] if values else ())]


def reads(sql: str, table: str) -> bool:
    """Tell whether a statement of ours names the table after FROM or JOIN."""
    return re.search(rf"\b(?:FROM|JOIN)\s+{table}\b", sql) is not None
