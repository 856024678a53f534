"""The record of runs as those read it who look from outside: opened for reading alone, and from one record on."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from kandji_mirror.state import STATE_FILE
from kandji_schema.manifest import State
from kandji_schema.utc import aware_utc

T = TypeVar("T")

LOOK_SECONDS = 2.0
"""Longest wait for a writer, which holds the file for milliseconds."""

_COLUMNS = ("id", "started_at", "resource", "outcome", "requests", "error_kind")

_GOOD = (
    "SELECT max(started_at) FROM (SELECT started_at FROM runs GROUP BY started_at HAVING sum(outcome = ?) = 0) AS good"
)


@dataclass(frozen=True)
class PassRecord:
    """One table in one run. ``outcome`` is the word of a :class:`State`; passes of a run share ``started_at``."""

    id: int
    started_at: datetime
    table: str
    outcome: str
    requests: int
    error_kind: str | None


def newest_pass(home: Path) -> int:
    """Return the number of the newest record, 0 where there is none."""
    return _read(home, _newest, 0)


def passes_after(home: Path, number: int) -> list[PassRecord]:
    """Return what was written down after the record of that number, oldest first.

    All there is, where the newest has a smaller one: the file was made anew. Nothing where it cannot be read now.
    """

    def read(connection: sqlite3.Connection) -> list[PassRecord]:
        there = {name for (name,) in connection.execute("SELECT name FROM pragma_table_info('runs')")}
        columns = ", ".join(name if name in there else "NULL" for name in _COLUMNS)  # of an earlier version
        after = number if number <= _newest(connection) else 0
        found = connection.execute(f"SELECT {columns} FROM runs WHERE id > ? ORDER BY id", [after])
        return [PassRecord(row[0], _moment(row[1]), *row[2:]) for row in found]

    return _read(home, read, [])


def last_good_run(home: Path) -> datetime | None:
    """Return when the newest run began in which no table failed, aware UTC; None where none is known."""

    def read(connection: sqlite3.Connection) -> datetime | None:
        found = connection.execute(_GOOD, [State.FAILED.value]).fetchone()[0]
        return _moment(found) if found else None

    return _read(home, read, None)


def _newest(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT max(id) FROM runs").fetchone()[0] or 0)


def _moment(text: str) -> datetime:
    return aware_utc(datetime.fromisoformat(text))


def _read(home: Path, question: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
    path = home / STATE_FILE
    if not path.is_file():
        return otherwise
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=LOOK_SECONDS)) as connection:
            return question(connection)
    except sqlite3.Error:
        return otherwise
