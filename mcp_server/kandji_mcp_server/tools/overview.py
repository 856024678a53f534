"""What is in the mirror: ``fleet_overview``."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult

from kandji_mcp_server.answers import FleetAnswer, result
from kandji_mcp_server.freshness import in_words
from kandji_mcp_server.mirror import Mirror
from kandji_queries.definitions import views
from kandji_schema.manifest import newest_whole

if TYPE_CHECKING:
    from kandji_queries.reader import Reader
    from kandji_queries.tables import TableInfo

USUAL: Mapping[str, Sequence[str] | None] = {
    "fleet": None,
    "apps": ("device_id", "name", "bundle_id", "version", "path", "developer_name", "device_family"),
    "compliance": ("device_id", "rule", "severity", "result", "reason"),
    "changes": None,
}
"""Columns of what answers most questions; None are all of them."""


async def fleet_overview(ctx: Context[Mirror]) -> Annotated[CallToolResult, FleetAnswer]:
    """Show the mirror in short: devices by platform, tables with rows, age and content, views, most used columns.

    Call it once before writing SQL. The view fleet has one wide row a device; installed software is in apps.
    """
    mirror = ctx.request_context.lifespan_context
    return result(await mirror.ask(lambda reader: overview(mirror, reader)))


def overview(mirror: Mirror, reader: "Reader") -> FleetAnswer:
    """The answer of ``fleet_overview``."""
    infos = reader.tables()
    tables = [info for info in infos if info.kind == "table"]
    manifest, _ = newest_whole(mirror.home)
    platforms = reader.run("SELECT coalesce(platform, 'unknown'), count(*) FROM devices GROUP BY ALL ORDER BY 2 DESC")
    now = mirror.clock()
    return FleetAnswer(
        notes=[*reader.warnings, *reader.cautions(info.name for info in tables)],
        tenant=manifest.tenant,
        platforms=dict(platforms.rows),
        columns=["table", "rows", "age", "one row is"],
        tables=[_line(info, now) for info in tables],
        views={view.name: view.title for view in views().values()},
        columns_of={name: _columns(reader, name, chosen) for name, chosen in USUAL.items()},
    )


def _line(info: "TableInfo", now: datetime) -> list[object]:
    return [info.name, info.rows, in_words(info.synced_at, now), _holds(info)]


def _holds(info: "TableInfo") -> str:
    """The first clause of the description, without what all of them begin with."""
    words = info.description.split(". ")[0].split("; ")[0].split(": ")[0].removeprefix("One row per ")
    return words.removeprefix("One row ").rstrip(".")


def _columns(reader: "Reader", table: str, chosen: Sequence[str] | None) -> str:
    return ", ".join(chosen or (column.name for column in reader.describe(table).columns))
