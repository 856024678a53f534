"""The server over streamable HTTP: who may connect (``access``, ``auth``), how much (``limits``), and serving.

The names below are imported when they are asked for: `kandji-mirror doctor` looks at the access alone.
"""

from typing import TYPE_CHECKING

from kandji_schema.lazy import lazy_names

if TYPE_CHECKING:
    from kandji_mcp_server.http.access import Access, read_access
    from kandji_mcp_server.http.serving import HttpServer

__all__ = ["Access", "HttpServer", "read_access"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Access": "kandji_mcp_server.http.access",
        "HttpServer": "kandji_mcp_server.http.serving",
        "read_access": "kandji_mcp_server.http.access",
    },
)
