"""The command ``search``; what it does is in :mod:`kandji_cli.search`."""

import click

from kandji_cli.options import format_option, limit_option


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
    """
    from kandji_cli.search import print_hits

    print_hits(words, kind, limit, form)
