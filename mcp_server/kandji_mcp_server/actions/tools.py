"""The tools of live actions, where they are on: one for each record, and ``action_status``."""

from collections.abc import Callable
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, ToolAnnotations
from pydantic import Field

from kandji_mcp_server.actions import ConfirmAt, action_tool
from kandji_mcp_server.actions.answers import FollowedAction, FollowedActions
from kandji_mcp_server.actions.context import ActionContext
from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.registration import ToolSpec
from kandji_mcp_server.render.answers import tool_result
from kandji_mirror.actions.outcome_check import ActionStatus
from kandji_mirror.actions.service import ActionService
from kandji_schema.actions import actions
from kandji_schema.settings import Settings

NEWEST = 5
"""Attempts that ``action_status`` follows."""


def action_tools(
    settings: Settings, confirm_at: ConfirmAt = ConfirmAt.CLIENT, *, personal: bool = False
) -> tuple[ToolSpec, ...]:
    """Make one for each record; without secrets and notes where personal data is masked, which a terminal shows."""
    if settings.mirror_actions != "on":
        return ()
    context = ActionContext.from_settings(settings, confirm_at, personal=personal)
    offered = filter(context.policy.offers, actions().values())
    hints = ToolAnnotations(read_only_hint=True, open_world_hint=True)
    status = ToolSpec(_status_tool(context), "Follow a live action", hints)
    return (*(action_tool.spec(record, context) for record in offered), status)


def _status_tool(context: ActionContext) -> Callable[..., Any]:
    async def action_status(
        ctx: Context[ServerContext],
        reference: Annotated[str, Field(description="action_id of an action, or a device's serial number or id.")],
    ) -> Annotated[CallToolResult, FollowedActions]:
        """Tell what became of a live action: the record of it, and what the device's command list shows now."""
        return tool_result(await context.with_service(ctx, lambda service: _followed(service, reference)))

    return action_status


def _followed(service: ActionService, reference: str) -> FollowedActions:
    return FollowedActions(notes=[], attempts=[_one(status) for status in service.status(reference, NEWEST)])


def _one(status: ActionStatus) -> FollowedAction:
    attempt = status.attempt
    first = attempt.intent or attempt.records[0]
    return FollowedAction(
        action_id=attempt.action_id,
        action=str(first["action"]),
        serial_number=first["serial_number"],
        recorded_at=str(first["recorded_at"]),
        outcome=attempt.outcome,
        found=status.observed.words if status.observed else None,
    )
