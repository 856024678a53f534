"""Exports of one state of the mirror: every file of an export is of the same moment."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb

from kandji_queries import catalog, definitions
from kandji_queries.engine import Engine, blank
from kandji_queries.exporting import folders
from kandji_queries.exporting.copying import run
from kandji_queries.exporting.database import FILE, write_database
from kandji_queries.exporting.item import Item
from kandji_queries.exporting.report import Exported, Report, sha256_of
from kandji_queries.exporting.spellings import DUCKDB, Format, format_named, literal, quoted, selected, without_formulas
from kandji_queries.failures import translated
from kandji_queries.guard import Guard
from kandji_queries.limits import Limits
from kandji_queries.result import Column
from kandji_queries.store import Store
from kandji_queries.vocabulary import Vocabulary
from kandji_schema.errors import UnknownName, UsageError
from kandji_schema.manifest import data_dir

_SETTINGS = ("SET TimeZone='UTC'", "SET enable_progress_bar=false")

Watch = Callable[[str, float], None]
"""Told the name of what is being written and how far it is, in percent."""


def nobody(name: str, percent: float) -> None:
    """A :data:`Watch` that looks away."""


@dataclass(frozen=True)
class Order:
    """How to write: ``form`` is a format's name, ``partition`` a column whose values become folders.

    ``safe`` keeps spreadsheets from running texts as formulas (csv only).
    """

    form: str
    partition: str | None = None
    safe: bool = False

    def kind(self) -> Format | None:
        """The format, None for one DuckDB file; :class:`UsageError` where the rest does not go with it."""
        if self.form == DUCKDB and (self.partition or self.safe):
            raise UsageError("One DuckDB file is neither partitioned nor made safe for spreadsheets.")
        kind = None if self.form == DUCKDB else format_named(self.form)
        if self.safe and self.form != "csv":
            raise UsageError(f"Only csv can be made safe for spreadsheets, the format is {self.form}.")
        return kind


class Exporter:
    """Writes files from the newest whole state of the mirror in ``home``."""

    def __init__(self, home: Path, limits: Limits | None = None) -> None:
        """``limits``: only the memory and the threads count; an export has neither rows nor time limits."""
        self._limits = limits or Limits()
        self._home = home
        self._store = Store(home, self._limits, lazy=False)
        self._guard = Guard(self._store.parser)
        self._vocabulary = Vocabulary(self._guard)
        self._manifest = self._store.manifest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._store.close()

    @property
    def names(self) -> list[str]:
        """All tables, then all views."""
        return list(self._vocabulary.names(self._manifest))

    def items(self, names: Sequence[str], params: Mapping[str, str]) -> list[Item]:
        """What the names mean: a table, a view, or a named query with ``params``; each parameter must be of use."""
        found = [self._item(name, params) for name in dict.fromkeys(names)]
        useless = set(params).difference(*(item.params for item in found))
        if useless:
            raise UsageError(f"None of {', '.join(names)} has a parameter {', '.join(sorted(useless))}.")
        return found

    def _item(self, name: str, params: Mapping[str, str]) -> Item:
        if name in self.names:
            return Item(name, f"FROM main.{quoted(name)}", frozenset({name}))
        if name not in catalog.catalog():
            raise UnknownName("table or query", name, [*self.names, *catalog.catalog()])
        query = catalog.named(name)
        own = {param.name for param in query.params}
        bound = query.bind({key: value for key, value in params.items() if key in own})
        used = self._guard.check(query.sql, self._vocabulary.names(self._manifest), bound).tables
        return Item(name, query.sql.strip().removesuffix(";"), frozenset(used), bound)

    def write(self, items: Sequence[Item], order: Order, folder: Path, watch: Watch = nobody) -> Report:
        """Write the items into ``folder``, then a manifest of what was written; returns the same.

        Every file appears under its name only when it is whole. :class:`StoreFull` where there is no room for it.
        """
        kind = order.kind()
        folders.prepare(folder)
        with self._engine(items) as engine, engine.cursor(read_only=False) as con:
            if kind is None:
                exported = self._database(engine, con, items, folder, watch)
            else:
                exported = [self._one(engine, con, item, kind, order, folder, watch) for item in items]
        report = Report(
            generation=self._manifest.generation,
            tenant=self._manifest.tenant,
            exported_at=datetime.now(UTC),
            format=order.form,
            files=tuple(exported),
        )
        folders.describe(folder, report)
        return report

    @contextmanager
    def _engine(self, items: Sequence[Item]) -> Iterator[Engine]:
        wanted = frozenset[str]().union(*(item.tables for item in items))
        names = {*wanted, *self._vocabulary.tables(self._manifest, wanted)}
        engine = Engine(blank(self._limits), self._manifest, data_dir(self._home), names, locks=_SETTINGS)
        try:
            yield engine
        except duckdb.Error as error:
            raise translated(error) from error
        finally:
            engine.close()

    def _one(
        self,
        engine: Engine,
        con: duckdb.DuckDBPyConnection,
        item: Item,
        kind: Format,
        order: Order,
        folder: Path,
        watch: Watch,
    ) -> Exported:
        columns = _columns(con, item)
        if order.partition and order.partition not in {column.name for column in columns}:
            raise UnknownName(f"column of {item.name}", order.partition, [column.name for column in columns])
        select = selected(columns, item.sql, without_formulas(kind.spell) if order.safe else kind.spell)
        options = kind.options + (f", PARTITION_BY ({quoted(order.partition)})" if order.partition else "")
        path = folder / (item.name if order.partition else item.name + kind.suffix)
        with folders.new(path) as target:
            statement = f"COPY ({select}) TO {literal(str(target))} ({options})"
            rows = run(con, statement, item.params, lambda percent: watch(item.name, percent))
        return self._described(engine, item, path, rows)

    def _database(
        self, engine: Engine, con: duckdb.DuckDBPyConnection, items: Sequence[Item], folder: Path, watch: Watch
    ) -> list[Exported]:
        path, macros = folder / FILE, [macro.sql for macro in definitions.macros().values()]
        with folders.new(path) as target:
            rows = write_database(con, items, macros, target, watch)
        return [self._described(engine, item, path, rows[item.name]) for item in items]

    def _described(self, engine: Engine, item: Item, path: Path, rows: int) -> Exported:
        behind = self._vocabulary.tables(self._manifest, item.tables)
        return Exported(
            name=item.name,
            file=path.name,
            rows=rows,
            bytes=sum(found.stat().st_size for found in _files(path)),
            sha256=sha256_of(path) if path.is_file() else None,
            as_of=engine.as_of(sorted(behind)),
            params={key: str(value) for key, value in item.params.items() if value is not None},
        )


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else [found for found in path.rglob("*") if found.is_file()]


def _columns(con: duckdb.DuckDBPyConnection, item: Item) -> list[Column]:
    described = con.execute(f"DESCRIBE {item.sql}", dict(item.params) or None).fetchall()
    return [Column(name, kind) for name, kind, *_ in described]
