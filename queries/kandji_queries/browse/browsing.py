"""A page of a view: its rows, how many there are in all, its facets, and the date of what is told."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from kandji_queries.browse import facets, leads, statements
from kandji_queries.browse.conditions import AMONG, SLOW, Condition
from kandji_queries.browse.facets import Facet
from kandji_queries.browse.leads import Lead
from kandji_queries.browse.relation import Field
from kandji_queries.browse.statements import Statement
from kandji_queries.browse.view import AS_OF, Problem, View
from kandji_queries.engine.limits import QueryLimits
from kandji_queries.results.device_count import Tally
from kandji_schema.errors import Failed

if TYPE_CHECKING:
    from kandji_queries.reader import Reader
    from kandji_queries.results.result import Result, Row

CELL_BYTES = 20_000
"""Bytes of one cell that a page gets; a file has all of it."""

NEAR = 20
"""Pages that are found from the beginning, without looking how many there are."""

LOOKED_UP = 10_000
"""Most different values that are looked up for a condition."""

GROUPS = 2_000
"""Most rows of the statement that counts."""


@dataclass(frozen=True)
class Cell:
    """One value, and what it leads to."""

    field: Field
    value: object
    lead: Lead | None


@dataclass(frozen=True)
class Shown:
    """What a page shows: its ``rows``, ``total`` of all rows, and what is to be known of them.

    ``flagged`` are how many of all rows the columns flag that say what some would not count.
    ``statement`` is the SQL behind the rows, with ``params`` bound to it.
    """

    view: View
    rows: Sequence[Sequence[Cell]]
    total: int
    flagged: Mapping[str, int]
    facets: Sequence[Facet]
    as_of: Mapping[str, str | None]
    notes: Sequence[str]
    statement: Statement

    @property
    def pages(self) -> int:
        """How many pages there are, one where there are no rows."""
        return max(-(-self.total // self.view.size), 1)


class NotThen(Failed):
    """How a table was at that moment is not known; ``problem`` is what to say at the field."""

    def __init__(self, problem: Problem) -> None:
        """``problem`` is about the moment."""
        super().__init__(problem.words)
        self.problem = problem


def browse(reader: "Reader", view: View, now: datetime) -> Shown:
    """Return a page of a view; :class:`NotThen` where its past is not known that far back.

    Raises what :meth:`Reader.run` raises on top of that.
    """
    try:
        return _browse(reader, view, now)
    except Failed as error:
        if view.as_of is None or isinstance(error, NotThen):
            raise
        raise NotThen(Problem(AS_OF, view.as_of, str(error))) from error


def _browse(reader: "Reader", asked: View, now: datetime) -> Shown:
    view = _looked_up(reader, asked, now)
    fields, companions = facets.counted_fields(view), leads.companions(view)
    beside = view.relation.is_view and not fields
    if view.page > NEAR and not beside:
        counted = _counted(reader, view, fields, now)
        found = _far(reader, view, companions, counted.total, now)
    else:
        found = _run(reader, statements.rows_of(view, now, companions, counted=beside), view.size)
        counted = _beside(view, found) if beside and found.rows else _counted(reader, view, fields, now)
    return Shown(
        asked,
        [_cells(view, companions, row) for row in found.rows],
        counted.total,
        counted.flagged,
        counted.facets,
        found.as_of,
        _notes(found),
        statements.whole_of(asked, now),
    )


def _looked_up(reader: "Reader", view: View, now: datetime) -> View:
    """Return the same view where conditions that take long have their values looked up, once for all its statements."""
    if not statements.is_stored(view):
        return view
    return replace(view, conditions=tuple(_among(reader, view, condition, now) for condition in view.conditions))


def _among(reader: "Reader", view: View, condition: Condition, now: datetime) -> Condition:
    if condition.operator.code not in SLOW or condition.field.values not in AMONG.values:
        return condition
    rows = _run(reader, statements.values_of(view, condition, now, LOOKED_UP + 1), LOOKED_UP + 1, cells=None).rows
    return condition if len(rows) > LOOKED_UP else Condition(condition.field, AMONG, tuple(row[0] for row in rows))


@dataclass(frozen=True)
class _Counted:
    """How many rows there are, how many of them are flagged by a column, and what was counted."""

    total: int
    flagged: Mapping[str, int]
    facets: Sequence[Facet]


def _beside(view: View, found: "Result") -> _Counted:
    numbers = found.rows[0][len(found.columns) - 1 - len(view.relation.flags) :]
    return _Counted(numbers[0], dict(zip(view.relation.flags, numbers[1:], strict=True)), ())


def _notes(found: "Result") -> list[str]:
    """Return what is said of the data; not how many devices are on this page, which would pass for all of them."""
    tally = Tally.of(found.columns)
    tally.add(found.rows)
    of_the_page = {*tally.notes()}
    return [note for note in found.notes if note not in of_the_page]


def _far(reader: "Reader", view: View, companions: Sequence[str], total: int, now: datetime) -> "Result":
    """Return a page that is not among the first, from the end where that is nearer."""
    before = (view.page - 1) * view.size
    if not total / 2 < before < total:
        return _run(reader, statements.rows_of(view, now, companions), view.size)
    found = _run(reader, statements.rows_from_the_end(view, now, companions, total), view.size)
    found.rows.reverse()
    return found


def _counted(reader: "Reader", view: View, fields: Sequence[Field], now: datetime) -> _Counted:
    together = [found for found in fields if not facets.is_alone(view, found)]
    rows = _run(reader, facets.statement(view, together, now), GROUPS).rows
    made = {found: facets.facet(view, found, _of(rows, place)) for place, found in enumerate(together)}
    for found in fields:
        if found not in made:
            own = _run(reader, facets.alone(view, found, now), GROUPS).rows
            made[found] = facets.facet(view, found, _of(own, 0))
    told = [made[found] for found in fields if made[found].divides or found.name in view.facets]
    ((_, total, *_),) = _of(rows, -1)
    return _Counted(total, {name: n for name, n, *_ in _of(rows, -2)}, told)


def _of(rows: Sequence["Row"], which: int) -> Iterator["Row"]:
    return (row[1:] for row in rows if row[0] == which)


def _cells(view: View, companions: Sequence[str], row: "Row") -> list[Cell]:
    names = [*(found.name for found in view.shown), *companions]
    values = dict(zip(names, row, strict=False))
    return [Cell(f, values[f.name], leads.lead(view.relation, f, values)) for f in view.shown]


def _run(reader: "Reader", asked: Statement, rows: int, *, cells: int | None = CELL_BYTES) -> "Result":
    limits: QueryLimits = replace(reader.limits, rows=rows, bytes=None, cell_bytes=cells, advice="")
    return reader.run(asked.sql, asked.params, limits=limits)
