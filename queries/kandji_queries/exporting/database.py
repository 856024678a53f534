"""All of an export in one ordinary DuckDB file."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import duckdb

from kandji_queries.exporting.copying import run
from kandji_queries.exporting.item import Item
from kandji_queries.exporting.spellings import literal, quoted

STORAGE_VERSION = "v1.5.0"
"""Any DuckDB from 1.5 on opens the file; the default of 2.0 could not be opened by them."""

FILE = "kandji-mirror.duckdb"


def write_database(
    con: duckdb.DuckDBPyConnection,
    items: Sequence[Item],
    macros: Sequence[str],
    target: Path,
    watch: Callable[[str, float], None],
) -> dict[str, int]:
    """Write every item as a table, and our macros; returns the rows by name."""
    con.execute(f"ATTACH {literal(str(target))} AS export (STORAGE_VERSION '{STORAGE_VERSION}')")
    rows = {item.name: _table(con, item, watch) for item in items}
    con.execute("USE export")
    for macro in macros:
        con.execute(macro)
    con.execute("USE memory; CHECKPOINT export; DETACH export")
    return rows


def comment(con: duckdb.DuckDBPyConnection, table: str, words: str, columns: Mapping[str, str]) -> None:
    """Give a table of the file being written its descriptions."""
    name = f"export.main.{quoted(table)}"
    con.execute(f"COMMENT ON TABLE {name} IS {literal(words)}")
    for column, meaning in columns.items():
        con.execute(f"COMMENT ON COLUMN {name}.{quoted(column)} IS {literal(meaning)}")


def _table(con: duckdb.DuckDBPyConnection, item: Item, watch: Callable[[str, float], None]) -> int:
    statement = f"CREATE TABLE export.main.{quoted(item.name)} AS {item.sql}"
    return run(con, statement, item.params, lambda percent: watch(item.name, percent))
