"""The writer's side of history: compare a table's old data file with its new one and keep what changed.

Nothing that is published is ever written again. A call leaves new files under names that no manifest knows yet; the
segments it returns become history with the manifest that names them, and a killed writer leaves files that nobody reads
and the store sweeps. The layout of a segment, and how it is read, is in :mod:`kandji_schema.history`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import duckdb

from kandji_mirror.history import plan
from kandji_mirror.history.comparison import NOW, WAS, Comparison, Types
from kandji_mirror.history.segment import NEW, Tracked, attach, collecting, tracked_in, write
from kandji_mirror.ingest.engine import Engine, as_stored, store_errors
from kandji_schema.database import is_readable
from kandji_schema.files import has_size
from kandji_schema.history import EVENTS, TRACKED
from kandji_schema.manifest import Segment, history_dir
from kandji_schema.resource import Resource

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


def record(
    home: Path, kept: tuple[Segment, ...], changes: Sequence[Change], *, generation: int, keep_days: int
) -> tuple[Segment, ...]:
    """Take in what changed; returns the segments for the manifest of ``generation``, oldest first.

    ``kept`` are the segments until now. Without a change of content nothing is written. Segments whose newest event is
    older than ``keep_days`` days are left out; 0 keeps no history. A segment that is missing or damaged is left out
    together with all before it, as history is only whole back to it. Raises :class:`StoreFull` and
    :class:`StoreDamaged`; then nothing may be published. One call at a time for a home.
    """
    if not changes or not keep_days:
        return kept if keep_days else ()
    segments = plan.kept(kept, max(change.at for change in changes), keep_days)
    with store_errors("The history"):
        history_dir(home).mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            there = _since_damage(segments, lambda s: has_size(history_dir(home) / s.file, s.bytes))
            return _recorded(home, there, changes, generation)
        except duckdb.Error:
            readable = _since_damage(segments, lambda s: is_readable(history_dir(home) / s.file, (EVENTS, TRACKED)))
            if readable == segments:
                raise
            return _recorded(home, readable, changes, generation)


def _recorded(
    home: Path, segments: tuple[Segment, ...], changes: Sequence[Change], generation: int
) -> tuple[Segment, ...]:
    with _session(home) as con, collecting(con):
        tracked = tracked_in(con, home, segments[-1]) if segments else {}
        news = [_compared(con, change, tracked.get(change.resource.name), generation) for change in changes]
        events = con.execute(f"SELECT count(*) FROM {NEW}.{EVENTS}").fetchall()[0][0]
        begins = any(table.table not in tracked or tracked[table.table].since != table.since for table in news)
        tracked |= {table.table: table for table in news}
        now = max(change.at for change in changes)
        if not (events or begins):
            return _tidied(con, home, segments, now, generation)
        swallowed = plan.swallowed(segments, events, now)
        if swallowed.start == swallowed.stop:
            segments = _tidied(con, home, segments, now, generation)
            swallowed = slice(len(segments), len(segments))
        since = segments[-1].until if segments else min(change.at for change in changes)
        name = f"{generation:08d}.duckdb"
        newest = write(con, home, name, segments[swallowed], tracked, since=since, with_new=True)
        return (*segments[: swallowed.start], newest)


def _tidied(
    con: duckdb.DuckDBPyConnection, home: Path, segments: tuple[Segment, ...], now: datetime, generation: int
) -> tuple[Segment, ...]:
    """At most one merge of segments of the past."""
    run = plan.mergeable(segments, now)
    if run is None:
        return segments
    old = segments[run]
    tracked = tracked_in(con, home, old[-1])
    merged = write(con, home, f"{generation:08d}.merged.duckdb", old, tracked, since=old[0].since, with_new=False)
    return (*segments[: run.start], merged, *segments[run.stop :])


def _compared(con: duckdb.DuckDBPyConnection, change: Change, known: Tracked | None, generation: int) -> Tracked:
    """Collect the events of one table; without anything to compare with, its history begins now."""
    resource, moment = change.resource, as_stored(change.at)
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
    """The segments after the last bad one: what came before it no longer leads to the live rows."""
    bad = [place for place, segment in enumerate(segments) if not is_good(segment)]
    return segments[bad[-1] + 1 :] if bad else segments


@lru_cache(maxsize=1)
def _engine(home: Path) -> Engine:
    """Kept open, because to start DuckDB takes longer than to record a small change."""
    return Engine(history_dir(home) / "recording.tmp", memory_mb=MEMORY_MB)


@contextmanager
def _session(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with temporary tables of its own; after an error the next one is in a new engine."""
    engine = _engine(home)
    try:
        with engine.cursor() as con:
            yield con
    except BaseException:
        _engine.cache_clear()
        engine.close()
        raise
