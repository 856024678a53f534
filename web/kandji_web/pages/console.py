"""``/sql``: any statement, run in a process of its own within limits, and told at its place where it is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kandji_queries.advice.told import Told, read_error
from kandji_queries.catalog.own_queries import find_query, own_queries
from kandji_queries.catalog.params import readings
from kandji_queries.catalog.queries import catalog
from kandji_queries.charts.chart import Chart
from kandji_queries.charts.picture import chart_of_rows
from kandji_queries.definitions import macros, views
from kandji_queries.engine.limits import QueryLimits
from kandji_queries.guard.functions import allowed
from kandji_queries.reader import Reader
from kandji_queries.results.dates import date_line
from kandji_queries.results.formats import unique
from kandji_queries.results.result import JsonResult, Row
from kandji_schema.errors import Failed, MirrorError, UsageError
from kandji_web import downloads
from kandji_web.answer_rows import ShownRows, shown_rows
from kandji_web.asking import ask, limits_of, mirror_of, run_sql
from kandji_web.drawn import Drawn, drawn
from kandji_web.failures import status_of
from kandji_web.forms import sent_form
from kandji_web.rendering import page
from kandji_web.statement import ROWS, ChartChoice, Statement, read_statement

MOST_BYTES = 4_000_000
"""Most bytes of the rows of a page."""

MOST_FILE = 64_000_000
"""Most bytes of the rows of a download."""

ADVICE = "Show more rows, take the rows along as a file, or aggregate."

PLAN = ("explain_key", "explain_value")
"""Columns of what EXPLAIN answers."""

SHARED = 4_000
"""Most characters of a statement that a link carries."""


async def console(request: Request) -> Response:
    """Show the console: a link fills it in and runs nothing, its own form runs the statement."""
    if request.method != "POST":
        return _page(request, _linked(request))
    sent = await sent_form(request)
    statement, part = read_statement(sent), "part" in sent
    try:
        statement.refuse_too_long()
        if statement.lacking:
            return _page(request, statement, status=200 if part else 400, lacking=True)
        if statement.do in downloads.TYPES:
            limits = _limits(request, downloads.MOST_ROWS, bytes=MOST_FILE, cell_bytes=None)
            found = await _run(request, statement, limits)
            return await downloads.text_file(found, statement.do, "sql", mirror_of(request).clock())
        bounds = {"cell_bytes": None} if statement.do == "explain" else {}
        found = await _run(request, statement, _limits(request, statement.rows, **bounds))
    except MirrorError as error:
        status = 200 if part else status_of(error)
        return _page(request, statement, status=status, told=_told(error, statement))
    return _page(request, statement, answer=await _shown(request, statement, found))


async def names(request: Request) -> Response:
    """Return what may be named in a statement, for the editor to complete; with ``query`` the SQL of that query."""
    if name := request.query_params.get("query"):
        return JSONResponse({"sql": find_query(mirror_of(request).home, name).sql})
    own = own_queries(mirror_of(request).home).queries
    found = {
        "functions": _functions(sorted(allowed() - macros().keys()), sorted(macros())),
        "queries": [{"name": query.name, "title": query.title} for query in (*catalog().values(), *own.values())],
    }
    try:
        mirrored = await ask(request, _mirrored_names)
    except MirrorError:  # nothing is mirrored yet, which the statement will be told
        mirrored = {"tables": {}, "past": []}
    return JSONResponse(found | mirrored)


@dataclass(frozen=True)
class ShownResult:
    """An answer: its rows, or a ``plan``; what must be known of it; ``chart`` and what may be chosen for one."""

    rows: ShownRows
    plan: str
    number: int
    more: bool
    seconds: float
    dated: str
    notes: tuple[str, ...]
    picture: Drawn
    choice: ChartChoice
    columns: tuple[str, ...]
    numbers: tuple[str, ...]


async def _shown(request: Request, statement: Statement, found: JsonResult) -> ShownResult:
    rows = found.rows
    shown = shown_rows(found, rows, exact=True)
    named = tuple(unique([column.name for column in found.columns]))
    numbers = tuple(name for name, head in zip(named, shown.heads, strict=True) if head.numeric)
    dated = date_line(found.as_of, mirror_of(request).clock())
    plan = tuple(column.name for column in found.columns) == PLAN
    usual = None if plan else chart_of_rows("Answer", named, rows, dated)
    choice, picture = statement.chart, Drawn()
    if choice.kind and not plan:
        picture = await _picture(choice, named, rows, dated)
    elif usual:
        choice = ChartChoice("", usual.hint.x, usual.hint.y)
    return ShownResult(
        rows=shown,
        plan="\n".join(str(row[1]) for row in rows) if plan else "",
        number=found.row_count,
        more=found.truncated,
        seconds=found.elapsed_ms / 1_000,
        dated=dated,
        notes=tuple(found.notes),
        picture=picture,
        choice=choice,
        columns=named,
        numbers=numbers,
    )


async def _picture(choice: ChartChoice, columns: tuple[str, ...], rows: Sequence[Row], dated: str) -> Drawn:
    try:
        hint = choice.hint(columns)
    except UsageError as error:
        return Drawn(wrong=str(error))
    return await drawn(Chart("Answer", f"{', '.join(choice.y)} by {choice.x}", hint, columns, rows, dated))


def _page(
    request: Request,
    statement: Statement,
    *,
    answer: ShownResult | None = None,
    told: Told | None = None,
    lacking: bool = False,
    status: int = 200,
) -> Response:
    limits = limits_of(request)
    facts: dict[str, Any] = {
        "statement": statement,
        "answer": answer,
        "told": told,
        "excerpt": _excerpt(statement.sql, told),
        "proposal": f"/sql?{urlencode({'sql': told.proposal})}" if told and told.proposal else "",
        "lacking": lacking,
        "row_choices": ROWS,
        "seconds": limits.seconds,
        "share": f"/sql?{urlencode({'sql': statement.sql})}" if 0 < len(statement.sql) <= SHARED else "",
        "examples": _examples() if not statement.sql else {},
    }
    return page(request, "sql.html", title="SQL", status=status, **facts)


def _linked(request: Request) -> Statement:
    """Return the statement of a link: written in it, or that of a named query with its values."""
    sent = request.query_params
    if name := sent.get("query"):
        query = find_query(mirror_of(request).home, name)
        known = {param.name for param in query.params}
        given = {name: value for name, value in sent.items() if name in known and value}
        params = {param.name: given.get(param.name, param.default_text) or "null" for param in query.own_params()}
        lacking = [param.name for param in query.params if param.required and param.name not in given]
        sql = query.sql if lacking else query.statement(given)
        return Statement(sql=sql, params={n: "" if n in lacking else value for n, value in params.items()})
    return read_statement({name: sent.getlist(name) for name in sent})


async def _run(request: Request, statement: Statement, limits: QueryLimits) -> JsonResult:
    """Run a statement, its values as texts and, where the engine cannot take those, as what they may stand for."""
    first, *others = readings(statement.values())
    try:
        return await run_sql(request, statement.whole, first, limits)
    except Failed:
        for other in others:
            return await run_sql(request, statement.whole, other, limits)
        raise


def _limits(request: Request, rows: int, **bounds: Any) -> QueryLimits:
    return replace(limits_of(request), **{"rows": rows, "bytes": MOST_BYTES, "advice": ADVICE, **bounds})


def _told(error: MirrorError, statement: Statement) -> Told:
    """Take an error apart; the line of EXPLAIN that was put before the statement is not the writer's."""
    found = read_error(str(error), statement.whole)
    if not statement.explains:
        return found
    words = found.proposal.removeprefix("EXPLAIN").lstrip()
    return replace(found, proposal=words, line=max(found.line - 1, 0))


def _excerpt(sql: str, told: Told | None) -> tuple[str, str, str]:
    """Return the line where an error is, before, at and after the place; empty where it is not known."""
    lines = sql.split("\n")
    if told is None or not 0 < told.line <= len(lines):
        return ("", "", "")
    line, begin = lines[told.line - 1], told.column - 1
    return line[max(0, begin - 80) : begin], line[begin : begin + told.length], line[begin + told.length :][:80]


def _examples() -> Mapping[str, str]:
    """Return a few statements by the question that each answers."""
    found: dict[str, str] = {}
    for view in views().values():
        found |= dict([*view.asks.items()][:1])
    return found


def _mirrored_names(reader: Reader) -> dict[str, Any]:
    tables: dict[str, dict[str, Any]] = {
        info.name: {"kind": info.kind, "about": info.description, "columns": []} for info in reader.tables()
    }
    for column in reader.columns():
        if column.table in tables:
            tables[column.table]["columns"].append([column.column, column.type, column.description])
    return {"tables": tables, "past": sorted(reader.functions())}


def _functions(engines: Sequence[str], ours: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Return functions that can be named: operators are left out."""
    return {"engine": [name for name in engines if name.isidentifier()], "ours": ours}


ROUTES = [
    Route("/sql", console, methods=["GET", "POST"]),
    Route("/sql/names", names),
]
