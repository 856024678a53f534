"""``sql`` and ``query``: their arguments; each imports its work when it runs."""

from typing import Any

import click

from kandji_cli import completing
from kandji_cli.options import (
    columns_option,
    format_option,
    limit_option,
    param_option,
    requirement_options,
    tenants_option,
)
from kandji_cli.tenant_option import refuse_one_beside_several


class QueryCommand(click.Command):
    """``query``, whose help with the name of a query is that query's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; end with a query's own help where that is asked for."""
        if {*ctx.help_option_names} & {*args} and (name := self._named(ctx, args)):
            from kandji_cli.reads import help_with_query

            help_with_query(name)
            ctx.exit()
        return super().parse_args(ctx, args)

    def _named(self, ctx: click.Context, args: list[str]) -> str | None:
        """Return the name of the query that help is asked for; None where the command's own is."""
        helping = self.get_help_option(ctx)
        try:
            given, _, _ = self.make_parser(ctx).parse_args(list(args))
        except click.UsageError:
            return None
        name = given.get("name")
        return name if helping and given.get(str(helping.name)) and isinstance(name, str) else None


@click.command()
@click.argument("statement")
@param_option
@format_option
@limit_option
@requirement_options
@tenants_option
def sql(statement: str, params: dict[str, str], tenants: str | None, **how: Any) -> None:
    """Run one read-only SQL statement; - reads it from standard input.

    Start with the view fleet: a row per device, with its person, posture and measures. `kandji-mirror tables` lists
    the tables, `describe NAME` tells what their columns mean, `search WORDS` finds the column for a word, and
    `queries` lists questions that are answered already.

    --param x=7 gives $x a value, which fits texts, numbers and dates alike; null, [...] and {...} are read as JSON.

    Example: kandji-mirror sql "SELECT platform, count(*) FROM devices GROUP BY ALL"

    Example: kandji-mirror sql "FROM fleet WHERE NOT filevault_on" --format csv
    """
    from kandji_cli.reads import How, run_sql

    if tenants is not None:
        from kandji_cli.reads_of_tenants import run_sql as run_on_each  # one tenant needs none of it

        refuse_one_beside_several()
        run_on_each(tenants, statement, params, How.from_options(**how))
        return
    run_sql(statement, params, How.from_options(**how))


@click.command(cls=QueryCommand)
@click.argument("name", shell_complete=completing.queries)
@param_option
@format_option
@columns_option
@limit_option
@requirement_options
@tenants_option
@click.option("--chart", "picture", metavar="FILE", help="Draw it: FILE.svg, .png or .pdf; - draws in the terminal.")
@click.option("--check", is_flag=True, help="NAME is the .sql file of a query of your own: check it, run nothing.")
def query(name: str, params: dict[str, str], tenants: str | None, picture: str | None, check: bool, **how: Any) -> None:
    """Run a named query; `kandji-mirror queries` lists them, `kandji-mirror query NAME --help` explains one.

    Example: kandji-mirror query stale_devices --param days=30 --columns device_name,days_since --limit 10

    Example: kandji-mirror query devices_by --param attribute=os --chart systems.svg
    """
    from kandji_cli.reads import How, check_query, run_query

    if check:
        check_query(name)
        return
    if tenants is not None:
        if picture is not None:
            raise click.UsageError("--chart draws the answer of one tenant: leave out --tenants, and name one.")
        from kandji_cli.reads_of_tenants import run_query as run_on_each

        refuse_one_beside_several()
        run_on_each(tenants, name, params, How.from_options(**how))
        return
    if picture is not None:
        from kandji_cli.charts import draw_query

        draw_query(name, params, picture, How.from_options(**how))
        return
    run_query(name, params, How.from_options(**how))
