"""What is known without a mirror: tables, views and the columns of named queries, as they are defined.

An engine without a row answers, made of no more tables than are asked for.
"""

import os
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from kandji_queries import as_of, definitions
from kandji_queries.catalog.dictionary import ColumnInfo, TableDetail, TableInfo, columns, comments, table_infos
from kandji_queries.engine.limits import QueryLimits
from kandji_queries.engine.lockdown import empty_engine
from kandji_queries.engine.query_engine import QueryEngine
from kandji_queries.guard.dependencies import Dependencies
from kandji_queries.guard.statements import Guard
from kandji_schema.ddl import statements
from kandji_schema.errors import Failed, UnknownName
from kandji_schema.manifest import Manifest, TableState
from kandji_schema.registry import resources
from kandji_schema.sql import fold_name

if TYPE_CHECKING:
    from kandji_queries.catalog.queries import NamedQuery

NOWHERE = Path(os.devnull, "store", "data")
"""The folder of data files that are not there."""

SAMPLES: Mapping[str, Any] = {
    "text": "x",
    "version": "1",
    "int": 1,
    "float": 1.0,
    "bool": False,
    "date": "2026-11-20",
    "time": datetime(2026, 11, 20, tzinfo=UTC).replace(tzinfo=None),
}
"""For each kind of parameter a value, so that a query which needs one can be prepared."""

COMPUTED: Mapping[str, str] = {
    "devices": "Number of devices.",
    "macs": "Number of Macs.",
    "iphones": "Number of iPhones.",
    "ipads": "Number of iPads.",
    "apple_tvs": "Number of Apple TVs.",
    "removed": "How many of them are removed in Kandji.",
    "missing": "How many of them are marked missing.",
    "app": "Name of the app.",
    "apps": "Number of apps.",
    "copies": "Number of copies: an app may be on a device at several paths.",
    "installs": "Number of copies: an app may be on a device at several paths.",
    "percent": "Share in percent.",
    "item": "Name of the library item.",
    "blueprint": "Name of the blueprint.",
    "tag": "Name of the tag.",
    "profile": "Name of the profile.",
    "parameter": "Name of the parameter.",
    "passed": "How many passed.",
    "failed": "How many failed.",
    "unknown": "How many of which it is not known.",
    "days_left": "Days until it expires; negative where it has.",
    "provider_count": "The number as the provider counts it.",
}
"""Columns that several named queries compute and that mean the same in all of them."""


class DeclaredMirror:
    """Every table and view there is, none of them ever synced."""

    def __init__(self) -> None:
        """Read the definitions; an engine is made when one is needed."""
        states = {r.name: TableState(r.name, statements(r), int(r.ttl.total_seconds())) for r in resources().values()}
        self._manifest = Manifest(0, "", datetime(1970, 1, 1, tzinfo=UTC), states)
        self._parser = empty_engine(QueryLimits())
        self._guard = Guard(self._parser.cursor)
        self._engine: QueryEngine | None = None
        self._dependencies = Dependencies(Guard(self._parser.cursor))

    def tables(self) -> list[TableInfo]:
        """Return every table and view, without age or rows."""
        return table_infos(self._with(self._names()), datetime.now(UTC))

    def describe(self, table: str) -> TableDetail:
        """Return one table or view with its columns; :class:`UnknownName` with the nearest names."""
        name = fold_name(table)
        if name not in self._names():
            raise UnknownName("table", table, self._names())
        behind = self._dependencies.behind(self._manifest, [name])
        engine = self._with(behind)
        info = next(info for info in table_infos(engine, datetime.now(UTC)) if info.name == name)
        return TableDetail(info, columns(engine, name, behind & self._manifest.tables.keys()))

    def columns(self, query: "NamedQuery") -> tuple[ColumnInfo, ...]:
        """Return the columns of a query's answer with their meanings.

        :class:`Refused` or :class:`Failed` where its statement cannot be run.
        """
        tables = self._guard.check(query.sql, self._names(), _values(query), self._functions()).tables
        behind = self._dependencies.behind(self._manifest, tables)
        words = {**self._meanings(tables, behind), **query.columns}
        shape = _shape(self._with(behind), query)
        query.check_columns([name for name, _ in shape], ("tells", "column", "chart", "says"))
        return tuple(ColumnInfo(name, kind, words.get(name, "")) for name, kind in shape)

    def _meanings(self, named: Collection[str], behind: Collection[str]) -> dict[str, str]:
        """Return what columns mean by name: in a table that the statement names before one that only a view reads."""
        states = [state for name, state in self._manifest.tables.items() if name in behind]
        states.sort(key=lambda state: (state.name in named, state.name == "devices"))
        stored = {column: text for state in states for _, column, text in comments(state) if column}
        views = (view for view in definitions.views().values() if view.name in named)
        return {**COMPUTED, **stored, **{name: text for view in views for name, text in view.columns.items()}}

    def _names(self) -> Collection[str]:
        return self._dependencies.names(self._manifest)

    def _functions(self) -> Mapping[str, str]:
        return as_of.functions(self._manifest)

    def _with(self, tables: Collection[str]) -> QueryEngine:
        """Return an engine that has these tables and views: the one made before, where it does."""
        if self._engine is None or not self._engine.tables >= frozenset(tables):
            self._engine = QueryEngine(empty_engine(QueryLimits()), self._manifest, NOWHERE, tables)
        return self._engine


def _values(query: "NamedQuery") -> dict[str, Any]:
    """Return values to prepare a query with."""
    return {
        param.name: _value(param.kind, param.choices) if param.required else param.default
        for param in query.own_params()
    }


def _value(kind: str, choices: tuple[str, ...]) -> Any:
    return choices[0] if choices else SAMPLES[kind]


def _shape(engine: QueryEngine, query: "NamedQuery") -> list[tuple[str, str]]:
    """Return names and types of the columns of an answer."""
    try:
        with engine.cursor() as cursor:
            cursor.execute(query.sql, _values(query) or None)
            return [(name, str(kind)) for name, kind, *_ in cursor.description]
    except duckdb.Error as error:
        raise Failed(f"The query {query.name} cannot be run: {str(error).strip()}") from error
