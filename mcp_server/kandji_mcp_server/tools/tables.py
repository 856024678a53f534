"""What is in the mirror: ``list_tables`` and ``describe_table``."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult
from pydantic import Field

from kandji_mcp_server.answers import DescribedColumn, ListedTable, TableAnswer, TablesAnswer, result
from kandji_mcp_server.freshness import in_words
from kandji_mcp_server.mirror import Mirror

if TYPE_CHECKING:
    from kandji_queries.reader import Reader
    from kandji_queries.tables import TableInfo

Columns = Mapping[str, Iterable[str]]


async def list_tables(ctx: Context[Mirror]) -> Annotated[CallToolResult, TablesAnswer]:
    """List every table and view of the mirror: what one row is, its columns, how many rows, how old they are.

    Call it once before writing SQL. Most device questions need only the view `fleet`; installed software is in `apps`.
    """
    mirror = ctx.request_context.lifespan_context
    return result(await mirror.ask(lambda reader: _listed(reader, mirror.clock())))


async def describe_table(
    ctx: Context[Mirror],
    table: Annotated[str, Field(description="Name of a table or view, such as fleet.")],
) -> Annotated[CallToolResult, TableAnswer]:
    """Explain one table or view: type and meaning of each column, and which columns of other tables join to it."""
    mirror = ctx.request_context.lifespan_context
    return result(await mirror.ask(lambda reader: _described(reader, table, mirror.clock())))


def _listed(reader: "Reader", now: datetime) -> TablesAnswer:
    infos = reader.tables()
    columns = _columns(reader, infos)
    tables = [ListedTable(**_facts(info, now), columns=list(columns[info.name])) for info in infos]
    return TablesAnswer(
        notes=[*reader.warnings, *reader.cautions(info.name for info in infos if info.state)], tables=tables
    )


def _described(reader: "Reader", table: str, now: datetime) -> TableAnswer:
    detail = reader.describe(table)
    return TableAnswer(
        notes=[*reader.warnings, *reader.cautions([detail.info.name])],
        **_facts(detail.info, now),
        columns=[DescribedColumn(**asdict(column)) for column in detail.columns],
        joins=joins(table, _columns(reader, reader.tables())),
    )


def _facts(info: "TableInfo", now: datetime) -> dict[str, Any]:
    facts = {"name": info.name, "kind": info.kind, "description": info.description}
    if info.state is None:
        return facts
    age = in_words(info.synced_at, now)
    return {**facts, "rows": info.rows, "as_of": info.synced_at, "age": age, "state": info.state}


def _columns(reader: "Reader", infos: "Iterable[TableInfo]") -> dict[str, list[str]]:
    return {info.name: [column.name for column in reader.describe(info.name).columns] for info in infos}


def joins(table: str, columns: Columns) -> dict[str, list[str]]:
    """For each identifier of ``table`` the columns of other tables that hold the same: ``id`` of users is ``user_id``.

    ``columns`` are the names of every table's columns.
    """
    elsewhere = [(other, key, column) for other in columns if other != table for column, key in _keys(other, columns)]
    found = {
        column: [f"{other}.{match}" for other, same, match in elsewhere if same == key]
        for column, key in _keys(table, columns)
    }
    return {column: matches for column, matches in found.items() if matches}


def _keys(table: str, columns: Columns) -> list[tuple[str, str]]:
    """Identifier columns of a table, each with the name it has in other tables."""
    own = f"{table.removesuffix('s')}_id"
    return [(c, own if c == "id" else c) for c in columns[table] if c == "id" or c.endswith("_id")]
