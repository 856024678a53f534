"""Documents of feeds from the disk into the mirror, for networks without a way out."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from kandji_mirror.feeds.document import MOST_BYTES, FeedDocument, read_document
from kandji_mirror.feeds.tables import FeedPass, noted, refuse_shrunk
from kandji_mirror.report import Outcome, Report, outcome_of
from kandji_mirror.state import Now, utc_now
from kandji_mirror.store.masked_files import run_engine
from kandji_mirror.store.opening import open_store
from kandji_mirror.store.store import Store, store_full
from kandji_mirror.sync.publish import publish
from kandji_mirror.sync.run import KEEP_DAYS
from kandji_mirror.sync.strategy import Method
from kandji_schema.disk import UNBOUNDED, DiskBounds
from kandji_schema.errors import Suspicious, UsageError
from kandji_schema.feed_state import DocumentState, ages, key_of, note_documents
from kandji_schema.feeds import Feed
from kandji_schema.manifest import TableState
from kandji_schema.privacy import Privacy
from kandji_schema.registry import resources


def load_files(
    home: Path,
    tenant: str,
    files: Sequence[Path],
    *,
    feed: Feed | None = None,
    accept_fewer: bool = False,
    keep_days: int = KEEP_DAYS,
    privacy: Privacy = Privacy.OFF,
    wall: Now = utc_now,
    disk: DiskBounds = UNBOUNDED,
) -> Report:
    """Read documents of feeds from files and publish their rows; all of them, or none.

    Each is of the ``feed``, or of the one that it looks like. Rows are as old as the document says that it is, since
    nobody knows when it was fetched. :class:`UsageError` for a file that cannot be read and for two of one document,
    :class:`Suspicious` for one that is no document or lost most of its rows, and as :func:`open_store`.
    """
    found = read_files(files, feed)
    with open_store(home, tenant, resources(), wall, privacy=privacy, disk=disk) as store:
        return load_into(store, found, accept_fewer=accept_fewer, keep_days=keep_days)


def load_into(store: Store, found: "Found", *, accept_fewer: bool, keep_days: int) -> Report:
    """Publish documents that were read from files; raises as :func:`load_files`, and then nothing changed."""
    began, clock = store.wall(), time.monotonic()
    outcomes = _publish(store, found, began, accept_fewer=accept_fewer, keep_days=keep_days, clock=clock)
    return Report(
        started_at=began,
        seconds=round(time.monotonic() - clock, 3),
        outcomes=outcomes,
        fresh=(),
        requests=0,
        remaining_hour=None,
        generation=store.current.generation,
        warnings=tuple(store.warnings),
    )


Found = dict[str, tuple[Path, FeedDocument]]
"""Documents with their files, by feed and name."""


def read_files(files: Sequence[Path], feed: Feed | None = None) -> Found:
    """Read documents of feeds from files; raises as :func:`load_files`."""
    found: Found = {}
    for file in files:
        with _named(file):
            document = read_document(_bytes_of(file), feed)
        key = key_of(document.feed.name, document.document.name)
        if key in found:
            raise UsageError(f"{found[key][0]} and {file} are both {document.document.name}; name one of them.")
        found[key] = (file, document)
    return found


@contextmanager
def _named(file: Path) -> Iterator[None]:
    """Have an error of the block name the file."""
    try:
        yield
    except Suspicious as error:
        raise Suspicious(f"{file}: {error} Nothing was changed.") from None


def _bytes_of(file: Path) -> bytes:
    try:
        with file.open("rb") as source:
            return source.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}.") from None


def _publish(
    store: Store, found: Found, now: datetime, *, accept_fewer: bool, keep_days: int, clock: float
) -> tuple[Outcome, ...]:
    feeds = dict.fromkeys(document.feed for _, document in found.values())
    known = {key: state for feed in feeds for key, state in noted(store, feed).items()}
    loaded = {key: _loaded(file, document, now) for key, (file, document) in found.items()}
    then, before = {**known, **loaded}, store.current.tables
    states: dict[str, TableState] = {}
    with run_engine(store) as engine:
        for file, document in () if accept_fewer else found.values():
            with _named(file):
                refuse_shrunk(store, engine, document)
        for feed in feeds:
            came = [document for _, document in found.values() if document.feed is feed]
            made = FeedPass(feed, came, ages(feed, then), {}, now, method=Method.FEED_FILE)
            states |= made.states(store, engine)
        publish(store, engine, states, keep_days=keep_days, at=now)
    with store_full(store.home):
        note_documents(store.home, loaded)
    seconds = round(time.monotonic() - clock, 3)
    return tuple(outcome_of(state, before[name], seconds) for name, state in states.items())


def _loaded(file: Path, document: FeedDocument, now: datetime) -> DocumentState:
    made = document.made_at
    return DocumentState(as_of=min(made or now, now), checked_at=now, made_at=made, source=str(file.resolve()))
