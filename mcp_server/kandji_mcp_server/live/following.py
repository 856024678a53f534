"""``action_status``: what became of a live action."""

from collections.abc import Callable
from itertools import islice
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, ToolAnnotations
from pydantic import Field

from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.live.answers import FollowedAction, FollowedActions
from kandji_mcp_server.live.counter import Counter
from kandji_mcp_server.registration import ToolSpec
from kandji_mcp_server.render.answers import tool_result
from kandji_mirror.actions.desk import Desk
from kandji_mirror.actions.following import follow
from kandji_mirror.audit.log import Attempt, attempts_of
from kandji_schema.errors import UsageError

NEWEST = 5


def spec(counter: Counter) -> ToolSpec:
    """The tool."""
    return ToolSpec(_tool(counter), "Follow a live action", ToolAnnotations(read_only_hint=True, open_world_hint=True))


def _tool(counter: Counter) -> Callable[..., Any]:
    async def action_status(
        ctx: Context[ServerContext],
        reference: Annotated[str, Field(description="action_id of an action, or a device's serial number or id.")],
    ) -> Annotated[CallToolResult, FollowedActions]:
        """Tell what became of a live action: the record of it, and what the device's command list shows now."""
        return tool_result(await counter.at_desk(ctx, lambda desk: _followed(desk, reference, by_name=counter.names)))

    return action_status


def _followed(desk: Desk, reference: str, *, by_name: bool) -> FollowedActions:
    found = list(islice(attempts_of(desk.journal.audit, reference.strip(), by_name=by_name), NEWEST))
    if not found:
        raise UsageError(f"No live action {reference[:80]!r} is recorded here.")
    return FollowedActions(notes=[], attempts=[_one(desk, attempt) for attempt in found])


def _one(desk: Desk, attempt: Attempt) -> FollowedAction:
    first = attempt.intent or attempt.records[0]
    found = follow(desk.client, desk.journal, attempt)
    return FollowedAction(
        action_id=attempt.action_id,
        action=str(first["action"]),
        serial_number=first["serial_number"],
        recorded_at=str(first["recorded_at"]),
        outcome=attempt.outcome,
        found=found.words if found else None,
    )
