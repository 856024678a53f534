"""Masked copies of data files: the same rows with pseudonyms in place of personal data, and without known people.

A copy is made from the file itself, never from what the provider sends, so that it costs no request. Where few rows
differ from the file before, only those are masked again, in a copy of the masked copy before.

People may become known only now: what was masked before may still name them, in texts that are not personal as such. So
whenever somebody becomes known, every masked file is searched for just them, and made again where it names them, in the
same manifest.
"""

import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import duckdb

from kandji_mirror.history.masked import scrubbed_segments
from kandji_mirror.ingest.engine import Engine, define, store_errors
from kandji_mirror.privacy.masking import masked
from kandji_mirror.privacy.people import tells_of_people
from kandji_mirror.privacy.scrubbing import Scrubbing, scrubbed_columns, scrubbing
from kandji_mirror.store.store import Store
from kandji_schema.columns import Column, Kind
from kandji_schema.manifest import Segment, TableState, data_dir
from kandji_schema.registry import resources
from kandji_schema.resource import Resource


def state_for_mode(
    store: Store, engine: Engine, resource: Resource, state: TableState, *, touched: Collection[str] | None = None
) -> TableState:
    """Return the state as the mode wants it of a new file: plain, with a masked copy, or marked as read masked.

    ``touched`` are the first keys whose rows differ from those of the current file; None where they may be any. Raises
    :class:`StoreError`.
    """
    plain = replace(state, privacy=store.privacy, masked_file=None, masked_bytes=0, masked_with=None)
    if store.key is None:
        return plain
    if store.privacy.masks_people:
        return replace(plain, masked_file=state.file, masked_bytes=state.bytes, masked_with=store.key.name)
    return with_masked_copy(store, engine, resource, plain, touched=touched)


def with_masked_copy(
    store: Store, engine: Engine, resource: Resource, state: TableState, *, touched: Collection[str] | None = None
) -> TableState:
    """Return the state with a masked copy of its file: the file itself where nothing personal is in it."""
    folder, file, key = data_dir(store.home), str(state.file), store.key
    target = folder / f"{resource.name}.masked.tmp"
    target.unlink(missing_ok=True)
    before = _copy_before(store, resource) if touched is not None else None
    with store_errors(f"The masked {resource.name}"), closing(engine.cursor()) as con:
        learn(engine, con, resource, folder / file)
        known = engine.people.newest(con) if engine.people else 0
        copy = _MaskedCopy(engine, con, resource, folder / file)
        if before:
            copy.patch(before, target, touched or ())
        else:
            copy.make(target, state.ddl)
    size = target.stat().st_size if target.exists() else state.bytes
    name = store.admit(resource.name, target, masked=True) if target.exists() else file
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
        _MaskedCopy(engine, con, resource, source, already_masked=True).make(target, definition)


def _copy_before(store: Store, resource: Resource) -> Path | None:
    """Return the current file's masked copy, where it is a file of its own and has pseudonyms of the same key."""
    current = store.current.tables[resource.name]
    same_key = store.key is not None and current.masked_with == store.key.name
    own = current.masked_file not in (None, current.file)
    return data_dir(store.home) / str(current.masked_file) if own and same_key else None


@dataclass(frozen=True)
class _MaskedCopy:
    """Makes the masked copy of the data file ``source``."""

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
            with self.engine.attached(self.con, target, writable=True) as copy:
                define(self.con, copy, definition)
                self.con.execute(f"INSERT INTO {self._table(copy)} {self._masked(full, scrub)}")
                self.con.execute(f"CHECKPOINT {copy}")

    def patch(self, before: Path, target: Path, touched: Collection[str]) -> None:
        """Copy the masked copy before and mask the rows of the ``touched`` first keys again."""
        shutil.copyfile(before, target)
        key = next(column for column in self.resource.columns if column.name == self.resource.key[0])
        chosen = f'"{key.name}" IN (SELECT unnest($1::VARCHAR[]))'
        deleted = f'"{key.name}" IN (SELECT {masked(key, "key")} FROM (SELECT unnest($1::VARCHAR[]) AS key))'
        with (
            self.engine.attached(self.con, self.source) as full,
            self.engine.attached(self.con, target, writable=True) as copy,
        ):
            keys = [list(touched)]
            self.con.execute(f"CREATE OR REPLACE TEMP TABLE touched AS FROM {self._table(full)} WHERE {chosen}", keys)
            masked_rows = self._masked("temp", self._scrubbing("temp.touched"), table="touched")
            self.con.execute("BEGIN")
            self.con.execute(f"DELETE FROM {self._table(copy)} WHERE {deleted}", keys)
            self.con.execute(f"INSERT INTO {self._table(copy)} {masked_rows}")
            self.con.execute(f"COMMIT; CHECKPOINT {copy}")

    def _anything_personal(self, full: str) -> bool:
        there = [
            f'"{name}" IS NOT NULL'
            for name, column in self._columns(self._table(full))
            if column is None or _is_masked(column)
        ]
        found = self.con.execute(f"SELECT 1 FROM {self._table(full)} WHERE {' OR '.join(there)} LIMIT 1")
        return found.fetchone() is not None

    def _scrubbing(self, rows: str) -> Scrubbing:
        """Look for people in the columns that the file has."""
        there = {name for name, *_ in self.con.execute(f"DESCRIBE {rows}").fetchall()}
        columns = [column for column in scrubbed_columns(self.resource) if column.name in there]
        return scrubbing(self.con, columns, rows, already_masked=self.already_masked)

    def _masked(self, full: str, scrub: Scrubbing, table: str = "") -> str:
        """Select the rows masked. A column that is declared no more is NULL: nobody knows whether it is personal."""
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


@dataclass(frozen=True)
class Remasked:
    """States and segments to publish. ``published_too`` tells that files which readers have now named somebody."""

    states: Mapping[str, TableState]
    history: tuple[Segment, ...]
    published_too: bool = False


@contextmanager
def run_engine(store: Store) -> Iterator[Engine]:
    """Give an engine for one run over the store, which knows the people whom the home knows.

    Raises :class:`StoreError` where their list cannot be read.
    """
    with Engine(data_dir(store.home) / f"run.{uuid4().hex}.tmp", key=store.key) as engine:
        load_people(store, engine)
        yield engine


def load_people(store: Store, engine: Engine) -> bool:
    """Tell an engine whom the home knows; False where the home has no list. Raises :class:`StoreError`."""
    if engine.people is None:
        return True
    with store_errors("The list of known people"), closing(engine.cursor()) as con:
        return engine.people.load(con, store.home)


def mask_newcomers(
    store: Store, engine: Engine, states: Mapping[str, TableState], history: tuple[Segment, ...]
) -> Remasked:
    """States and segments of which none names somebody whom ``engine`` came to know. Raises :class:`StoreError`."""
    if engine.people is None:
        return Remasked(states, history)
    with closing(engine.cursor()) as con:
        newest, since = engine.people.newest(con), engine.people.searched + 1
    if newest < since:
        return Remasked(states, history)
    found = dict(states)
    published_too = False
    for name, state in {**store.current.tables, **states}.items():
        done = engine.people.known_to.get(str(state.masked_file), 0)
        again = _again(store, engine, state, max(since, done + 1)) if done < newest else None
        if again is not None:
            found[name] = again
            published_too |= name not in states
    engine.people.searched = newest
    return Remasked(found, scrubbed_segments(store.home, engine, history, since=since), published_too)


def save_people(store: Store, engine: Engine) -> None:
    """Keep the list of people, once what names them is published."""
    if engine.people is None:
        return
    with store_errors("The list of known people"), closing(engine.cursor()) as con:
        if engine.people.newest(con) > engine.people.saved:
            engine.people.save(con, store.home)


def _again(store: Store, engine: Engine, state: TableState, since: int) -> TableState | None:
    """Return the state with masked rows made again; None where they name nobody new, or are none of the key in use."""
    key = store.key.name if store.key else None
    if not state.file or state.masked_file is None or state.masked_with != key:
        return None
    resource, source = resources()[state.name], data_dir(store.home) / state.file
    only_masked = state.file == state.masked_file
    if not names_anybody(engine, resource, source, since=since, already_masked=only_masked):
        return None
    if not only_masked or not store.privacy.masks_people:
        return with_masked_copy(store, engine, resource, state)
    return remask(store, engine, state)


def remask(store: Store, engine: Engine, state: TableState) -> TableState:
    """Return the state of a table whose only file is masked, with that file made again. Raises :class:`StoreError`."""
    source, target = data_dir(store.home) / str(state.file), data_dir(store.home) / f"{state.name}.again.tmp"
    target.unlink(missing_ok=True)
    with store_errors(f"The masked {state.name}"):
        scrubbed_again(engine, resources()[state.name], source, target, state.ddl)
    size, file = target.stat().st_size, store.admit(state.name, target)
    key = store.key.name if store.key else None
    made = replace(state, file=file, bytes=size, built_bytes=size, digest=None)
    return replace(made, masked_file=file, masked_bytes=size, masked_with=key)
