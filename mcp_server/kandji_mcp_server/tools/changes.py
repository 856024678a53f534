"""What became other than it was: ``changes``."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult
from pydantic import Field

from kandji_mcp_server import finding
from kandji_mcp_server.answers import Absent, ChangesAnswer, result
from kandji_mcp_server.condensing import brief
from kandji_mcp_server.freshness import overall
from kandji_mcp_server.mirror import Mirror
from kandji_mcp_server.own_sql import statement
from kandji_mcp_server.tools.named import rows_of
from kandji_queries.asked_time import moment
from kandji_schema.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from kandji_queries.reader import Reader

USUAL = 40
"""Changes shown where nobody says how many."""

KNOWN_SINCE = "SELECT table_name, since FROM history ORDER BY since DESC, table_name"

WHEN = "30m, 24h, 7d ago, or a time such as 2026-11-20T12:00 UTC."


async def changes(
    ctx: Context[Mirror],
    since: Annotated[str, Field(description=WHEN)] = "24h",
    until: Annotated[str | Absent, Field(description="By default now.")] = None,
    device: Annotated[str | Absent, Field(description="Only this device.")] = None,
    table: Annotated[str | Absent, Field(description="Only this table.")] = None,
    limit: Annotated[int, Field(ge=1, le=500)] = USUAL,
) -> Annotated[CallToolResult, ChangesAnswer]:
    """Tell what changed: rows that came and went, values before and after, newest first; summary counts all of them.

    Devices that came, went, or changed user or blueprint: run_query device_changes is shorter.
    """
    mirror = ctx.request_context.lifespan_context
    return result(await mirror.ask(lambda reader: _changed(mirror, reader, since, until, device, table, limit)))


def _changed(
    mirror: Mirror, reader: "Reader", since: str, until: str | None, device: str | None, table: str | None, limit: int
) -> ChangesAnswer:
    now = mirror.clock()
    between = moment(since, now), moment(until, now) if until else moment("0m", now)
    if between[0] >= between[1]:
        raise UsageError(f"since {since!r} is not before until {until or 'now'!r}; nothing lies between them.")
    _refuse_unknown(reader, table)
    asked = {"since": between[0], "until": between[1], "table": table, "device": _id(reader, device)}
    counted = reader.run(statement("how_much_changed"), asked)
    summary = rows_of(counted)
    changed = {table or "devices", *(row[0] for row in summary.rows)}
    total = sum(row[summary.columns.index("changes")] for row in summary.rows)
    found = reader.run(statement("what_changed"), asked)
    rows = rows_of(found).slice(0, limit)
    rows.total = total
    shown = brief(rows, mirror.most_bytes, None)
    return ChangesAnswer(
        notes=[*found.notes, *_remarks(reader, table, between[0], total, len(shown.rows))],
        as_of={name: at for name, at in found.as_of.items() if name in changed},
        age=overall(found.as_of, now),
        row_count=len(shown.rows),
        total_rows=total,
        truncated=shown.truncated,
        summary=[[row[0], row[1], row[2]] for row in summary.rows],
        same_in_all_rows=shown.same,
        columns=shown.columns,
        rows=shown.rows,
    )


def _refuse_unknown(reader: "Reader", table: str | None) -> None:
    known = [info.name for info in reader.tables() if info.kind == "table"] if table is not None else []
    if table is not None and table not in known:
        raise UnknownName("table", table, known)


def _id(reader: "Reader", device: str | None) -> str | None:
    """The identifier of the device that is meant; one that is gone is known by history alone."""
    if device is None:
        return None
    if finding.candidates(finding.search(reader, device)):
        return str(finding.only(reader, device)["device_id"])
    gone = reader.run(statement("gone"), {"device": device.strip()}).rows
    return str(gone[0][0]) if gone else str(finding.only(reader, device)["device_id"])


def _remarks(reader: "Reader", table: str | None, since: datetime, total: int, shown: int) -> Iterator[str]:
    begins = {name: at for name, at in reader.run(KNOWN_SINCE).rows if table in (None, name)}
    late = [name for name, at in begins.items() if at > since]
    if not begins:
        yield "No history is kept of that yet: what changed before the next sync is not known."
    elif len(late) == len(begins):
        yield f"History begins on {min(begins.values()):%Y-%m-%d %H:%M} UTC; what changed earlier is not known."
    elif late:
        names = ", ".join(late[:3]) + (f" and {len(late) - 3} more" if len(late) > 3 else "")
        yield f"Changes before {max(begins.values()):%Y-%m-%d %H:%M} UTC are not known of {names}."
    if shown < total:
        yield (
            f"{shown:,} of {total:,} changes, the newest. Narrow with table, device, since and until, or count with "
            "SQL on the view changes."
        )
