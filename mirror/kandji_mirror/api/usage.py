"""How much of the request budget is used, read from the files that say so without opening budget or run log."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from kandji_mirror.api.rate_limit import BACKGROUND_PERMITS, FILE, HOUR, PERMITS
from kandji_schema.durations import AHEAD

T = TypeVar("T")

_HOUR = timedelta(milliseconds=HOUR)


@dataclass(frozen=True)
class Usage:
    """Requests of the last hour by all our processes of a home; ``background`` are those of work nobody waited for."""

    requests: int
    background: int


def usage(home: Path, now: datetime) -> Usage | None:
    """Read what ``budget.sqlite`` in ``home`` counts; None where it cannot be read, and before the first request."""
    hour = ((now - _HOUR).timestamp() * 1000, (now + AHEAD).timestamp() * 1000)
    return _read(
        home / FILE,
        lambda budget: Usage(_count(budget, PERMITS, hour), _count(budget, BACKGROUND_PERMITS, hour)),
    )


def tenant_remaining(home: Path) -> int | None:
    """Read the requests the tenant had left in its hour when a run last heard of it; None where none did."""
    return _read(home / "state.sqlite", _last_told)


def _read(path: Path, question: Callable[[sqlite3.Connection], T]) -> T | None:
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return question(connection)
    except sqlite3.Error:
        return None


def _last_told(runs: sqlite3.Connection) -> int | None:
    told = "SELECT remaining_hour FROM runs WHERE remaining_hour IS NOT NULL ORDER BY id DESC LIMIT 1"
    row = runs.execute(told).fetchone()
    return int(row[0]) if row else None


def _count(budget: sqlite3.Connection, kind: str, hour: tuple[float, float]) -> int:
    """Count the permits of that time, in milliseconds since 1970: of one tenant, which may have had two addresses.

    Those of a clock that was ahead are none of it.
    """
    tables = budget.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB ?", [f"{kind}_*"])
    return sum(
        budget.execute(f'SELECT count(*) FROM "{name}" WHERE item_timestamp BETWEEN ? AND ?', hour).fetchone()[0]
        for (name,) in tables.fetchall()
    )
