"""Data files that an earlier version wrote, brought to the columns of this one, before anything is read.

Without it the first pass after an upgrade would have nothing to compare with: rows of devices that were not asked yet,
and events that the provider has forgotten, would go, and history would tell of it.
"""

from collections.abc import Container, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import duckdb

from kandji_mirror.ingest.engine import Engine, new_file, store_errors
from kandji_mirror.ingest.keys import first_key
from kandji_mirror.store.store import Store
from kandji_schema import ddl
from kandji_schema.errors import StoreDamaged, StoreError, StoreFull
from kandji_schema.manifest import TableState, data_dir
from kandji_schema.privacy import Privacy
from kandji_schema.registry import resources
from kandji_schema.resource import Resource


def migrate(store: Store) -> None:
    """Write every file with other columns anew; its table is due at once, as a whole.

    New columns are NULL until then, and a value that its column's new type cannot hold is too. A file without the
    column that tells whose a row is, or that cannot be read, counts as never synced, with a warning.
    Raises :class:`StoreFull` where there is no room.
    """
    old = {name: state for name, state in store.current.tables.items() if _has_other_columns(state)}
    if not old:
        return
    spill = data_dir(store.home) / f"run.{uuid4().hex}.tmp"
    with Engine(spill, key=store.key) as engine, store.lock:
        store.publish(dict(_renewed(store, engine, old)))


def _has_other_columns(state: TableState) -> bool:
    return state.file is not None and state.ddl[0] != ddl.statements(resources()[state.name])[0]


def _renewed(store: Store, engine: Engine, old: Mapping[str, TableState]) -> Iterator[tuple[str, TableState]]:
    for name, state in old.items():
        with store.scratch(name) as (_, target):
            if _rewritten(store, engine, resources()[name], data_dir(store.home) / str(state.file), target):
                yield name, _admitted(store, state, target)
            else:
                yield name, store.never_synced(name)


def _rewritten(store: Store, engine: Engine, resource: Resource, source: Path, target: Path) -> bool:
    """Whether the rows of a file could be taken over."""
    try:
        with (
            store_errors(str(source)),
            closing(engine.cursor()) as con,
            engine.attached(con, source) as before,
            new_file(engine, con, resource, target) as table,
        ):
            _take_over(con, f'{before}.main."{resource.name}"', table, resource, _columns(con, before, resource.name))
    except StoreFull:
        raise
    except StoreError as error:  # a file that is damaged, or that nobody can make sense of, must not stop every sync
        store.warnings.append(f"The rows of {resource.name} cannot be taken over, it is read anew: {error}")
        return False
    return True


def _columns(con: duckdb.DuckDBPyConnection, catalog: str, table: str) -> frozenset[str]:
    sql = "SELECT column_name FROM duckdb_columns() WHERE database_name = $1 AND table_name = $2"
    return frozenset(str(name) for (name,) in con.execute(sql, [catalog, table]).fetchall())


def _take_over(
    con: duckdb.DuckDBPyConnection, before: str, table: str, resource: Resource, held: Container[str]
) -> None:
    """Copy the columns that both have. :class:`StoreDamaged` without the first of the key."""
    if resource.key[0] not in held:
        raise StoreDamaged(f"it has no column {resource.key[0]}.")
    kept = [column for column in resource.columns if column.name in held]
    values = ", ".join(f'TRY_CAST("{column.name}" AS {column.kind}) AS "{column.name}"' for column in kept)
    con.execute(f"INSERT INTO {table} BY NAME SELECT {values} FROM {before} ORDER BY {first_key(resource)}")


def _admitted(store: Store, state: TableState, target: Path) -> TableState:
    """The state with the new file, read long ago as it were; a masked twin is made of it afterwards."""
    size = target.stat().st_size
    file = store.admit(state.name, target)
    new = replace(
        state,
        ddl=ddl.statements(resources()[state.name]),
        file=file,
        bytes=size,
        built_bytes=size,
        digest=None,
        method=None,  # what is remembered of the devices that were read is of rows with other columns
        attempted_at=None,
        whole_at=None,
        watermark=None,
        collected_at=None,
    )
    if state.privacy is Privacy.ON:
        return replace(new, masked_file=file, masked_bytes=size)
    return replace(new, masked_file=None, masked_bytes=0, masked_with=None)
