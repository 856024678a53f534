"""AI clients: where each keeps its MCP servers and how it writes one down (``records``, one record a client).

``entries`` makes the entry of this installation, ``config_file`` puts it among the others of a client's file.
"""

from kandji_mcp_server.clients.config_file import change_file, entry_alone, merge_entry
from kandji_mcp_server.clients.entries import (
    NAME,
    entry_name,
    local_entry,
    remote_entry,
    server_url,
    token_variable,
)
from kandji_mcp_server.clients.records import CLIENTS, TOKEN_VARIABLE, Client, find_client

__all__ = [
    "CLIENTS",
    "NAME",
    "TOKEN_VARIABLE",
    "Client",
    "change_file",
    "entry_alone",
    "entry_name",
    "find_client",
    "local_entry",
    "merge_entry",
    "remote_entry",
    "server_url",
    "token_variable",
]
