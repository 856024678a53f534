"""``export``: its arguments; it imports its work when it runs."""

from typing import Any

import click

from kandji_cli.options import export_options


@click.command()
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
