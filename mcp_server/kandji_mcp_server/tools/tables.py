"""What is in one table: ``describe_table``."""

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult
from pydantic import Field

from kandji_mcp_server.answers import TableAnswer, result
from kandji_mcp_server.examples import examples
from kandji_mcp_server.freshness import in_words
from kandji_mcp_server.mirror import Mirror
from kandji_mcp_server.samples import Samples, samples
from kandji_mcp_server.tools.named import signature
from kandji_queries.catalog import catalog

if TYPE_CHECKING:
    from kandji_queries.reader import Reader
    from kandji_queries.tables import ColumnInfo

Columns = Mapping[str, Iterable[str]]

HUBS = ("devices", "users", "blueprints", "apps")
"""Tables that many others join to; joins to all the others would be a long list of the same."""


async def describe_table(
    ctx: Context[Mirror],
    table: Annotated[str, Field(description="Name of a table or view, such as fleet.")],
) -> Annotated[CallToolResult, TableAnswer]:
    """Explain one table or view: columns with type, meaning and frequent values, joins, named queries, examples."""
    mirror = ctx.request_context.lifespan_context
    return result(await mirror.ask(lambda reader: described(mirror, reader, table)))


def described(mirror: Mirror, reader: "Reader", table: str) -> TableAnswer:
    """The answer of ``describe_table``; :class:`UnknownName` with the nearest names."""
    detail = reader.describe(table)
    info, columns = detail.info, detail.columns
    found = samples(reader, info.name, columns)
    joined = joins(info.name, _columns(info.name, columns))
    return TableAnswer(
        notes=[*reader.warnings, *reader.cautions([info.name])],
        name=info.name,
        kind=info.kind,
        description=info.description,
        row_count=info.rows,
        as_of=info.synced_at,
        age=in_words(info.synced_at, mirror.clock()) if info.state else None,
        columns=[_line(column, found) for column in columns],
        joins=joined,
        named_queries=[signature(query) for query in catalog().values() if reads(query.sql, info.name)],
        examples=examples(info.name, columns, found, joined),
    )


def _line(column: "ColumnInfo", found: Samples) -> list[object]:
    """Name, type, meaning, and the values that are there most often where these are no secret."""
    values = found.get(column.name)
    return [column.name, column.type, column.description, *([values] if values else ())]


def reads(sql: str, table: str) -> bool:
    """Whether a statement of ours names the table after FROM or JOIN."""
    return re.search(rf"\b(?:FROM|JOIN)\s+{table}\b", sql) is not None


def _columns(table: str, columns: "Iterable[ColumnInfo]") -> dict[str, list[str]]:
    """Names of the columns of every table there can be, and of the one that is described."""
    from kandji_schema.registry import resources  # with it comes sqlmodel, which nothing else here needs

    known = {name: [column.name for column in found.columns] for name, found in resources().items()}
    return {**known, table: [column.name for column in columns]}


def joins(table: str, columns: Columns) -> dict[str, list[str]]:
    """For each identifier of ``table`` the columns of other tables that hold the same: ``id`` of users is ``user_id``.

    ``columns`` are the names of every table's columns. Where there are many, those of :data:`HUBS` are named.
    """
    elsewhere = [(other, key, column) for other in columns if other != table for column, key in _keys(other, columns)]
    found = {
        column: [f"{other}.{match}" for other, same, match in elsewhere if same == key]
        for column, key in _keys(table, columns)
    }
    return {column: _fewer(matches) for column, matches in found.items() if matches}


def _fewer(matches: list[str]) -> list[str]:
    if len(matches) <= len(HUBS):
        return matches
    named = [match for match in matches if match.split(".")[0] in HUBS]
    return [*named, f"and {len(matches) - len(named)} more tables by the same name"]


def _keys(table: str, columns: Columns) -> list[tuple[str, str]]:
    """Identifier columns of a table, each with the name it has in other tables."""
    own = f"{table.removesuffix('s')}_id"
    return [(c, own if c == "id" else c) for c in columns[table] if c == "id" or c.endswith("_id")]
