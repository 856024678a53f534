"""``kandji-mirror mcp-config``: the entry of this server in an AI client's file."""

import os
import shlex
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kandji_cli.output import print_rows, say, tell
from kandji_mcp_server.clients import (
    CLIENTS,
    NAME,
    TOKEN_VARIABLE,
    Client,
    change_file,
    entry_alone,
    find_client,
    local_entry,
    merge_entry,
    remote_entry,
    server_url,
)
from kandji_mcp_server.http import read_access
from kandji_mirror.api.credentials import token
from kandji_mirror.api.endpoint import base_url
from kandji_schema.errors import ConfigurationError, UsageError
from kandji_schema.settings import Settings, load

_NO_FOLDER = Path(os.devnull)
"""In place of the working directory: what a ``.env`` there says is not for the client, which starts elsewhere."""


def show_clients() -> None:
    """Print the clients there are, and where each has its file."""
    rows = ((c.name, c.title, "yes" if c.remote else "no", str(c.path())) for c in CLIENTS)
    print_rows(("client", "title", "http", "file"), rows, "table")


def configure(name: str, *, http: bool, url: str | None, write: bool, file: str | None) -> None:
    """Print the entry, or put it into the client's file; tell on stderr where it goes and what comes next."""
    chosen = find_client(name)
    settings, stored = load(folder=_NO_FOLDER), load({}, folder=_NO_FOLDER)
    entry = _remote(chosen, settings, url) if http or url else local_entry(chosen, settings, stored)
    path = Path(file).expanduser() if file else chosen.path()
    if write:
        _write(chosen, path, entry)
    else:
        say(entry_alone(chosen.form, chosen.servers, NAME, entry).rstrip("\n"))
        tell(f"\nThis goes into {path}, among what is there; --write puts it there. Then: {chosen.then}")
    if http or url:
        _tell_of_http(settings)
    else:
        _tell_of_token(settings, stored)


def _write(chosen: Client, path: Path, entry: Mapping[str, Any]) -> None:
    existed, edit = path.exists(), partial(_merge, chosen, entry)
    backup = change_file(path, edit, datetime.now(UTC))
    if backup:
        tell(f"{chosen.title}: {path} names {NAME} now; what it was is in {backup}. {chosen.then}")
    elif existed:
        tell(f"{chosen.title}: {path} names {NAME} already, nothing was changed.")
    else:
        tell(f"{chosen.title}: {path} is new and names {NAME}. {chosen.then}")


def _merge(chosen: Client, entry: Mapping[str, Any], text: str) -> str:
    return merge_entry(chosen.form, text, chosen.servers, NAME, entry)


def _remote(chosen: Client, settings: Settings, url: str | None) -> dict[str, Any]:
    allowed = read_access(settings)
    where = url or server_url(allowed)
    parts = urlsplit(where)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise UsageError(f"--url {where!r} is no URL of a server. Example: https://mirror.example.com/mcp")
    return remote_entry(chosen, where)


def _tell_of_http(settings: Settings) -> None:
    file = read_access(settings).token_file
    how = _SET.format(variable=TOKEN_VARIABLE, file=shlex.quote(str(file)))
    tell(
        "`kandji-mirror serve` must be running there. The bearer token is not written down: the client takes it from "
        f"the variable {TOKEN_VARIABLE} of its environment. On the machine of `serve`, which makes the token at its "
        f"first start, set it before you start the client: {how}"
    )


_SET = (
    'launchctl setenv {variable} "$(cat {file})" for apps, export {variable}="$(cat {file})" in a shell'
    if sys.platform == "darwin"
    else 'export {variable}="$(cat {file})"'
)
"""How a variable gets its value from a file. Apps of macOS that are not started from a shell see launchd's."""


def _tell_of_token(settings: Settings, stored: Settings) -> None:
    """Whether the server will find the API token, which is not in the entry."""
    try:
        base_url(settings)
        token(stored)
    except ConfigurationError:
        tell(
            "The API token is never written there, and the server would not find one: it would only read what is "
            "mirrored. `kandji-mirror login` stores it."
        )
    else:
        tell("The API token is not written there: the server takes it from where `kandji-mirror login` stored it.")
