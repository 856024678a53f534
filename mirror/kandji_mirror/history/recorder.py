"""The recorder of history: compares a table's old data file with its new one, and keeps what changed in a segment.

Nothing that is published is ever written again. A call leaves new files under names that no manifest knows yet; the
segments it returns become history with the manifest that names them, and a killed writer leaves files that nobody reads
and the store sweeps. The layout of a segment, and how it is read, is in :mod:`kandji_schema.history`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import duckdb

from kandji_mirror.history.diff import NOW, WAS, Comparison, Types
from kandji_mirror.history.segments import (
    NEW,
    Tracked,
    absorbable,
    attach,
    collecting,
    kept,
    mergeable,
    tracked_in,
    write_segment,
)
from kandji_mirror.ingest.engine import Engine, store_errors
from kandji_schema.database import is_readable
from kandji_schema.files import has_size, make_folder
from kandji_schema.history import EVENTS, TRACKED
from kandji_schema.manifest import Segment, history_dir
from kandji_schema.resource import Resource
from kandji_schema.utc import naive_utc

MEMORY_MB = 512
"""Enough to compare 7 million rows by their hashes; beyond it DuckDB spills into the history folder."""


@dataclass(frozen=True)
class Change:
    """A table whose data file is replaced. ``before`` is None where there was none: its history begins here.

    ``at``, aware UTC, becomes ``changed_at`` of the events; a table's events never go back in time, whatever the clock
    does.
    """

    resource: Resource
    before: Path | None
    after: Path
    at: datetime


class HistoryRecorder:
    """Records the changes of one home. One call at a time; :meth:`close` lets go of its engine."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._folder = history_dir(home)
        self._engine: Engine | None = None

    def close(self) -> None:
        """Let go of the engine; the next call opens another."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    @contextmanager
    def _session(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a connection with temporary tables of its own; after an error the next one is in a new engine.

        The engine is kept open, because to start DuckDB takes longer than to record a small change.
        """
        if self._engine is None:
            self._engine = Engine(self._folder / "recording.tmp", memory_mb=MEMORY_MB)
        try:
            with self._engine.cursor() as con:
                yield con
        except BaseException:
            self.close()
            raise

    def record(
        self, known: tuple[Segment, ...], changes: Sequence[Change], *, generation: int, keep_days: int
    ) -> tuple[Segment, ...]:
        """Take in what changed; returns the segments for the manifest of ``generation``, oldest first.

        ``known`` are the segments until now. Without a change of content nothing is written. Segments whose newest
        event is older than ``keep_days`` days are left out; 0 keeps no history. A segment that is missing or damaged is
        left out together with all before it, as history is only whole back to it. Raises :class:`StoreFull` and
        :class:`StoreDamaged`; then nothing may be published.
        """
        if not changes or not keep_days:
            return known if keep_days else ()
        segments = kept(known, max(change.at for change in changes), keep_days)
        with store_errors("The history"):
            make_folder(self._folder)
            try:
                there = _since_damage(segments, lambda s: has_size(self._folder / s.file, s.bytes))
                return self._record(there, changes, generation)
            except duckdb.Error:
                readable = _since_damage(segments, lambda s: is_readable(self._folder / s.file, (EVENTS, TRACKED)))
                if readable == segments:
                    raise
                return self._record(readable, changes, generation)

    def _record(self, segments: tuple[Segment, ...], changes: Sequence[Change], generation: int) -> tuple[Segment, ...]:
        with self._session() as con, collecting(con):
            tracked = tracked_in(con, self._home, segments[-1]) if segments else {}
            news = [_compared(con, change, tracked.get(change.resource.name), generation) for change in changes]
            events = con.execute(f"SELECT count(*) FROM {NEW}.{EVENTS}").fetchall()[0][0]
            begins = any(table.table not in tracked or tracked[table.table].since != table.since for table in news)
            tracked |= {table.table: table for table in news}
            now = max(change.at for change in changes)
            if not (events or begins):
                return self._merge_past(con, segments, now, generation)
            absorbed = absorbable(segments, events, now)
            if absorbed.start == absorbed.stop:
                segments = self._merge_past(con, segments, now, generation)
                absorbed = slice(len(segments), len(segments))
            since = segments[-1].until if segments else min(change.at for change in changes)
            name = f"{generation:08d}.duckdb"
            newest = write_segment(con, self._home, name, segments[absorbed], tracked, since=since, with_new=True)
            return (*segments[: absorbed.start], newest)

    def _merge_past(
        self, con: duckdb.DuckDBPyConnection, segments: tuple[Segment, ...], now: datetime, generation: int
    ) -> tuple[Segment, ...]:
        """Do at most one merge of segments of the past."""
        run = mergeable(segments, now)
        if run is None:
            return segments
        old, name = segments[run], f"{generation:08d}.merged.duckdb"
        tracked = tracked_in(con, self._home, old[-1])
        merged = write_segment(con, self._home, name, old, tracked, since=old[0].since, with_new=False)
        return (*segments[: run.start], merged, *segments[run.stop :])


def _compared(con: duckdb.DuckDBPyConnection, change: Change, known: Tracked | None, generation: int) -> Tracked:
    """Collect the events of one table; without anything to compare with, its history begins now."""
    resource, moment = change.resource, naive_utc(change.at)
    keys, fallbacks = list(resource.key), list(resource.key_fallback)
    begins = Tracked(resource.name, moment, moment, keys, fallbacks)
    if change.before is None:
        return begins
    moment = max(moment, known.until) if known else moment
    try:
        _compare(con, change, change.before, {"at": moment, "generation": generation})
    except duckdb.Error:
        if is_readable(change.before, (resource.name,)):
            raise
        return begins
    if known is None or (known.keys, known.fallbacks) != (keys, fallbacks):
        return replace(begins, since=moment, until=moment)
    return replace(known, until=moment)


def _compare(con: duckdb.DuckDBPyConnection, change: Change, before: Path, values: dict[str, object]) -> None:
    with _attached(con, {WAS: before, NOW: change.after}):
        types = [_columns(con, side, change.resource.name) for side in (WAS, NOW)]
        comparison = Comparison(change.resource, *types)
        found = con.execute(comparison.find()).fetchall()
        if found[0][0]:
            con.execute(comparison.insert(NEW), values)


@contextmanager
def _attached(con: duckdb.DuckDBPyConnection, files: dict[str, Path]) -> Iterator[None]:
    done: list[str] = []
    try:
        for name, path in files.items():
            attach(con, path, name, "(READ_ONLY)")
            done.append(name)
        yield
    finally:
        for name in done:
            con.execute(f"DETACH {name}")


def _columns(con: duckdb.DuckDBPyConnection, side: str, table: str) -> Types:
    found = con.execute(f'DESCRIBE {side}.main."{table}"').fetchall()
    return {name: kind for name, kind, *_ in found}


def _since_damage(segments: tuple[Segment, ...], is_good: Callable[[Segment], bool]) -> tuple[Segment, ...]:
    """Return the segments after the last bad one: what came before it no longer leads to the present rows."""
    bad = [place for place, segment in enumerate(segments) if not is_good(segment)]
    return segments[bad[-1] + 1 :] if bad else segments
