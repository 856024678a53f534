"""Threads that parse side by side into one table."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue

import duckdb

from kandji_mirror.ingest.engine import Engine, store_errors

COMMIT_AFTER = 13
"""Statements in one transaction. Short ones copy their rows once more. With 30 pages of 300 rows in each these stay
just below DuckDB's row group of 122,880 rows: above, every transaction leaves blocks half empty and the file doubles.
"""

_IN_FLIGHT = 2


class _Writer:
    """One connection and its transaction."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self._statements = 0

    def run(self, sql: str, parameters: Sequence[object]) -> None:
        if not self._statements:
            self.con.execute("BEGIN")
        self._statements += 1
        self.con.execute(sql, list(parameters))
        if self._statements >= COMMIT_AFTER:
            self.commit()

    def commit(self) -> None:
        if self._statements:
            self._statements = 0
            self.con.execute("COMMIT")

    def forget(self) -> None:
        self._statements = 0
        with suppress(duckdb.Error):  # there may be no transaction
            self.con.execute("ROLLBACK")


class Writers:
    """Runs statements in threads, each with a connection of its own.

    What failed once goes on failing until :meth:`forget`: rows of other statements went with its transaction.
    """

    def __init__(self, engine: Engine, what: str, threads: int) -> None:
        """``what`` names the table in errors."""
        self._what = what
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="ingest")
        self._writers = [_Writer(engine.cursor()) for _ in range(threads)]
        self._idle: SimpleQueue[_Writer] = SimpleQueue()
        for writer in self._writers:
            self._idle.put(writer)
        self._pending: list[Future[None]] = []
        self._failure: Exception | None = None

    def submit(self, sql: str, parameters: Sequence[object]) -> None:
        """Run a statement soon. Raises what an earlier one raised; waits where too many are under way."""
        self._pending.append(self._pool.submit(self._run, sql, parameters))
        self._wait_for(_IN_FLIGHT)  # pages are half a megabyte each

    def settle(self) -> None:
        """Wait for all statements, and make their rows visible to every connection."""
        self._wait_for(0)
        with store_errors(self._what):
            for writer in self._writers:
                writer.commit()

    def forget(self) -> None:
        """Wait for all statements and drop what they did since the last :meth:`settle`, as far as it can be."""
        for future in self._pending:
            future.exception()
        self._pending, self._failure = [], None
        for writer in self._writers:
            writer.forget()

    def close(self) -> None:
        """End the threads; statements that have not begun are not run."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        for writer in self._writers:
            writer.forget()
            writer.con.close()

    def _wait_for(self, most: int) -> None:
        while len(self._pending) > most:
            self._pending.pop(0).result()
        if self._failure:
            raise self._failure

    def _run(self, sql: str, parameters: Sequence[object]) -> None:
        writer = self._idle.get()
        try:
            with store_errors(self._what):
                writer.run(sql, parameters)
        except Exception as error:
            self._failure = error
            writer.forget()
            raise
        finally:
            self._idle.put(writer)
