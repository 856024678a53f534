"""Arguments and options that several commands share, each written once."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from kandji_schema.errors import UsageError

FORMATS = ("table", "json", "jsonl", "csv", "markdown")
"""As in ``kandji_queries.results.formats``, which a mere ``--help`` need not import; a test compares them."""

EXPORT_FORMS = ("parquet", "csv", "jsonl", "duckdb", "xlsx")
"""As in ``kandji_queries.export.copy_files``, which a mere ``--help`` need not import; a test compares them."""

Command = TypeVar("Command", bound=Callable[..., Any])


def format_option(command: Command) -> Command:
    """``--format``, as ``form``."""
    choice = click.Choice(FORMATS)
    return click.option("--format", "-f", "form", type=choice, default="table", help="How to print the rows.")(command)


def param_option(command: Command) -> Command:
    """``--param name=value``, repeatable, as ``params``: a dict of texts."""
    help_text = "A parameter, name=value. Repeatable."
    return click.option("--param", "-p", "params", multiple=True, callback=_parameters, help=help_text)(command)


def requirement_options(command: Command) -> Command:
    """``--max-age`` and ``--strict``, as ``requirements``: a dict of texts and flags by those names."""
    for option in (
        click.option(
            "--strict", is_flag=True, help="End with code 9 where a table used failed, is not whole or overdue."
        ),
        click.option(
            "--max-age", metavar="TIME", help="End with code 9 where a table used is older: 30m, 24h, 2d, 1w."
        ),
    ):
        command = option(command)
    return command


def limit_option(command: Command) -> Command:
    """``--limit``: as many rows are wanted; without it an answer that has to be cut is an error."""
    text = "Only the first so many rows."
    return click.option("--limit", type=click.IntRange(1), help=text)(command)


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


def export_options(command: Command) -> Command:
    """What to export, ``names`` or ``everything``, to where and how."""
    choice = click.Choice(EXPORT_FORMS)
    folder = click.Path()  # as it was typed: a path makes one slash of two
    for option in (
        json_option,
        requirement_options,
        click.option("--force", is_flag=True, help="Replace files that no export wrote."),
        click.option("--keep", type=click.IntRange(1), help="With --dated: remove all but the newest so many."),
        click.option("--dated", is_flag=True, help="Write into a new folder in DIR, named by the time."),
        click.option("--spreadsheet-safe", is_flag=True, help="CSV for Excel: ' before what it would run."),
        click.option("--partition-by", metavar="COLUMN", help="A folder for each value of the column: COLUMN=value."),
        param_option,
        click.option("--to", metavar="DIR", required=True, type=folder, help="Folder for the files."),
        click.option(
            "--format", "-f", "form", type=choice, default="parquet", show_default=True, help="Kind of files."
        ),
        click.option("--all", "everything", is_flag=True, help="Every table and view."),
        click.argument("names", nargs=-1, metavar="[TABLE or QUERY]..."),
    ):
        command = option(command)
    return command


def _parameters(_context: click.Context, _option: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"--param {pair!r} is not name=value. Example: --param days=7")
        if name in found:
            raise UsageError(f"--param {name} is given twice: {found[name]!r} and {value!r}. Leave one of them out.")
        found[name] = value
    return found
