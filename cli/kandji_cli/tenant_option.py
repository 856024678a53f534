"""``--tenant NAME``, before a command and after it: whichever it is, all that reads settings then finds the profile.

The name is left in the environment of this process, where settings are read from, and processes started here find it.
"""

import os
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from kandji_cli import completing
from kandji_schema.errors import UsageError
from kandji_schema.profiles import TENANT, folded

_SHOWN = {"init", "login"}
"""Commands whose own help shows the option; for all others that of the whole program does."""

_SILENT = {"mcp", "serve", "init", "login", "version"}
"""Commands that tell nobody of settings at a terminal: they tell logs, ask anew, or need none."""

_GIVEN = "kandji_cli.tenant"
"""Key of what a command line has said."""


Command = TypeVar("Command", bound=Callable[..., Any])


def tenant_option(help: str, *, hidden: bool = False) -> Callable[[Command], Command]:  # noqa: A002  # click's word
    """Give a command, or the function of one, the option."""
    return click.option(
        "--tenant",
        metavar="NAME",
        help=help,
        hidden=hidden,
        expose_value=False,
        callback=_choose,
        shell_complete=completing.tenants,
    )


def with_tenant(command: click.Command) -> click.Command:
    """Give the option to a command and those below it, but to one that has an argument of that name for itself.

    Once its arguments are read, a command that is to be run warns of settings that are not what somebody meant.
    """
    if isinstance(command, click.Group):
        for below in command.commands.values():
            with_tenant(below)
        return command
    own = any("--tenant" in parameter.opts for parameter in command.params)
    if not own:
        tenant_option("The tenant to store, by a name of your own.", hidden=command.name not in _SHOWN)(command)
    if command.callback and command.name not in _SILENT:
        command.callback = _warned(command.callback)
    return command


def _choose(context: click.Context, _option: click.Parameter, text: str | None) -> None:
    if text is None:
        return
    name = folded(text, " (--tenant)")
    before = context.meta.setdefault(_GIVEN, name)
    if before != name:
        raise UsageError(f"--tenant is given twice: {before} and {name}. Leave one of them out.")
    os.environ[TENANT] = name


def refuse_one_beside_several() -> None:
    """Refuse ``--tenant`` beside ``--tenants``: it would be left out in silence. :class:`UsageError`."""
    if name := click.get_current_context().meta.get(_GIVEN):
        raise UsageError(f"--tenant {name} names one tenant and --tenants several. Leave one of them out.")


def _warned(work: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(work)
    def warned(*args: Any, **given: Any) -> Any:
        from kandji_cli.output import warn_of_settings  # a mere --help needs none of it

        warn_of_settings()
        return work(*args, **given)

    return warned
