"""``service``: its options; each command imports its work when it runs."""

from collections.abc import Callable
from typing import Any

import click

from kandji_cli.options import document_option

_MANAGERS = ("auto", "systemd", "launchd")


def _where(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which service manager is meant."""
    system = click.option("--system", is_flag=True, help="The machine's, which root installs, instead of your own.")
    kind = click.option(
        "--manager", "kind", type=click.Choice(_MANAGERS), default="auto", help="Instead of this system's."
    )
    return system(kind(command))


def _user(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option that says as whom a service of the machine runs."""
    words = "With --system: who it runs as; kandji-mirror unless given."
    return click.option("--user", metavar="NAME", default="", help=words)(command)


@click.group()
def service() -> None:
    """Run `serve` as a service of systemd or launchd: it starts by itself, is watched, and started again.

    Example: kandji-mirror service install --print

    Example: kandji-mirror service status
    """


@service.command()
@_where
@_user
@click.option("--print", "only_print", is_flag=True, help="Print what would be written, and change nothing.")
def install(kind: str, system: bool, user: str, only_print: bool) -> None:
    """Install and start it, or change what changed.

    No secret is written into it: the service takes the token from where `login` stored it. Settings of the environment
    that are none are copied, and named.

    Example: kandji-mirror service install --print

    Example: kandji-mirror service install --manager launchd --print
    """
    from kandji_cli.service import install as put_in
    from kandji_cli.service import show as print_it

    (print_it if only_print else put_in)(kind, system=system, user=user)


@service.command()
@_where
@_user
def show(kind: str, system: bool, user: str) -> None:
    """Print what `install` writes.

    Example: kandji-mirror service show

    Example: kandji-mirror service show --manager launchd
    """
    from kandji_cli.service import show as print_it

    print_it(kind, system=system, user=user)


@service.command()
@_where
@document_option
def status(kind: str, system: bool, form: str) -> None:
    """Tell whether the service runs; exit code 1 where it does not.

    Example: kandji-mirror service status

    Example: kandji-mirror service status --json
    """
    from kandji_cli.service import status as tell_of_it

    tell_of_it(kind, system=system, as_json=form == "json")


@service.command()
@_where
@click.option("--lines", "-n", type=click.IntRange(0), default=100, show_default=True, help="How many of the newest.")
@click.option("--follow", "-f", is_flag=True, help="Go on with those that come, until Ctrl-C.")
def logs(kind: str, system: bool, lines: int, follow: bool) -> None:
    """Show the log of the service, one JSON object a line.

    Example: kandji-mirror service logs

    Example: kandji-mirror service logs --lines 20
    """
    from kandji_cli.service import logs as show_them

    show_them(kind, system=system, lines=lines, follow=follow)


@service.command()
@_where
def remove(kind: str, system: bool) -> None:
    """End and remove it; mirror and token stay.

    Example: kandji-mirror service remove

    Example: kandji-mirror service remove --manager systemd
    """
    from kandji_cli.service import remove as take_away

    take_away(kind, system=system)
