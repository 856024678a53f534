"""The reading side's front door: one object, any number of threads, always the newest whole manifest."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

import duckdb

from kandji_queries.audit_rows import VIEW as AUDIT
from kandji_queries.cautions import MASKED, cautions
from kandji_queries.deadline import Stop
from kandji_queries.engine import Engine
from kandji_queries.guard import Guard
from kandji_queries.history import macros
from kandji_queries.limits import Limits
from kandji_queries.requirements import Requirements
from kandji_queries.result import Result, Stream
from kandji_queries.store import Store
from kandji_queries.streaming import Source
from kandji_queries.vocabulary import Vocabulary
from kandji_queries.written import readings
from kandji_schema.errors import Failed, StoreDamaged, TookTooLong, UnknownName
from kandji_schema.manifest import Manifest, TableState
from kandji_schema.sql import fold_name

if TYPE_CHECKING:
    from kandji_queries.catalog import NamedQuery
    from kandji_queries.tables import TableDetail, TableInfo

T = TypeVar("T")
Values = Mapping[str, object]


class Reader:
    """Questions to the mirror in ``home``, answered from its files; nothing is ever written and no network is used."""

    def __init__(
        self,
        home: Path,
        limits: Limits | None = None,
        *,
        second_opinion: bool = False,
        lazy: bool = False,
        standby: bool = False,
        rules: str = "",
        masked: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        kill: Callable[[TookTooLong], object] | None = None,
        values_in_errors: bool = True,
        requirements: Requirements = Requirements(),  # noqa: B008  # frozen
    ) -> None:
        """Opens nothing yet.

        ``second_opinion`` lets sqlglot look at every statement too (as long to import as DuckDB). ``lazy`` opens only
        the files a statement needs: right for a process that asks once. ``standby`` prepares for the next state of the
        mirror ahead: right for a server. ``rules`` is a file of compliance rules as the
        setting names it. ``masked`` opens the files with pseudonyms in place of personal data, and no others: tables
        that have none yet are refused. ``clock`` tells the time, aware UTC, for what notes say of ages. ``kill`` is the
        last resort of a process that asks once: it ends it when the engine does not stop after the time limit. Without
        ``values_in_errors`` no error repeats a value of the data. ``requirements`` are checked before any statement
        runs: :class:`NotFresh` where a table it uses does not meet them.
        """
        self.limits = limits or Limits()
        self._lazy = lazy
        self._masked = masked
        self._clock = clock
        self._kill = kill
        self._requirements = requirements
        self._store = Store(
            home,
            self.limits,
            lazy=lazy,
            standby=standby,
            rules=rules,
            masked=masked,
            values_in_errors=values_in_errors,
        )
        self._guard = Guard(self._store.parser, second_opinion=second_opinion)
        self._vocabulary = Vocabulary(Guard(self._store.parser), self._store.rules)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close what is open."""
        self._store.close()

    @property
    def warnings(self) -> list[str]:
        """Why an older state answers than the newest published; empty when all is well."""
        return list(self._store.warnings)

    def run(
        self, sql: str, params: Values | None = None, *, limits: Limits | None = None, stop: Stop | None = None
    ) -> Result:
        """Run one statement of anyone's. ``params`` are bound to its ``$name`` parameters, ``stop`` ends it when set.

        Raises :class:`Refused`, :class:`Failed`, :class:`TookTooLong`, :class:`NothingMirrored`, :class:`StoreDamaged`,
        :class:`Interrupted`.
        """
        return self._once_more(lambda: self._collected(sql, params or {}, limits, stop))

    def query(self, name: str, params: Values | None = None, *, limits: Limits | None = None) -> Result:
        """Run a named query. ``params`` may be texts, as from a command line, or values of the declared types.

        Raises :class:`UnknownName` and :class:`UsageError` on top of what :meth:`run` raises.
        """
        from kandji_queries.catalog import named  # ad-hoc SQL does not need the catalogue

        query = named(name)
        values = query.bind(params or {})
        found = self.run(query.sql, values, limits=limits)
        found.notes.extend(self._remarks(query, values, found))
        return found

    @contextmanager
    def stream(self, sql: str, params: Values | None = None, *, limits: Limits | None = None) -> Iterator[Stream]:
        """As :meth:`run`, with rows that are fetched while they are used.

        Values of ``params`` may be :class:`Written`, as they are on a command line.
        """
        with ExitStack() as stack:
            yield self._once_more(lambda: stack.enter_context(self._bound(sql, params or {}, limits)))

    @contextmanager
    def stream_query(
        self, name: str, params: Values | None = None, *, limits: Limits | None = None
    ) -> Iterator[Stream]:
        """As :meth:`query`, with rows that are fetched while they are used."""
        from kandji_queries.catalog import named

        query = named(name)
        values = query.bind(params or {})
        with self.stream(query.sql, values, limits=limits) as stream:
            stream.notes.extend(self._remarks(query, values))
            yield stream

    def _remarks(self, query: "NamedQuery", values: Values, found: Result | None = None) -> list[str]:
        if not query.params:
            return []
        from kandji_queries import finding, period  # only for questions about one device or the past

        return [*period.remarks_on(self, query, values), *finding.remarks_on(self, query, values, found)]

    def tables(self) -> "list[TableInfo]":
        """Every table and view, with its age."""
        from kandji_queries.tables import table_infos  # ad-hoc SQL does not need the dictionary

        return self._once_more(lambda: self._with_all(lambda engine: table_infos(engine, self._clock())))

    def describe(self, table: str) -> "TableDetail":
        """One table or view with its columns; :class:`UnknownName` with the nearest names."""
        from kandji_queries.tables import TableDetail, columns

        infos = {info.name: info for info in self.tables()}
        name = fold_name(table)
        if name not in infos:
            self._with_all(lambda engine: engine.refuse_broken([name]))
            raise UnknownName("table", table, infos)
        sources = self._vocabulary.tables(self._store.manifest(), [name])
        found = self._once_more(lambda: self._with_all(lambda engine: columns(engine, name, sources)))
        return TableDetail(infos[name], found)

    def cautions(self, names: Iterable[str]) -> list[str]:
        """What has to be known of some tables and views before their rows are believed, as answers say it in notes."""
        manifest = self._store.manifest()
        return self._cautions(manifest, self._vocabulary.tables(manifest, names))

    def self_test(self) -> None:
        """Try the known ways out of the engine; :class:`StoreError` if one works. A server calls it before serving."""
        from kandji_queries.selftest import refuse_if_open  # only servers and tests need it

        self._with_all(refuse_if_open)

    def _collected(self, sql: str, params: Values, limits: Limits | None, stop: Stop | None) -> Result:
        with self._opened(sql, params, limits, stop) as stream:
            return stream.collect()

    @contextmanager
    def _bound(self, sql: str, params: Values, limits: Limits | None) -> Iterator[Stream]:
        """Opened with the first reading of the values that the engine can bind."""
        with ExitStack() as stack:
            first, *others = readings(params)
            try:
                stream = stack.enter_context(self._opened(sql, first, limits))
            except Failed as error:
                if not others or not isinstance(error.__cause__, duckdb.BinderException):
                    raise
                stream = stack.enter_context(self._opened(sql, others[0], limits))
            yield stream

    @contextmanager
    def _opened(self, sql: str, params: Values, limits: Limits | None, stop: Stop | None = None) -> Iterator[Stream]:
        manifest = self._store.manifest()
        names = self._vocabulary.names(manifest)
        checked = self._guard.check(sql, names, params, macros(manifest))
        lists_names = checked.kind == "show"
        behind = self._vocabulary.behind(manifest, () if lists_names else checked.tables)
        wanted = behind if self._lazy and not lists_names else {*names, *behind}
        audit = AUDIT in behind
        with self._store.engine(manifest, wanted, audit=audit) as engine, engine.cursor() as cursor:
            engine.refuse_broken(behind)
            self._requirements.check(_states(manifest, behind), self._clock())
            source = Source(cursor, limits or self.limits, stop=stop, kill=self._kill)
            with _explained(engine, checked.tables, sql):
                found = source.start(sql, params)
            notes = [*self.warnings, *self._cautions(manifest, behind)]
            yield Stream(columns=found, as_of=engine.as_of(sorted(behind)), batches=source, notes=notes)

    def _cautions(self, manifest: Manifest, names: Collection[str]) -> list[str]:
        states = _states(manifest, names)
        found = cautions(states, self._clock(), masked=self._masked)
        return [*found, MASKED] if self._masked and states else found

    def _with_all(self, action: Callable[[Engine], T]) -> T:
        manifest = self._store.manifest()
        with self._store.engine(manifest, self._vocabulary.names(manifest)) as engine:
            return action(engine)

    def _once_more(self, action: Callable[[], T]) -> T:
        """A file that turns out damaged is never used again, so the second attempt is on an older state."""
        try:
            return action()
        except StoreDamaged:
            return action()


def _states(manifest: Manifest, names: Collection[str]) -> list[TableState]:
    return [state for name, state in sorted(manifest.tables.items()) if name in names]


@contextmanager
def _explained(engine: Engine, tables: Collection[str], sql: str) -> Iterator[None]:
    """Tell of a column that is not there what was probably meant."""
    try:
        yield
    except duckdb.BinderException as error:
        from kandji_queries.suggestions import missing_column  # only where something is wrong

        if failed := missing_column(error, engine, tables, sql):
            raise failed from error
        raise
