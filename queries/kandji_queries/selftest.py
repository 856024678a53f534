"""Known ways out of an engine, tried on purpose: a server that finds one open refuses to serve."""

from collections.abc import Iterator
from contextlib import suppress

import duckdb

from kandji_queries.engine import Engine
from kandji_schema import database
from kandji_schema.errors import StoreError

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


def refuse_if_open(engine: Engine) -> None:
    """:class:`StoreError` names every escape that worked."""
    with database.connect() as other:
        bait = other.sql("SELECT 1 AS escaped")
        escaped = [what for what, sql in _attempts(engine) if _works(engine, sql, bait)]
    if escaped:
        raise StoreError(
            f"The SQL engine is not sealed: a statement could {', '.join(escaped)}. Nothing is served. "
            "Install the DuckDB version this release names."
        )


def _attempts(engine: Engine) -> Iterator[tuple[str, str]]:
    places = {"folder": str(engine.folder)}
    yield from ((what, sql.format(**places)) for what, sql in ESCAPES)
    stored = next((s for s in engine.manifest.tables.values() if s.file and s.name in engine.tables), None)
    if stored is not None:
        places = {"file": str(engine.folder / str(stored.file)), "table": stored.name}
        yield from ((what, sql.format(**places)) for what, sql in FILE_ESCAPES)


def _works(engine: Engine, sql: str, local_table: duckdb.DuckDBPyRelation) -> bool:
    """``local_table`` is bait: DuckDB looks for tables among Python's variables."""
    with engine.cursor() as cursor, suppress(duckdb.Error):
        cursor.execute(sql).fetchall()
        return bool(local_table)
    return False
