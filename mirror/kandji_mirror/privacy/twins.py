"""The masked twin of a data file: the same rows, with pseudonyms in place of personal data.

It is made from the file itself, never from what the provider sends, so that it costs no request. Where few rows differ
from the file before, only those are masked again, in a copy of the twin before.
"""

import shutil
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from kandji_mirror.ingest.engine import Engine, define, store_errors
from kandji_mirror.privacy.masking import masked
from kandji_mirror.privacy.people import tells_of_people
from kandji_mirror.privacy.scrubbing import Scrubbing, scrubbed_columns, scrubbing
from kandji_mirror.store.store import Store
from kandji_schema.columns import Column, Kind
from kandji_schema.manifest import TableState, data_dir
from kandji_schema.resource import Resource


def twinned(
    store: Store, engine: Engine, resource: Resource, state: TableState, *, touched: Collection[str] | None = None
) -> TableState:
    """The state with what the store's mode wants for its new file: nothing, a twin, or that its rows came masked.

    ``touched`` are the first keys whose rows differ from those of the current file; None where they may be any. Raises
    :class:`StoreError`.
    """
    plain = replace(state, privacy=store.privacy, masked_file=None, masked_bytes=0, masked_with=None)
    if store.key is None:
        return plain
    if store.privacy.masks_people:
        return replace(plain, masked_file=state.file, masked_bytes=state.bytes, masked_with=store.key.name)
    return with_twin(store, engine, resource, plain, touched=touched)


def with_twin(
    store: Store, engine: Engine, resource: Resource, state: TableState, *, touched: Collection[str] | None = None
) -> TableState:
    """The state with a masked twin of its file: the file itself where nothing personal is in it."""
    folder, file, key = data_dir(store.home), str(state.file), store.key
    target = folder / f"{resource.name}.twin.tmp"
    target.unlink(missing_ok=True)
    before = _twin_before(store, resource) if touched is not None else None
    with store_errors(f"The masked {resource.name}"), closing(engine.cursor()) as con:
        learn(engine, con, resource, folder / file)
        known = engine.people.newest(con) if engine.people else 0
        twin = _Twin(engine, con, resource, folder / file)
        if before:
            twin.patch(before, target, touched or ())
        else:
            twin.make(target, state.ddl)
    size = target.stat().st_size if target.exists() else state.bytes
    name = store.admit(resource.name, target, twin=True) if target.exists() else file
    if engine.people:
        engine.people.known_to[name] = known
    return replace(state, masked_file=name, masked_bytes=size, masked_with=key.name if key else None)


def learn(engine: Engine, con: duckdb.DuckDBPyConnection, resource: Resource, file: Path) -> None:
    """Remember the people that a file in clear tells of, where it tells of any."""
    if engine.people and tells_of_people(resource):
        with engine.attached(con, file) as full:
            engine.people.learn(con, resource, f'{full}.main."{resource.name}"')


def names_anybody(engine: Engine, resource: Resource, file: Path, *, since: int, already_masked: bool) -> bool:
    """Whether a text in a file names somebody who became known at that number or later."""
    with closing(engine.cursor()) as con, engine.attached(con, file) as rows:
        table = f'{rows}.main."{resource.name}"'
        columns = scrubbed_columns(resource)
        return scrubbing(con, columns, table, since=since, already_masked=already_masked).anything


def scrubbed_again(engine: Engine, resource: Resource, source: Path, target: Path, definition: Sequence[str]) -> None:
    """Write a file that is masked already once more, without those who are known by now."""
    with closing(engine.cursor()) as con:
        _Twin(engine, con, resource, source, already_masked=True).make(target, definition)


def _twin_before(store: Store, resource: Resource) -> Path | None:
    """The current file's twin, where it is a file of its own and has pseudonyms of the same key."""
    current = store.current.tables[resource.name]
    same_key = store.key is not None and current.masked_with == store.key.name
    own = current.masked_file not in (None, current.file)
    return data_dir(store.home) / str(current.masked_file) if own and same_key else None


@dataclass(frozen=True)
class _Twin:
    """Makes the twin of the data file ``source``."""

    engine: Engine
    con: duckdb.DuckDBPyConnection
    resource: Resource
    source: Path
    already_masked: bool = False

    def make(self, target: Path, definition: Sequence[str]) -> None:
        """Mask every row. ``definition`` is the DDL of the table; nothing is written where nothing is personal."""
        with self.engine.attached(self.con, self.source) as full:
            scrub = self._scrubbing(self._table(full))
            if not (scrub.anything or self.already_masked or self._anything_personal(full)):
                return
            with self.engine.attached(self.con, target, writable=True) as twin:
                define(self.con, twin, definition)
                self.con.execute(f"INSERT INTO {self._table(twin)} {self._masked(full, scrub)}")
                self.con.execute(f"CHECKPOINT {twin}")

    def patch(self, before: Path, target: Path, touched: Collection[str]) -> None:
        """Copy the twin before and mask the rows of the ``touched`` first keys again."""
        shutil.copyfile(before, target)
        key = next(column for column in self.resource.columns if column.name == self.resource.key[0])
        chosen = f'"{key.name}" IN (SELECT unnest($1::VARCHAR[]))'
        doomed = f'"{key.name}" IN (SELECT {masked(key, "key")} FROM (SELECT unnest($1::VARCHAR[]) AS key))'
        with (
            self.engine.attached(self.con, self.source) as full,
            self.engine.attached(self.con, target, writable=True) as twin,
        ):
            keys = [list(touched)]
            self.con.execute(f"CREATE OR REPLACE TEMP TABLE touched AS FROM {self._table(full)} WHERE {chosen}", keys)
            masked_rows = self._masked("temp", self._scrubbing("temp.touched"), table="touched")
            self.con.execute("BEGIN")
            self.con.execute(f"DELETE FROM {self._table(twin)} WHERE {doomed}", keys)
            self.con.execute(f"INSERT INTO {self._table(twin)} {masked_rows}")
            self.con.execute(f"COMMIT; CHECKPOINT {twin}")

    def _anything_personal(self, full: str) -> bool:
        there = [
            f'"{name}" IS NOT NULL'
            for name, column in self._columns(self._table(full))
            if column is None or _is_masked(column)
        ]
        found = self.con.execute(f"SELECT 1 FROM {self._table(full)} WHERE {' OR '.join(there)} LIMIT 1")
        return found.fetchone() is not None

    def _scrubbing(self, rows: str) -> Scrubbing:
        """Looks at the columns that the file has."""
        there = {name for name, *_ in self.con.execute(f"DESCRIBE {rows}").fetchall()}
        columns = [column for column in scrubbed_columns(self.resource) if column.name in there]
        return scrubbing(self.con, columns, rows, already_masked=self.already_masked)

    def _masked(self, full: str, scrub: Scrubbing, table: str = "") -> str:
        """The rows. Of a column that an earlier version declared nobody knows whether it is personal: it is NULL."""
        rows = f"{full}.main.{table}" if table else self._table(full)
        values = (f'{self._value(name, column, scrub)} AS "{name}"' for name, column in self._columns(rows))
        return f"SELECT {', '.join(values)} FROM {rows} AS r {scrub.joins('r')}"

    def _value(self, name: str, column: Column | None, scrub: Scrubbing) -> str:
        if column is None:
            return "NULL"
        as_it_is = f'r."{name}"'
        return scrub.value(column, as_it_is if self.already_masked else masked(column, as_it_is))

    def _columns(self, rows: str) -> list[tuple[str, Column | None]]:
        declared = {column.name: column for column in self.resource.columns}
        described = self.con.execute(f"DESCRIBE {rows}").fetchall()
        return [(name, declared.get(name)) for name, *_ in described]

    def _table(self, catalog: str) -> str:
        return f'{catalog}.main."{self.resource.name}"'


def _is_masked(column: Column) -> bool:
    return column.personal is not None or column.kind is Kind.DOCUMENT
