"""The SQLite file of the log: made once, written by any number of processes, never changed backwards.

Plain ``sqlite3``: a record is one row of known columns, and reading the log must not cost an import of SQLAlchemy.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from kandji_schema.audit import COLUMNS, audit_file
from kandji_schema.errors import AuditUnavailable
from kandji_schema.files import make_file

BUSY_SECONDS = 30.0
_TYPES = {"BIGINT": "INTEGER", "TIMESTAMP": "TEXT", "VARCHAR": "TEXT"}

_TRIGGERS = tuple(
    f"audit_no_{verb.lower()} BEFORE {verb} ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
    for verb in ("UPDATE", "DELETE")
)


def _ddl() -> Iterator[str]:
    columns = ", ".join(f'"{c.name}" {_TYPES[c.kind]}' for c in COLUMNS if c.name != "seq")
    yield f"CREATE TABLE IF NOT EXISTS audit (seq INTEGER PRIMARY KEY, {columns})"
    yield from (f"CREATE TRIGGER IF NOT EXISTS {trigger}" for trigger in _TRIGGERS)


@contextmanager
def writing(home: Path) -> Iterator[sqlite3.Connection]:
    """Open a connection that holds the log's write lock; committed to the disk when the block ends well.

    :class:`AuditUnavailable` where the file cannot be used: no right, no space, damaged, held for too long.
    """
    path = audit_file(home)
    with _explained(path), closing(_connect(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in _ddl():
                connection.execute(statement)
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise


@contextmanager
def reading(home: Path) -> Iterator[sqlite3.Connection | None]:
    """Open a connection that only reads; None where there is no log yet. Raises as :func:`writing`."""
    path = audit_file(home)
    if not path.exists():
        yield None
        return
    with _explained(path), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.text_factory = _text
        yield connection


def rows(connection: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    """Read every record in order."""
    names = [column.name for column in COLUMNS]
    found = connection.execute(f"SELECT {', '.join(names)} FROM audit ORDER BY seq")
    return (dict(zip(names, row, strict=True)) for row in found)


def refuses_changes(connection: sqlite3.Connection) -> bool:
    """Tell whether the file still refuses to change or delete a record, exactly as it was made to."""
    found = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    return {sql for (sql,) in found} == {f"CREATE TRIGGER {trigger}" for trigger in _TRIGGERS}


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    make_file(path)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
    except sqlite3.Error:
        connection.close()
        raise
    connection.text_factory = _text
    return connection


def _text(value: bytes) -> str:
    """Decode also a record whose bytes somebody changed: the check of the chain has to see it."""
    return value.decode("utf-8", errors="surrogateescape")


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise AuditUnavailable(
            f"The audit log {path} cannot be used: {getattr(error, 'strerror', None) or error}. Check the space left "
            "and your right to write there; where the file is damaged, keep it for whoever investigates and move it "
            "away together with audit.head. Without a record nothing is done."
        ) from error
