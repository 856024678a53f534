"""The command line as a whole. What a command takes is in ``commands``; its work in the module that it imports.

click, not typer: typer imports pydantic for every argument, which alone costs as much as DuckDB's whole start.
"""

import click

from kandji_cli.commands.version import show_line
from kandji_cli.sections import SECTIONS, SectionedGroup

EPILOG = (
    "Exit codes: 0 ok, 1 unexpected, 2 usage, 3 configuration or authentication, 4 the provider gave no answer or some "
    "table could not be synced, 5 refused, failed or cut statement, 6 not confirmed, 7 nothing mirrored yet, 8 the "
    "mirror's own files or those of an export, 9 older or less whole than --max-age or --strict take, 10 a check found "
    "something, 11 a check has no answer or a text was not delivered, 130 interrupted."
)


@click.group(
    cls=SectionedGroup,
    help="""A local mirror of a Kandji (Iru) tenant that answers SQL.

    Example: kandji-mirror demo

    Example: kandji-mirror help sql
    """,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    *("-V", "--version"),
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=show_line,
    help="Show the version, and those of DuckDB, Python and the store.",
)
@click.pass_context
def app(context: click.Context) -> None:
    """Warn of settings that are not what somebody meant, before any command."""
    if context.invoked_subcommand not in {"mcp", "serve", "login", "version"}:  # they tell logs, ask anew, need none
        from kandji_cli.output import warn_of_settings

        warn_of_settings()


for command in (command for commands in SECTIONS.values() for command in commands):
    app.add_command(command)
