"""``tables``, ``describe``, ``queries`` and ``search``: what there is to ask; each imports its work when it runs."""

import click

from kandji_cli import completing
from kandji_cli.options import format_option, limit_option


@click.command()
@format_option
def tables(form: str) -> None:
    """List the tables and views: what they hold and how old they are.

    Example: kandji-mirror tables

    Example: kandji-mirror tables --json
    """
    from kandji_cli.reads import list_tables

    list_tables(form)


@click.command()
@click.argument("name", shell_complete=completing.names)
@format_option
def describe(name: str, form: str) -> None:
    """Show what a table, view, named query or macro is: its columns with their meaning; or what TABLE.COLUMN is.

    Example: kandji-mirror describe fleet

    Example: kandji-mirror describe devices.last_check_in
    """
    from kandji_cli.reads import describe as describe_name

    describe_name(name, form)


@click.command()
@format_option
def queries(form: str) -> None:
    """List the named queries and their parameters.

    Example: kandji-mirror queries

    Example: kandji-mirror queries --json
    """
    from kandji_cli.reads import list_queries

    list_queries(form)


@click.command()
@click.argument("words", nargs=-1, metavar="WORDS...")
@click.option("--kind", metavar="KIND", help="Only this: column, table, query, app, person, device, profile, cve ...")
@limit_option
@format_option
def search(words: tuple[str, ...], kind: str | None, limit: int | None, form: str) -> None:
    """Find columns, tables, queries, apps, people and devices by words, the best first.

    A device is found by any number of its: serial, asset tag, IMEI, MAC address, phone number. What the provider does
    not give at all, such as warranty or price, is said.

    Example: kandji-mirror search disk space

    Example: kandji-mirror search C02XK1JHJG5J --kind device
    """
    from kandji_cli.search import print_hits

    print_hits(words, kind, limit, form)
