"""A page of a view: its rows, how many there are in all, its facets, and the date of what is told."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from kandji_queries.browse import facets, leads, statements
from kandji_queries.browse.facets import Facet
from kandji_queries.browse.leads import Lead
from kandji_queries.browse.relation import Field
from kandji_queries.browse.statements import Statement
from kandji_queries.browse.view import AS_OF, Problem, View
from kandji_queries.engine.limits import QueryLimits
from kandji_schema.errors import Failed

if TYPE_CHECKING:
    from kandji_queries.reader import Reader
    from kandji_queries.results.result import Result, Row

CELL_BYTES = 20_000
"""Bytes of one cell that a page gets; a file has all of it."""

NEAR = 20
"""Pages that are found from the beginning, without looking how many there are."""

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

    ``statement`` is the SQL behind the rows, with ``params`` bound to it.
    """

    view: View
    rows: Sequence[Sequence[Cell]]
    total: int
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


def _browse(reader: "Reader", view: View, now: datetime) -> Shown:
    fields, companions = facets.counted_fields(view), leads.companions(view)
    counts_beside = view.relation.is_view and not fields
    asked = statements.rows_of(view, now, companions, counted=counts_beside)
    if view.page > NEAR and not counts_beside:
        total, told = _counted(reader, view, fields, now)
        found = _far(reader, view, companions, total, now)
    else:
        found = _run(reader, asked, view.size)
        beside = counts_beside and found.rows
        total, told = (found.rows[0][-1], ()) if beside else _counted(reader, view, fields, now)
    rows = [_cells(view, companions, row) for row in found.rows]
    return Shown(view, rows, total, told, found.as_of, found.notes, statements.whole_of(view, now))


def _far(reader: "Reader", view: View, companions: Sequence[str], total: int, now: datetime) -> "Result":
    """Return a page that is not among the first, from the end where that is nearer."""
    before = (view.page - 1) * view.size
    if not total / 2 < before < total:
        return _run(reader, statements.rows_of(view, now, companions), view.size)
    found = _run(reader, statements.rows_from_the_end(view, now, companions, total), view.size)
    found.rows.reverse()
    return found


def _counted(reader: "Reader", view: View, fields: Sequence[Field], now: datetime) -> tuple[int, Sequence[Facet]]:
    together = [found for found in fields if not facets.is_alone(view, found)]
    rows = _run(reader, facets.statement(view, together, now), GROUPS).rows
    made = {found: facets.facet(view, found, _of(rows, place)) for place, found in enumerate(together)}
    for found in fields:
        if found not in made:
            own = _run(reader, facets.alone(view, found, now), GROUPS).rows
            made[found] = facets.facet(view, found, _of(own, 0))
    told = [made[found] for found in fields if made[found].divides or found.name in view.facets]
    return rows[0][2], told


def _of(rows: Sequence["Row"], which: int) -> Iterator["Row"]:
    return (row[1:] for row in rows if row[0] == which)


def _cells(view: View, companions: Sequence[str], row: "Row") -> list[Cell]:
    names = [*(found.name for found in view.shown), *companions]
    values = dict(zip(names, row, strict=False))
    return [Cell(f, values[f.name], leads.lead(view.relation, f, values)) for f in view.shown]


def _run(reader: "Reader", asked: Statement, rows: int) -> "Result":
    limits: QueryLimits = replace(reader.limits, rows=rows, bytes=None, cell_bytes=CELL_BYTES, advice="")
    return reader.run(asked.sql, asked.params, limits=limits)
