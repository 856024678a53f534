"""Rows of a feed's documents as the next data files of its tables, on the way that rows of the tenant go.

A document stands for itself: where one of several is bad, the rows of the good ones are taken and its own stay.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from kandji_mirror.api.paging import page_of_rows
from kandji_mirror.feeds.document import FeedDocument
from kandji_mirror.ingest.engine import Engine
from kandji_mirror.ingest.file_queries import rows_by
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.store.store import Store
from kandji_mirror.sync.completeness import PROVEN_BY_ANSWERS
from kandji_mirror.sync.context import TableContext
from kandji_mirror.sync.data_file import read_current_file, refuse_keyless, write_replacement
from kandji_mirror.sync.extract_stats import ExtractStats, observed_drift
from kandji_mirror.sync.strategy import Method
from kandji_schema.errors import Suspicious
from kandji_schema.feed_state import DocumentState, documents
from kandji_schema.feeds import Document, Feed
from kandji_schema.manifest import Drift, State, TableState
from kandji_schema.registry import feed_tables
from kandji_schema.resource import Resource

LEAST_LEFT = 0.5
"""A document with fewer than this share of the rows it had before is not believed."""


@dataclass(frozen=True)
class FeedPass:
    """The documents of one feed that came, and what is known of all of them.

    ``as_of`` tells by name the moment of which the rows of a document are then, None where there are none; ``problems``
    why one did not come. ``note`` is what is to be said of rows that came, ``method`` how
    they did.
    """

    feed: Feed
    documents: Sequence[FeedDocument]
    as_of: Mapping[str, datetime | None]
    problems: Mapping[str, str]
    at: datetime
    note: str | None = None
    method: Method = Method.FEED

    def states(self, store: Store, engine: Engine) -> dict[str, TableState]:
        """Write the tables' next data files, of which none is current yet; return the states that name them.

        Raises :class:`Suspicious` and errors of the store; then nothing changed.
        """
        return {name: self._state(store, engine, feed_tables()[name]) for name in self.feed.tables}

    def _state(self, store: Store, engine: Engine, resource: Resource) -> TableState:
        ctx = TableContext(store=store, engine=engine, resource=resource)
        if not self.documents:
            return self._judged(ctx.previous)
        with ctx.workspace() as (staging, target):
            current = read_current_file(ctx, staging)
            stats = self._stage(staging, resource)
            refuse_keyless(staging)
            if current and self._left:
                staging.copy_rows(current.path, self.feed.part, self._left)
            staging.unify_keys()
            written = write_replacement(ctx, staging, current, target, PROVEN_BY_ANSWERS)
            drift = observed_drift(resource, staging.leftovers(), stats.odd_rows, stats.never_sent)
            return self._judged(replace(written, method=self.method.value, drift=self._with_unknown(drift, resource)))

    def _stage(self, staging: Staging, resource: Resource) -> ExtractStats:
        stats = ExtractStats()
        for document in self.documents:
            rows = list(document.tables[resource.name])
            page = page_of_rows(rows, resource, document.odd.get(resource.name, 0))
            stats.add_page(page)
            staging.add(page.text)
        staging.flush()
        return stats

    @property
    def _left(self) -> Collection[str]:
        """Documents that did not come, whose rows stay."""
        came = {found.document.name for found in self.documents}
        return [document.name for document in self.feed.documents if document.name not in came]

    def _with_unknown(self, drift: Drift, resource: Resource) -> Drift:
        """Count unknown fields beside the rows with the first table."""
        if resource.name != self.feed.tables[0]:
            return drift
        beside = [found.unknown for found in self.documents]
        names = {name for one in beside for name in one}
        return replace(drift, unknown={**drift.unknown, **{n: sum(one.get(n, 0) for one in beside) for n in names}})

    def _judged(self, state: TableState) -> TableState:
        """Return the state as old as the oldest of its documents, and as whole as they are."""
        known = [self.as_of.get(document.name) for document in self.feed.documents]
        oldest = min((moment for moment in known if moment), default=None)
        judged, error = self._judgement(self.feed.documents)
        return replace(
            state,
            state=judged,
            error=error,
            note=self.note,
            attempted_at=self.at,
            synced_at=oldest,
            whole_at=oldest if judged is State.OK else state.whole_at,
            requests=0,
        )

    def _judgement(self, documents: Sequence[Document]) -> tuple[State, str | None]:
        if self.problems:
            return State.FAILED, " ".join(f"{name}: {why}" for name, why in self.problems.items())
        never = [document.name for document in documents if self.as_of.get(document.name) is None]
        if len(never) == len(documents):
            return State.NEVER, None
        return (State.PARTIAL, f"No document of {' and '.join(never)} was read yet.") if never else (State.OK, None)


def noted(store: Store, feed: Feed) -> dict[str, DocumentState]:
    """Return what is known of the documents of a feed, by feed and name.

    It is written down beside the rows. Where the rows are of another moment (an older state came back, or a process was
    killed in between), no version is believed to be here, and each document is as old as the oldest of both.
    """
    found = {key: state for key, state in documents(store.home).items() if key.split("/")[0] == feed.name}
    tables = [store.current.tables[name] for name in feed.tables]
    checked = max((state.checked_at for state in found.values() if state.checked_at), default=None)
    if all(table.attempted_at == checked for table in tables):
        return found
    rows = min((table.synced_at for table in tables if table.synced_at), default=None)
    return {
        key: replace(
            state,
            as_of=min(state.as_of, rows) if state.as_of and rows else None,
            made_at=None,
            etag=None,
            modified=None,
        )
        for key, state in found.items()
    }


def refuse_shrunk(store: Store, engine: Engine, found: FeedDocument) -> None:
    """Raise :class:`Suspicious` for a document that has far fewer rows than the one before it."""
    name, part = found.document.name, found.feed.part
    for table, rows in found.tables.items():
        ctx = TableContext(store=store, engine=engine, resource=feed_tables()[table])
        before = rows_by(engine, ctx.current_file, ctx.resource, part) if ctx.current_file else {}
        had = before.get(name if part else "", 0)
        if len(rows) < LEAST_LEFT * had:
            raise Suspicious(
                f"It has {len(rows):,} rows for {table}, {had:,} before: too few to be believed. The previous rows are "
                "kept; `kandji-mirror feed load FILE --accept-fewer` takes such a document all the same."
            )
