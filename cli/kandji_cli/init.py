"""``kandji-mirror init``: from a token to a mirror that is kept, one question after the other.

Each step says what is there already, does what an option says, asks where there is a terminal, and otherwise names the
command that does it later. Nothing is stored before the tenant has accepted the token.
"""

import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from kandji_cli.account import WHERE, Account, Asked, find_account
from kandji_cli.demo import command
from kandji_cli.login import NO_FOLDER
from kandji_cli.mcp_config import configure
from kandji_cli.output import tell
from kandji_cli.service import installed
from kandji_cli.stored_account import store
from kandji_cli.sync import raise_if_partial, run_sync, summarise
from kandji_mcp_server.clients import CLIENTS, NAME, Client, find_client
from kandji_mirror.api.credentials import token, token_source
from kandji_mirror.api.endpoint import base_url
from kandji_mirror.api.permissions import Permission, permissions
from kandji_mirror.capabilities import forget_refusals
from kandji_mirror.connection import connect
from kandji_mirror.sync.first_sync import Estimate, estimate
from kandji_schema.durations import in_words
from kandji_schema.errors import ConfigurationError, NothingMirrored
from kandji_schema.manifest import newest_whole
from kandji_schema.settings import Settings, load
from kandji_schema.text import counted

_WORTH_MINUTES = 45
"""Seconds from which a time is told in minutes."""

_NAMED = 5
"""So many tables are named of a permission that is not there."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the command line says of each step: True or False; None where it is to be asked.

    ``yes`` takes the suggested answer to every question: sync, no client, no service.
    """

    asked: Asked
    keychain: bool
    sync: bool | None
    client: str | None
    service: bool | None
    yes: bool


def set_up(wanted: Wanted, root: click.Command) -> None:
    """Go through all steps; ``root`` is the command line, whose ``service`` is used where there is one."""
    chosen = find_client(wanted.client) if wanted.client else None  # a misspelt one is told before anything is done
    settings = _tenant(wanted)
    report = None
    mirror = _mirror(settings)
    _look(settings, first=mirror is None)
    if mirror:
        tell("", mirror)
    if _is_to_sync(wanted, there=mirror is not None):
        report = run_sync(settings)
        summarise(report)
    _ai_client(chosen, wanted)
    _service(root, wanted)
    tell("", "Ask it something:", f"  {command()} overview", f'  {command()} sql "FROM fleet LIMIT 5"')
    if report is not None:
        raise_if_partial(report)


# -- the tenant ----------------------------------------------------------------------------------------------------


def _tenant(wanted: Wanted) -> Settings:
    """Return the settings of a tenant whose token is stored, found and stored now where none was."""
    settings = load(folder=NO_FOLDER, new=True)
    if not wanted.asked.tenant and not wanted.asked.token_stdin and (url := _stored(settings)):
        tell(f"{url} is set up; its token is from {token_source(settings)}.")
        return settings
    account = find_account(settings, wanted.asked)
    store(account, keychain=wanted.keychain)
    now = load(folder=NO_FOLDER)
    return now.given(**_tenant_of(account), api_token=account.token)


def _tenant_of(account: Account) -> dict[str, str]:
    return {key: getattr(account.settings, key) for key in ("subdomain", "region", "api_url")}


def _stored(settings: Settings) -> str | None:
    try:
        token(settings)
        return base_url(settings)
    except ConfigurationError:
        return None


def _look(settings: Settings, *, first: bool) -> None:
    """Ask what the token may read and, before the first sync, what that will cost; tell both."""
    with connect(settings) as connection:
        client, began = connection.client, time.monotonic()
        found = list(permissions(client))
        for permission in found:
            if permission.granted:
                forget_refusals(settings.home, permission.tables)
        _tell_permissions(found)
        if not first:
            return
        pace = (time.monotonic() - began) / max(1, client.requests)
        cost = estimate(client, found, sweep=settings.mirror_sweep_requests, seconds_a_request=pace)
        _tell_cost(cost, client.remaining_hour)


def _tell_permissions(found: Sequence[Permission]) -> None:
    refused = [permission for permission in found if permission.granted is False]
    unknown = [permission for permission in found if permission.granted is None]
    tell("", f"The token may read {len(found) - len(refused) - len(unknown)} of {len(found)} kinds of data.")
    if refused:
        tell(f"Not granted, or not licensed, so these tables stay empty; tick them in {WHERE}:")
        tell(*_lines(refused))
    if unknown:
        tell("Not known yet:", *_lines(unknown, why=True))


def _lines(found: Iterable[Permission], *, why: bool = False) -> Iterable[str]:
    for permission in found:
        more = len(permission.tables) - _NAMED
        names = ", ".join(permission.tables[:_NAMED]) + (f" and {more} more" if more > 0 else "")
        yield f"  {permission.name} ({names})" + (f": {permission.why}" if why else "")


def _tell_cost(cost: Estimate, left: int | None) -> None:
    tell(
        f"A first sync takes about {counted(cost.requests, 'request')}"
        + (f" of the {left:,} left to the tenant in this hour" if left is not None else "")
        + f" and {_about(cost.seconds)}: {counted(cost.tables, 'table')}, {counted(cost.rows, 'row')}, "
        f"{counted(cost.devices, 'device')}."
    )
    if cost.devices * cost.sweep_tables > cost.swept:
        tell(
            f"{counted(cost.sweep_tables, 'table')} of them cost a request for each device. They come bit by bit, "
            "with every sync and out of what the hour leaves."
        )


def _about(seconds: float) -> str:
    return counted(round(seconds / 60), "minute") if seconds >= _WORTH_MINUTES else "less than a minute"


# -- what is offered -----------------------------------------------------------------------------------------------


def _mirror(settings: Settings) -> str | None:
    """Return what is mirrored already, in words; None where nothing is."""
    try:
        manifest, _ = newest_whole(settings.home)
    except NothingMirrored:
        return None
    rows = sum(state.rows for state in manifest.tables.values())
    age = in_words((datetime.now(UTC) - manifest.published_at).total_seconds())
    return f"A mirror of {manifest.tenant} is in {settings.home}: {counted(rows, 'row')}, {age} old."


def _is_to_sync(wanted: Wanted, *, there: bool) -> bool:
    if wanted.sync is not None:
        return wanted.sync
    if wanted.yes or not sys.stdin.isatty():
        return (wanted.yes and not there) or _later(f"{command()} sync", "To sync it")
    question = "Bring it up to date now" if there else "Sync it now"
    return bool(click.confirm(question, default=not there, err=True)) or _later(f"{command()} sync", "Later")


def _later(line: str, why: str) -> bool:
    tell(f"{why}: {line}")
    return False


def _ai_client(chosen: Client | None, wanted: Wanted) -> None:
    """Write the entry of this server into a client's file; where none is named, those of this machine are offered."""
    if chosen is None and wanted.client is None and not wanted.yes and sys.stdin.isatty():
        chosen = _asked_client()
    if chosen is not None:
        configure(chosen.name, http=False, url=None, sign_in=False, write=True, file=None)
    elif wanted.client is None and not _clients_done():
        _later(f"{command()} mcp-config CLIENT --write", "For an AI client")


def _asked_client() -> Client | None:
    known = [client for client in CLIENTS if client.files]
    done = _clients_done()
    here = [client.name for client in known if client.title not in done and _is_here(client.path())]
    tell("")
    if done:
        tell(f"This server is named already by {', '.join(done)}.")
    if here:
        tell(f"AI clients on this machine: {', '.join(here)}.")
    elif done:
        return None
    else:
        tell(f"AI clients: {', '.join(client.name for client in known)}.")
    choice = click.Choice(["none", *(client.name for client in known)])
    name = click.prompt("AI client to set up", default="none", type=choice, show_choices=False, err=True)
    return None if name == "none" else find_client(str(name))


def _clients_done() -> list[str]:
    return [client.title for client in CLIENTS if client.files and _names_us(client.path())]


def _is_here(file: Path) -> bool:
    """Tell whether a client is on this machine: its file, or a folder of its own for it."""
    return file.exists() or (file.parent.is_dir() and file.parent != Path.home())


def _names_us(file: Path) -> bool:
    try:
        return NAME in file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False


def _service(root: click.Command, wanted: Wanted) -> None:
    """Have it kept in sync in the background, where this version has a command for that."""
    group = root.commands.get("service") if isinstance(root, click.Group) else None
    line = f"{command()} {'service install' if group else 'serve'}"
    install = wanted.service
    if install is None and (file := installed()):
        tell(f"A service is installed already: {file}.")
        return
    if install is None and group is not None and not wanted.yes and sys.stdin.isatty():
        install = click.confirm("Keep it in sync in the background, as a service", default=False, err=True)
    if not install:
        _later(line, "To keep it in sync")
    elif group is None:
        _later(line, "This version installs no service by itself; to keep it in sync")
    else:
        root.main(["service", "install"], prog_name="kandji-mirror", standalone_mode=False)
