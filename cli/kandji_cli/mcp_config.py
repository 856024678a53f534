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
    Client,
    change_file,
    entry_alone,
    entry_name,
    find_client,
    local_entry,
    merge_entry,
    remote_entry,
    server_url,
    token_variable,
)
from kandji_mcp_server.http import Access, read_access
from kandji_mcp_server.skill import FILE
from kandji_mirror.api.credentials import token
from kandji_mirror.api.endpoint import base_url
from kandji_schema.errors import ConfigurationError, UsageError
from kandji_schema.settings import Settings, load

_NO_FOLDER = Path(os.devnull)
"""In place of the working directory: what a ``.env`` there says is not for the client, which starts elsewhere."""


def show_clients(form: str) -> None:
    """Print the clients there are, and where each has its file."""
    rows = ((c.name, c.title, "yes" if c.remote else "no", str(c.path()) if c.files else "--file") for c in CLIENTS)
    print_rows(("client", "title", "http", "file"), rows, form)


def show_skill() -> None:
    """Print the agent skill."""
    say(FILE.read_text(encoding="utf-8").rstrip("\n"))


def configure(name: str, *, http: bool, url: str | None, sign_in: bool, write: bool, file: str | None) -> None:
    """Print the entry, or put it into the client's file; tell on stderr where it goes and what comes next.

    ``sign_in``: people sign in at an identity provider, which is so too where the settings name one.
    """
    chosen = find_client(name)
    if write and not file and not chosen.files:
        raise UsageError("Nobody knows the file of another client: name it with --file, or leave out --write.")
    settings = load(folder=_NO_FOLDER)
    tenant = settings.mirror_tenant
    stored = load({}, folder=_NO_FOLDER, tenant=tenant or None)
    allowed = read_access(settings) if http or url else None
    sign_in = sign_in or bool(allowed and allowed.people)
    entry = (
        _remote(chosen, allowed, url, sign_in=sign_in, tenant=tenant)
        if allowed
        else local_entry(chosen, settings, stored)
    )
    path = Path(file).expanduser() if file else chosen.path()
    if write:
        _write(chosen, path, entry_name(tenant), entry)
    else:
        say(entry_alone(chosen.form, chosen.servers, entry_name(tenant), entry).rstrip("\n"))
        tell(f"\nThis goes into {path}, among what is there; --write puts it there. Then: {chosen.then}")
    if sign_in:
        tell("No token is needed there: at its first question the client shows a page to sign in.")
    elif allowed:
        _tell_of_http(allowed.token_file, token_variable(tenant))
    else:
        _tell_of_token(settings, stored)


def _write(chosen: Client, path: Path, name: str, entry: Mapping[str, Any]) -> None:
    existed, edit = path.exists(), partial(_merge, chosen, name, entry)
    backup = change_file(path, edit, datetime.now(UTC))
    if backup:
        tell(f"{chosen.title}: {path} names {name} now; what it was is in {backup}. {chosen.then}")
    elif existed:
        tell(f"{chosen.title}: {path} names {name} already, nothing was changed.")
    else:
        tell(f"{chosen.title}: {path} is new and names {name}. {chosen.then}")


def _merge(chosen: Client, name: str, entry: Mapping[str, Any], text: str) -> str:
    return merge_entry(chosen.form, text, chosen.servers, name, entry)


def _remote(chosen: Client, allowed: Access, url: str | None, *, sign_in: bool, tenant: str) -> dict[str, Any]:
    where = url or (allowed.people.resource if allowed.people else server_url(allowed, tenant))
    parts = urlsplit(where)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise UsageError(f"--url {where!r} is no URL of a server. Example: https://mirror.example.com/mcp")
    return remote_entry(chosen, where, sign_in=sign_in, tenant=tenant)


def _tell_of_http(file: Path, variable: str) -> None:
    how = _SET.format(variable=variable, file=shlex.quote(str(file)))
    tell(
        "`kandji-mirror serve` must be running there. The bearer token is not written down: the client takes it from "
        f"the variable {variable} of its environment. On the machine of `serve`, which makes the token at its "
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
