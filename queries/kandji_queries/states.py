"""The manifest's facts about its tables as a relation, for the views that tell how old rows are."""

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from typing import Any

import duckdb

from kandji_schema.manifest import TableState

STATES = "internal.table_states"
"""Not one of the tables statements may name."""


def _naive(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None


_COLUMNS: tuple[tuple[str, str, Callable[[TableState], Any]], ...] = (
    ("table_name", "VARCHAR", lambda state: state.name),
    ("state", "VARCHAR", lambda state: state.state.value),
    ("rows", "BIGINT", lambda state: state.rows),
    ("synced_at", "TIMESTAMP", lambda state: _naive(state.synced_at)),
    ("ttl_seconds", "BIGINT", lambda state: state.ttl_seconds),
    ("ttl_reason", "VARCHAR", lambda state: state.ttl_reason),
    ("method", "VARCHAR", lambda state: state.method),
    ("last_error", "VARCHAR", lambda state: state.error),
    ("note", "VARCHAR", lambda state: state.note),
    ("attempted_at", "TIMESTAMP", lambda state: _naive(state.attempted_at)),
    ("whole_at", "TIMESTAMP", lambda state: _naive(state.whole_at)),
    ("checked_at", "TIMESTAMP", lambda state: _naive(state.checked_at)),
)


def add_states(base: duckdb.DuckDBPyConnection, states: Iterable[TableState]) -> None:
    """Make the relation in the schema ``internal``, one row a table."""
    columns = ", ".join(f"{name} {kind}" for name, kind, _ in _COLUMNS)
    base.execute(f"CREATE SCHEMA IF NOT EXISTS internal; CREATE TABLE {STATES} ({columns})")
    _insert(base, list(states))


def renew_states(base: duckdb.DuckDBPyConnection, states: Collection[TableState]) -> None:
    """Put these states in place of what the relation has of their tables."""
    base.execute(f"DELETE FROM {STATES} WHERE list_contains($1, table_name)", [[state.name for state in states]])
    _insert(base, states)


def _insert(base: duckdb.DuckDBPyConnection, states: Collection[TableState]) -> None:
    rows = [[read(state) for _, _, read in _COLUMNS] for state in states]
    if rows:
        places = ", ".join([f"({', '.join('?' * len(_COLUMNS))})"] * len(rows))
        base.execute(f"INSERT INTO {STATES} VALUES {places}", [cell for row in rows for cell in row])
