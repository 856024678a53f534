"""Single devices: ``find_device`` and ``device_profile``."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult
from pydantic import Field

from kandji_mcp_server.apps import device_view, looks, with_view
from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.render.answers import Absent, ProfileAnswer, RowsAnswer, age_range, tool_result
from kandji_mcp_server.render.truncate import RowPage, truncate
from kandji_mcp_server.tools.queries import json_rows, rows_answer
from kandji_queries.catalog import device_lookup
from kandji_queries.profile import (
    DeviceProfile,
    DevicesInShort,
    ProfileSection,
    devices_meant,
    profile_parts,
    read_in_short,
    read_profile,
    wanted_parts,
)
from kandji_schema.actions import actions

if TYPE_CHECKING:
    from kandji_queries.reader import Reader

WHICH = "Any number or name of it, or its person."
FOUND = 20
"""Most devices of one search."""

NONE_KNOWN = "none known, see notes"
"""What is said where a table behind a part was never read: nothing found there proves nothing."""

SECRETS = "secrets"
"""The part that names actions."""


async def find_device(
    ctx: Context[ServerContext], device: Annotated[str, Field(description=WHICH)]
) -> Annotated[CallToolResult, RowsAnswer]:
    """Find devices by any number, else part of a name, else person, else similar spelling."""
    context = ctx.request_context.lifespan_context
    return tool_result(await context.ask(lambda reader: _find_answer(context, reader, device)))


async def device_profile(
    ctx: Context[ServerContext],
    device: Annotated[str, Field(description=WHICH)],
    include: list[str] | Absent = None,
) -> Annotated[CallToolResult, ProfileAnswer]:
    """Tell everything about one device in one answer.

    Person, contact, posture, locks, which secrets exist, contradictions, compliance, failures, commands, CVEs, malware,
    changes of 7 days. A person's devices come in short. More to include:
    """
    context = ctx.request_context.lifespan_context
    return await context.ask(lambda reader: _profile_result(context, reader, device, include or (), view=looks(ctx)))


def _profile_result(
    context: ServerContext, reader: "Reader", device: str, include: Sequence[str], *, view: bool
) -> CallToolResult:
    found = _read_device(reader, device, include)
    result = tool_result(_device_answer(context, found, device))
    return with_view(result, device_view(found, context.clock())) if view else result


def more_parts() -> str:
    """Name the parts that have to be asked for."""
    return f"{', '.join(part.name for part in profile_parts().values() if not part.usual)}."


def _find_answer(context: ServerContext, reader: "Reader", device: str) -> RowsAnswer:
    found = device_lookup.search(reader, device)
    rows = json_rows(found)
    shown = truncate(rows.slice(0, FOUND), context.most_bytes, FOUND)
    return rows_answer(
        context,
        found,
        shown,
        [*found.notes, *_remarks(rows, device, device_lookup.share_a_serial(device_lookup.as_objects(found)))],
    )


def _remarks(rows: RowPage, device: str, shared: bool) -> Iterator[str]:
    if not rows.total:
        yield f"{device_lookup.nothing_fits(device)} One that left the tenant is only in the tool changes."
    elif rows.rows[0][0] == "similar":
        yield f"No device fits {device!r} exactly; these are written similarly. Ask which one is meant."
    elif rows.total > FOUND:
        yield f"{rows.total:,} devices fit, {FOUND} are here. Write more of the name, or use SQL."
    if shared:
        yield "Some have one serial number, as a re-enrolled device does: name one by device_id. Newest contact first."


def profile_answer(context: ServerContext, reader: "Reader", device: str, include: Sequence[str] = ()) -> ProfileAnswer:
    """Make the answer of ``device_profile``: one device in full, or those of a person in short.

    :class:`UsageError` for a device there is not, or several that are not of a person.
    """
    return _device_answer(context, _read_device(reader, device, include), device)


def _read_device(reader: "Reader", device: str, include: Sequence[str]) -> DeviceProfile | DevicesInShort:
    """Read the device that is meant, or those of a person."""
    wanted_parts(include)
    meant = devices_meant(reader, device)
    return read_profile(reader, meant[0], include) if len(meant) == 1 else read_in_short(reader, meant)


def _device_answer(context: ServerContext, found: DeviceProfile | DevicesInShort, device: str) -> ProfileAnswer:
    """Make the answer of what was read; ``device`` is what was asked for."""
    if isinstance(found, DevicesInShort):
        return _in_short(context, found, device)
    return ProfileAnswer(
        notes=list(found.notes),
        as_of=found.as_of["devices"],
        age=age_range(found.as_of, context.clock()),
        parts={name: _part_value(section) for name, section in found.sections.items()},
    )


def _in_short(context: ServerContext, found: DevicesInShort, device: str) -> ProfileAnswer:
    as_of, rows = found.section.answer.as_of, json_rows(found.section.answer)
    told = [_known(rows.columns, row) for row in rows.rows]
    return ProfileAnswer(
        notes=[
            f"{rows.total} devices fit {device!r}, each in short; serial_number or device_id gets all of one.",
            *found.notes,
        ],
        as_of=as_of["devices"],
        age=age_range(as_of, context.clock()),
        parts={"devices": told},
    )


def _part_value(section: ProfileSection) -> Any:
    """Show one row as an object of what is known; several as rows, with their total where some are left out."""
    rows = json_rows(section.answer)
    if section.part.one:
        return _known(rows.columns, (rows.rows or [[]])[0]) or "not known"
    shown = rows.slice(0, section.part.most)
    if not rows.total:
        return "none" if section.is_read else NONE_KNOWN
    if section.part.name == SECRETS:
        shown = _with_tools(shown)
    more = {"total": rows.total} if shown.truncated else {}
    return {**more, "columns": shown.columns, "rows": shown.rows}


def _known(columns: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    return {name: value for name, value in zip(columns, row, strict=False) if value is not None}


def _with_tools(rows: RowPage) -> RowPage:
    """Name the tool that reads each secret, where live actions are on, in place of the action."""
    columns = ["tool" if name == "action" else name for name in rows.columns]
    place = rows.columns.index("action")
    return replace(
        rows, columns=columns, rows=[[*row[:place], actions()[row[place]].tool, *row[place + 1 :]] for row in rows.rows]
    )
