"""What can be exported, and the engine it is exported from."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from kandji_queries import as_of
from kandji_queries.catalog.dictionary import ColumnInfo, columns, table_infos
from kandji_queries.catalog.queries import NamedQuery, catalog
from kandji_queries.engine.limits import QueryLimits
from kandji_queries.engine.pool import EnginePool
from kandji_queries.engine.query_engine import QueryEngine
from kandji_queries.guard.dependencies import Dependencies, Used
from kandji_queries.guard.statements import Guard
from kandji_queries.results.data_notes import Requirements, data_notes
from kandji_queries.results.values import ResultColumn
from kandji_schema.errors import MirrorError, NeverSynced, UnknownName, UsageError
from kandji_schema.manifest import Manifest, TableState
from kandji_schema.sql import fold_name, identifier, literal

TRUSTED = ("SET enable_progress_bar=false",)
"""Instead of :data:`LOCKDOWN`: this engine may write files, and answers no statements."""


@dataclass(frozen=True, kw_only=True)
class ExportItem:
    """One table, view or named query. ``behind`` are all names it reads; ``params`` the values to bind.

    ``told_sql`` is what the manifest says of it, where that is another statement than ``sql``; ``notes`` is what has to
    be known of it besides its tables. ``used`` are the mirrored tables on whose rows it depends and that date it, where
    these are not all that are behind it: history is of all tables, and a query asks for that of a few. ``asset_map``
    and ``changed_since`` are of an export by a map.
    """

    name: str
    kind: str
    sql: str
    behind: frozenset[str]
    params: Mapping[str, Any] = field(default_factory=dict)
    used: Used | None = None
    told_sql: str | None = None
    notes: tuple[str, ...] = ()
    asset_map: str | None = None
    changed_since: str | None = None

    @property
    def judged(self) -> frozenset[str]:
        """The tables whose state matters to its rows."""
        return self.used.judged if self.used else self.behind


@dataclass(frozen=True)
class OpenSource:
    """An engine on the files of one manifest that may write, and what is to be written from it."""

    engine: QueryEngine
    items: tuple[ExportItem, ...]
    left_out: Mapping[str, str]
    warnings: Sequence[str]
    now: datetime
    masked: bool

    def spill_to(self, folder: Path) -> None:
        """Say where to put what does not fit into memory."""
        with self.session(f"SET temp_directory={literal(folder)}", "RESET max_temp_directory_size"):
            pass

    @contextmanager
    def session(self, *settings: str) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open a connection, closed after the block."""
        with self.engine.session() as session:
            for setting in settings:
                session.execute(setting)
            yield session

    def columns(self, item: ExportItem) -> tuple[ResultColumn, ...]:
        """Return names and types of an item's columns."""
        with self.session() as session:
            session.execute(f"SELECT * FROM (\n{item.sql}\n) LIMIT 0", dict(item.params) or None)
            return tuple(ResultColumn(name, str(kind)) for name, kind, *_ in session.description)

    def words(self, item: ExportItem) -> tuple[str, Sequence[ColumnInfo]]:
        """Say what an item is, and what is known of its columns."""
        if item.kind == "query":
            query = catalog()[item.name]
            return f"{query.title}. {query.description}", ()
        infos = {info.name: info.description for info in table_infos(self.engine, self.now)}
        tables = item.behind & self.engine.manifest.tables.keys()
        return infos.get(item.name, ""), columns(self.engine, item.name, tables)

    def as_of(self, item: ExportItem) -> dict[str, str | None]:
        """Return when the rows of each mirrored table that dates an item were read."""
        return self.engine.as_of(sorted(item.used.dated if item.used else item.behind))

    def notes(self, item: ExportItem) -> list[str]:
        """Return what has to be known of the tables behind an item."""
        return data_notes(_states(self.engine.manifest, item), self.now, masked=self.masked)

    def refuse_unfit(self, requirements: Requirements) -> None:
        """:class:`NotFresh` where a table behind an item is not what is required."""
        judged = frozenset().union(*(item.judged for item in self.items))
        states = self.engine.manifest.tables
        requirements.check([states[name] for name in judged if name in states], self.now, masked=self.masked)


class MirrorSource:
    """The mirror in ``home`` as something to export.

    Which files are read is decided by :class:`EnginePool` alone.
    """

    def __init__(
        self, home: Path, *, rules: str, masked: bool, memory_mb: int, threads: int, clock: Callable[[], datetime]
    ) -> None:
        """Open nothing yet. ``masked`` sees masked files only."""
        limits = QueryLimits(memory_mb=memory_mb, threads=threads)
        self._engines = EnginePool(home, limits, lazy=True, rules=rules, masked=masked, seal=TRUSTED)
        self._guard = Guard(self._engines.parser)
        self._dependencies = Dependencies(self._guard, self._engines.rules)
        self._clock = clock
        self._masked = masked

    @contextmanager
    def opened(self, names: Sequence[str] | None, params: Mapping[str, object]) -> Iterator[OpenSource]:
        """Yield the items of these names, or every table and view; open until the block ends.

        :class:`UnknownName`, :class:`UsageError` for names and parameters, :class:`Failed` for a view that cannot be
        made, :class:`NothingMirrored`, :class:`StoreDamaged`.
        """
        manifest = self._engines.manifest()
        left_out: dict[str, str] = {}
        found = self._everything(manifest, left_out) if names is None else self._named(manifest, names, params)
        items = tuple(found)
        with self._engines.engine(manifest, frozenset().union(*(item.behind for item in items))) as engine:
            if names is None:
                items = tuple(item for item in items if not _broken(engine, item, left_out))
                items = tuple(item for item in items if not self._unread(manifest, item, left_out))
            for item in items:
                engine.refuse_broken(item.behind)
                self._refuse_unread(manifest, item)
            yield OpenSource(engine, items, left_out, self._engines.warnings, self._clock(), self._masked)

    @contextmanager
    def statement(
        self, name: str, sql: str, params: Mapping[str, Any], *, refuse_unread: bool = False
    ) -> Iterator[tuple[OpenSource, ExportItem]]:
        """Yield one statement of ours, checked as any, as an item called ``name``; open until the block ends.

        :class:`NeverSynced` with ``refuse_unread`` where no table behind it was ever read.
        """
        manifest = self._engines.manifest()
        item = self._checked(manifest, name, sql, params)
        with self._engines.engine(manifest, item.behind) as engine:
            engine.refuse_broken(item.behind)
            if refuse_unread:
                self._refuse_unread(manifest, item)
            yield OpenSource(engine, (item,), {}, self._engines.warnings, self._clock(), self._masked), item

    def close(self) -> None:
        """Close what is open."""
        self._engines.close()

    def _refuse_unread(self, manifest: Manifest, item: ExportItem) -> None:
        if reason := self._never_read(manifest, item):
            raise NeverSynced(f"{item.name} was not exported: {reason} An empty file would say there is nothing.")

    def _unread(self, manifest: Manifest, item: ExportItem, left_out: dict[str, str]) -> bool:
        if reason := self._never_read(manifest, item):
            left_out[item.name] = reason
        return bool(reason)

    def _never_read(self, manifest: Manifest, item: ExportItem) -> str:
        """Say why no table behind an item has rows of the tenant; empty where one has, or none is behind it."""
        states = _states(manifest, item)
        return (
            " ".join(data_notes(states, self._clock(), masked=self._masked))
            if states and not any(s.synced_at for s in states)
            else ""
        )

    def _everything(self, manifest: Manifest, left_out: dict[str, str]) -> Iterator[ExportItem]:
        for name in self._dependencies.names(manifest):
            try:
                yield self._relation(manifest, name)
            except MirrorError as error:
                left_out[name] = str(error)

    def _named(self, manifest: Manifest, names: Sequence[str], params: Mapping[str, object]) -> list[ExportItem]:
        known = self._dependencies.names(manifest)
        wanted = list(dict.fromkeys(fold_name(name) for name in names))
        for name in wanted:
            if name not in known and name not in catalog():
                raise UnknownName("table, view or query", name, [*known, *catalog()])
        queries = [catalog()[name] for name in wanted if name not in known]
        _refuse_unused(params, queries)
        return [
            self._relation(manifest, name) if name in known else self._query(manifest, catalog()[name], params)
            for name in wanted
        ]

    def _relation(self, manifest: Manifest, name: str) -> ExportItem:
        kind = "table" if name in manifest.tables else "view"
        return ExportItem(
            name=name,
            kind=kind,
            sql=f"FROM main.{identifier(name)}",
            behind=self._dependencies.behind(manifest, [name]),
        )

    def _query(self, manifest: Manifest, query: NamedQuery, params: Mapping[str, object]) -> ExportItem:
        own = {param.name for param in query.params}
        given = {name: value for name, value in params.items() if name in own}
        return self._checked(manifest, query.name, query.statement(given), query.bind(given))

    def _checked(self, manifest: Manifest, name: str, sql: str, params: Mapping[str, Any]) -> ExportItem:
        checked = self._guard.check(sql, self._dependencies.names(manifest), params, as_of.functions(manifest))
        behind = self._dependencies.behind(manifest, checked.tables)
        used = self._dependencies.used(manifest, checked, params)
        return ExportItem(name=name, kind="query", sql=sql, behind=behind, params=params, used=used)


def _refuse_unused(params: Mapping[str, object], queries: Iterable[NamedQuery]) -> None:
    """Refuse a parameter that no query has; one is for every query that has it."""
    known = sorted({param.name for query in queries for param in query.params})
    for name in params:
        if name not in known and known:
            raise UnknownName("parameter of what is exported", name, known)
        if name not in known:
            raise UsageError(f"Nothing of what is exported has parameters; {name} was given.")


def _states(manifest: Manifest, item: ExportItem) -> list[TableState]:
    return [state for name, state in sorted(manifest.tables.items()) if name in item.judged]


def _broken(engine: QueryEngine, item: ExportItem, left_out: dict[str, str]) -> bool:
    try:
        engine.refuse_broken(item.behind)
    except MirrorError as error:
        left_out[item.name] = str(error)
        return True
    return False
