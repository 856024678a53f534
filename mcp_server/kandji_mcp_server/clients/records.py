"""Every AI client that can be set up, one record each. Facts are those of the clients' own documentation, 11/2026."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kandji_schema.errors import UnknownName

Members = Mapping[str, Any]

TOKEN_VARIABLE = "KANDJI_MIRROR_HTTP_TOKEN"  # noqa: S105  # the name of a variable


@dataclass(frozen=True)
class Remote:
    """How a client writes down a server at a URL.

    ``bearer`` gives the members that make it send the token of an environment variable, whose name it is given: no
    token is ever written into a client's file.
    """

    bearer: Callable[[str], Members]
    key: str = "url"
    members: Members = field(default_factory=dict)


@dataclass(frozen=True)
class Client:
    """One client. ``files`` are its user's file by ``sys.platform``, ``""`` on all others; none where nobody knows.

    ``moved_by`` is a variable that names another folder of the file, ``servers`` the member of the file that holds the
    servers, ``members`` what an entry has beside command, arguments and environment. ``remote`` is None where its file
    cannot name a server at a URL. ``then`` is what the person does next.
    """

    name: str
    title: str
    files: Mapping[str, str]
    then: str
    servers: str = "mcpServers"
    form: str = "json"
    members: Members = field(default_factory=dict)
    moved_by: str = ""
    remote: Remote | None = None

    def path(self, environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
        """Return the file of this user; one of the working directory that many read where nobody knows theirs."""
        file = Path(os.path.expandvars(self.files.get(platform) or self.files.get("", ".mcp.json"))).expanduser()
        folder = environ.get(self.moved_by, "") if self.moved_by else ""
        return Path(folder).expanduser() / file.name if folder else file


def _header(value: str) -> Callable[[str], Members]:
    """``value`` is how the client writes a variable, with {} for its name."""
    return lambda variable: {"headers": {"Authorization": f"Bearer {value.replace('{}', variable)}"}}


CLIENTS = (
    Client(
        name="claude-desktop",
        title="Claude Desktop",
        files={
            "darwin": "~/Library/Application Support/Claude/claude_desktop_config.json",
            "win32": "%APPDATA%\\Claude\\claude_desktop_config.json",
            "": "~/.config/Claude/claude_desktop_config.json",
        },
        then="Quit Claude Desktop and open it again.",
    ),
    Client(
        name="claude-code",
        title="Claude Code",
        files={"": "~/.claude.json"},
        moved_by="CLAUDE_CONFIG_DIR",
        members={"type": "stdio"},
        remote=Remote(_header("${{}}"), members={"type": "http"}),
        then="Start Claude Code anew; /mcp shows the server.",
    ),
    Client(
        name="cursor",
        title="Cursor",
        files={"": "~/.cursor/mcp.json"},
        remote=Remote(_header("${env:{}}")),
        then="Restart Cursor; its MCP settings show the server.",
    ),
    Client(
        name="vscode",
        title="Visual Studio Code",
        files={
            "darwin": "~/Library/Application Support/Code/User/mcp.json",
            "win32": "%APPDATA%\\Code\\User\\mcp.json",
            "": "~/.config/Code/User/mcp.json",
        },
        servers="servers",
        members={"type": "stdio"},
        remote=Remote(_header("${env:{}}"), members={"type": "http"}),
        then="Run `MCP: List Servers` in the command palette and start it.",
    ),
    Client(
        name="codex",
        title="Codex",
        files={"": "~/.codex/config.toml"},
        moved_by="CODEX_HOME",
        servers="mcp_servers",
        form="toml",
        remote=Remote(lambda variable: {"bearer_token_env_var": variable}),
        then="Start Codex anew; /mcp shows the server.",
    ),
    Client(
        name="gemini",
        title="Gemini CLI",
        files={"": "~/.gemini/settings.json"},
        remote=Remote(_header("${}"), key="httpUrl"),
        then="Start Gemini CLI anew; /mcp shows the server.",
    ),
    Client(
        name="windsurf",
        title="Windsurf",
        files={"": "~/.codeium/windsurf/mcp_config.json"},
        remote=Remote(_header("${env:{}}"), key="serverUrl"),
        then="Refresh the MCP servers of Cascade; its panel shows the server.",
    ),
    Client(
        name="zed",
        title="Zed",
        files={"win32": "%APPDATA%\\Zed\\settings.json", "": "~/.config/zed/settings.json"},
        servers="context_servers",
        members={"source": "custom"},
        then="The settings of the agent panel show the server; what has comments in its file is pasted there by hand.",
    ),
    Client(
        name="jetbrains",
        title="JetBrains (Junie)",
        files={"": "~/.junie/mcp/mcp.json"},
        then="Junie's MCP settings show the server; AI Assistant takes the same text under Tools > AI Assistant > MCP.",
    ),
    Client(
        name="generic",
        title="Any other client",
        files={},
        remote=Remote(_header("${{}}"), members={"type": "http"}),
        then="Put it where that client has its MCP servers, most under mcpServers, and start it anew.",
    ),
)
"""A further client is a further record."""


def find_client(name: str) -> Client:
    """Return the client of that name; :class:`UnknownName` with the nearest ones otherwise."""
    known = {client.name: client for client in CLIENTS}
    if name not in known:
        raise UnknownName("AI client", name, known)
    return known[name]
