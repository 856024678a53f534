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
from kandji_mirror.store.store import Store
from kandji_schema.columns import Column
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
        twin = _Twin(engine, con, resource, folder / file)
        if before:
            twin.patch(before, target, touched or ())
        else:
            twin.make(target, state.ddl)
    size = target.stat().st_size if target.exists() else state.bytes
    name = store.admit(resource.name, target, twin=True) if target.exists() else file
    return replace(state, masked_file=name, masked_bytes=size, masked_with=key.name if key else None)


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

    def make(self, target: Path, definition: Sequence[str]) -> None:
        """Mask every row. ``definition`` is the DDL of the table; nothing is written where nothing is personal."""
        with self.engine.attached(self.con, self.source) as full:
            if not self._anything_personal(full):
                return
            with self.engine.attached(self.con, target, writable=True) as twin:
                define(self.con, twin, definition)
                self.con.execute(f"INSERT INTO {self._table(twin)} {self._masked(full)}")
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
            self.con.execute("BEGIN")
            self.con.execute(f"DELETE FROM {self._table(twin)} WHERE {doomed}", [list(touched)])
            self.con.execute(f"INSERT INTO {self._table(twin)} {self._masked(full)} WHERE {chosen}", [list(touched)])
            self.con.execute(f"COMMIT; CHECKPOINT {twin}")

    def _anything_personal(self, full: str) -> bool:
        there = [f'"{name}" IS NOT NULL' for name, column in self._columns(full) if column is None or column.personal]
        found = self.con.execute(f"SELECT 1 FROM {self._table(full)} WHERE {' OR '.join(there)} LIMIT 1")
        return found.fetchone() is not None

    def _masked(self, full: str) -> str:
        """The rows. Of a column that an earlier version declared nobody knows whether it is personal: it is NULL."""
        values = (f'{_value(name, column)} AS "{name}"' for name, column in self._columns(full))
        return f"SELECT {', '.join(values)} FROM {self._table(full)}"

    def _columns(self, full: str) -> list[tuple[str, Column | None]]:
        declared = {column.name: column for column in self.resource.columns}
        described = self.con.execute(f"DESCRIBE {self._table(full)}").fetchall()
        return [(name, declared.get(name)) for name, *_ in described]

    def _table(self, catalog: str) -> str:
        return f'{catalog}.main."{self.resource.name}"'


def _value(name: str, column: Column | None) -> str:
    return masked(column, f'"{name}"') if column else "NULL"
