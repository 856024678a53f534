"""Feeds brought up to date: each document that is on and due is asked for, and what came is published.

What is wrong with a feed is the state of its own tables: it never ends a run of the tenant.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

from kandji_mirror.feeds.document import FeedDocument, read_document
from kandji_mirror.feeds.fetch import Fetched, How, checked_base, fetch
from kandji_mirror.feeds.tables import FeedPass, noted, refuse_shrunk
from kandji_mirror.ingest.engine import Engine
from kandji_mirror.report import Outcome, Report, outcome_of
from kandji_mirror.store.masked_files import run_engine
from kandji_mirror.store.store import Store, store_full
from kandji_mirror.sync.planner import parse_ttl_overrides
from kandji_mirror.sync.publish import publish
from kandji_mirror.sync.strategy import Method
from kandji_schema import ddl
from kandji_schema.durations import in_future
from kandji_schema.errors import ApiError, ConfigurationError, Suspicious
from kandji_schema.feed_state import DocumentState, ages, key_of, note_documents
from kandji_schema.feeds import FEEDS, SETTING, Document, Feed, enabled
from kandji_schema.manifest import State, TableState
from kandji_schema.registry import feed_tables, resources
from kandji_schema.settings import Settings

TURNED_OFF = f"{SETTING} does not name the feed any more, so these rows are not updated."
"""The note of a table whose feed was on."""

TRY_AGAIN = timedelta(minutes=30)
"""A feed that could not be read, or not all of it, is asked for again after so long."""


@dataclass(frozen=True)
class FeedSources:
    """The feeds that are on, where the documents of each lie, by name, and how they are asked for.

    ``ttls`` replace the declared times to live, by table.
    """

    feeds: tuple[Feed, ...] = ()
    bases: Mapping[str, str] = field(default_factory=dict)
    how: How = field(default_factory=How)
    ttls: Mapping[str, timedelta] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Read the settings; :class:`ConfigurationError` for a feed that there is not, and for a wrong address."""
        given = {"sofa": settings.mirror_feed_sofa_url, "kev": settings.mirror_feed_kev_url}
        feeds = enabled(settings.mirror_feeds)
        return cls(
            feeds,
            {feed.name: checked_base(feed, given[feed.name]) for feed in feeds},
            How(settings.mirror_ca_file, settings.mirror_read_timeout),
            parse_ttl_overrides(settings.mirror_ttl, resources()) if feeds else {},
        )

    def stopping(self, stopped: Callable[[], bool]) -> Self:
        """Return the same, given up as soon as ``stopped`` says so."""
        return replace(self, how=replace(self.how, stopped=stopped))

    def address(self, feed: Feed, document: Document) -> str:
        """Return where a document lies."""
        return f"{self.bases[feed.name]}/{document.path}"

    def due(self, states: Mapping[str, TableState], now: datetime) -> list[Feed]:
        """Return the feeds of which a table is due."""
        return [feed for feed in self.feeds if any(self._is_due(states[table], now) for table in feed.tables)]

    def _is_due(self, state: TableState, now: datetime) -> bool:
        ttl = self._ttl(state.name)
        if state.attempted_at is None or state.ddl[0] != ddl.statements(feed_tables()[state.name])[0]:
            return True
        if state.note == TURNED_OFF:
            return True
        after = ttl if state.state is State.OK else min(ttl, TRY_AGAIN)
        return now - state.attempted_at >= after or in_future(state.attempted_at, now)

    def _ttl(self, table: str) -> timedelta:
        return self.ttls.get(table, feed_tables()[table].ttl)

    def with_ttl(self, state: TableState) -> TableState:
        """Return the state with the time to live that holds."""
        return replace(state, ttl_seconds=int(self._ttl(state.name).total_seconds()))

    def turned_off(self, states: Mapping[str, TableState]) -> dict[str, TableState]:
        """Return the states of tables that are not updated any more, which nothing says yet."""
        return {
            state.name: replace(state, note=TURNED_OFF)
            for feed in FEEDS.values()
            if feed not in self.feeds
            for state in map(states.get, feed.tables)
            if state and state.method == Method.FEED and state.note != TURNED_OFF
        }


def note_turned_off(store: Store, sources: FeedSources) -> None:
    """Say in the manifest of which tables of feeds the rows are not updated any more. Raises :class:`StoreError`."""
    if states := sources.turned_off(store.current.tables):
        store.publish(states)


def update_feeds(store: Store, sources: FeedSources, feeds: Sequence[Feed], *, keep_days: int) -> Report:
    """Ask for the documents of some feeds and publish what came; what did not keeps its rows, and its table says why.

    Raises :class:`StoreError` and :class:`Interrupted`; then nothing changed.
    """
    began, clock = store.wall(), time.monotonic()
    outcomes: list[Outcome] = []
    for feed in feeds:
        outcomes += _Update(store, sources, feed, began).publish(keep_days)
    return Report(
        started_at=began,
        seconds=round(time.monotonic() - clock, 3),
        outcomes=tuple(outcomes),
        fresh=(),
        requests=0,
        remaining_hour=None,
        generation=store.current.generation,
        warnings=tuple(store.warnings),
    )


class _Update:
    """One feed, once."""

    def __init__(self, store: Store, sources: FeedSources, feed: Feed, at: datetime) -> None:
        self._store = store
        self._sources = sources
        self._feed = feed
        self._at = at
        self._known = noted(store, feed)
        self._problems: dict[str, str] = {}
        self._newer: dict[str, DocumentState] = {}

    def publish(self, keep_days: int) -> list[Outcome]:
        """Ask for each document, and make the tables current."""
        clock, before = time.monotonic(), self._store.current.tables
        with run_engine(self._store) as engine:
            came = [found for document in self._feed.documents if (found := self._asked(document, engine))]
            then = {**self._known, **self._newer}
            made = FeedPass(self._feed, came, ages(self._feed, then), self._problems, self._at, self._note())
            states = {name: self._sources.with_ttl(state) for name, state in self._states(made, engine).items()}
            publish(self._store, engine, states, keep_days=keep_days, at=self._at)
        with store_full(self._store.home):
            note_documents(self._store.home, self._newer)
        seconds = round(time.monotonic() - clock, 3)
        return [outcome_of(state, before[name], seconds) for name, state in states.items()]

    def _states(self, made: FeedPass, engine: Engine) -> dict[str, TableState]:
        """Return the tables' states; where the documents together are not believed, all rows stay."""
        try:
            return made.states(self._store, engine)
        except Suspicious as error:
            self._newer = {}
            problems = {self._feed.name: str(error)}
            return replace(made, documents=(), problems=problems, as_of=ages(self._feed, self._known)).states(
                self._store, engine
            )

    def _asked(self, document: Document, engine: Engine) -> FeedDocument | None:
        """Return what came of a document; None where nothing new did, which is noted."""
        key, url = key_of(self._feed.name, document.name), self._sources.address(self._feed, document)
        before = self._known.get(key, DocumentState())
        same = before if before.source == url and self._has_rows() else DocumentState()
        try:
            answer = fetch(url, same, self._sources.how)
            found = self._read(answer, document, engine)
        except (ApiError, ConfigurationError, Suspicious) as error:
            self._problems[document.name] = str(error)
            self._newer[key] = replace(before, checked_at=self._at, error=str(error))
            return None
        made = found.made_at if found else before.made_at
        old = made is not None and self._at - made > self._feed.stands_still
        self._newer[key] = DocumentState(
            as_of=made if old else self._at,
            checked_at=self._at,
            made_at=made,
            source=url,
            etag=answer.etag or (None if found else before.etag),
            modified=answer.modified or (None if found else before.modified),
        )
        return found

    def _read(self, answer: Fetched, document: Document, engine: Engine) -> FeedDocument | None:
        if answer.body is None:
            return None
        found = read_document(answer.body, self._feed)
        if found.document != document:
            raise Suspicious(f"What came is the document of {found.document.name}.")
        refuse_shrunk(self._store, engine, found)
        return found

    def _note(self) -> str | None:
        """Say that the makers of a feed seem to have stopped: what is there was made long ago."""
        made = [state.made_at for state in self._newer.values() if state.made_at and state.as_of == state.made_at]
        return f"The feed was last made on {min(made):%Y-%m-%d}; nothing newer is offered there." if made else None

    def _has_rows(self) -> bool:
        """Whether the rows of what is known are here, as this version stores them: else all is read anew."""
        states = (self._store.current.tables[table] for table in self._feed.tables)
        return all(self._store.data_file(s.name) and s.ddl == ddl.statements(feed_tables()[s.name]) for s in states)
