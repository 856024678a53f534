"""The commands. Each one only reads its arguments here and is carried out by the module it imports.

click, not typer: typer imports pydantic for every argument, which alone costs as much as DuckDB's whole start.
"""

from typing import Any

import click

from kandji_cli.catalogue import describe, queries, search, tables
from kandji_cli.check import check
from kandji_cli.evidencing import evidence
from kandji_cli.feeding import feed
from kandji_cli.groups import QueryCommand, action, audit, help_command, secret
from kandji_cli.options import (
    columns_option,
    document_option,
    export_options,
    fleet_options,
    format_option,
    limit_option,
    param_option,
    requirement_options,
)
from kandji_cli.reporting import report
from kandji_cli.serving import mcp, mcp_config, serve

EPILOG = (
    "Exit codes: 0 ok, 1 unexpected, 2 usage, 3 configuration or authentication, 4 the provider gave no answer or some "
    "table could not be synced, 5 refused, failed or cut statement, 6 not confirmed, 7 nothing mirrored yet, 8 the "
    "mirror's own files or those of an export, 9 older or less whole than --max-age or --strict take, 10 a check found "
    "something, 11 a check has no answer or a text was not delivered, 130 interrupted."
)


@click.group(
    help="A local mirror of a Kandji (Iru) tenant that answers SQL.",
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(None, "-V", "--version", package_name="kandji-mirror")
@click.pass_context
def app(context: click.Context) -> None:
    """Warn of settings that are not what somebody meant, before any command."""
    if context.invoked_subcommand not in {"mcp", "login"}:  # the one tells its log, the other asks for a tenant anew
        from kandji_cli.output import warn_of_settings

        warn_of_settings()


@app.command()
@fleet_options
def demo(devices: int, apps: int, seed: int) -> None:
    """Sync a simulated tenant and print a fleet report; the configured one is not asked.

    Example: kandji-mirror demo --devices 1000
    """
    from kandji_cli.demo import show

    show(devices=devices, apps=apps, seed=seed)


@app.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=8_080, show_default=True, help="On 127.0.0.1; 0: any.")
@fleet_options
def simulate(port: int, devices: int, apps: int, seed: int) -> None:
    """Serve a simulated tenant on loopback until Ctrl-C.

    Example: kandji-mirror simulate --port 8080 --devices 1000 --seed 7
    """
    from kandji_cli.demo import simulate as serve

    serve(port=port, devices=devices, apps=apps, seed=seed)


@app.command()
@click.option("--subdomain", help="The first part of https://<subdomain>.api.kandji.io; asked for otherwise.")
@click.option("--region", type=click.Choice(("us", "eu")), help="Where the tenant lives.")
@click.option("--api-url", help="Full base URL instead of subdomain and region.")
@click.option("--token-stdin", is_flag=True, help="Read the token from standard input instead of asking for it.")
@click.option("--keychain", is_flag=True, help="Keep the token in the OS keychain instead of a file (mode 0600).")
@click.option("--offline", is_flag=True, help="Store without asking the tenant whether it knows the token.")
def login(token_stdin: bool, keychain: bool, offline: bool, **tenant: str | None) -> None:
    """Store the tenant and its API token, once the tenant has accepted the token.

    Example: kandji-mirror login --subdomain acme
    """
    from kandji_cli.login import Options, log_in

    named = {key: value for key, value in tenant.items() if value is not None}
    log_in(Options(named, token_stdin=token_stdin, offline=offline, keychain=keychain))


@app.command()
@click.option("--offline", is_flag=True, help="Send nothing to the tenant.")
@document_option
def doctor(offline: bool, form: str) -> None:
    """Check settings, token, its permissions and the mirror's files.

    Costs one small request a permission, about twenty.

    Example: kandji-mirror doctor
    """
    from kandji_cli.doctor import examine

    examine(offline=offline, as_json=form == "json")


@app.command()
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
@click.option("--full", is_flag=True, help="Read every table, or the named ones, anew and as a whole.")
@click.option(
    "--device",
    "devices",
    multiple=True,
    metavar="DEVICE",
    help="Only the rows of this device: its identifier, serial number or name. Repeatable.",
)
@document_option
def sync(tables: tuple[str, ...], full: bool, devices: tuple[str, ...], form: str) -> None:
    """Bring the named tables up to date, or those that are due.

    Where another process syncs this mirror, such as `serve`, that one is asked and its answer waited for. A table the
    token may not read is asked for once a day, after `doctor` saw that it may, and when it is named; only then it is a
    failure (exit code 4).

    Example: kandji-mirror sync devices apps
    """
    from kandji_cli.sync import sync_now

    if devices and full:
        raise click.UsageError("--device reads the rows of devices, --full reads whole tables: leave one of them out.")
    sync_now(tables, devices, everything=full, as_json=form == "json")


@app.command()
@document_option
def status(form: str) -> None:
    """Show how old each table is and how it was synced.

    Example: kandji-mirror status --json
    """
    from kandji_cli.status import show_status

    show_status(as_json=form == "json")


@app.command()
@click.option(
    "--tenant", metavar="NAME", help="The tenant whose mirror it is, as `status` has it; asked for otherwise."
)
@click.option("--delete", is_flag=True, help="Delete the mirror instead of moving it aside.")
def reset(tenant: str | None, delete: bool) -> None:
    """Take the mirror out of its home, so that another tenant can be mirrored there.

    It is moved into a folder of its own, where it can still be read. The record of live actions, exports and
    compliance.toml stay.

    Example: kandji-mirror reset --tenant acme
    """
    from kandji_cli.login import reset as take_out

    take_out(tenant, delete=delete)


@app.command()
@click.argument("statement")
@param_option
@format_option
@limit_option
@requirement_options
def sql(statement: str, params: dict[str, str], **how: Any) -> None:
    """Run one read-only SQL statement; - reads it from standard input.

    Start with the view fleet: a row per device, with its person, posture and measures. `kandji-mirror tables` lists
    the tables, `describe NAME` tells what their columns mean, `search WORDS` finds the column for a word, and
    `queries` lists questions that are answered already.

    --param x=7 gives $x a value, which fits texts, numbers and dates alike; null, [...] and {...} are read as JSON.

    Example: kandji-mirror sql "SELECT platform, count(*) FROM devices GROUP BY ALL"
    """
    from kandji_cli.reads import How, run_sql

    run_sql(statement, params, How.from_options(**how))


@app.command(cls=QueryCommand)
@click.argument("name")
@param_option
@format_option
@columns_option
@limit_option
@requirement_options
@click.option("--chart", "picture", metavar="FILE", help="Draw it: FILE.svg, .png or .pdf; - draws in the terminal.")
@click.option("--check", is_flag=True, help="NAME is the .sql file of a query of your own: check it, run nothing.")
def query(name: str, params: dict[str, str], picture: str | None, check: bool, **how: Any) -> None:
    """Run a named query; `kandji-mirror queries` lists them, `kandji-mirror query NAME --help` explains one.

    Example: kandji-mirror query stale_devices --param days=30 --columns device_name,days_since --limit 10

    Example: kandji-mirror query devices_by --param attribute=os --chart systems.svg
    """
    from kandji_cli.reads import How, check_query, run_query

    if check:
        check_query(name)
        return
    if picture is not None:
        from kandji_cli.charts import draw_query

        draw_query(name, params, picture, How.from_options(**how))
        return
    run_query(name, params, How.from_options(**how))


@app.command()
@click.argument("device")
@click.option("--include", multiple=True, metavar="PART", help="A part more, such as apps. Repeatable.")
@document_option
def show(device: str, include: tuple[str, ...], form: str) -> None:
    """Show all that is known of one device: who has it, posture, locks, compliance, what contradicts itself.

    DEVICE is an identifier, serial number, asset tag, or a name of the device or its person.

    Example: kandji-mirror show C02XK1JHJG5J --include apps
    """
    from kandji_cli.show import show_device

    show_device(device, include, as_json=form == "json")


@app.command()
@document_option
def overview(form: str) -> None:
    """Show the fleet in numbers, each with the command that lists what is behind it.

    Devices, systems, blueprints, posture, compliance, trouble, what runs out, and how fresh the mirror is.

    Example: kandji-mirror overview
    """
    from kandji_cli.overview import show_overview

    show_overview(as_json=form == "json")


@app.command()
@export_options
def export(names: tuple[str, ...], **asked: Any) -> None:
    """Write tables, views and named queries as files: complete, of one moment, and dated.

    The files are those of --format: NAME.parquet, NAME.csv or NAME.jsonl for each name, or one kandji-mirror.duckdb or
    kandji-mirror.xlsx with a sheet for each name; beside them manifest.json with rows, hashes and the age of every
    table used. They appear when all of them are whole. An earlier export in the same folder is replaced, anything else
    there only with --force. The files are readable by you alone.

    CSV is UTF-8; NULL is an empty field, an empty text is "". JSON Lines and CSV have ISO times in UTC:
    2026-11-20T12:00:00Z. For Excel take xlsx, which keeps 000062 and 1234567E10 texts and runs nothing; a CSV with
    --spreadsheet-safe runs nothing either, begins with a byte order mark and has no control characters.

    For cron: --dated writes a folder such as 2026-11-27T221500Z, and --keep 7 removes all but the newest seven; give
    each schedule a folder of its own.

    For asset systems: asset_list with --map snipe-it, jira-assets, generic or the path of your own, and --changed-since
    last for what changed since the export before.

    Example: kandji-mirror export fleet devices_by_platform --format csv --to reports

    Example: kandji-mirror export asset_list --map snipe-it --format csv --changed-since last --to assets
    """
    from kandji_cli.export import export_files

    export_files(names, **asked)


@app.command()
@click.option("--since", metavar="TIME", help="From then on: 30m, 24h, 2d, 1w ago, or a date or time, UTC.  [7d]")
@click.option("--until", metavar="TIME", help="Before then.")
@click.option("--device", metavar="DEVICE", help="Identifier, serial number or name of one device.")
@click.option("--table", metavar="TABLE", help="Changes of one table.")
@click.option("--by-column", is_flag=True, help="One row for each column, as the view changes has it.")
@click.option("--compare", is_flag=True, help="Rows of --table only at --since, only at --until (or now), or other.")
@click.option("--limit", type=click.IntRange(1), help="Only the newest so many.  [50 on a terminal, devices first]")
@click.option("--all", "everything", is_flag=True, help="All of them, on a terminal too.")
@format_option
@requirement_options
def changes(form: str, limit: int | None, max_age: str | None, strict: bool, **asked: Any) -> None:
    """Show what changed, by device and thing, oldest first.

    An app that was updated, an owner or system that became another, a device that came or went with what it carried:
    each is told once, and what is the same on several devices in one line. A time may have the offset of any zone; a
    date alone is the start of its day, UTC.

    Example: kandji-mirror changes --since 24h --device C02XK1JHJG5J

    Example: kandji-mirror changes --compare --table apps --since 2026-11-01 --until 2026-11-15
    """
    from datetime import UTC, datetime

    from kandji_cli.changes import Wanted, show_changes
    from kandji_cli.reads import How

    if limit is not None and asked["everything"]:
        raise click.UsageError("--limit shows so many, --all shows all: leave one of them out.")
    how = How.from_options(form=form, limit=limit, max_age=max_age, strict=strict)
    show_changes(Wanted(**asked), how=how, now=datetime.now(UTC))


@app.command()
@format_option
def settings(form: str) -> None:
    """List every setting with its value, where that comes from, and its meaning; secrets are not shown.

    Example: kandji-mirror settings
    """
    from kandji_cli.status import show_settings

    show_settings(form)


for command in (
    help_command,
    tables,
    describe,
    queries,
    search,
    report,
    check,
    evidence,
    feed,
    action,
    secret,
    audit,
    serve,
    mcp,
    mcp_config,
):
    app.add_command(command)
