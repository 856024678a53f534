"""The data dictionary: what the tables and columns are, from the comments in the data files."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from kandji_queries import definitions
from kandji_queries.relations import past_call
from kandji_schema.derived import derived_columns
from kandji_schema.durations import seconds_since
from kandji_schema.manifest import TableState
from kandji_schema.sql import identifier
from kandji_schema.utc import in_seconds

if TYPE_CHECKING:
    import duckdb

    from kandji_queries.engine.query_engine import QueryEngine

_Words = tuple[str, str | None, str]
"""Table, column (None: the table itself) and what is said of it."""


@dataclass(frozen=True, slots=True)
class TableInfo:
    """One table or view. The facts of syncing are None for a view; times are ``2026-11-20T12:00:00Z``."""

    name: str
    kind: str
    description: str
    rows: int | None = None
    synced_at: str | None = None
    state: str | None = None
    age_seconds: float | None = None
    ttl_seconds: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """One column; ``type`` is DuckDB's name."""

    name: str
    type: str
    description: str


@dataclass(frozen=True, slots=True)
class ColumnPlace:
    """One column of one table or view, as a search tells of it."""

    table: str
    column: str
    type: str
    description: str

    @property
    def path(self) -> str:
        """Return ``table.column``."""
        return f"{self.table}.{self.column}"


@dataclass(frozen=True, slots=True)
class TableDetail:
    """A table and its columns in their order."""

    info: TableInfo
    columns: tuple[ColumnInfo, ...]


def table_infos(engine: "QueryEngine", now: datetime) -> list[TableInfo]:
    """Return every table and view of the engine, tables first, by name."""
    comments = _table_comments(engine)
    states = engine.manifest.tables
    tables = [_table_info(states[name], comments.get(name, ""), now) for name in sorted(states)]
    views = (v for v in definitions.views().values() if v.name in engine.tables - engine.broken.keys())
    return tables + [TableInfo(view.name, "view", view.description) for view in views]


def columns(engine: "QueryEngine", table: str, sources: Collection[str]) -> tuple[ColumnInfo, ...]:
    """Return the columns of one table or view, each with its description; ``sources`` are the tables behind it."""
    states = [s for s in engine.manifest.tables.values() if s.name in sources]
    with engine.cursor() as cursor:
        shape = cursor.execute(f"DESCRIBE main.{identifier(table)}").fetchall()
        words = _described(table, states, _stored_words(cursor, [state.name for state in states]))
    return tuple(ColumnInfo(name, kind, words.get(name, "")) for name, kind, *_ in shape)


def with_past(info: TableInfo, functions: Mapping[str, str]) -> TableInfo:
    """Say in the description how it is asked as it was, where one of ``functions`` tells; each with its table."""
    function = next((function for function, table in functions.items() if table == info.name), None)
    if function is None:
        return info
    way = "As it was" if info.kind == "table" else "Faster, of some days"
    return replace(info, description=f"{info.description} {way}: FROM {past_call(function)}.".lstrip())


def all_columns(engine: "QueryEngine", sources: Mapping[str, Collection[str]]) -> tuple[ColumnPlace, ...]:
    """Return the columns of all tables and views, in their order; ``sources`` are the tables behind each."""
    with engine.cursor() as cursor:
        shape = cursor.execute(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE database_name = current_database() "
            "AND schema_name = 'main' AND NOT internal ORDER BY table_name, column_index"
        ).fetchall()
        stored = _stored_words(cursor, engine.manifest.tables)
    states = engine.manifest.tables
    words = {table: _described(table, [states[s] for s in behind], stored) for table, behind in sources.items()}
    return tuple(
        ColumnPlace(table, column, kind, words[table].get(column, ""))
        for table, column, kind in shape
        if table in words.keys() - engine.broken.keys()
    )


def _stored_words(cursor: "duckdb.DuckDBPyConnection", tables: Iterable[str]) -> list[_Words]:
    """Return table, column and comment of all columns in the data files of some tables."""
    from kandji_queries.engine.query_engine import store_name  # with it comes duckdb, which starting must not wait for

    return cursor.execute(
        "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE comment IS NOT NULL AND "
        "database_name IN $stores",
        {"stores": [store_name(name) for name in tables]},
    ).fetchall()


def _described(table: str, sources: Collection[TableState], stored: Sequence[_Words]) -> dict[str, str]:
    """Return descriptions by column.

    A view's own words come first; a column it passes on keeps its table's, those of ``devices`` before others.
    """
    names = {state.name for state in sources}
    found = [*(of for of in stored if of[0] in names), *(words for state in sources for words in comments(state))]
    words = sorted(found, key=lambda of: (of[0] != "devices", of[0]), reverse=True)
    view = definitions.views().get(table)
    return {**{column: text for _, column, text in words if column}, **(view.columns if view else {})}


def comments(state: TableState) -> list[_Words]:
    """Return table, column (None: the table itself) and comment, by its definition, of what no data file tells of.

    Those are the derived columns, and of a table without a file all.
    """
    derived: list[_Words] = [(state.name, c.name, c.description) for c in derived_columns(state.name)]
    if state.file is not None:
        return derived
    found = (_COMMENT.fullmatch(statement) for statement in state.ddl[1:])
    return [*derived, *((state.name, words["column"], words["text"].replace("''", "'")) for words in found if words)]


_COMMENT = re.compile(
    r"""COMMENT ON (?:TABLE "[^"]+"|COLUMN "[^"]+"\."(?P<column>[^"]+)") IS '(?P<text>.*)'""", re.DOTALL
)


def _table_comments(engine: "QueryEngine") -> dict[str, str]:
    with engine.cursor() as cursor:
        found = cursor.execute("SELECT table_name, comment FROM duckdb_tables() WHERE comment IS NOT NULL")
        stored = dict(found.fetchall())
    declared = (words for state in engine.manifest.tables.values() for words in comments(state))
    return {**stored, **{table: text for table, column, text in declared if column is None}}


def _table_info(state: TableState, description: str, now: datetime) -> TableInfo:
    return TableInfo(
        name=state.name,
        kind="table",
        description=description,
        rows=state.rows,
        synced_at=in_seconds(state.synced_at),
        state=state.state_word,
        age_seconds=seconds_since(state.synced_at, now),
        ttl_seconds=state.ttl_seconds,
        error=state.error,
    )
