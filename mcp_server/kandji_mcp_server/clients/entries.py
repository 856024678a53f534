"""The entry of this installation in a client's file."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kandji_mcp_server.clients.records import TOKEN_VARIABLE, Client
from kandji_mcp_server.http.access import Access, is_loopback
from kandji_schema.errors import UsageError
from kandji_schema.profiles import FOLDERS, shared_folder
from kandji_schema.setting import Setting
from kandji_schema.settings import SETTINGS, Settings

NAME = "kandji-mirror"
"""What the server is called in a client's file."""


def entry_name(tenant: str) -> str:
    """Return what the server of a tenant is called there: each that has a name has an entry of its own."""
    return f"{NAME}-{tenant}" if tenant else NAME


def token_variable(tenant: str) -> str:
    """Return the variable that a client takes the token of `serve` from: two tenants in one client have two."""
    return f"TENANT_{tenant.upper().replace('-', '_')}_KANDJI_MIRROR_TOKEN" if tenant else TOKEN_VARIABLE


Entry = dict[str, Any]


def local_entry(client: Client, settings: Settings, stored: Settings) -> Entry:
    """Return the entry by which the client starts the server itself, over stdio.

    ``settings`` are those of now, ``stored`` those of ``config.toml`` alone, which the server finds by itself. The
    others are written down, as the client starts it in another folder and environment; but no secret.
    """
    command, *arguments = command_line(settings.mirror_tenant)
    home = {} if settings.mirror_tenant else {"KANDJI_MIRROR_HOME": str(settings.home.absolute())}
    return {
        **client.members,
        "command": command,
        "args": arguments,
        "env": {**home, **_settings_to_write(settings, stored)},
    }


def remote_entry(client: Client, url: str, *, sign_in: bool = False, tenant: str = "") -> Entry:
    """Return the entry for the server at ``url``, of `kandji-mirror serve`; its token is taken from a variable.

    ``sign_in``: there is none, as people sign in where the server sends their client.
    """
    remote = client.remote
    if remote is None:
        raise UsageError(
            f"The file of {client.title} names programs only, no URLs. Leave out --http: it then starts the server "
            "itself, which reads the same mirror."
        )
    return {**remote.members, remote.key: url, **({} if sign_in else remote.bearer(token_variable(tenant)))}


def command_line(tenant: str = "") -> list[str]:
    """Return how to start the server of this installation from anywhere, for the profile that is named."""
    suffix = ".exe" if os.name == "nt" else ""
    if tenant:
        command = Path(sys.executable).absolute().with_name(f"kandji-mirror{suffix}")
        program = [str(command)] if command.is_file() else [sys.executable, "-m", "kandji_cli"]
        return [*program, "--tenant", tenant, "mcp"]
    script = Path(sys.executable).absolute().with_name(f"kandji-mirror-mcp{suffix}")
    return [str(script)] if script.is_file() else [sys.executable, "-m", "kandji_mcp_server"]


def server_url(access: Access, tenant: str = "") -> str:
    """Where `kandji-mirror serve` answers with these settings, as its clients reach it."""
    if access.port == 0:
        raise UsageError("KANDJI_MIRROR_HTTP_PORT is 0, any free port, so no URL is known. Set a port or use --url.")
    own = f"[{access.host}]" if ":" in access.host else access.host
    host = own if is_loopback(access.host) else _public_host(access)
    netloc = host if urlsplit(f"//{host}").port else f"{host}:{access.port}"
    return f"http://{netloc}/{tenant}/mcp" if tenant else f"http://{netloc}/mcp"


def _public_host(access: Access) -> str:
    return next(host for host in access.hosts if not host.endswith(":*") and not _is_local(host))


def _is_local(host: str) -> bool:
    return is_loopback(urlsplit(f"//{host}").hostname or "")


def _settings_to_write(settings: Settings, stored: Settings) -> Mapping[str, str]:
    return {
        setting.name: _setting_text(setting, settings)
        for setting in SETTINGS
        if not setting.secret
        and (setting.key != "mirror_home" or settings.mirror_tenant)
        and getattr(settings, setting.key) != getattr(stored, setting.key)
    }


def _setting_text(setting: Setting, settings: Settings) -> str:
    value = str(getattr(settings, setting.key))
    if settings.mirror_tenant and setting.name in FOLDERS:
        return shared_folder(str(Path(value).expanduser().absolute()))
    return str(Path(value).expanduser().absolute()) if setting.key.endswith("_file") else value
