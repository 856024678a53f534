"""The tools of live actions, where there are any."""

from kandji_mcp_server.context import ConfirmAt
from kandji_mcp_server.live import following, tool
from kandji_mcp_server.live.arguments import needs_no_yes
from kandji_mcp_server.live.counter import counter_of
from kandji_mcp_server.registration import ToolSpec
from kandji_schema.actions import actions
from kandji_schema.settings import Settings


def live_tools(settings: Settings, confirm_at: ConfirmAt = ConfirmAt.CLIENT) -> tuple[ToolSpec, ...]:
    """One for each record; in privacy mode without secrets and notes, which a terminal shows."""
    if settings.mirror_actions != "on":
        return ()
    counter = counter_of(settings, confirm_at)
    shown = [a for a in actions().values() if counter.names or not (a.secret or needs_no_yes(a))]
    return (*(tool.spec(record, counter) for record in shown), following.spec(counter))
