"""Relations beside the mirrored tables, in the engine's schema ``internal``: views of ours read them, statements never.

Two of them are filled here: what the manifest says of its tables, and the audit log. The audit log is SQLite's, which
the locked engine can neither open nor load an extension for: its rows are handed over when a statement names the view.
"""

import json
from collections.abc import Callable, Collection, Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kandji_schema.audit import COLUMNS, AuditColumn, audit_file
from kandji_schema.errors import StoreError
from kandji_schema.manifest import TableState
from kandji_schema.utc import naive_utc

if TYPE_CHECKING:
    import duckdb

STATES = "internal.table_states"
"""One row a table: what the manifest says of it."""

RULES = "internal.rules"
INPUTS = "internal.rule_inputs"
"""The rules of compliance and what they look at, see :mod:`kandji_queries.compliance.relations`."""

EVENTS = "internal.events"
"""All changes kept; an engine that has it among its names has the segments of history open."""

TRACKED = "internal.tracked"
"""One row a table with history: ``table_name``, ``since``, ``until``, ``keys``, ``fallbacks``."""

THINGS = "internal.things"
FACTS = "internal.facts"
NAMES = "internal.names"
"""What rows with history are called, see :mod:`kandji_queries.thing_words`."""

AUDIT_RECORDS = "internal.audit_records"
"""One row a record of the audit log."""

INTERNAL = frozenset({STATES, RULES, INPUTS, EVENTS, TRACKED, THINGS, FACTS, NAMES, AUDIT_RECORDS})

AS_OF = "_as_of"
"""What the name of a table ends with in that of the function that shows it as it was."""

MOMENT, OTHER_MOMENT = "'2026-11-20 12:00'", "'2026-11-27 12:00'"
"""Moments as they are written in examples, UTC."""

BY_THING, BETWEEN = "changes_by_thing", "changes_between"
"""The view of changes as people tell them, and the function that reads only those between two moments."""

CURRENCY = "os_currency"
"""The view of how current operating systems are, which has a function of a moment too."""

BEGINS, ENDS = "begins", "ends"
"""The parameters of that function, which may be given by name."""


def past_call(function: str) -> str:
    """Write a call of one of our table functions as it is meant: ``devices_as_of('2026-11-20 12:00')``."""
    return f"{function}({f'{MOMENT}, {OTHER_MOMENT}' if function == BETWEEN else MOMENT})"


AUDIT_LOG = "audit_log"
"""The view of the audit log."""

READ_ATTEMPTS = 5
"""How often the audit log is read where another process writes it meanwhile."""

Fact = Callable[[TableState], Any]


def _moment(name: str) -> Fact:
    def read(state: TableState) -> Any:
        moment = getattr(state, name)
        return moment and naive_utc(moment)

    return read


_STATE_COLUMNS: tuple[tuple[str, str, Fact], ...] = (
    ("table_name", "VARCHAR", lambda state: state.name),
    ("state", "VARCHAR", lambda state: state.state_word),
    ("rows", "BIGINT", lambda state: state.rows),
    ("synced_at", "TIMESTAMP", _moment("synced_at")),
    ("ttl_seconds", "BIGINT", lambda state: state.ttl_seconds),
    ("ttl_reason", "VARCHAR", lambda state: state.ttl_reason),
    ("method", "VARCHAR", lambda state: state.method),
    ("last_error", "VARCHAR", lambda state: state.error),
    ("note", "VARCHAR", lambda state: state.note),
    ("attempted_at", "TIMESTAMP", _moment("attempted_at")),
    ("whole_at", "TIMESTAMP", _moment("whole_at")),
    ("checked_at", "TIMESTAMP", _moment("checked_at")),
)


def create_schema(base: "duckdb.DuckDBPyConnection") -> None:
    """Make the schema ``internal`` where it is not there yet."""
    base.execute("CREATE SCHEMA IF NOT EXISTS internal")


def add_states(base: "duckdb.DuckDBPyConnection", states: Iterable[TableState]) -> None:
    """Make the relation of the tables' states."""
    create_schema(base)
    base.execute(f"CREATE TABLE {STATES} ({', '.join(f'{name} {kind}' for name, kind, _ in _STATE_COLUMNS)})")
    _insert(base, list(states))


def renew_states(base: "duckdb.DuckDBPyConnection", states: Collection[TableState]) -> None:
    """Put these states in place of what the relation has of their tables."""
    base.execute(f"DELETE FROM {STATES} WHERE list_contains($1, table_name)", [[state.name for state in states]])
    _insert(base, states)


def _insert(base: "duckdb.DuckDBPyConnection", states: Collection[TableState]) -> None:
    rows = [[read(state) for _, _, read in _STATE_COLUMNS] for state in states]
    if rows:
        places = ", ".join([f"({', '.join('?' * len(_STATE_COLUMNS))})"] * len(rows))
        base.execute(f"INSERT INTO {STATES} VALUES {places}", [cell for row in rows for cell in row])


def add_audit(base: "duckdb.DuckDBPyConnection", home: Path, *, masked: bool) -> None:
    """Make the relation of the audit log, one row a record; empty where nothing was recorded yet.

    Where ``masked``, columns about people are NULL. :class:`StoreError` where the log cannot be read.
    """
    create_schema(base)
    base.execute(f"CREATE TABLE {AUDIT_RECORDS} ({', '.join(f'{column.name} {column.kind}' for column in COLUMNS)})")
    shape = json.dumps([{column.name: column.kind for column in COLUMNS}])
    records = f"SELECT unnest(from_json($1::JSON, '{shape}'), recursive := true)"
    base.execute(f"INSERT INTO {AUDIT_RECORDS} {records}", [json.dumps(_audit_records(home, masked))])


def audit_stamp(home: Path) -> tuple[tuple[int, int], ...]:
    """Return what changes whenever the audit log does."""
    path = audit_file(home)
    return tuple(_file_stamp(Path(f"{path}{suffix}")) for suffix in ("", "-wal"))


def _file_stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


def _audit_records(home: Path, masked: bool) -> list[dict[str, object]]:
    """Return every record. A process that may write no file has to be able to, also while another one appends."""
    import sqlite3  # only statements about the log need it

    if not audit_file(home).is_file():
        return []
    trouble: sqlite3.Error | None = None
    for _ in range(READ_ATTEMPTS):
        before = audit_stamp(home)
        try:
            with closing(sqlite3.connect(_sqlite_uri(audit_file(home)), uri=True)) as connection:
                connection.row_factory = sqlite3.Row
                columns = ", ".join(_masked(c) if masked else c.name for c in COLUMNS)
                rows = [dict(row) for row in connection.execute(f"SELECT {columns} FROM audit ORDER BY seq")]
        except sqlite3.Error as error:
            trouble = error
            continue
        if audit_stamp(home) == before:
            return rows
    reason = trouble or "it changes all the time"
    raise StoreError(f"The audit log cannot be read: {reason}. `kandji-mirror audit verify` tells more.") from trouble


def _masked(column: AuditColumn) -> str:
    if column.personal:
        return f"NULL AS {column.name}"
    if column.target:  # a device is named by an identifier once it was found; before, by whatever was typed
        uuid = "-".join("[0-9a-f]" * digits for digits in (8, 4, 4, 4, 12))
        return f"CASE WHEN {column.name} GLOB '{uuid}' THEN {column.name} END AS {column.name}"
    return column.name


def _sqlite_uri(path: Path) -> str:
    """Return the address to read at. Where nobody has it open its own file holds everything.

    Then SQLite need not make the files of a shared one.
    """
    wal = Path(f"{path}-wal")
    alone = not wal.exists() or wal.stat().st_size == 0
    return f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if alone else ''}"
