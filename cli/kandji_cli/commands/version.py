"""``version``, and the option ``-V``: each imports what it shows when it runs."""

import click

from kandji_cli.options import document_option


def show_line(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print the version in one line and end, where ``-V`` was given."""
    if not wanted or context.resilient_parsing:
        return
    from kandji_schema.installation import NAME, version_line

    click.echo(f"{NAME}, {version_line()}")
    context.exit()


@click.command()
@document_option
def version(form: str) -> None:
    """Show the versions of this program, DuckDB, Python and the store, and which extras are installed.

    Example: kandji-mirror version

    Example: kandji-mirror version --json
    """
    from kandji_cli.version import show_versions

    show_versions(as_json=form == "json")
