"""``sync`` and ``status``: their arguments; each imports its work when it runs."""

import click

from kandji_cli import completing
from kandji_cli.options import page_option, printed


@click.command()
@click.argument("tables", nargs=-1, metavar="[TABLE]...", shell_complete=completing.tables)
@click.option("--full", is_flag=True, help="Read every table, or the named ones, anew and as a whole.")
@click.option(
    "--device",
    "devices",
    multiple=True,
    metavar="DEVICE",
    help="Only the rows of this device: its identifier, serial number or name. Repeatable.",
)
@printed("text", "json", "jsonl", help="How to print it: json is one document, jsonl an object a table.")
def sync(tables: tuple[str, ...], full: bool, devices: tuple[str, ...], form: str) -> None:
    """Bring the named tables up to date, or those that are due.

    Where another process syncs this mirror, such as `serve`, that one is asked and its answer waited for. A table the
    token may not read is asked for once a day, after `doctor` saw that it may, and when it is named; only then it is a
    failure (exit code 4).

    Example: kandji-mirror sync devices apps

    Example: kandji-mirror sync --device C02XK1JHJG5J

    Example: kandji-mirror sync devices --format jsonl
    """
    from kandji_cli.sync import sync_now

    if devices and full:
        raise click.UsageError("--device reads the rows of devices, --full reads whole tables: leave one of them out.")
    sync_now(tables, devices, everything=full, form=form)


@click.command()
@page_option
def status(form: str) -> None:
    """Show how old each table is and how it was synced.

    Example: kandji-mirror status --json

    Example: kandji-mirror status
    """
    from kandji_cli.status import show_status

    show_status(as_json=form == "json")
