"""Arguments and options that several commands share, each written once."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from kandji_schema.errors import UsageError

FORMATS = ("table", "json", "jsonl", "csv", "markdown")
"""As in ``kandji_queries.formats``, which a mere ``--help`` need not import; a test compares them."""

Command = TypeVar("Command", bound=Callable[..., Any])


def format_option(command: Command) -> Command:
    """``--format``, as ``form``."""
    choice = click.Choice(FORMATS)
    return click.option("--format", "-f", "form", type=choice, default="table", help="How to print the rows.")(command)


def param_option(command: Command) -> Command:
    """``--param name=value``, repeatable, as ``params``: a dict of texts."""
    help_text = "A parameter, name=value. Repeatable."
    return click.option("--param", "-p", "params", multiple=True, callback=_parameters, help=help_text)(command)


def json_option(command: Command) -> Command:
    """``--json``, as ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")(command)


def fleet_options(command: Command) -> Command:
    """``--devices``, ``--apps`` and ``--seed`` of a simulated tenant."""
    for option in (
        click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same fleet."),
        click.option(
            "--apps", type=click.IntRange(0, 500), default=40, show_default=True, help="Apps on a device, about."
        ),
        click.option(
            "--devices", type=click.IntRange(0, 50_000), default=300, show_default=True, help="Devices of the fleet."
        ),
    ):
        command = option(command)
    return command


def _parameters(_context: click.Context, _option: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"--param {pair!r} is not name=value. Example: --param days=7")
        found[name] = value
    return found
