"""AI clients: where each keeps its MCP servers and how it writes one down (``records``, one record a client).

``entries`` makes the entry of this installation, ``config_file`` puts it among the others of a client's file.
"""

from kandji_mcp_server.clients.config_file import change_file, merged, snippet
from kandji_mcp_server.clients.entries import NAME, local_entry, remote_entry, server_url
from kandji_mcp_server.clients.records import CLIENTS, TOKEN_VARIABLE, Client, find_client

__all__ = [
    "CLIENTS",
    "NAME",
    "TOKEN_VARIABLE",
    "Client",
    "change_file",
    "find_client",
    "local_entry",
    "merged",
    "remote_entry",
    "server_url",
    "snippet",
]
