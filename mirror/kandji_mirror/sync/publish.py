"""The last step: what a run read becomes current, as history, then one manifest, then what the writer remembers."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from kandji_mirror.history.masked import marked_as_masked, masked_segments
from kandji_mirror.history.recorder import Change
from kandji_mirror.ingest.engine import Engine
from kandji_mirror.state import DeviceEdits
from kandji_mirror.store.masked_files import mask_newcomers, save_people
from kandji_mirror.store.store import Store
from kandji_mirror.sync.devices import DEVICES, edited_columns
from kandji_schema.errors import StoreError
from kandji_schema.manifest import Manifest, Segment, TableState, data_dir
from kandji_schema.registry import resources


def publish(
    store: Store, engine: Engine, states: Mapping[str, TableState], *, keep_days: int, at: datetime | None = None
) -> Manifest:
    """Make the states current, all at one moment, with what changed by them as history.

    A change is dated by the attempt that its state tells of, unless ``at`` says otherwise. Raises :class:`StoreError`;
    then nothing changed for readers.
    """
    with store.lock:
        changes = [change for change in _changes(store, states, at) if change.resource.tracked]
        segments = _history(store, changes, keep_days)
        found = mask_newcomers(store, engine, states, _for_mode(store, engine, segments))
        manifest = store.publish(found.states, history=found.history)
        if found.published_too and store.privacy.masks_people:
            store.forget_the_past()
        save_people(store, engine)
        return manifest


def _history(store: Store, changes: Sequence[Change], keep_days: int) -> tuple[Segment, ...]:
    """Return history with the changes; where the disk is full, no more of it than there was.

    Its oldest segments go then. To leave out what is new instead would make every past moment one of which nothing is
    known. Where what is left is more than there was even so, it begins anew with these changes.
    """
    known, generation = store.current.history, store.next_generation
    segments = store.recorder.record(known, changes, generation=generation, keep_days=keep_days)
    if segments == known or not store.is_tight():
        return segments
    room = sum(segment.bytes for segment in known)
    while len(segments) > 1 and sum(segment.bytes for segment in segments) > room:
        segments = segments[1:]
    if sum(segment.bytes for segment in segments) <= room:
        return segments
    return store.recorder.record((), changes, generation=generation, keep_days=keep_days) if known else ()


def _for_mode(store: Store, engine: Engine, segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """Return the segments as the store's mode wants them: as they are, with masked copies, or masked themselves."""
    if store.privacy.masks_people:
        return marked_as_masked(segments)
    return masked_segments(store.home, engine, segments) if store.privacy.masks_agents else segments


def note_device_edits(store: Store, edits: DeviceEdits, state: TableState, at: datetime | None = None) -> None:
    """Remember what people edited of devices, by their new state, for the tables that repeat it.

    This comes before the state is published, as those tables are read before that too. To notice twice does no harm.
    """
    for change in _changes(store, {DEVICES: state}, at):
        if change.before:
            with suppress(StoreError):  # then the next whole read of those tables sees it
                edits.note(edited_columns(change.before, change.after), change.at)


def _changes(store: Store, states: Mapping[str, TableState], at: datetime | None) -> Iterator[Change]:
    """Yield the tables that get another data file."""
    for name, state in states.items():
        if state.file and state.file != store.current.tables[name].file:
            after = data_dir(store.home) / state.file
            yield Change(resources()[name], store.data_file(name), after, at or state.attempted_at or store.wall())
