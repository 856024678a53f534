"""``/queries``: the named queries by what they are about, and ``/queries/NAME``: one with its form and its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kandji_queries.catalog.own_queries import find_query, own_queries
from kandji_queries.catalog.param_values import param_values
from kandji_queries.catalog.queries import NamedQuery, catalog
from kandji_queries.catalog.topics import by_topic
from kandji_queries.charts.picture import picture_of
from kandji_queries.results.dates import date_line
from kandji_queries.results.result import Answer
from kandji_schema.errors import MirrorError, UnknownName
from kandji_schema.text import fold_text
from kandji_web import downloads
from kandji_web.answer_rows import ShownRows, shown_rows
from kandji_web.asking import ask, limits_of, mirror_of, run_sql, until_gone
from kandji_web.drawn import Drawn, drawn
from kandji_web.failures import page_status
from kandji_web.fields import QueryForm, query_form
from kandji_web.rendering import page

ROWS = 100
"""Rows of a page."""

MOST_ROWS = 50_000
"""Rows that are counted and paged through."""

NARROW = "Narrow it, or take the Parquet file, which has all."


OWN = "Your own"
"""Heading of the queries of the mirror's owner."""

PAGE = "_page"
"""The page in a link; a name that no parameter has."""


async def queries(request: Request) -> Response:
    """List all named queries, or those that have all words of ``filter``."""
    words = request.query_params.get("filter", "")[:200]
    own = own_queries(mirror_of(request).home)
    found = by_topic(query for query in catalog().values() if query.like is None and _fits(query, words))
    if mine := [query for query in own.queries.values() if _fits(query, words)]:
        found[OWN] = mine
    number = sum(map(len, found.values()))
    facts: dict[str, Any] = {"topics": found, "filter": words, "number": number, "broken": own.broken}
    return page(request, "queries.html", title="Queries", **facts)


async def query(request: Request) -> Response:
    """Show one query, its form and, where nothing is lacking, its answer; with an ending it is a download."""
    name, _, form = str(request.path_params["name"]).partition(".")
    named = find_query(mirror_of(request).home, name)
    if form:
        return await _download(request, named, form)
    sent = _sent(request.query_params)
    try:
        filled = query_form(named, sent)
    except UnknownName as error:  # an old link
        return _page(request, named, query_form(named, {}), wrong=str(error), status=400)
    if filled.values is None:
        return _page(request, named, filled, status=400 if filled.wrong else 200)
    try:
        shown = await _shown(request, named, filled, await _answer(request, named, filled.values))
    except MirrorError as error:
        return _page(request, named, filled, wrong=str(error), status=page_status(error))
    return _page(request, named, filled, answer=shown)


def _page(
    request: Request,
    named: NamedQuery,
    filled: QueryForm,
    *,
    answer: "ShownAnswer | None" = None,
    wrong: str = "",
    status: int = 200,
) -> Response:
    facts: dict[str, Any] = {
        "query": named,
        "form": filled,
        "answer": answer,
        "wrong": wrong,
        "statement": named.statement(filled.values) if filled.values is not None else named.sql,
        "console": _link("/sql", {"query": named.name, **filled.given}),
    }
    return page(request, "query.html", title=named.title, status=status, **facts)


async def values(request: Request) -> Response:
    """Return values of a parameter that contain what is ``typed``, for a field that proposes some."""
    name, typed = str(request.path_params["name"]), request.query_params.get("typed", "")
    try:
        found = await ask(request, lambda reader: param_values(reader, name, typed))
    except MirrorError:
        found = []  # the field can be filled in all the same
    return JSONResponse(found)


@dataclass(frozen=True)
class ShownAnswer:
    """A page of an answer: rows ``first`` to ``last`` of ``total`` (``more`` where there are further ones).

    ``sentence`` says what the answer says, empty where that is the number of its rows.
    """

    sentence: str
    picture: Drawn
    rows: ShownRows
    dated: str
    notes: tuple[str, ...]
    first: int
    last: int
    total: int
    more: bool
    previous: str
    next: str
    share: str
    files: Mapping[str, str]


async def _shown(request: Request, named: NamedQuery, filled: QueryForm, answer: Answer) -> ShownAnswer:
    rows = list(answer)
    picture = picture_of(named, filled.values or {}, answer, rows, mirror_of(request).clock())
    pages = max(1, -(-len(rows) // ROWS))
    number = min(max(1, _number(request.query_params.get(PAGE, "1"))), pages)
    begin = (number - 1) * ROWS
    base = f"/queries/{named.name}"
    forms = ["csv", "json", *(["parquet"] if named.name in catalog() else [])]
    return ShownAnswer(
        sentence=picture.sentence if named.says or not rows else "",
        picture=await drawn(picture.chart if rows else None),
        rows=shown_rows(answer, rows[begin : begin + ROWS], named.columns, leads=() if filled.given else named.leads),
        dated=date_line(answer.as_of, mirror_of(request).clock()),
        notes=tuple(answer.notes),
        first=begin + 1 if rows else 0,
        last=min(begin + ROWS, len(rows)),
        total=len(rows),
        more=answer.truncated,
        previous=_link(base, filled.given, number - 1) if number > 1 else "",
        next=_link(base, filled.given, number + 1) if number < pages else "",
        share=_link(base, filled.given, number),
        files={form: _link(f"{base}.{form}", filled.given) for form in forms},
    )


async def _answer(
    request: Request, named: NamedQuery, given: Mapping[str, str], most: int = MOST_ROWS, **bounds: Any
) -> Answer:
    limits = replace(limits_of(request), rows=most, advice=NARROW, **bounds)
    if named.name in catalog():
        return await ask(request, lambda reader: reader.query(named.name, given, limits=limits))
    # anyone may have written the statement: it runs where those of anyone run
    return await run_sql(request, named.statement(given), named.bind(given), limits)


async def _download(request: Request, named: NamedQuery, form: str) -> Response:
    downloads.refuse_unknown(form)
    filled = query_form(named, _sent(request.query_params))
    if filled.values is None:
        return Response(status_code=303, headers={"Location": _link(f"/queries/{named.name}", filled.given)})
    now = mirror_of(request).clock()
    if form != "parquet":
        answer = await _answer(request, named, filled.values, downloads.MOST_ROWS, cell_bytes=None)
        return await downloads.text_file(answer, form, named.name, now)
    with downloads.scratch() as folder:
        mirror, given = mirror_of(request), filled.values
        report = await until_gone(request, lambda: mirror.export([named.name], form, given, folder))
        return downloads.saved(downloads.lone_file(report.folder, form), form, named.name, now)


def _fits(query: NamedQuery, words: str) -> bool:
    text = fold_text(f"{query.name} {query.title} {query.description}")
    return all(fold_text(word) in text for word in words.split())


def _sent(params: QueryParams) -> dict[str, str]:
    """Return what the form sent, without what is ours: no parameter begins with a line."""
    return {name: value for name, value in params.items() if not name.startswith("_")}


def _link(path: str, given: Mapping[str, str], number: int = 1) -> str:
    sent = {**given, **({PAGE: str(number)} if number > 1 else {})}
    return f"{path}?{urlencode(sent)}" if sent else path


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 1


ROUTES = [
    Route("/queries", queries),
    Route("/queries/{name}", query),
    Route("/values/{name}", values),
]
