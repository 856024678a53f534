"""Migration: what is mirrored, brought to this version's columns and to the privacy mode, before anything is read.

**Columns.** Without it the first pass after an upgrade would have nothing to compare with: rows of devices that were
not asked yet, and events that the provider has forgotten, would go, and history would tell of it.

**Mode.** From ``off`` to ``agents`` every file gets its masked copy. To ``on`` every file gives way to its masked copy,
and nothing full is left in the home. From ``on`` nothing leads back: the tables count as old, and are read anew. The
tenant is asked for none of it.
"""

from collections.abc import Container, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import duckdb

from kandji_mirror.history.masked import masked_only, masked_segments
from kandji_mirror.ingest.engine import Engine, new_file, store_errors
from kandji_mirror.ingest.file_queries import first_key
from kandji_mirror.privacy.people import tells_of_people
from kandji_mirror.store.masked_files import learn, load_people, remask, save_people, with_masked_copy
from kandji_mirror.store.store import Store
from kandji_schema import ddl
from kandji_schema.errors import StoreDamaged, StoreError, StoreFull
from kandji_schema.files import write_atomically
from kandji_schema.manifest import Segment, TableState, data_dir
from kandji_schema.privacy import Privacy
from kandji_schema.registry import resources
from kandji_schema.resource import Resource

STATE_FILE = "state.sqlite"
"""What the writer remembers: errors that may repeat words of the provider. Without it a sync is as exact."""

EXPORTS = "exports"
"""Folder of the files that assistants exported: they are the user's own, and never removed."""


def conform(store: Store) -> None:
    """Bring files and manifest in line with this version's columns and the store's mode.

    Raises :class:`StoreError`; then nothing changed.
    """
    _migrate_columns(store)
    if store.key is not None:
        _mask_what_is_not(store)
    store.make_due([name for name, state in store.current.tables.items() if state.file and not store.fits(state)])


# -- columns -----------------------------------------------------------------------------------------------------------


def _migrate_columns(store: Store) -> None:
    """Write every file with other columns anew; its table is due at once, as a whole.

    New columns are NULL until then, and a value that its column's new type cannot hold is too. A file without the
    column that tells whose a row is, or that cannot be read, counts as never synced, with a warning.
    Raises :class:`StoreFull` where there is no room.
    """
    old = {name: state for name, state in store.current.tables.items() if has_other_columns(state)}
    if not old:
        return
    with Engine(_spill(store), key=store.key) as engine, store.lock:
        store.publish(dict(_renewed(store, engine, old)))


def _spill(store: Store) -> Path:
    return data_dir(store.home) / f"run.{uuid4().hex}.tmp"


def has_other_columns(state: TableState) -> bool:
    """Whether a table's file was written with other columns than this version declares."""
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
    """Return the state with the new file, as if read long ago; a masked copy is made of it afterwards."""
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


# -- mode --------------------------------------------------------------------------------------------------------------


def _mask_what_is_not(store: Store) -> None:
    states = {name: s for name, s in store.current.tables.items() if s.file and _lacks_copy(store, s)}
    former = {name: s for name, s in store.current.tables.items() if s.file and _is_of_former_version(store, s)}
    if states or former or any(segment.masked_file is None for segment in store.current.history):
        if store.privacy.masks_people:
            _purge_mark(store.home).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(_purge_mark(store.home), b"")
        with Engine(_spill(store), key=store.key) as engine, store.lock:
            known = load_people(store, engine)
            if not known:
                _learn(store, engine)
            history = _history(store, engine)
            store.publish(_masked(store, engine, states) | _remasked(store, engine, former), history=history)
            save_people(store, engine)
    if store.privacy.masks_people and _purge_mark(store.home).exists():
        _remove_full_files(store)


def _is_of_former_version(store: Store, state: TableState) -> bool:
    """Whether a table's only rows are masked as an earlier version did, which left people in other texts."""
    return state.privacy is Privacy.ON and store.key is not None and state.masked_with in store.key.former_names


def _remasked(store: Store, engine: Engine, states: Mapping[str, TableState]) -> dict[str, TableState]:
    """Those states with files made again. Names are not known from masked rows: people are read anew, as a whole."""
    made = {name: remask(store, engine, state) for name, state in states.items()}
    anew = {name: s for name, s in made.items() if tells_of_people(resources()[name])}
    return made | {name: replace(s, attempted_at=None, whole_at=None, watermark=None) for name, s in anew.items()}


def _learn(store: Store, engine: Engine) -> None:
    """Get to know people from every file in clear, before any is masked."""
    with closing(engine.cursor()) as con:
        for name, state in store.current.tables.items():
            if state.file and state.privacy is not Privacy.ON:
                learn(engine, con, resources()[name], data_dir(store.home) / state.file)
    if engine.people:
        with closing(engine.cursor()) as con:
            engine.people.searched = engine.people.newest(con)


def _lacks_copy(store: Store, state: TableState) -> bool:
    """Whether a table has rows that are not masked, or its masked copy is missing or of another key."""
    if state.privacy is Privacy.ON:
        return False
    other_key = store.key is not None and state.masked_with != store.key.name
    return store.privacy.masks_people or state.masked_file is None or other_key


def _masked(store: Store, engine: Engine, states: Mapping[str, TableState]) -> dict[str, TableState]:
    """Return the states with masked files, and all without errors of before: they may repeat words of the provider."""
    told = store.current.tables.items()
    silent = {name: replace(s, error=None) for name, s in told if s.error and s.privacy is Privacy.OFF}
    made = {name: replace(_with_copy(store, engine, state), error=None) for name, state in states.items()}
    return silent | ({name: _in_place(s) for name, s in made.items()} if store.privacy.masks_people else made)


def _with_copy(store: Store, engine: Engine, state: TableState) -> TableState:
    has_copy = state.masked_file and store.key and state.masked_with == store.key.name
    made = state if has_copy else with_masked_copy(store, engine, resources()[state.name], state)
    return replace(made, privacy=Privacy.AGENTS)


def _in_place(state: TableState) -> TableState:
    """Put the masked copy in place of the file."""
    file, size = state.masked_file, state.masked_bytes
    return replace(state, file=file, bytes=size, built_bytes=size, privacy=Privacy.ON, digest=None)


def _history(store: Store, engine: Engine) -> tuple[Segment, ...]:
    """Return the segments with masked copies. With another key, what is masked already cannot be masked again."""
    key, full = store.key, store.current.history
    known = {state.masked_with for state in store.current.tables.values()} - {None}
    if key is not None and known - {key.name} - key.former_names:
        full = tuple(s for s in full if s.masked_file != s.file)
    segments = masked_segments(store.home, engine, full, anew=bool(known) and key is not None and known != {key.name})
    return masked_only(segments) if store.privacy.masks_people else segments


def _remove_full_files(store: Store) -> None:
    store.forget_the_past()
    for name in (STATE_FILE, f"{STATE_FILE}-wal", f"{STATE_FILE}-shm"):
        (store.home / name).unlink(missing_ok=True)
    if (store.home / EXPORTS).exists():
        store.warnings.append(
            f"Exports made before are left in {store.home / EXPORTS}, with personal data. Remove what is not needed."
        )
    _purge_mark(store.home).unlink()


def _purge_mark(home: Path) -> Path:
    """Return the mark that full files are on their way out, for whoever goes on after a kill."""
    return home / "store" / "privacy.purge"
