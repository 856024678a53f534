"""The mirror as a Model Context Protocol server: what AI assistants can ask of it.

``server`` builds it from ``tools``, ``resources`` and ``prompts`` over the ``context`` of one mirror; ``main`` serves
it over stdio, ``http`` over the network. The names below are imported when they are asked for: the SDK takes its time.
"""

from typing import TYPE_CHECKING

from kandji_schema.lazy import lazy_names

if TYPE_CHECKING:
    from kandji_mcp_server.background import Background
    from kandji_mcp_server.context import ServerContext
    from kandji_mcp_server.server import build_server

__all__ = ["Background", "ServerContext", "build_server"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Background": "kandji_mcp_server.background",
        "ServerContext": "kandji_mcp_server.context",
        "build_server": "kandji_mcp_server.server",
    },
)
