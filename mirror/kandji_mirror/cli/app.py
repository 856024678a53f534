"""The commands. Each one only reads its arguments here and is carried out by the module it imports."""

from typing import Annotated

import typer

from kandji_mirror.cli.options import (
    AppsOption,
    DevicesOption,
    Format,
    FormatOption,
    JsonOption,
    ParamOption,
    SeedOption,
    parameters,
)

EPILOG = (
    "Exit codes: 0 ok, 1 unexpected, 2 usage, 3 configuration or authentication, 4 some table could not be synced, "
    "5 refused or failed statement, 6 not confirmed, 7 nothing mirrored yet, 8 the mirror's own files, 130 interrupted."
)

app = typer.Typer(
    help="A local mirror of a Kandji (Iru) tenant that answers SQL.",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def demo(devices: DevicesOption = 300, apps: AppsOption = 40, seed: SeedOption = 1) -> None:
    """Sync a tenant and print a fleet report: the configured one, else a simulated one.

    Example: kandji-mirror demo --devices 1000
    """
    from kandji_mirror.cli.demo import show

    show(devices=devices, apps=apps, seed=seed)


@app.command()
def simulate(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port on 127.0.0.1; 0 takes a free one.")] = 8_080,
    devices: DevicesOption = 300,
    apps: AppsOption = 40,
    seed: SeedOption = 1,
) -> None:
    """Serve a simulated tenant on loopback until Ctrl-C.

    Example: kandji-mirror simulate --port 8080 --devices 1000 --seed 7
    """
    from kandji_mirror.cli.demo import simulate as serve

    serve(port=port, devices=devices, apps=apps, seed=seed)


@app.command()
def sync(
    tables: Annotated[
        list[str] | None, typer.Argument(help="Tables to sync now; without any, those that are due.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Sync every table now, due or not.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring the mirror up to date.

    Example: kandji-mirror sync devices apps
    """
    from kandji_mirror.cli.syncing import sync_now

    sync_now(tables or [], everything=full, as_json=as_json)


@app.command()
def status(as_json: JsonOption = False) -> None:
    """Show how old each table is and how it was synced.

    Example: kandji-mirror status --json
    """
    from kandji_mirror.cli.status import show

    show(as_json=as_json)


@app.command()
def sql(
    statement: Annotated[str, typer.Argument(help="One read-only SQL statement; - reads it from standard input.")],
    param: ParamOption = None,
    format: FormatOption = Format.TABLE,  # noqa: A002  # the option's name
) -> None:
    """Run one read-only SQL statement.

    Example: kandji-mirror sql "SELECT platform, count(*) FROM devices GROUP BY ALL"
    """
    from kandji_mirror.cli.reads import run_sql

    run_sql(statement, parameters(param), format.value)


@app.command()
def query(
    name: Annotated[str, typer.Argument(help="Name of the query; `kandji-mirror queries` lists them.")],
    param: ParamOption = None,
    format: FormatOption = Format.TABLE,  # noqa: A002  # the option's name
) -> None:
    """Run a named query.

    Example: kandji-mirror query stale_devices --param days=30
    """
    from kandji_mirror.cli.reads import run_query

    run_query(name, parameters(param), format.value)


@app.command()
def tables(format: FormatOption = Format.TABLE) -> None:  # noqa: A002  # the option's name
    """List the tables and views: what they hold and how old they are.

    Example: kandji-mirror tables
    """
    from kandji_mirror.cli.reads import list_tables

    list_tables(format.value)


@app.command()
def describe(
    table: Annotated[str, typer.Argument(help="Table or view.")],
    format: FormatOption = Format.TABLE,  # noqa: A002  # the option's name
) -> None:
    """Show the columns of a table or view with their meaning.

    Example: kandji-mirror describe devices
    """
    from kandji_mirror.cli.reads import describe_table

    describe_table(table, format.value)


@app.command()
def queries(format: FormatOption = Format.TABLE) -> None:  # noqa: A002  # the option's name
    """List the named queries and their parameters.

    Example: kandji-mirror queries
    """
    from kandji_mirror.cli.reads import list_queries

    list_queries(format.value)


@app.command()
def settings() -> None:
    """List every setting with its value, its default and its meaning; secrets are not shown.

    Example: kandji-mirror settings
    """
    from kandji_mirror.cli.settings import show

    show()


@app.command()
def mcp() -> None:
    """Serve the mirror to an AI assistant over stdio (Model Context Protocol).

    Example: kandji-mirror mcp
    """
    from kandji_mcp_server.main import main

    main()
