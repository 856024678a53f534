"""Segment files of history: how one is written, and which of them are written together or let go.

A file is written once as a whole, from new events and from older segments whose place it takes. Segments are merged
like a binary counter: a new one takes in the newest ones of its day that hold no more events than itself. So every
event is rewritten a logarithmic number of times, a day has few segments at any moment, and a small change costs little
however much the day brought before it. Later the segments of a past day become one, then those of a past month.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from kandji_schema.files import publish_file
from kandji_schema.history import EVENTS, TABLES, TRACKED
from kandji_schema.manifest import Segment, history_dir
from kandji_schema.sql import literal

NEW = "collected.main"
"""Where events are that are in no segment yet: a database in memory, see :func:`collecting`."""

OPTIONS = "(BLOCK_SIZE 16384, STORAGE_VERSION 'v1.5.0', RECOVERY_MODE no_wal_writes)"
"""Small blocks: a segment of one event takes 60 kB instead of 800. A file that a crash leaves is never recovered."""


@dataclass(frozen=True)
class Tracked:
    """What is known of one table's history; times are naive UTC, as in the file."""

    table: str
    since: datetime
    until: datetime
    keys: list[str]
    fallbacks: list[str]


@contextmanager
def attached(con: duckdb.DuckDBPyConnection, home: Path, segments: Iterable[Segment]) -> Iterator[list[str]]:
    """Attach the segments as catalogs, read-only, for the time of the block."""
    places: list[str] = []
    try:
        for number, segment in enumerate(segments):
            attach(con, history_dir(home) / segment.file, f"segment_{number}", "(READ_ONLY)")
            places.append(f"segment_{number}.main")
        yield places
    finally:
        for number in range(len(places)):
            con.execute(f"DETACH segment_{number}")


def attach(con: duckdb.DuckDBPyConnection, path: Path, name: str, options: str) -> None:
    """Attach a file; quotes in its path are no danger."""
    con.execute(f"ATTACH {literal(path)} AS {name} {options}")


def tracked_in(con: duckdb.DuckDBPyConnection, home: Path, segment: Segment) -> dict[str, Tracked]:
    """Return the tables with history, as of this segment."""
    with attached(con, home, [segment]) as (place,):
        return {row[0]: Tracked(*row) for row in con.execute(f"FROM {place}.{TRACKED}").fetchall()}


@contextmanager
def collecting(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Make room for new events, empty, for the time of the block."""
    con.execute("ATTACH ':memory:' AS collected")
    try:
        make_tables(con, NEW)
        yield
    finally:
        con.execute("DETACH collected")


def make_tables(con: duckdb.DuckDBPyConnection, place: str) -> None:
    """Make the two empty tables of a segment in ``place``, a schema."""
    for statement in TABLES:
        con.execute(statement.format(place=place))


def write_segment(
    con: duckdb.DuckDBPyConnection,
    home: Path,
    name: str,
    replaced: Sequence[Segment],
    tracked: Mapping[str, Tracked],
    *,
    since: datetime,
    with_new: bool,
) -> Segment:
    """Write a segment of the events of ``replaced`` and, ``with_new``, of those collected in :data:`NEW`.

    ``since``, aware UTC, is when what is known before it ends; replaced segments know better.
    """
    final = history_dir(home) / name
    temporary = final.with_name(f"{name}.tmp")
    temporary.unlink(missing_ok=True)
    with attached(con, home, replaced) as places:
        attach(con, temporary, "next", OPTIONS)
        make_tables(con, "next.main")
        _fill(con, [*places, NEW] if with_new else places, tracked)
        counts = _counts(con)
        con.execute("CHECKPOINT next; DETACH next")
    publish_file(temporary, final)
    ends = [table.until.replace(tzinfo=UTC) for table in tracked.values()]
    return Segment(
        file=name,
        bytes=final.stat().st_size,
        since=replaced[0].since if replaced else since,
        until=max([since, *ends, *(segment.until for segment in replaced)]),
        tables=dict(sorted({**dict.fromkeys(tracked, 0), **counts}.items())),
    )


def _fill(con: duckdb.DuckDBPyConnection, sources: Iterable[str], tracked: Mapping[str, Tracked]) -> None:
    """In order of time, so that what is later than some moment is found without reading what is earlier."""
    events = " UNION ALL ".join(f"FROM {source}.{EVENTS}" for source in sources)
    con.execute(f"INSERT INTO next.main.{EVENTS} FROM ({events}) ORDER BY ALL")
    if tracked:
        rows = ", ".join(["(?, ?, ?, ?, ?)"] * len(tracked))  # one statement takes a tenth of one for each
        cells = [cell for table in tracked.values() for cell in astuple(table)]
        con.execute(f"INSERT INTO next.main.{TRACKED} VALUES {rows}", cells)


def _counts(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return dict(con.execute(f"SELECT table_name, count(*) FROM next.main.{EVENTS} GROUP BY 1").fetchall())


SMALL = 500
"""A segment of fewer events counts as one of so many: rewriting them costs no more than having another file."""

LARGEST = 200_000
"""Most events of a segment made by merging; it bounds the time one merge takes to about two seconds."""

Neighbours = slice
"""Neighbouring segments, as places in the manifest's list."""


def kept(segments: Sequence[Segment], now: datetime, keep_days: int) -> tuple[Segment, ...]:
    """Return the segments with an event of the last ``keep_days`` days, and the newest, which says what is tracked."""
    oldest = now - timedelta(days=keep_days)
    return tuple(s for place, s in enumerate(segments, 1) if s.until >= oldest or place == len(segments))


def absorbable(segments: Sequence[Segment], events: int, at: datetime) -> Neighbours:
    """Return the newest segments that a new one of so many events takes in, so that no file needs to be read for it."""
    first = len(segments)
    while first and _same_day(segments[first - 1], at) and _weight(segments[first - 1]) <= max(events, SMALL):
        first -= 1
        events += count(segments[first])
    return slice(first, len(segments))


def mergeable(segments: Sequence[Segment], now: datetime) -> Neighbours | None:
    """Return the oldest segments of one past day, else past month, that should be one; None where all is well."""
    past_days = (run for run in _runs(segments, _day) if segments[run][-1].until.date() < now.date())
    past_months = (run for run in _runs(segments, _month) if _month(segments[run][-1]) != (now.year, now.month))
    return next((run for runs in (past_days, past_months) for run in runs if _longer_than_one(run)), None)


def count(segment: Segment) -> int:
    """Count the events of all tables."""
    return sum(segment.tables.values())


def _runs(segments: Sequence[Segment], period: Callable[[Segment], object]) -> Iterator[Neighbours]:
    """Find the longest runs of neighbours that end in one period and hold at most :data:`LARGEST` events."""
    first = events = 0
    for place, segment in enumerate(segments):
        events += count(segment)
        if place > first and (period(segment) != period(segments[first]) or events > LARGEST):
            yield slice(first, place)
            first, events = place, count(segment)
    if segments:
        yield slice(first, len(segments))


def _longer_than_one(run: Neighbours) -> bool:
    return bool(run.stop - run.start > 1)


def _same_day(segment: Segment, at: datetime) -> bool:
    return segment.until.date() == at.date()


def _weight(segment: Segment) -> int:
    return max(count(segment), SMALL)


def _day(segment: Segment) -> object:
    return segment.until.date()


def _month(segment: Segment) -> object:
    return segment.until.year, segment.until.month
