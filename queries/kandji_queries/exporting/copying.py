"""Statements that write: run with a watch over how far they are, and ended by Ctrl-C."""

from collections.abc import Callable, Mapping
from threading import Event, Thread
from typing import Any

import duckdb

LOOK_EVERY = 0.2
"""Seconds between two looks at the progress."""


def run(
    con: duckdb.DuckDBPyConnection, statement: str, params: Mapping[str, Any], tell: Callable[[float], None]
) -> int:
    """Run one statement; ``tell`` hears how far it is, in percent. Returns the number of rows it wrote."""
    done = Event()
    watch = Thread(target=_watch, args=(con, tell, done), daemon=True, name="export-progress")
    watch.start()
    try:
        row = con.execute(statement, dict(params) or None).fetchone()
    finally:
        done.set()
        watch.join()
    tell(100.0)
    return int(row[0]) if row else 0


def _watch(con: duckdb.DuckDBPyConnection, tell: Callable[[float], None], done: Event) -> None:
    while not done.wait(LOOK_EVERY):
        percent = con.query_progress()
        if 0 <= percent <= 100:
            tell(percent)
