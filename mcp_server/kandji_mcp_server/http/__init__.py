"""The server over streamable HTTP: who may connect (``access``, ``auth``), how much (``limits``), what answers.

``application`` is what answers for one tenant, ``tenants`` for several, ``serving`` the thread in which that is done.
The names below are imported when they are asked for: `kandji-mirror doctor` looks at the access alone.
"""

from typing import TYPE_CHECKING

from kandji_schema.lazy import lazy_names

if TYPE_CHECKING:
    from kandji_mcp_server.http.access import Access, read_access
    from kandji_mcp_server.http.serving import HttpServer
    from kandji_mcp_server.http.tenants import Served, TenantsServer

__all__ = ["Access", "HttpServer", "Served", "TenantsServer", "read_access"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Access": "kandji_mcp_server.http.access",
        "HttpServer": "kandji_mcp_server.http.serving",
        "Served": "kandji_mcp_server.http.tenants",
        "TenantsServer": "kandji_mcp_server.http.tenants",
        "read_access": "kandji_mcp_server.http.access",
    },
)
