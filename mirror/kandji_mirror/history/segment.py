"""Segment files: written once as a whole, from new events and from older segments whose place they take."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from kandji_schema.files import rename_durably
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
    """The segments as catalogs, read-only, for the time of the block."""
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
    """The tables with history, as of this segment."""
    with attached(con, home, [segment]) as (place,):
        return {row[0]: Tracked(*row) for row in con.execute(f"FROM {place}.{TRACKED}").fetchall()}


@contextmanager
def collecting(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Room for new events, empty, for the time of the block."""
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


def write(
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
    temporary.chmod(0o600)
    size = temporary.stat().st_size
    final.unlink(missing_ok=True)  # of a run that was killed between this step and its manifest
    rename_durably(temporary, final)
    ends = [table.until.replace(tzinfo=UTC) for table in tracked.values()]
    return Segment(
        file=name,
        bytes=size,
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
