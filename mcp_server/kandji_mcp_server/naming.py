"""The server class: the SDK's, with errors for names that do not exist that say which ones do."""

from difflib import get_close_matches
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from kandji_mcp_server.mirror import Mirror
from kandji_mcp_server.registering import LONGEST_VALUE, shown


class Server(MCPServer[Mirror]):
    """A server whose refusals of unknown tools name the nearest ones."""

    async def call_tool(self, name: str, arguments: dict[str, Any], context: Any = None) -> Any:
        """Run a tool; :class:`ToolError` where there is none of that name."""
        known = [tool.name for tool in await self.list_tools()]
        if name not in known:
            near = get_close_matches(name[:LONGEST_VALUE].lower(), known, n=1)
            hint = f"Did you mean {near[0]}? " if near else ""
            raise ToolError(shown(f"There is no tool {name[:LONGEST_VALUE]!r}. {hint}There are: {', '.join(known)}."))
        return await super().call_tool(name, arguments, context)
