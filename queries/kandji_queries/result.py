"""An answer: columns, rows, and what a reader must know about them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Row = tuple[Any, ...]


class Column(NamedTuple):
    """One column of an answer; ``type`` is DuckDB's name of it."""

    name: str
    type: str


@dataclass(kw_only=True)
class Stream:
    """Rows as they come. Iterate once; ``row_count``, ``truncated``, ``notes`` and ``elapsed_ms`` are final afterwards.

    ``as_of`` tells for each table used when its rows were read from the provider (``2026-11-20T12:00:00Z``), or None
    where it was never synced. ``elapsed_ms`` is time spent in the engine and the guard.
    """

    columns: tuple[Column, ...]
    as_of: dict[str, str | None]
    batches: Callable[["Stream"], Iterator[list[Row]]]
    row_count: int = 0
    truncated: bool = False
    elapsed_ms: float = 0.0
    notes: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Row]:
        for batch in self.batches(self):
            yield from batch

    def collect(self) -> "Result":
        """All rows in memory."""
        rows = list(self)
        return Result(
            columns=self.columns,
            rows=rows,
            row_count=self.row_count,
            truncated=self.truncated,
            as_of=self.as_of,
            elapsed_ms=self.elapsed_ms,
            notes=self.notes,
        )


@dataclass(kw_only=True)
class Result:
    """A whole answer. ``row_count`` is the number of rows here; ``truncated`` says there are more.

    ``json_ready`` says that the cells are what :meth:`to_json` gives: they came from another process.
    """

    columns: tuple[Column, ...]
    rows: list[Row]
    row_count: int
    truncated: bool
    as_of: dict[str, str | None]
    elapsed_ms: float
    notes: list[str]
    json_ready: bool = False

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def to_json(self) -> dict[str, Any]:
        """The answer as JSON-ready values, with the keys of ``--format json``; ``notes`` only where there are any."""
        rows = [list(row) for row in self.rows] if self.json_ready else self._converted()
        return {"columns": [c._asdict() for c in self.columns], "rows": rows, **tail(self)}

    def _converted(self) -> list[list[Any]]:
        from kandji_queries.values import converters  # not needed by callers that want the rows

        convert = converters(self.columns)
        return [[f(value) for f, value in zip(convert, row, strict=True)] for row in self.rows]


def tail(answer: Stream | Result) -> dict[str, Any]:
    """What follows the rows in JSON."""
    known = {
        "row_count": answer.row_count,
        "truncated": answer.truncated,
        "as_of": answer.as_of,
        "elapsed_ms": answer.elapsed_ms,
    }
    return {**known, "notes": answer.notes} if answer.notes else known
