"""``kandji-mirror reset``."""

import sys

import click

from kandji_cli.output import tell
from kandji_mirror.store.resetting import take_out
from kandji_schema.errors import NotConfirmed, UsageError
from kandji_schema.home import mirrored
from kandji_schema.manifest import generations, nothing_mirrored
from kandji_schema.settings import load


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
    target = take_out(home, delete=delete)
    if target is None:
        tell(f"The mirror of {name} is deleted.")
    else:
        tell(f"The mirror of {name} is in {target} now. Set KANDJI_MIRROR_HOME to that folder to read it.")


def _typed(home: str, name: str, *, delete: bool) -> str:
    if not sys.stdin.isatty():
        raise NotConfirmed(f"There is no terminal to confirm it at. Say whose mirror it is: --tenant {name}.")
    tell(f"The mirror of {name} in {home} will be {'deleted' if delete else 'moved aside'}.")
    return str(click.prompt("Type the name of the tenant to go on", default="", show_default=False, err=True))
