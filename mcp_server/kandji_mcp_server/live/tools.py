"""The tools of live actions, where there are any."""

from kandji_mcp_server.live import following, tool
from kandji_mcp_server.live.arguments import needs_no_yes
from kandji_mcp_server.live.counter import counter_of
from kandji_mcp_server.mirror import Asking
from kandji_mcp_server.registering import Spec
from kandji_schema.actions import actions
from kandji_schema.settings import Settings


def live_tools(settings: Settings, asking: Asking = Asking.CLIENT) -> tuple[Spec, ...]:
    """One for each record; in privacy mode without secrets and notes, which a terminal shows."""
    if settings.mirror_actions != "on":
        return ()
    counter = counter_of(settings, asking)
    shown = [a for a in actions().values() if counter.names or not (a.secret or needs_no_yes(a))]
    return (*(tool.spec(record, counter) for record in shown), following.spec(counter))
