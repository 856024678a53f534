"""Rows of one pass over one resource, collected in a scratch file, checked, and written as the next data file."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import duckdb

from kandji_mirror.ingest.projection import projection
from kandji_schema import ddl
from kandji_schema.errors import StoreDamaged, StoreError, StoreFull
from kandji_schema.resource import Resource

STORAGE_VERSION = "v1.5.0"
"""Data files can be opened by any DuckDB 1.5 tool; the default of 2.0 could not."""

BATCH_PAGES = 10
"""Pages handed to DuckDB at once: the fastest of 1, 5, 10 and 50 by measurement."""

_ATTACH = f"(STORAGE_VERSION '{STORAGE_VERSION}', RECOVERY_MODE no_wal_writes)"
"""A scratch file that a crash leaves behind is swept, never recovered: a log of it would only cost writes."""


def connect(*, memory_mb: int, spill: Path) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB for the writer: UTC, bounded memory, spilling into ``spill``, silent."""
    con = duckdb.connect(
        config={
            "memory_limit": f"{memory_mb}MB",
            "threads": 2,
            "temp_directory": str(spill),
            "autoload_known_extensions": False,
        }
    )
    con.execute("SET TimeZone='UTC'; SET enable_progress_bar=false; PRAGMA disable_checkpoint_on_shutdown")
    return con


@contextmanager
def store_errors(what: str) -> Iterator[None]:
    """Turn DuckDB's and the system's file errors into ours. ``what`` completes "... could not be written"."""
    try:
        yield
    except (duckdb.IOException, duckdb.OutOfMemoryException, OSError) as error:
        reason = str(error).splitlines()[0]
        hint = "Free some space or choose another KANDJI_MIRROR_HOME; what was published before still answers."
        raise StoreFull(f"{what} could not be written: {reason}. {hint}") from error
    except (duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException) as error:
        raise StoreDamaged(f"{what} is damaged: {str(error).splitlines()[0]}.") from error
    except duckdb.Error as error:
        raise StoreError(f"{what} could not be built: {str(error).splitlines()[0]}.") from error


class Staging:
    """Takes pages in any thread, then answers questions about the rows and writes them out.

    ``scratch`` and the file given to :meth:`write` are temporary files in the store's data folder; whoever owns the
    staging removes them. ``rows`` counts what was taken, duplicates included.
    """

    def __init__(self, resource: Resource, scratch: Path, *, memory_mb: int = 256, writers: int = 2) -> None:
        """``writers`` threads parse pages side by side, each on its own connection."""
        self.resource = resource
        self._con = connect(memory_mb=memory_mb, spill=scratch.with_suffix(".spill"))
        self._execute(f"ATTACH '{_quoted(scratch)}' AS stage {_ATTACH}; USE stage")
        for statement in ddl.statements(resource)[:1]:
            self._execute(statement)
        self._table = f'stage.main."{resource.name}"'
        self._projection = projection(resource, self._table)
        self._pool = ThreadPoolExecutor(writers, thread_name_prefix=f"ingest-{resource.name}")
        self._pending: list[Future[None]] = []
        self._batch: list[str] = []
        self._local = threading.local()
        self._batch_constants: tuple[str, ...] = ()

    def __enter__(self) -> Staging:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._con.close()

    def add(self, page: str, constants: Sequence[str] = ()) -> None:
        """Take one page text, ``{"data": [...]}``. ``constants`` are the values of the request's path, in key order."""
        if tuple(constants) != self._batch_constants:
            self._hand_over()
            self._batch_constants = tuple(constants)
        self._batch.append(page)
        if len(self._batch) >= BATCH_PAGES:
            self._hand_over()

    def flush(self) -> None:
        """Wait until every page taken is in the scratch file."""
        self._hand_over()
        self._wait_for(0)

    def _hand_over(self) -> None:
        if not self._batch:
            return
        parameters: list[object] = [self._batch, *self._batch_constants]
        self._batch = []
        self._pending.append(self._pool.submit(self._insert, parameters))
        self._wait_for(4)  # few batches in flight: pages are half a megabyte each

    def _wait_for(self, most: int) -> None:
        while len(self._pending) > most:
            self._pending.pop(0).result()

    def _insert(self, parameters: list[object]) -> None:
        with store_errors(f"Table {self.resource.name}"):
            cursor = getattr(self._local, "cursor", None)
            if cursor is None:
                cursor = self._local.cursor = self._con.cursor()
                cursor.execute("SET TimeZone='UTC'")
            cursor.execute(self._projection.insert, parameters)

    def _execute(self, sql: str, parameters: Sequence[object] = ()) -> duckdb.DuckDBPyConnection:
        with store_errors(f"Table {self.resource.name}"):
            return self._con.execute(sql, list(parameters))

    def _one(self, sql: str, parameters: Sequence[object] = ()) -> tuple[object, ...]:
        row: tuple[object, ...] | None = self._execute(sql, parameters).fetchone()
        return row or ()

    # -- questions ---------------------------------------------------------------------------------------------

    @property
    def rows(self) -> int:
        """Rows in the scratch file."""
        return int(str(self._one(f"SELECT count(*) FROM {self._table}")[0]))

    def rows_without_key(self) -> int:
        """Rows whose first key column is empty."""
        return int(str(self._one(f'SELECT count(*) FROM {self._table} WHERE "{self.resource.key[0]}" IS NULL')[0]))

    def keys(self) -> Iterator[str]:
        """Values of the first key column."""
        yield from (str(r[0]) for r in self._execute(f"SELECT {self._first_key} FROM {self._table}").fetchall())

    def leftovers(self) -> dict[str, int]:
        """How many rows keep something in ``extra``, by the provider's field name."""
        sql = (
            f"SELECT unnest(json_keys(extra)) AS field, count(*) FROM {self._table} WHERE extra IS NOT NULL GROUP BY 1"
        )
        return {str(field): int(n) for field, n in self._execute(f"{sql} ORDER BY 1").fetchall()}

    # -- changes -----------------------------------------------------------------------------------------------

    def clear(self) -> None:
        """Forget every row taken until now."""
        self.flush()
        self._execute(f"DELETE FROM {self._table}")

    def copy_rows(self, source: Path, where: str, values: Iterable[str]) -> None:
        """Take rows of a published file unchanged: those whose column ``where`` has one of ``values``."""
        self.flush()
        chosen = f'SELECT * FROM live."{self.resource.name}" WHERE list_contains(?, "{where}")'
        sql = f"INSERT INTO {self._table} BY NAME {chosen}"
        with self.attached(source):
            self._execute(sql, [list(values)])

    def vanished(self, source: Path) -> list[str]:
        """First-key values of a published file that no staged row has, in order."""
        key, live = self._first_key, f'live."{self.resource.name}"'
        staged = f"SELECT {key} FROM {self._table} WHERE {key} IS NOT NULL"
        sql = f"SELECT DISTINCT {key} FROM {live} WHERE {key} IS NOT NULL AND {key} NOT IN ({staged}) ORDER BY 1"
        with self.attached(source):
            return [str(r[0]) for r in self._execute(sql).fetchall()]

    def drop_duplicates(self) -> int:
        """Keep one row a key, the one updated last; returns how many were dropped.

        Pages shift while a walk is under way, so a row can come twice. Rows without a first key are all kept: nothing
        says that they are the same.
        """
        key = self._key_expression
        counted = (
            f"SELECT count(*) - count(DISTINCT hash({key})) FROM {self._table} WHERE {self._first_key} IS NOT NULL"
        )
        if not self._one(counted)[0]:
            return 0
        latest = '"updated_at" DESC NULLS LAST, ' if any(c.name == "updated_at" for c in self.resource.columns) else ""
        ranked = (
            f"SELECT rowid AS r, row_number() OVER (PARTITION BY {key} ORDER BY {latest}rowid DESC) AS n "
            f"FROM {self._table} WHERE {self._first_key} IS NOT NULL"
        )
        sql = f"DELETE FROM {self._table} WHERE rowid IN (SELECT r FROM ({ranked}) WHERE n > 1)"
        return int(str(self._one(sql)[0]))

    @property
    def _first_key(self) -> str:
        return f'"{self.resource.key[0]}"'

    @property
    def _key_expression(self) -> str:
        """The key as SQL expressions; ``key_fallback`` joins it where every part but the first is NULL."""
        parts = [f'"{k}"' for k in self.resource.key]
        if self.resource.key_fallback:
            empty = " AND ".join(f"{p} IS NULL" for p in parts[1:])
            parts += [f'CASE WHEN {empty} THEN "{name}" END' for name in self.resource.key_fallback]
        return ", ".join(parts)

    # -- output ------------------------------------------------------------------------------------------------

    def digest(self) -> str:
        """Order-independent hash of all rows."""
        return self._digest_of(self._table)

    def digest_of_file(self, source: Path) -> str | None:
        """The same hash over a published file; None where it cannot be read or has other columns."""
        try:
            with self.attached(source):
                return self._digest_of(f'live."{self.resource.name}"')
        except StoreError:
            return None

    def _digest_of(self, table: str) -> str:
        columns = ", ".join(f'"{c.name}"' for c in self.resource.columns)
        sql = f"SELECT count(*), bit_xor(h), sum(h % 1000000007) FROM (SELECT hash({columns}) AS h FROM {table})"
        return "-".join(str(part) for part in self._one(sql))

    def write(self, target: Path) -> int:
        """Write the rows, ordered by key, into the new data file ``target``; returns the number of rows.

        The order lets a question about one device skip all other blocks, so that no index is needed.
        """
        self._execute(f"ATTACH '{_quoted(target)}' AS target {_ATTACH}; USE target")
        for statement in ddl.statements(self.resource):
            self._execute(statement)
        order = ", ".join(f'"{k}"' for k in self.resource.key)
        (rows,) = self._one(
            f'INSERT INTO target.main."{self.resource.name}" SELECT * FROM {self._table} ORDER BY {order}'
        )
        self._execute("USE memory; CHECKPOINT target; DETACH target")
        return int(str(rows))

    @contextmanager
    def attached(self, source: Path) -> Iterator[None]:
        """A published file as catalog ``live``, read-only, for the time of the block."""
        self._execute(f"ATTACH '{_quoted(source)}' AS live (READ_ONLY)")
        try:
            yield
        finally:
            self._execute("DETACH live")


def read_key(source: Path, table: str, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Distinct values of some text columns of a data file, in order, rows with an empty one left out."""
    names = ", ".join(f'"{c}"' for c in columns)
    filled = " AND ".join(f'"{c}" IS NOT NULL' for c in columns)
    with store_errors(str(source)), duckdb.connect(source, read_only=True) as con:
        return con.execute(f'SELECT DISTINCT {names} FROM "{table}" WHERE {filled} ORDER BY ALL').fetchall()


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
