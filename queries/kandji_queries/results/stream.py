"""A statement's rows as they come, within limits: the last layer of defence. With this module comes DuckDB."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import duckdb

from kandji_queries.engine.errors import OUT_OF_MEMORY
from kandji_queries.engine.limits import Cancellation, Deadline, QueryLimits
from kandji_queries.results.device_count import Tally
from kandji_queries.results.outcome import Outcome
from kandji_queries.results.result import Answer, JsonResult, Result, Row
from kandji_queries.results.split import Split
from kandji_queries.results.values import ResultColumn, compact, row_converter
from kandji_schema.errors import Failed, TookTooLong, UnknownName
from kandji_schema.sql import fold_name
from kandji_schema.text import counted

BATCH = 2_000
"""Rows fetched at a time: enough to make the watch over each call cheap."""

T = TypeVar("T")


class Stream(Answer):
    """Rows as they come, of one statement on one cursor, within time, row, byte and cell limits.

    Iterate once, over the rows or over :meth:`json_rows`; all but ``columns`` and ``as_of`` is final afterwards.
    """

    def __init__(
        self,
        cursor: duckdb.DuckDBPyConnection,
        limits: QueryLimits,
        *,
        as_of: dict[str, str | None],
        notes: list[str],
        stop: Cancellation | None = None,
        kill: Callable[[TookTooLong], object] | None = None,
    ) -> None:
        """``stop`` and ``kill`` are those of :class:`Deadline`."""
        super().__init__(as_of=as_of, notes=notes)
        self._cursor = cursor
        self._limits = limits
        self._deadline = Deadline(limits.seconds, cursor.interrupt, stop=stop, kill=kill)
        self._seconds = 0.0
        self._bytes = 0
        self._cut_cells = 0
        self._first: list[Row] = []
        self._kept: list[int] | None = None
        self._tally = Tally()
        self._splits: list[Split] = []
        self._outcome = Outcome()
        self._when_empty: Callable[[], Iterable[str]] = tuple
        self._at_end: Callable[[Outcome], Iterable[str]] = lambda _: ()

    @property
    def seconds_left(self) -> float:
        """What is left of the time limit."""
        return max(self._limits.seconds - self._seconds, 0.0)

    def split_by(self, columns: Mapping[str, str]) -> None:
        """Have the rows told apart by each of some columns, once all were seen; before any row is taken.

        With each stands what rows without a value are called.
        """
        self._splits = [Split.of(self.columns, column, unknown) for column, unknown in columns.items()]

    def note_when_empty(self, notes: Callable[[], Iterable[str]]) -> None:
        """Have something said where there turn out to be no rows; it is asked for then only."""
        self._when_empty = notes

    def note_at_end(self, notes: Callable[[Outcome], Iterable[str]]) -> None:
        """Have something said once the answer is known, whole or cut."""
        self._at_end = notes

    def start(self, sql: str, params: Mapping[str, Any]) -> None:
        """Run the statement up to its first rows, which tells the columns."""

        def execute() -> list[Row]:
            self._cursor.execute(sql, dict(params) or None)
            return self._fetch()

        self._first = self._timed(execute)
        self.columns = tuple(ResultColumn(name, str(kind)) for name, kind, *_ in self._cursor.description)
        self._tally = Tally.of(self.columns)
        self._outcome = Outcome.of([column.name for column in self.columns])

    def only(self, names: Sequence[str]) -> None:
        """Keep these columns, in this order; before any row is taken. :class:`UnknownName` with the nearest."""
        there = [column.name for column in self.columns]
        places = {fold_name(name): place for place, name in reversed([*enumerate(there)])}
        for name in names:
            if fold_name(name) not in places:
                raise UnknownName("column", name, there)
        kept = [places[fold_name(name)] for name in names]
        self._kept = kept
        self.columns = tuple(self.columns[place] for place in kept)

    def __iter__(self) -> Iterator[Row]:
        if self._limits.bytes is None:
            for batch in self._batches(lambda rows: rows):
                yield from batch
        else:
            for measured in self._batches(self._within_bytes):
                yield from (row for row, _ in measured)

    def json_rows(self) -> Iterator[bytes]:
        """Yield each row as JSON; what measures a row is what is passed on."""
        for batch in self._batches(self._within_bytes):
            yield from (line for _, line in batch)

    def collect(self) -> Result:
        """Fetch all rows into memory."""
        rows = list(self)
        return Result(columns=self.columns, rows=rows, **self._known())

    def collect_json(self) -> JsonResult:
        """Fetch all rows into memory, as JSON."""
        lines = list(self.json_rows())
        return JsonResult(columns=self.columns, lines=lines, **self._known())

    def _known(self) -> dict[str, Any]:
        return {**self.facts(), "notes": self.notes}

    def _batches(self, shaped: Callable[[list[Row]], list[T]]) -> Iterator[list[T]]:
        """Yield batches until the rows or a limit end, each ``shaped`` once it is within the row and cell limits."""
        batch, wanted = self._first, self._wanted()
        while batch:
            shown = shaped(self._within_rows(batch))
            self.row_count += len(shown)
            self.elapsed_ms = round(self._seconds * 1_000, 3)
            more = not self.truncated and len(batch) == wanted
            yield shown
            wanted = self._wanted()
            batch = self._timed(self._fetch) if more else []
        self.elapsed_ms = round(self._seconds * 1_000, 3)
        if not self.truncated:
            self.notes.extend([*(note for split in self._splits for note in split.notes()), *self._tally.notes()])
        if not self.row_count and not self.truncated:
            self.notes.extend(self._when_empty())
        self._outcome.truncated = self.truncated
        self.notes.extend(self._at_end(self._outcome))
        if self._cut_cells:
            verb = "is" if self._cut_cells == 1 else "are"
            many = counted(self._cut_cells, "long value")
            self.notes.append(f"{many} {verb} cut to {self._limits.cell_bytes:,} bytes.")

    def _fetch(self) -> list[Row]:
        return self._cursor.fetchmany(self._wanted())

    def _picked(self, rows: list[Row]) -> list[Row]:
        """Return the rows with the columns that are kept."""
        return rows if self._kept is None else [tuple(row[place] for place in self._kept) for row in rows]

    def _wanted(self) -> int:
        """Return how many rows to fetch: one more than may be shown tells whether there are more."""
        return min(BATCH, self._limits.rows - self.row_count + 1)

    def _timed(self, fetch: Callable[[], list[Row]]) -> list[Row]:
        began = time.perf_counter()
        try:
            with self._deadline:
                rows = fetch()
        except (ValueError, OverflowError) as error:
            raise Failed("A value of the answer is outside what can be shown. Cast it to VARCHAR.") from error
        except MemoryError as error:
            raise TookTooLong(OUT_OF_MEMORY) from error
        finally:
            self._seconds += time.perf_counter() - began
        return rows

    def _within_rows(self, batch: list[Row]) -> list[Row]:
        room = self._limits.rows - self.row_count
        if len(batch) > room:
            self._truncate(f"The answer has more than {self._limits.rows:,} rows; these are the first.")
            batch = batch[:room]
        self._tally.add(batch)
        for split in self._splits:
            split.add(batch)
        self._outcome.add(batch)
        batch = self._picked(batch)
        return batch if self._limits.cell_bytes is None else [tuple(map(self._cut, row)) for row in batch]

    def _within_bytes(self, batch: list[Row]) -> list[tuple[Row, bytes]]:
        convert, most = row_converter(self.columns), self._limits.bytes
        found = []
        for row in batch:
            line = compact(convert(row)).encode()
            self._bytes += len(line)
            if most is not None and self._bytes > most:
                self._truncate(f"The answer has more than {most:,} bytes; these are its first rows.")
                break
            found.append((row, line))
        return found

    def _truncate(self, why: str) -> None:
        self.truncated = True
        self.notes.append(f"{why} {self._limits.advice}".rstrip())

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
