"""What is said of the rows that a bound leaves out of an answer (:mod:`kandji_queries.catalog.bounds`).

``beyond`` is of lists of what happened: whatever is left out is told with every answer. ``nearest`` is of searches for
what is over or under a bound, where all else is no answer: it is told where there are no rows at all.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kandji_queries.catalog.bounds import Bound
from kandji_schema.sql import identifier, literal
from kandji_schema.text import counted

if TYPE_CHECKING:
    from kandji_queries.catalog.queries import NamedQuery
    from kandji_queries.results.result import StatementRunner


def beyond_notes(reader: "StatementRunner", query: "NamedQuery", given: Mapping[str, object]) -> Iterator[str]:
    """Tell how many rows a list leaves out that go further back, or on, and where they lie."""
    if (bound := query.beyond) is None:
        return
    left = _left_out(reader, query, bound, given)
    if left and left.rows:
        verb = "is" if left.rows == 1 else "are"
        yield f"{counted(left.rows, 'more row')} {verb} left out by {left.asked}, {left.where}: {left.wider} has all."


def nearest_notes(
    reader: "StatementRunner", query: "NamedQuery", given: Mapping[str, object], *, alone: bool
) -> Iterator[str]:
    """Tell of an answer without rows how far off the nearest are, or ``alone`` that there are none of any kind."""
    if (bound := query.nearest) is None:
        return
    left = _left_out(reader, query, bound, given)
    if left and left.rows:
        yield f"No rows with {left.asked}; {left.wider} has {left.rows:,}, {left.where}."
    elif left and alone:
        yield f"No rows with {left.wider} either."


@dataclass(frozen=True)
class _Left:
    """How many ``rows`` come besides with the ``wider`` value than the one that was ``asked`` for, and ``where``."""

    rows: int
    asked: str
    wider: str
    where: str


def _left_out(
    reader: "StatementRunner", query: "NamedQuery", bound: Bound, given: Mapping[str, object]
) -> _Left | None:
    """Compare both answers; None where the bound was given as wide as it can be, or is not set."""
    asked = query.bind(given)[bound.param]
    if asked is None or asked == bound.widest:
        return None
    wide = {**given, bound.param: bound.widest}
    statement, column = query.statement(wide), identifier(bound.column)
    value = literal(asked) if isinstance(asked, str) else str(asked)
    narrow = re.sub(rf"\${bound.param}\b", f"({value})", statement)
    ((rows, least, most),) = reader.run(
        f"SELECT count(*), min({column}), max({column}) FROM ("
        f"(SELECT {column} FROM ({statement})) EXCEPT ALL (SELECT {column} FROM ({narrow})))",
        query.bind(wide),
    ).rows
    where = f"{bound.column} {_shown(least)}" + ("" if least == most else f" to {_shown(most)}")
    return _Left(rows, f"{bound.param}={asked}", f"{bound.param}={bound.widest}", where)


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
