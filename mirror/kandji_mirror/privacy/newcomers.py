"""People who became known only now: what was masked before may still name them, in texts that are not personal as such.

So whenever somebody becomes known, every masked file is searched for just them, and made again where it names them,
in the same manifest.
"""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace

from kandji_mirror.ingest.engine import Engine, store_errors
from kandji_mirror.privacy.past import scrubbed_segments
from kandji_mirror.privacy.twins import names_anybody, scrubbed_again, with_twin
from kandji_mirror.store.store import Store
from kandji_schema.manifest import Segment, TableState, data_dir
from kandji_schema.registry import resources


@dataclass(frozen=True)
class Cleared:
    """States and segments to publish. ``published_too`` tells that files which readers have now named somebody."""

    states: Mapping[str, TableState]
    history: tuple[Segment, ...]
    published_too: bool = False


def recall(store: Store, engine: Engine) -> bool:
    """Tell an engine whom the home knows; False where the home has no list. Raises :class:`StoreError`."""
    if engine.people is None:
        return True
    with store_errors("The list of known people"), closing(engine.cursor()) as con:
        return engine.people.load(con, store.home)


def cleared(store: Store, engine: Engine, states: Mapping[str, TableState], history: tuple[Segment, ...]) -> Cleared:
    """States and segments of which none names somebody whom ``engine`` came to know. Raises :class:`StoreError`."""
    if engine.people is None:
        return Cleared(states, history)
    with closing(engine.cursor()) as con:
        newest, since = engine.people.newest(con), engine.people.searched + 1
    if newest < since:
        return Cleared(states, history)
    found = dict(states)
    published_too = False
    for name, state in {**store.current.tables, **states}.items():
        done = engine.people.known_to.get(str(state.masked_file), 0)
        again = _again(store, engine, state, max(since, done + 1)) if done < newest else None
        if again is not None:
            found[name] = again
            published_too |= name not in states
    engine.people.searched = newest
    return Cleared(found, scrubbed_segments(store.home, engine, history, since=since), published_too)


def remember(store: Store, engine: Engine) -> None:
    """Keep the list of people, once what names them is published."""
    if engine.people is None:
        return
    with store_errors("The list of known people"), closing(engine.cursor()) as con:
        if engine.people.newest(con) > engine.people.saved:
            engine.people.save(con, store.home)


def _again(store: Store, engine: Engine, state: TableState, since: int) -> TableState | None:
    """The state with masked rows made again; None where they name nobody new, or are none of the key in use."""
    key = store.key.name if store.key else None
    if not state.file or state.masked_file is None or state.masked_with != key:
        return None
    resource, source = resources()[state.name], data_dir(store.home) / state.file
    only_masked = state.file == state.masked_file
    if not names_anybody(engine, resource, source, since=since, already_masked=only_masked):
        return None
    if not only_masked or not store.privacy.masks_people:
        return with_twin(store, engine, resource, state)
    return masked_again(store, engine, state)


def masked_again(store: Store, engine: Engine, state: TableState) -> TableState:
    """The state of a table whose only file is masked, with that file made again. Raises :class:`StoreError`."""
    source, target = data_dir(store.home) / str(state.file), data_dir(store.home) / f"{state.name}.again.tmp"
    target.unlink(missing_ok=True)
    with store_errors(f"The masked {state.name}"):
        scrubbed_again(engine, resources()[state.name], source, target, state.ddl)
    size, file = target.stat().st_size, store.admit(state.name, target)
    key = store.key.name if store.key else None
    made = replace(state, file=file, bytes=size, built_bytes=size, digest=None)
    return replace(made, masked_file=file, masked_bytes=size, masked_with=key)
