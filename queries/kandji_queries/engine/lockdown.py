"""The second layer of defence: the settings that lock an engine down, and known ways out of it, tried on purpose.

``read_only`` alone does not stop writing (a SELECT can hold a COPY), and ``enable_external_access=false`` still leaves
the attached files open for writing. So the files are attached read-only, then external access goes, then the local
file system itself, then the configuration is locked. On top every statement runs in a read-only transaction, because
the in-memory catalog that holds the views would take new ones. A server that finds a way out open refuses to serve.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import duckdb

from kandji_queries.engine.limits import QueryLimits
from kandji_schema import database
from kandji_schema.errors import StoreError

CONFIG: Mapping[str, str | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_unsigned_extensions": False,
    "allow_persistent_secrets": False,
    "python_enable_replacements": False,
    "python_scan_all_frames": False,
    "temp_directory": "",
    "max_temp_directory_size": "0B",
}
"""Settings that are only, or best, made when the engine starts."""

ARROW_LAMBDAS = "SET GLOBAL lambda_syntax='ENABLE_SINGLE_ARROW'"
"""``x -> x + 1`` is what models write; it works beside ``lambda x: x + 1`` and the arrows of JSON."""

BASE_SETTINGS = (
    "SET allow_extension_repositories='forbidden'",
    "SET enable_external_file_cache=false",
    "SET enable_progress_bar=false",  # it would write to stdout
    "SET pivot_limit=1000",
)
"""With these alone data files can still be opened."""

CLOSE_ESCAPE_HATCHES = (
    "SET enable_external_access=false",
    "SET disabled_filesystems='LocalFileSystem'",
    "SET lock_configuration=true",
)
"""The order is part of it: after the second nothing opens files, after the last nothing changes settings."""

LOCKDOWN = (*BASE_SETTINGS, *CLOSE_ESCAPE_HATCHES)

ESCAPES = (
    ("read a file of the system", "SELECT * FROM read_text('/etc/passwd')"),
    ("read the process's environment", "SELECT * FROM read_blob('/proc/self/environ')"),
    ("list a folder", "SELECT * FROM glob('/*') LIMIT 1"),
    ("write a file", "COPY (SELECT 1) TO '{folder}/escaped.csv'"),
    ("write a file out of a SELECT", "WITH c AS (COPY (SELECT 1) TO '{folder}/escaped.csv') SELECT 1"),
    ("attach a file", "ATTACH '{folder}/escaped.duckdb' AS escaped"),
    ("read a Python variable", "SELECT * FROM local_table"),
    ("change a setting", "SET threads=3"),
    ("turn external access on", "SET enable_external_access=true"),
    ("install an extension", "INSTALL httpfs"),
    ("make a table for the next caller", "CREATE TABLE escaped AS SELECT 1"),
    ("replace a view for the next caller", "CREATE OR REPLACE VIEW freshness AS SELECT 1"),
)
"""What is tried, whatever the data files are."""

FILE_ESCAPES = (
    ("read a data file past the views", "SELECT * FROM read_blob('{file}')"),
    ("open a data file by itself", "SELECT * FROM read_duckdb('{file}', table_name='{table}')"),
    ("overwrite a data file", "COPY (SELECT 1) TO '{file}' (USE_TMP_FILE false)"),
    ("plant a log beside a data file", "COPY (SELECT 'x'::BLOB) TO '{file}.wal' (FORMAT blob)"),
    ("write into a data file", "CREATE TABLE stored_{table}.main.escaped AS SELECT 1"),
)
"""What is tried on one data file."""

Connect = Callable[[], duckdb.DuckDBPyConnection]


def empty_engine(limits: QueryLimits) -> duckdb.DuckDBPyConnection:
    """Start an engine without data: good for parsing, and what a :class:`QueryEngine` is made from."""
    return database.connect(
        ":memory:", config={**CONFIG, "memory_limit": f"{limits.memory_mb}MB", "threads": limits.threads}
    )


def refuse_escapes(connect: Connect, folder: Path, table: str | None, file: Path | None) -> None:
    """Try the known ways out; :class:`StoreError` names every one that worked.

    ``connect`` gives a connection as statements get it, ``folder`` holds the data files, ``file`` is that of ``table``.
    """
    places = {"folder": str(folder), "file": str(file), "table": table}
    with database.connect() as other:
        bait = other.sql("SELECT 1 AS escaped")
        tried = (*ESCAPES, *(FILE_ESCAPES if file else ()))
        escaped = [what for what, sql in tried if _works(connect, sql.format(**places), bait)]
    if escaped:
        raise StoreError(
            f"The SQL engine is not sealed: a statement could {', '.join(escaped)}. Nothing is served. "
            "Install the DuckDB version this release names."
        )


def _works(connect: Connect, sql: str, local_table: duckdb.DuckDBPyRelation) -> bool:
    """Tell whether a statement runs; ``local_table`` is bait: DuckDB looks for tables among Python's variables."""
    with connect() as cursor, suppress(duckdb.Error):
        cursor.execute(sql).fetchall()
        return bool(local_table)
    return False
