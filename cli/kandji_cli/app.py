"""The command line as a whole. What a command takes is in ``commands``; its work in the module that it imports.

click, not typer: typer imports pydantic for every argument, which alone costs as much as DuckDB's whole start.
"""

import click

from kandji_cli.commands.version import show_line
from kandji_cli.sections import SECTIONS, SectionedGroup
from kandji_cli.tenant_option import tenant_option, with_tenant

EPILOG = (
    "Exit codes: 0 ok, 1 unexpected, 2 usage, 3 configuration or authentication, 4 the provider gave no answer or some "
    "table could not be synced, 5 refused, failed or cut statement, 6 not confirmed, 7 nothing mirrored yet, 8 the "
    "mirror's own files or those of an export, 9 older or less whole than --max-age or --strict take, 10 a check found "
    "something, 11 a check has no answer or a text was not delivered, 130 interrupted; what runs until Ctrl-C ends "
    "with 0."
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
@tenant_option(help="One of several tenants, by its name in config.toml; `kandji-mirror tenants` lists them.")
def app() -> None:
    """Begin; what is common to all commands is done once their arguments are read."""


for command in (command for commands in SECTIONS.values() for command in commands):
    app.add_command(with_tenant(command))
