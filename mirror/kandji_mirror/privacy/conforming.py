"""What is mirrored, brought in line with this version and the mode before anything is read, without asking the tenant.

From ``off`` to ``agents`` every file gets its masked twin. To ``on`` every file gives way to its twin, and nothing full
is left in the home. From ``on`` nothing leads back: the tables count as old, and are read anew.
"""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from kandji_mirror.ingest.engine import Engine
from kandji_mirror.privacy.newcomers import masked_again, recall, remember
from kandji_mirror.privacy.past import masked_only, masked_segments
from kandji_mirror.privacy.people import tells_of_people
from kandji_mirror.privacy.twins import learn, with_twin
from kandji_mirror.store.migrate import migrate
from kandji_mirror.store.store import Store
from kandji_schema.files import write_atomically
from kandji_schema.manifest import Segment, TableState, data_dir
from kandji_schema.privacy import Privacy
from kandji_schema.registry import resources

STATE_FILE = "state.sqlite"
"""What the writer remembers: errors that may repeat words of the provider. Without it a sync is as exact."""

EXPORTS = "exports"
"""Folder of the files that assistants exported: they are the user's own, and never removed."""


def conform(store: Store) -> None:
    """Bring files and manifest in line with this version's columns and the store's mode.

    Raises :class:`StoreError`; then nothing changed.
    """
    migrate(store)
    if store.key is not None:
        _mask_what_is_not(store)
    stale = {name: state for name, state in store.current.tables.items() if state.file and not store.fits(state)}
    if stale:  # due at once, whenever they were read
        due = {name: replace(state, attempted_at=None) for name, state in stale.items()}
        store.current = replace(store.current, tables={**store.current.tables, **due})


def _mask_what_is_not(store: Store) -> None:
    states = {name: s for name, s in store.current.tables.items() if s.file and _is_open(store, s)}
    former = {name: s for name, s in store.current.tables.items() if s.file and _is_former(store, s)}
    if states or former or any(segment.masked_file is None for segment in store.current.history):
        if store.privacy.masks_people:
            _purging(store.home).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(_purging(store.home), b"")
        spill = data_dir(store.home) / f"run.{uuid4().hex}.tmp"
        with Engine(spill, key=store.key) as engine, store.lock:
            known = recall(store, engine)
            if not known:
                _learn(store, engine)
            history = _history(store, engine)
            store.publish(_masked(store, engine, states) | _scrubbed(store, engine, former), history=history)
            remember(store, engine)
    if store.privacy.masks_people and _purging(store.home).exists():
        _purge(store)


def _is_former(store: Store, state: TableState) -> bool:
    """Whether a table's only rows are masked as an earlier version did, which left people in other texts."""
    return state.privacy is Privacy.ON and store.key is not None and state.masked_with in store.key.former_names


def _scrubbed(store: Store, engine: Engine, states: Mapping[str, TableState]) -> dict[str, TableState]:
    """Those states with files made again. Names are not known from masked rows: people are read anew, as a whole."""
    made = {name: masked_again(store, engine, state) for name, state in states.items()}
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


def _is_open(store: Store, state: TableState) -> bool:
    """Whether a table has rows that are not masked, or its twin is missing or of another key."""
    if state.privacy is Privacy.ON:
        return False
    other_key = store.key is not None and state.masked_with != store.key.name
    return store.privacy.masks_people or state.masked_file is None or other_key


def _masked(store: Store, engine: Engine, states: Mapping[str, TableState]) -> dict[str, TableState]:
    """The states with masked files, and all without errors of before: they may repeat words of the provider."""
    told = store.current.tables.items()
    silent = {name: replace(s, error=None) for name, s in told if s.error and s.privacy is Privacy.OFF}
    made = {name: replace(_twinned(store, engine, state), error=None) for name, state in states.items()}
    return silent | ({name: _in_place(s) for name, s in made.items()} if store.privacy.masks_people else made)


def _twinned(store: Store, engine: Engine, state: TableState) -> TableState:
    has_twin = state.masked_file and store.key and state.masked_with == store.key.name
    made = state if has_twin else with_twin(store, engine, resources()[state.name], state)
    return replace(made, privacy=Privacy.AGENTS)


def _in_place(state: TableState) -> TableState:
    """The twin in place of the file."""
    file, size = state.masked_file, state.masked_bytes
    return replace(state, file=file, bytes=size, built_bytes=size, privacy=Privacy.ON, digest=None)


def _history(store: Store, engine: Engine) -> tuple[Segment, ...]:
    """The segments with their twins. With another key than before, what is masked already can not be told again."""
    key, full = store.key, store.current.history
    known = {state.masked_with for state in store.current.tables.values()} - {None}
    if key is not None and known - {key.name} - key.former_names:
        full = tuple(s for s in full if s.masked_file != s.file)
    segments = masked_segments(store.home, engine, full, anew=bool(known) and key is not None and known != {key.name})
    return masked_only(segments) if store.privacy.masks_people else segments


def _purge(store: Store) -> None:
    store.forget_the_past()
    for name in (STATE_FILE, f"{STATE_FILE}-wal", f"{STATE_FILE}-shm"):
        (store.home / name).unlink(missing_ok=True)
    if (store.home / EXPORTS).exists():
        store.warnings.append(
            f"Exports made before are left in {store.home / EXPORTS}, with personal data. Remove what is not needed."
        )
    _purging(store.home).unlink()


def _purging(home: Path) -> Path:
    """A mark that full files are on their way out, for whoever goes on after a kill."""
    return home / "store" / "privacy.purge"
