"""``tables``, ``describe`` and ``queries``: what there is to ask; each imports its work when it runs."""

import click

from kandji_cli.options import format_option


@click.command()
@format_option
def tables(form: str) -> None:
    """List the tables and views: what they hold and how old they are.

    Example: kandji-mirror tables
    """
    from kandji_cli.reads import list_tables

    list_tables(form)


@click.command()
@click.argument("name")
@format_option
def describe(name: str, form: str) -> None:
    """Show what a table, view, named query or macro is: its columns with their meaning.

    Example: kandji-mirror describe fleet
    """
    from kandji_cli.reads import describe as describe_name

    describe_name(name, form)


@click.command()
@format_option
def queries(form: str) -> None:
    """List the named queries and their parameters.

    Example: kandji-mirror queries
    """
    from kandji_cli.reads import list_queries

    list_queries(form)
