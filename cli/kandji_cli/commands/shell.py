"""``shell``: its arguments; it imports its work when it runs."""

import click

from kandji_cli.options import FORMATS


@click.command()
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="How to print the rows, until .mode says otherwise.",
)
def shell(form: str) -> None:
    """Ask in SQL at a prompt: with completion, history and commands such as .tables and .chart.

    A statement ends with a semicolon and may go over several lines; it is read-only, as that of `sql`. Ctrl-C stops it,
    Ctrl-D leaves. Every answer is of the newest state of the mirror and tells its age. Without a terminal the
    statements are read from standard input, each answered as by `sql`.

    Example: kandji-mirror shell

    Example: kandji-mirror shell --format csv < statements.sql
    """
    from kandji_cli.shell import run_shell

    run_shell(form)
