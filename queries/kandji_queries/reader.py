"""What all readers of the mirror ask: one object, any number of threads, always the newest whole manifest."""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from copy import copy
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

import duckdb

from kandji_queries import as_of
from kandji_queries.adviser import Adviser, trials
from kandji_queries.catalog.params import readings
from kandji_queries.engine.limits import Cancellation, QueryLimits
from kandji_queries.engine.pool import EnginePool
from kandji_queries.engine.query_engine import QueryEngine
from kandji_queries.guard.dependencies import Dependencies
from kandji_queries.guard.statements import Checked, Guard
from kandji_queries.lineage.tree import Node
from kandji_queries.relations import AUDIT_LOG, audit_stamp
from kandji_queries.results.data_notes import MASKED, SYNC_COMMAND, Requirements, data_notes
from kandji_queries.results.outcome import Outcome
from kandji_queries.results.result import JsonResult, Result
from kandji_queries.results.stream import Stream
from kandji_schema.errors import Failed, StatementError, StoreDamaged, TookTooLong, UnknownName
from kandji_schema.manifest import Manifest, TableState
from kandji_schema.sql import fold_name

if TYPE_CHECKING:
    from kandji_queries.catalog.dictionary import ColumnPlace, TableDetail, TableInfo
    from kandji_queries.catalog.queries import NamedQuery
    from kandji_queries.remarks.asked import Asked

T = TypeVar("T")
Values = Mapping[str, object]


class Reader:
    """Questions to the mirror in ``home``, answered from its files; nothing is ever written and no network is used."""

    def __init__(
        self,
        home: Path,
        limits: QueryLimits | None = None,
        *,
        second_opinion: bool = False,
        lazy: bool = False,
        warm: bool = False,
        rules: str = "",
        masked: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        kill: Callable[[TookTooLong], object] | None = None,
        values_in_errors: bool = True,
        requirements: Requirements = Requirements(),  # noqa: B008  # frozen
        remedy: str = SYNC_COMMAND,
    ) -> None:
        """Open nothing yet.

        ``second_opinion`` lets sqlglot look at every statement too (as long to import as DuckDB). ``lazy`` opens only
        the files a statement needs: right for a process that asks once. ``warm`` prepares for the next state of the
        mirror ahead: right for a server. ``rules`` is a file of compliance rules as the setting names it. ``masked``
        opens the files with pseudonyms in place of personal data, and no others: tables that have none yet are refused.
        ``clock`` tells the time, aware UTC, for what notes say of ages. ``kill`` is the last resort of a process that
        asks once: it ends it when the engine does not stop after the time limit. Without ``values_in_errors`` no error
        repeats a value of the data. ``requirements`` are checked before any statement runs: :class:`NotFresh` where a
        table it uses does not meet them. ``remedy`` is what reads from the tenant, as notes call it.
        """
        self.limits = limits or QueryLimits()
        self.home = home
        self._lazy = lazy
        self._masked = masked
        self._clock = clock
        self._kill = kill
        self._stop: Cancellation | None = None
        self._requirements = requirements
        self._values_in_errors = values_in_errors
        self._remedy = remedy
        self._engines = EnginePool(
            home, self.limits, lazy=lazy, warm=warm, rules=rules, masked=masked, values_in_errors=values_in_errors
        )
        self._guard = Guard(self._engines.parser, second_opinion=second_opinion)
        self._dependencies = Dependencies(Guard(self._engines.parser), self._engines.rules)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close what is open."""
        self._engines.close()

    def stopped_by(self, stop: Cancellation) -> Self:
        """Return this reader for one caller: all its statements end when ``stop`` is set, which any thread may do."""
        reader = copy(self)
        reader._stop = stop  # one that nobody has seen yet
        return reader

    def with_remedy(self, remedy: str) -> Self:
        """Return this reader for another face: ``remedy`` is what reads from the tenant, as its notes call it."""
        reader = copy(self)
        reader._remedy = remedy  # one that nobody has seen yet
        return reader

    @property
    def manifest(self) -> Manifest:
        """The state that is answered from."""
        return self._engines.manifest()

    @property
    def generation(self) -> int:
        """The number of the state that is answered from; it grows with every sync that published something."""
        return self.manifest.generation

    @property
    def state(self) -> Hashable:
        """What answers follow from, besides the time: it differs once a sync, the rules or the audit log did."""
        return self.generation, self._engines.rules.stamp(), audit_stamp(self.home)

    @property
    def warnings(self) -> list[str]:
        """Why an older state answers than the newest published; empty when all is well."""
        return list(self._engines.warnings)

    def now(self) -> datetime:
        """Return the time, aware UTC, that ages are told by."""
        return self._clock()

    def run(self, sql: str, params: Values | None = None, *, limits: QueryLimits | None = None) -> Result:
        """Run one statement of anyone's. ``params`` are bound to its ``$name`` parameters.

        Raises :class:`Refused`, :class:`Failed`, :class:`TookTooLong`, :class:`NothingMirrored`, :class:`StoreDamaged`,
        :class:`Interrupted`.
        """
        return self._collected(sql, params, limits, Stream.collect)

    def run_json(self, sql: str, params: Values | None = None, *, limits: QueryLimits | None = None) -> JsonResult:
        """Run one statement as :meth:`run` does, for an answer that is passed on as JSON."""
        return self._collected(sql, params, limits, Stream.collect_json, anyones=True)

    def query(self, name: str, params: Values | None = None, *, limits: QueryLimits | None = None) -> Result:
        """Run a named query. ``params`` may be texts, as from a command line, or values of the declared types.

        Raises :class:`UnknownName` and :class:`UsageError` on top of what :meth:`run` raises.
        """
        query = self.named(name)
        values = query.bind(params or {})
        found = self.run(query.statement(params or {}), values, limits=limits)
        query.check_columns([column.name for column in found.columns])
        found.notes.extend(self._query_notes(query, values, params or {}, found))
        found.notes.extend(() if found.rows else self._empty_notes(query, values, params or {}))
        return found

    @contextmanager
    def stream(self, sql: str, params: Values | None = None, *, limits: QueryLimits | None = None) -> Iterator[Stream]:
        """Run one statement as :meth:`run` does, with rows that are fetched while they are used.

        Values of ``params`` may be :class:`CliText`, as they are on a command line.
        """
        with self._streamed(sql, params or {}, limits, anyones=True) as stream:
            yield stream

    @contextmanager
    def stream_query(
        self, name: str, params: Values | None = None, *, limits: QueryLimits | None = None
    ) -> Iterator[Stream]:
        """Run a named query as :meth:`query` does, with rows that are fetched while they are used."""
        from kandji_queries.catalog.queries import catalog  # ad-hoc SQL does not need it

        query = self.named(name)
        values = query.bind(params or {})
        anyones = query.name not in catalog()
        with self._streamed(query.statement(params or {}), values, limits, anyones=anyones) as stream:
            query.check_columns([column.name for column in stream.columns])
            stream.notes.extend(self._query_notes(query, values, params or {}))
            stream.split_by(query.tells)
            stream.note_when_empty(lambda: self._empty_notes(query, values, params or {}))
            yield stream

    def named(self, name: str) -> "NamedQuery":
        """Return the query of that name, ours or one's own; :class:`UnknownName` with the nearest names."""
        from kandji_queries.catalog.own_queries import find_query  # ad-hoc SQL does not need the catalogue

        return find_query(self.home, name)

    def tables(self) -> "list[TableInfo]":
        """Return every table and view, with its age."""
        from kandji_queries.catalog.dictionary import table_infos  # ad-hoc SQL does not need the dictionary

        return self._once_more(lambda: self._with_all(lambda engine: table_infos(engine, self._clock())))

    def describe(self, table: str) -> "TableDetail":
        """Return one table or view with its columns; :class:`UnknownName` with the nearest names."""
        from kandji_queries.catalog.dictionary import TableDetail, columns, with_past

        infos = {info.name: info for info in self.tables()}
        name = fold_name(table)
        if name not in infos:
            self._with_all(lambda engine: engine.refuse_broken([name]))
            raise UnknownName("table", table, infos)
        sources = self._dependencies.tables(self._engines.manifest(), [name])
        found = self._once_more(lambda: self._with_all(lambda engine: columns(engine, name, sources)))
        return TableDetail(with_past(infos[name], self.functions()), found)

    def functions(self) -> Mapping[str, str]:
        """Return our table functions, ``devices_as_of`` and ``changes_between``, with the table or view behind each."""
        return as_of.functions(self._engines.manifest())

    def columns(self) -> "tuple[ColumnPlace, ...]":
        """Return every column of every table and view but those that need a table that is not mirrored here yet."""
        from kandji_queries.catalog.dictionary import all_columns

        manifest = self._engines.manifest()
        sources: dict[str, Collection[str]] = {}
        for name in self._dependencies.names(manifest):
            with suppress(StatementError):
                sources[name] = self._dependencies.tables(manifest, [name])
        return self._once_more(lambda: self._with_all(lambda engine: all_columns(engine, sources)))

    def was_read(self, table: str) -> bool:
        """Tell whether the rows of a table were ever read; False for one there is not."""
        state = self._engines.manifest().tables.get(table)
        return state is not None and state.synced_at is not None

    def data_notes(self, names: Iterable[str]) -> list[str]:
        """Return what has to be known of some tables and views before their rows are believed, as answers note it."""
        manifest = self._engines.manifest()
        return self._data_notes(manifest, self._dependencies.tables(manifest, names))

    def self_test(self) -> None:
        """Try the known ways out of the engine; :class:`StoreError` if one works. A server calls it before serving."""
        self._with_all(QueryEngine.refuse_escapes)

    def _query_notes(
        self, query: "NamedQuery", values: Values, given: Values, found: Result | None = None
    ) -> list[str]:
        if not query.params:
            return []
        from kandji_queries.query_notes import query_notes  # ad-hoc SQL does not need the catalogue

        return query_notes(self, query, values, given, found)

    def _empty_notes(self, query: "NamedQuery", values: Values, given: Values) -> list[str]:
        from kandji_queries.query_notes import empty_notes  # only where there are no rows

        return empty_notes(self, query, values, given)

    def _collected(
        self,
        sql: str,
        params: Values | None,
        limits: QueryLimits | None,
        collect: Callable[[Stream], T],
        *,
        anyones: bool = False,
    ) -> T:
        def attempt() -> T:
            with self._opened(sql, params or {}, limits, anyones=anyones) as stream:
                return collect(stream)

        return self._once_more(attempt)

    @contextmanager
    def _streamed(
        self, sql: str, params: Values, limits: QueryLimits | None, *, anyones: bool = False
    ) -> Iterator[Stream]:
        with ExitStack() as stack:
            yield self._once_more(lambda: stack.enter_context(self._bound(sql, params, limits, anyones)))

    @contextmanager
    def _bound(self, sql: str, params: Values, limits: QueryLimits | None, anyones: bool) -> Iterator[Stream]:
        """Open a stream with the first reading of the values that the engine can bind."""
        with ExitStack() as stack:
            first, *others = readings(params)
            try:
                stream = stack.enter_context(self._opened(sql, first, limits, anyones=anyones))
            except Failed as error:
                if not others or not isinstance(error.__cause__, duckdb.BinderException):
                    raise
                stream = stack.enter_context(self._opened(sql, others[0], limits, anyones=anyones))
            yield stream

    @contextmanager
    def _opened(
        self, sql: str, params: Values, limits: QueryLimits | None, *, anyones: bool = False
    ) -> Iterator[Stream]:
        """Run a statement up to its first rows. To ``anyones`` is said what our own queries tell in their columns."""
        manifest = self._engines.manifest()
        names = self._dependencies.names(manifest)
        adviser = self._adviser(sql, params, manifest)
        checked = adviser.checked(names)
        lists_names = checked.kind == "show"
        asked = () if lists_names else checked.tables
        behind = self._dependencies.behind(manifest, asked)
        wanted = self._dependencies.opened(manifest, asked) if self._lazy and not lists_names else {*names, *behind}
        with self._engines.engine(manifest, wanted, audit=AUDIT_LOG in behind) as engine, engine.cursor() as cursor:
            engine.refuse_broken(behind)
            used = self._dependencies.used(manifest, checked, params)
            self._requirements.check(_states(manifest, used.judged), self._clock(), masked=self._masked)
            stream = Stream(
                cursor,
                limits or self.limits,
                as_of=engine.as_of(sorted(used.dated)),
                notes=[*self.warnings, *self._data_notes(manifest, used.judged)],
                stop=self._stop,
                kill=self._kill,
            )
            with adviser.explaining(engine, checked, params, lambda: stream.seconds_left, self._stop):
                stream.start(sql, params)
            if anyones and checked.kind == "select":
                stream.note_at_end(lambda outcome: self._remarks(engine, checked.tree, params, outcome))
            yield stream

    def _remarks(self, engine: QueryEngine, root: Node, params: Values, outcome: Outcome) -> list[str]:
        from kandji_queries.remarks.remarks import remarks  # only for anyone's statements

        return list(remarks(self._asked(engine, root, params), engine, outcome, self._clock()))

    def _asked(self, engine: QueryEngine, root: Node, params: Values) -> "Asked":
        from kandji_queries.remarks.asked import Asked

        patient = copy(self)
        patient._kill = None  # no remark is worth the process
        return Asked.of(patient, root, params, engine.columns_of, self._engines.parser)

    def _adviser(self, sql: str, params: Values, manifest: Manifest) -> Adviser:
        def check(text: str) -> Checked:
            return self._guard.check(text, self._dependencies.names(manifest), params, as_of.functions(manifest))

        asked = (lambda engine, root: self._asked(engine, root, params)) if self._values_in_errors else None
        tried = trials(self._engines, self._dependencies, manifest, params)
        return Adviser(sql, check, lambda: self._dependencies.columns(manifest), tried, asked)

    def _data_notes(self, manifest: Manifest, names: Collection[str]) -> list[str]:
        states = _states(manifest, names)
        found = data_notes(states, self._clock(), masked=self._masked, remedy=self._remedy)
        return [*found, MASKED] if self._masked and states else found

    def _with_all(self, action: Callable[[QueryEngine], T]) -> T:
        manifest = self._engines.manifest()
        with self._engines.engine(manifest, self._dependencies.names(manifest)) as engine:
            return action(engine)

    def _once_more(self, action: Callable[[], T]) -> T:
        """Try again where a file is damaged: it is never used again, so the second attempt has an older state."""
        try:
            return action()
        except StoreDamaged:
            return action()


def _states(manifest: Manifest, names: Collection[str]) -> list[TableState]:
    return [state for name, state in sorted(manifest.tables.items()) if name in names]
