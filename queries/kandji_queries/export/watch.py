"""A long statement that can be watched and stopped."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from typing import Any

import duckdb

from kandji_queries.engine.errors import translated
from kandji_schema.errors import NotExported, StoreDamaged

TICK = 0.1
"""Seconds between two looks."""

WATCHED = ("SET enable_progress_bar=true", "SET enable_progress_bar_print=false", "SET progress_bar_time=0")
"""Without these a connection does not know how far it is; nothing is printed."""

BATCH = 2_000
"""Rows fetched at a time."""

Progress = Callable[[str, float], None]
"""Told the name of what is being written and how far it is, from 0 to 1."""

Rows = list[tuple[Any, ...]]


def execute(
    connection: duckdb.DuckDBPyConnection, sql: str, params: Mapping[str, Any], advance: Callable[[float], None]
) -> Rows:
    """Run the statement, telling ``advance`` about ten times a second how far it is, from 0 to 1.

    Whatever ``advance`` raises, and Ctrl-C, stops the statement. :class:`NotExported` where a file could not be
    written, :class:`StoreDamaged` where one of the mirror's could not be read.
    """
    with ThreadPoolExecutor(1) as pool:
        return _awaited(pool.submit(lambda: _begun(connection, sql, params).fetchall()), connection, advance)


def batches(
    connection: duckdb.DuckDBPyConnection, sql: str, params: Mapping[str, Any], advance: Callable[[float], None]
) -> Iterator[Rows]:
    """Yield the rows of a statement some thousands at a time, watched and stopped as by :func:`run`."""
    with ThreadPoolExecutor(1) as pool:
        batch = _awaited(pool.submit(lambda: _begun(connection, sql, params).fetchmany(BATCH)), connection, advance)
        while batch:
            yield batch
            advance(_done(connection))
            batch = _awaited(pool.submit(connection.fetchmany, BATCH), connection, advance)


def _begun(connection: duckdb.DuckDBPyConnection, sql: str, params: Mapping[str, Any]) -> duckdb.DuckDBPyConnection:
    return connection.execute(sql, dict(params) or None)


def _done(connection: duckdb.DuckDBPyConnection) -> float:
    return min(max(connection.query_progress() / 100, 0.0), 1.0)


def _awaited(running: Future[Rows], connection: duckdb.DuckDBPyConnection, advance: Callable[[float], None]) -> Rows:
    try:
        while True:
            try:
                return running.result(timeout=TICK)
            except NotYet:
                advance(_done(connection))
    except BaseException as error:
        _stop(running, connection)
        if isinstance(error, duckdb.Error):
            raise _our_error(error) from error
        raise


def progress_of(progress: Progress, name: str) -> Callable[[float], None]:
    """Return ``progress`` for one name."""
    return lambda done: progress(name, done)


def _stop(running: Future[Rows], connection: duckdb.DuckDBPyConnection) -> None:
    """Interrupt until it ends: an interrupt sent before the statement has begun is lost."""
    while not running.done():
        connection.interrupt()
        time.sleep(TICK / 2)


def _our_error(error: duckdb.Error) -> Exception:
    ours = translated(error)
    unwritten = isinstance(error, duckdb.IOException) or "Could not write" in str(error)
    if unwritten and not isinstance(ours, StoreDamaged):
        reason = str(error).rpartition(": ")[2].partition('"')[0].strip(" .")
        return NotExported(
            f"The export could not be written: {reason}. Free some space, correct the rights, or choose "
            "another folder with --to; what was there before is unchanged."
        )
    return ours
