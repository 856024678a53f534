"""The fourth fence: rows leave the engine in batches, within time, row, byte and cell limits."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import duckdb

from kandji_queries.deadline import Deadline, Stop
from kandji_queries.failures import OUT_OF_MEMORY
from kandji_queries.limits import Limits
from kandji_queries.result import Column, Row, Stream
from kandji_queries.values import compact, converters
from kandji_schema.errors import Failed, TookTooLong

BATCH = 2_000
"""Rows fetched at a time: enough to make the watch over each call cheap."""


class Source:
    """Rows of one statement on one cursor; call it once to iterate over its batches."""

    def __init__(
        self,
        cursor: duckdb.DuckDBPyConnection,
        limits: Limits,
        *,
        stop: Stop | None = None,
        kill: Callable[[TookTooLong], object] | None = None,
    ) -> None:
        """``stop`` and ``kill`` are those of :class:`Deadline`."""
        self._cursor = cursor
        self._limits = limits
        self._deadline = Deadline(limits.seconds, cursor.interrupt, stop=stop, kill=kill)
        self._bytes = 0
        self._cut_cells = 0
        self.seconds = 0.0
        self.first: list[Row] = []

    def start(self, sql: str, params: Mapping[str, Any]) -> tuple[Column, ...]:
        """Run the statement up to its first rows; the columns of the answer."""
        self.first = self._call(lambda: self._execute(sql, params))
        return tuple(Column(name, str(kind)) for name, kind, *_ in self._cursor.description)

    def _execute(self, sql: str, params: Mapping[str, Any]) -> list[Row]:
        self._cursor.execute(sql, dict(params) or None)
        return self._cursor.fetchmany(self._wanted(0))

    def __call__(self, stream: Stream) -> Iterator[list[Row]]:
        """Yield batches until the rows or a limit end, then write what happened into ``stream``."""
        batch, wanted = self.first, self._wanted(0)
        while batch:
            shown = self._within(batch, stream)
            stream.row_count += len(shown)
            stream.elapsed_ms = round(self.seconds * 1_000, 3)
            more = not stream.truncated and len(batch) == wanted
            yield shown
            wanted = self._wanted(stream.row_count)
            batch = self._fetched(wanted) if more else []
        stream.elapsed_ms = round(self.seconds * 1_000, 3)
        if self._cut_cells:
            stream.notes.append(f"{self._cut_cells} long values are cut to {self._limits.cell_bytes:,} bytes.")

    def _fetched(self, wanted: int) -> list[Row]:
        return self._call(lambda: self._cursor.fetchmany(wanted))

    def _wanted(self, so_far: int) -> int:
        """One row more than may be shown tells whether there are more."""
        return min(BATCH, self._limits.rows - so_far + 1)

    def _call(self, action: Callable[[], list[Row]]) -> list[Row]:
        began = time.perf_counter()
        try:
            with self._deadline:
                rows = action()
        except (ValueError, OverflowError) as error:
            raise Failed("A value of the answer is outside what can be shown. Cast it to VARCHAR.") from error
        except MemoryError as error:
            raise TookTooLong(OUT_OF_MEMORY) from error
        finally:
            self.seconds += time.perf_counter() - began
        return rows

    def _within(self, batch: list[Row], stream: Stream) -> list[Row]:
        room = self._limits.rows - stream.row_count
        if len(batch) > room:
            self._truncate(stream, f"The answer has more than {self._limits.rows:,} rows; these are the first.")
            batch = batch[:room]
        if self._limits.cell_bytes is not None:
            batch = [tuple(map(self._cut, row)) for row in batch]
        return batch if self._limits.bytes is None else list(self._within_bytes(batch, stream, self._limits.bytes))

    def _within_bytes(self, batch: list[Row], stream: Stream, most: int) -> Iterator[Row]:
        convert = converters(stream.columns)
        for row in batch:
            self._bytes += len(compact([f(v) for f, v in zip(convert, row, strict=True)]).encode())
            if self._bytes > most:
                self._truncate(stream, f"The answer has more than {most:,} bytes; these are its first rows.")
                return
            yield row

    def _truncate(self, stream: Stream, why: str) -> None:
        stream.truncated = True
        stream.notes.append(f"{why} {self._limits.advice}".rstrip())

    def _cut(self, value: Any) -> Any:
        most = self._limits.cell_bytes
        if not isinstance(value, str) or most is None or len(value) * 4 <= most:
            return value
        encoded = value.encode()
        if len(encoded) <= most:
            return value
        self._cut_cells += 1
        kept = encoded[:most].decode(errors="ignore")
        return f"{kept}… (+{len(encoded) - len(kept.encode()):,} bytes)"
