"""The audit log of live actions as a relation, behind the view ``audit_log``.

It is SQLite's, which the sealed engine can neither open nor load an extension for: its rows are handed over when a
statement names the view.
"""

import json
from contextlib import closing
from pathlib import Path

import duckdb

from kandji_schema.audit import COLUMNS, AuditColumn, audit_file
from kandji_schema.errors import StoreError

VIEW = "audit_log"
ROWS = "internal.audit_records"
"""Not one of the tables statements may name."""

_TRIES = 5

Stamp = tuple[tuple[int, int], ...]


def add_audit(base: duckdb.DuckDBPyConnection, home: Path, *, masked: bool) -> None:
    """Make the relation in the schema ``internal``, one row a record; empty where nothing was recorded yet.

    Where ``masked``, columns about people are NULL. :class:`StoreError` where the log cannot be read.
    """
    columns = ", ".join(f"{column.name} {column.kind}" for column in COLUMNS)
    base.execute(f"CREATE SCHEMA IF NOT EXISTS internal; CREATE TABLE {ROWS} ({columns})")
    shape = json.dumps([{column.name: column.kind for column in COLUMNS}])
    rows = json.dumps(_read(home, masked))
    base.execute(f"INSERT INTO {ROWS} SELECT unnest(from_json($1::JSON, '{shape}'), recursive := true)", [rows])


def audit_stamp(home: Path) -> Stamp:
    """Changes whenever the log does."""
    path = audit_file(home)
    return tuple(_state(Path(f"{path}{suffix}")) for suffix in ("", "-wal"))


def _state(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


def _read(home: Path, masked: bool) -> list[dict[str, object]]:
    """Every record. A process that may write no file has to be able to, also while another one appends."""
    import sqlite3  # only statements about the log need it

    if not audit_file(home).is_file():
        return []
    trouble: sqlite3.Error | None = None
    for _ in range(_TRIES):
        before = audit_stamp(home)
        try:
            rows = _rows(home, masked)
        except sqlite3.Error as error:
            trouble = error
            continue
        if audit_stamp(home) == before:
            return rows
    reason = trouble or "it changes all the time"
    raise StoreError(f"The audit log cannot be read: {reason}. `kandji-mirror audit verify` tells more.") from trouble


def _rows(home: Path, masked: bool) -> list[dict[str, object]]:
    import sqlite3

    columns = ", ".join(_masked(c) if masked else c.name for c in COLUMNS)
    with closing(sqlite3.connect(_uri(audit_file(home)), uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f"SELECT {columns} FROM audit ORDER BY seq")]


def _masked(column: AuditColumn) -> str:
    if column.personal:
        return f"NULL AS {column.name}"
    if column.target:  # a device is named by an identifier once it was found; before, by whatever was typed
        uuid = "-".join("[0-9a-f]" * digits for digits in (8, 4, 4, 4, 12))
        return f"CASE WHEN {column.name} GLOB '{uuid}' THEN {column.name} END AS {column.name}"
    return column.name


def _uri(path: Path) -> str:
    """Where nobody has it open its own file holds everything, and SQLite need not make the files of a shared one."""
    wal = Path(f"{path}-wal")
    alone = not wal.exists() or wal.stat().st_size == 0
    return f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if alone else ''}"
