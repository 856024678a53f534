"""``/tables/NAME``: the rows of a table or view, filtered, sorted, counted and paged by its address alone.

What a form sends (a filter in three fields, columns one by one) leads to the address that says the same.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from kandji_queries.browse.browsing import NotThen, Shown, browse
from kandji_queries.browse.conditions import OPERATORS, RANGE
from kandji_queries.browse.relation import Relation, find_relation
from kandji_queries.browse.view import COLUMNS, Problem, View, read_view
from kandji_queries.reader import Reader
from kandji_schema.errors import UnknownName
from kandji_web.asking import ask
from kandji_web.cells import address
from kandji_web.kept import kept_answer
from kandji_web.pages.table_page import facts_of
from kandji_web.rendering import page

FILTER, OPERATOR, VALUE, SECOND, COLUMN = "_filter", "_operator", "_value", "_value2", "_column"
"""Fields of the forms: the column to filter by, how, the value and the other end of a range; a column to show."""

Pairs = list[tuple[str, str]]
Read = tuple[Relation, View, Sequence[Problem], Shown | None]


async def table(request: Request) -> Response:
    """Show a page of a view, or what is wrong with its address: then no row is shown, so that none is misread."""
    name, pairs, now = request.path_params["name"], request.query_params.multi_items(), datetime.now(UTC)
    if (meant := address_meant(pairs)) is not None:
        return RedirectResponse(address(name, meant), status_code=303)
    wanted = request.query_params.get(FILTER, "")
    relation, view, problems, shown = await _asked(request, name, _without_form(pairs), now)
    if name != relation.name:
        return RedirectResponse(address(relation.name, pairs), status_code=303)
    if wanted and wanted not in relation.fields:
        problems = [*problems, Problem(FILTER, wanted, str(_no_column(relation, wanted)))]
    facts = facts_of(request, view, problems, shown, relation.fields.get(wanted), now)
    return page(request, "table.html", title=relation.name, status=400 if problems else 200, **facts)


def address_meant(pairs: Pairs) -> Pairs | None:
    """Return the address that a form means; None where the address is no form's.

    A filter without a value is kept, so that the page can say at the field what is wrong with it.
    """
    given = dict(pairs)
    if OPERATOR not in given and COLUMN not in given:
        return None
    kept = [(name, value) for name, value in pairs if name not in _FORM and value]
    if COLUMN in given:
        chosen = ",".join(value for name, value in pairs if name == COLUMN)
        return [*((name, value) for name, value in kept if name != COLUMNS), (COLUMNS, chosen)]
    operator = OPERATORS.get(given[OPERATOR])
    code = given[OPERATOR] if operator is None else operator.code
    column = given.get(FILTER, "")
    name = column if code == "is" else f"{column}__{code}"
    takes = 1 if operator is None else operator.takes
    value = given.get(VALUE, "").strip()
    text = {0: "1", 2: f"{value}{RANGE}{given.get(SECOND, '').strip()}"}.get(takes, value)
    return [*kept, (name, text)]


_FORM = frozenset({FILTER, OPERATOR, VALUE, SECOND, COLUMN, "_page"})


def _without_form(pairs: Pairs) -> Pairs:
    return [(name, value) for name, value in pairs if name != FILTER]


async def _asked(request: Request, name: str, pairs: Pairs, now: datetime) -> Read:
    """Read a view. As most people look at it first, without any condition, it is read once for all."""
    if pairs:
        return await ask(request, lambda reader: _read(reader, name, pairs, now))
    return await kept_answer(request, "/tables", name, lambda reader: _read(reader, name, pairs, reader.now()))


def _read(reader: Reader, name: str, pairs: Pairs, now: datetime) -> Read:
    relation = find_relation(reader, name)
    view, problems = read_view(relation, pairs, now)
    if problems:
        return relation, view, problems, None
    try:
        return relation, view, (), browse(reader, view, now)
    except NotThen as error:
        return relation, replace(view, as_of=None), (error.problem,), None


def _no_column(relation: Relation, name: str) -> str:
    return str(UnknownName(f"column of {relation.name}", name, relation.fields))


ROUTES = [Route("/tables/{name}", table)]
