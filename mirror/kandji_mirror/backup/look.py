"""One file of a mirror looked at: whether it is what its manifest says, and nothing else is in it."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import duckdb

from kandji_schema.database import connect
from kandji_schema.history import EVENTS, TRACKED
from kandji_schema.manifest import Manifest
from kandji_schema.sql import identifier

_SEALED: Mapping[str, bool] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
"""A file of unknown origin is opened so that nothing it says can reach another file or the network."""

Expected = Mapping[str, Mapping[str, int]]
"""Of each file, by its path in the home, the tables that it has and their rows."""


def expected(manifest: Manifest) -> Expected:
    """Return what the files of a manifest should have; of events the number that each table has, as ``events.apps``."""
    found: dict[str, Mapping[str, int]] = {}
    for state in manifest.tables.values():
        found |= {f"store/data/{file}": {state.name: state.rows} for file in state.files}
    for segment in manifest.history:
        counts = {f"{EVENTS}.{table}": count for table, count in segment.tables.items()}
        found |= {f"store/history/{file}": counts for file in segment.files}
    return found


def data_trouble(path: Path, tables: Mapping[str, int]) -> str | None:
    """Say what is wrong with a DuckDB file: a block that cannot be read, other rows, or more than plain tables."""
    try:
        with closing(connect(path, read_only=True, config=_SEALED)) as file:
            if odd := _odd(file):
                return odd
            history = any(name.startswith(f"{EVENTS}.") for name in tables) or not tables
            for name in (EVENTS, TRACKED) if history else tables:
                file.execute(f"SELECT count(hash(COLUMNS(*))) FROM {identifier(name)}").fetchall()
            found = _events(file) if history else _rows(file, tables)
    except duckdb.Error as error:
        return f"cannot be read ({type(error).__name__})"
    wrong = [
        f"{name} has {found.get(name, 0):,} rows, not {rows:,}"
        for name, rows in tables.items()
        if found.get(name, 0) != rows
    ]
    return "; ".join(wrong) or None


def _odd(file: duckdb.DuckDBPyConnection) -> str | None:
    """Say where a file has what no file of ours has, which would run when the table is read."""
    ((views, macros),) = file.execute(
        "SELECT (SELECT count(*) FROM duckdb_views() WHERE NOT internal), "
        "(SELECT count(*) FROM duckdb_functions() WHERE NOT internal)"
    ).fetchall()
    return "has views or macros, which no file of ours has" if views or macros else None


def _rows(file: duckdb.DuckDBPyConnection, tables: Mapping[str, int]) -> dict[str, int]:
    return {name: file.execute(f"SELECT count(*) FROM {identifier(name)}").fetchall()[0][0] for name in tables}


def _events(file: duckdb.DuckDBPyConnection) -> dict[str, int]:
    found = file.execute(f"SELECT table_name, count(*) FROM {EVENTS} GROUP BY ALL").fetchall()
    return {f"{EVENTS}.{name}": count for name, count in found}


def database_trouble(path: Path) -> str | None:
    """Say what is wrong with an SQLite file."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            (found,) = file.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        return f"cannot be read ({error})"
    return None if found == "ok" else f"is damaged ({found})"
