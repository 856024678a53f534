"""The past: what changed, for the view ``changes``, and ``<table>_as_of(moment)`` for every table with history.

A statement that asks for neither opens no segment. What a segment holds says :mod:`kandji_schema.history`, how the
past is put together from them :mod:`kandji_queries.as_of`.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import duckdb

from kandji_queries import definitions
from kandji_queries.as_of import EVENTS, SUFFIX, Columns, Past
from kandji_schema.database import is_readable
from kandji_schema.errors import StoreDamaged
from kandji_schema.files import has_size
from kandji_schema.history import EVENTS as STORED_EVENTS
from kandji_schema.history import TABLES
from kandji_schema.history import TRACKED as STORED_TRACKED
from kandji_schema.manifest import Manifest, Segment

TRACKED = "internal.tracked"
"""One row a table with history: ``table_name``, ``since``, ``until``, ``keys``, ``fallbacks``."""


class HistoryDamaged(StoreDamaged):
    """A segment of history cannot be read; the tables themselves can."""

    def __init__(self, file: str) -> None:
        """``file`` is the segment's name."""
        super().__init__(
            f"The history file {file} is missing, cut or altered, so that what changed cannot be told; the tables "
            "themselves are whole. Remove that file from the folder store/history of the data directory: from the next "
            "change on the history begins after it."
        )


def macros(manifest: Manifest) -> Mapping[str, str]:
    """The table functions there are, with the table behind each."""
    newest = manifest.history[-1].tables if manifest.history else ()
    return {f"{table}{SUFFIX}": table for table in newest if table in manifest.tables}


@cache
def views() -> frozenset[str]:
    """Names of our views that read history."""
    return frozenset(v.name for v in definitions.views().values() if EVENTS in v.sql or TRACKED in v.sql)


def add_nothing(base: duckdb.DuckDBPyConnection) -> None:
    """Make the two relations without rows: enough to know what the view ``changes`` looks like."""
    base.execute("CREATE SCHEMA IF NOT EXISTS internal")
    for statement in TABLES:
        base.execute(statement.format(place="internal"))


def add(base: duckdb.DuckDBPyConnection, segments: Sequence[Segment], folder: Path) -> None:
    """Attach the segments of ``folder`` and make the two relations; :class:`HistoryDamaged` names a lost one."""
    base.execute("CREATE SCHEMA IF NOT EXISTS internal")
    for number, segment in enumerate(segments):
        _attach(base, folder / segment.file, segment, f"history_{number}")
    events = " UNION ALL ".join(f"FROM history_{number}.main.{STORED_EVENTS}" for number in range(len(segments)))
    base.execute(f"CREATE VIEW {EVENTS} AS {events}")
    since = f"greatest(since, TIMESTAMP '{segments[0].since:%Y-%m-%d %H:%M:%S.%f}') AS since"
    newest = f"history_{len(segments) - 1}.main.{STORED_TRACKED}"
    base.execute(f"CREATE VIEW {TRACKED} AS SELECT * REPLACE ({since}) FROM {newest}")


def _attach(base: duckdb.DuckDBPyConnection, path: Path, segment: Segment, name: str) -> None:
    quoted = str(path).replace("'", "''")
    if not has_size(path, segment.bytes):
        raise HistoryDamaged(segment.file)
    try:
        base.execute(f"ATTACH '{quoted}' AS {name} (READ_ONLY)")
    except duckdb.Error as error:
        raise HistoryDamaged(segment.file) from error


def refuse_damaged(segments: Sequence[Segment], folder: Path, error: StoreDamaged) -> None:
    """Raise :class:`HistoryDamaged` if a segment is to blame for ``error``; reads every block of them."""
    for segment in segments:
        if not is_readable(folder / segment.file, (STORED_EVENTS, STORED_TRACKED)):
            raise HistoryDamaged(segment.file) from error


def pasts(base: duckdb.DuckDBPyConnection, columns_of: Callable[[str], Columns | None]) -> list[Past]:
    """The tables with history that ``columns_of`` knows."""
    found = base.execute(f"SELECT table_name, since, keys, fallbacks FROM {TRACKED} ORDER BY table_name").fetchall()
    known = ((row, columns_of(row[0])) for row in found)
    return [
        Past(table, since, keys, fallbacks, columns) for (table, since, keys, fallbacks), columns in known if columns
    ]
