"""Answers: columns, rows and what must be known of them.

A :class:`Result` has all rows. A :class:`JsonResult` has them as the JSON that the process which ran the statement
wrote: who passes an answer on as JSON reads and writes none of it. Nothing here needs DuckDB.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from kandji_queries.engine.limits import QueryLimits
from kandji_queries.results.values import ResultColumn, compact, row_converter

Row = tuple[Any, ...]


@dataclass(kw_only=True)
class Answer(ABC):
    """Rows, and what is known of them. ``truncated`` says there are more than the ``row_count`` rows here.

    ``as_of`` tells for each table used when its rows were read from the provider (``2026-11-20T12:00:00Z``), or None
    where it was never synced. ``elapsed_ms`` is time spent in the engine and the guard.
    """

    columns: tuple[ResultColumn, ...] = ()
    as_of: dict[str, str | None]
    row_count: int = 0
    truncated: bool = False
    elapsed_ms: float = 0.0
    notes: list[str] = field(default_factory=list)

    @abstractmethod
    def __iter__(self) -> Iterator[Row]:
        """Yield the rows."""

    def json_rows(self) -> Iterator[bytes]:
        """Yield each row as a compact JSON array in UTF-8, without line breaks."""
        convert = row_converter(self.columns)
        yield from (compact(convert(row)).encode() for row in self)

    def to_json(self) -> dict[str, Any]:
        """Return the answer JSON-ready, with the keys of ``--format arrays``; ``notes`` where there are any."""
        rows = [*map(row_converter(self.columns), self)]
        return {"columns": [column._asdict() for column in self.columns], "rows": rows, **self.facts()}

    def facts(self) -> dict[str, Any]:
        """Return what follows the rows in JSON."""
        names = ("row_count", "truncated", "as_of", "elapsed_ms", *(["notes"] if self.notes else []))
        return {name: getattr(self, name) for name in names}


@dataclass(kw_only=True)
class Result(Answer):
    """A whole answer."""

    rows: list[Row]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)


class StatementRunner(Protocol):
    """Something that runs statements within limits, as a :class:`~kandji_queries.reader.Reader` does."""

    limits: QueryLimits

    def run(self, sql: str, params: Mapping[str, object] | None = None, *, limits: QueryLimits | None = None) -> Result:
        """Run one statement and return its whole answer."""


@dataclass(kw_only=True)
class JsonResult(Answer):
    """A whole answer from another process; ``lines`` are its rows, each a compact JSON array in UTF-8.

    Its cells are JSON's: moments are texts, for example.
    """

    lines: list[bytes]

    @cached_property
    def rows(self) -> list[Row]:
        """The rows, read when they are first wanted."""
        return [tuple(row) for row in self._read()]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def json_rows(self) -> Iterator[bytes]:
        """Yield each row as it came."""
        return iter(self.lines)

    def to_json(self) -> dict[str, Any]:
        """Return the answer as :meth:`Answer.to_json` does."""
        return {"columns": [column._asdict() for column in self.columns], "rows": self._read(), **self.facts()}

    def _read(self) -> list[list[Any]]:
        found: list[list[Any]] = json.loads(b"[%b]" % b",".join(self.lines))
        return found
