"""How much of the request budget was spent, read from its file without opening the budget itself."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Spending:
    """Requests of the last hour by all our processes of a home; ``background`` are those of work nobody waited for."""

    requests: int
    background: int


def spending(home: Path, now: datetime) -> Spending | None:
    """What ``budget.sqlite`` in ``home`` counts; None where it cannot be read, and before the first request."""
    path = (home / "budget.sqlite").absolute()
    since = (now - HOUR).timestamp() * 1000
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as budget:
            return Spending(_count(budget, "permits", since), _count(budget, "background", since))
    except sqlite3.Error:
        return None


def _count(budget: sqlite3.Connection, kind: str, since: float) -> int:
    """Permits given since then, in milliseconds since 1970; a home has one tenant, which may have had two addresses."""
    tables = budget.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB ?", [f"{kind}_*"])
    return sum(
        budget.execute(f'SELECT count(*) FROM "{name}" WHERE item_timestamp > ?', [since]).fetchone()[0]
        for (name,) in tables.fetchall()
    )
