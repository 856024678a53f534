"""The writer's DuckDB: in memory, of bounded size, silent, with files attached for as long as they are needed.

:class:`Writers` are threads that put rows into one of its tables side by side.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from queue import SimpleQueue

import duckdb

from kandji_mirror.privacy.key import Key
from kandji_mirror.privacy.masking import install
from kandji_mirror.privacy.people import People
from kandji_schema import database, ddl
from kandji_schema.errors import StoreDamaged, StoreError, StoreFull
from kandji_schema.resource import Resource
from kandji_schema.sql import literal

STORAGE_VERSION = "v1.5.0"
"""Data files can be opened by any DuckDB 1.5 tool; the default of 2.0 could not."""

MEMORY_MB = 400
"""Two thirds of it do for statements over many rows, which spill, by measurement; a value of 2 MB that does not fit its
column takes 300, because every function that looks into JSON keeps a copy of it."""

WRITABLE = f"(STORAGE_VERSION '{STORAGE_VERSION}', RECOVERY_MODE no_wal_writes)"
"""A file that a crash leaves behind is swept, never recovered: a log of it would only cost writes."""


def sealed() -> str:
    """Options of a new file that nobody can read once it is let go of: its key is in memory only."""
    return WRITABLE.replace(")", f", ENCRYPTION_KEY '{secrets.token_hex(32)}')")


_SEALED_SPILL = {"temp_file_encryption": True, "force_mbedtls_unsafe": True}
"""DuckDB writes whole blocks into temporary files, and what fills one up is memory that held pages and keys before, as
was seen. The key of these files is in memory only. Unsafe means that it is drawn without the system's best chance; the
alternative is an extension that would have to be downloaded."""

_DAMAGE = re.compile("corrupt database file|could not read enough bytes|not a valid duckdb database", re.IGNORECASE)
"""DuckDB's words for a file that is cut or altered; it has no class of errors of its own for them."""


@contextmanager
def store_errors(what: str) -> Iterator[None]:
    """Turn DuckDB's and the system's file errors into ours. ``what`` completes "... could not be written"."""
    try:
        yield
    except (duckdb.Error, OSError) as error:
        reason = str(error).partition("\n")[0].partition("Input: ")[0].rstrip(" .")  # the rest quotes a page
        raise _store_error(what, error, reason) from error


def _store_error(what: str, error: Exception, reason: str) -> StoreError:
    broken = (duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException)
    if isinstance(error, broken) or _DAMAGE.search(reason):
        return StoreDamaged(f"{what} is damaged: {reason}.")
    if isinstance(error, duckdb.IOException | duckdb.OutOfMemoryException | OSError):
        hint = "Free some space or choose another KANDJI_MIRROR_HOME; what was published before still answers."
        return StoreFull(f"{what} could not be written: {reason}. {hint}")
    if isinstance(error, duckdb.DataError | duckdb.InvalidInputException):
        reason = f"a value did not fit ({type(error).__name__})"  # its own words quote the value
    return StoreError(f"{what} could not be built: {reason}.")


class Engine:
    """One DuckDB instance. To open one takes longer than to merge a small table, so that stagings may share it.

    Thread-safe. Its memory is bounded for all who share it together; what does not fit is spilled.
    """

    def __init__(self, spill: Path, *, memory_mb: int = MEMORY_MB, key: Key | None = None) -> None:
        """``spill`` is the folder of temporary files; it appears when it is needed. With a ``key`` it can mask."""
        self._numbers = count(1)
        self._con = database.connect(
            config={
                "memory_limit": f"{memory_mb}MB",
                "threads": 2,
                "temp_directory": str(spill),
                "autoload_known_extensions": False,
                **(_SEALED_SPILL if key else {}),
            }
        )
        self._con.execute("PRAGMA disable_checkpoint_on_shutdown")
        self.people: People | None = None
        if key:
            install(self._con, key)
            self.people = People(self._con, key)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of memory, threads and attached files."""
        self._con.close()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Open a connection of its own for one thread."""
        cursor = self._con.cursor()
        cursor.execute("SET enable_progress_bar=false")
        return cursor

    def attach(self, con: duckdb.DuckDBPyConnection, path: Path, *, writable: bool, options: str = WRITABLE) -> str:
        """Attach a data file; returns the name of its catalog, which no other attachment has."""
        catalog = f"file_{next(self._numbers)}"
        con.execute(f"ATTACH {literal(path)} AS {catalog} {options if writable else '(READ_ONLY)'}")
        return catalog

    @contextmanager
    def attached(
        self, con: duckdb.DuckDBPyConnection, path: Path, *, writable: bool = False, options: str = WRITABLE
    ) -> Iterator[str]:
        """Attach a data file for the time of the block; gives its catalog. ``options`` are of a new one."""
        with store_errors(str(path)):
            catalog = self.attach(con, path, writable=writable, options=options)
        try:
            yield catalog
        except BaseException:
            self.let_go(con, catalog)
            raise
        con.execute(f"DETACH {catalog}")

    def let_go(self, con: duckdb.DuckDBPyConnection, catalog: str) -> None:
        """Detach a file in whatever state it and the connection are; what was not committed is lost."""
        for statement in ("ROLLBACK", "USE memory", f"DETACH {catalog}"):
            with suppress(duckdb.Error):  # no transaction, or an error is under way that says more
                con.execute(statement)


SMALL = 1_000_000
"""Bytes of rows up to which looking for a better plan takes longer than the statement itself."""


@contextmanager
def planned_by_size(con: duckdb.DuckDBPyConnection, size: int) -> Iterator[None]:
    """Have the statements of the block run as they are written where their rows have no more than :data:`SMALL` bytes.

    A projection names hundreds of expressions: without DuckDB's optimizer a first sync of 8 devices needs a sixth less
    processor time, by measurement. Large values need it: it keeps one copy of a value where several functions look at
    it.
    """
    if size > SMALL:
        yield
        return
    con.execute("PRAGMA disable_optimizer")
    try:
        yield
    finally:
        con.execute("PRAGMA enable_optimizer")


def create_table(con: duckdb.DuckDBPyConnection, catalog: str, resource: Resource) -> str:
    """Make the resource's empty table in an attached file; returns its SQL name."""
    define(con, catalog, ddl.statements(resource)[:1])
    return f'{catalog}.main."{resource.name}"'


def describe_table(con: duckdb.DuckDBPyConnection, catalog: str, resource: Resource) -> None:
    """Give the table and its columns their comments."""
    define(con, catalog, ddl.statements(resource)[1:])


def define(con: duckdb.DuckDBPyConnection, catalog: str, statements: Sequence[str]) -> None:
    """Run DDL in an attached file."""
    con.execute(f"USE {catalog}; BEGIN; {'; '.join(statements)}; COMMIT; USE memory")


@contextmanager
def new_file(engine: Engine, con: duckdb.DuckDBPyConnection, resource: Resource, target: Path) -> Iterator[str]:
    """Make a new data file with the resource's table, whose SQL name is given; whole on disk after the block."""
    with engine.attached(con, target, writable=True) as catalog:
        table = create_table(con, catalog, resource)
        describe_table(con, catalog, resource)
        yield table
        con.execute(f"CHECKPOINT {catalog}")


# -- statements side by side ---------------------------------------------------------------------------------------

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

    def execute(self, sql: str, parameters: Sequence[object], size: int) -> None:
        if not self._statements:
            self.con.execute("BEGIN")
        self._statements += 1
        with planned_by_size(self.con, size):
            self.con.execute(sql, list(parameters))
        if self._statements >= COMMIT_AFTER:
            self.commit()

    def commit(self) -> None:
        if self._statements:
            self._statements = 0
            self.con.execute("COMMIT")

    def rollback(self) -> None:
        self._statements = 0
        with suppress(duckdb.Error):  # there may be no transaction
            self.con.execute("ROLLBACK")


class Writers:
    """Runs statements in threads, each with a connection of its own.

    What failed once goes on failing until :meth:`rollback`: rows of other statements went with its transaction.
    """

    def __init__(self, engine: Engine, what: str, threads: int) -> None:
        """Start the ``threads``; ``what`` names the table in errors."""
        self._what = what
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="ingest")
        self._writers = [_Writer(engine.cursor()) for _ in range(threads)]
        self._idle: SimpleQueue[_Writer] = SimpleQueue()
        for writer in self._writers:
            self._idle.put(writer)
        self._pending: list[Future[None]] = []
        self._failure: Exception | None = None

    def submit(self, sql: str, parameters: Sequence[object], size: int) -> None:
        """Run a statement over ``size`` bytes soon. Raises what an earlier one raised; waits where too many run."""
        self._pending.append(self._pool.submit(self._run, sql, parameters, size))
        self._wait_for(_IN_FLIGHT)  # pages are half a megabyte each

    def commit(self) -> None:
        """Wait for all statements, and make their rows visible to every connection."""
        self._wait_for(0)
        with store_errors(self._what):
            for writer in self._writers:
                writer.commit()

    def rollback(self) -> None:
        """Wait for all statements and drop what they did since the last :meth:`commit`, as far as it can be."""
        for future in self._pending:
            future.exception()
        self._pending, self._failure = [], None
        for writer in self._writers:
            writer.rollback()

    def close(self) -> None:
        """End the threads; statements that have not begun are not run."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        for writer in self._writers:
            writer.rollback()
            writer.con.close()

    def _wait_for(self, most: int) -> None:
        while len(self._pending) > most:
            self._pending.pop(0).result()
        if self._failure:
            raise self._failure

    def _run(self, sql: str, parameters: Sequence[object], size: int) -> None:
        writer = self._idle.get()
        try:
            with store_errors(self._what):
                writer.execute(sql, parameters, size)
        except Exception as error:
            self._failure = error
            writer.rollback()
            raise
        finally:
            self._idle.put(writer)
