"""``kandji-mirror login``: tenant and token, verified with one request and stored; and ``reset``."""

import os
import sys
from pathlib import Path

import click

from kandji_cli.account import Asked, find_account
from kandji_cli.output import tell
from kandji_cli.stored_account import store
from kandji_mirror.store.opening import move_aside
from kandji_schema.errors import NotConfirmed, UsageError
from kandji_schema.home import mirrored
from kandji_schema.manifest import generations, nothing_mirrored
from kandji_schema.settings import load

NO_FOLDER = Path(os.devnull)
"""In place of the working directory: a ``.env`` there must not say where a token goes that is typed now."""


def log_in(asked: Asked, *, keychain: bool) -> None:
    """Ask for what is missing, verify it unless ``offline``, store it. Where anything is wrong nothing is stored."""
    account = find_account(load(folder=NO_FOLDER, new=True), asked)
    store(account, keychain=keychain)
    program = " --tenant ".join(filter(None, ["kandji-mirror", account.settings.mirror_tenant]))
    tell(f"Next: {program} doctor, {program} sync.")


def reset(tenant: str | None, *, delete: bool) -> None:
    """Move the mirror aside, or delete it, once its tenant was named; nothing is sent to anyone."""
    home = load().home
    name = mirrored(home) or ("unreadable" if generations(home) else None)
    if name is None:
        raise nothing_mirrored(home)
    if tenant is None:
        tenant = _typed(str(home), name, delete=delete)
    if tenant != name:
        raise UsageError(f"{home} mirrors the tenant {name!r}, not {tenant!r}. Nothing was moved.")
    target = move_aside(home, delete=delete)
    if target is None:
        tell(f"The mirror of {name} is deleted.")
    else:
        tell(f"The mirror of {name} is in {target} now. Set KANDJI_MIRROR_HOME to that folder to read it.")


def _typed(home: str, name: str, *, delete: bool) -> str:
    if not sys.stdin.isatty():
        raise NotConfirmed(f"There is no terminal to confirm it at. Say whose mirror it is: --tenant {name}.")
    tell(f"The mirror of {name} in {home} will be {'deleted' if delete else 'moved aside'}.")
    return str(click.prompt("Type the name of the tenant to go on", default="", show_default=False, err=True))
