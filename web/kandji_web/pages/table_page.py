"""What the page of a table shows: its links and forms, made of the view and its answer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from kandji_queries.browse.browsing import Shown
from kandji_queries.browse.conditions import IS, LONGEST, RANGE, Condition, Operator, operators_of
from kandji_queries.browse.download import ENDINGS
from kandji_queries.browse.facets import Counted, Facet, dividing_fields, toggled
from kandji_queries.browse.relation import Field, Values
from kandji_queries.browse.view import MOST_ROWS, Problem, View, can_be_counted
from kandji_queries.results.dates import date_line
from kandji_queries.times import read_moment
from kandji_web.cells import address, shown_cell

SIZES = (50, 100, 200, MOST_ROWS)
"""Rows of a page that can be chosen."""

INPUTS: Mapping[Values, str] = {
    Values.NUMBER: "a number such as 42 or 3.5",
    Values.MOMENT: "a date such as 2026-11-20, a time such as 2026-11-20T12:00 (UTC), or how long ago: 24h, 7d",
    Values.VERSION: "a version such as 14.6",
    Values.BOOLEAN: "yes or no",
}
"""What to type for a column."""


@dataclass(frozen=True)
class Head:
    """The head of a column: where it is sorted by, and filtered by."""

    field: Field
    sort: str
    sorted: str
    sort_words: str
    filter: str
    is_number: bool


@dataclass(frozen=True)
class Chip:
    """A condition in words, and the address without it."""

    words: str
    without: str


@dataclass(frozen=True)
class Choice:
    """A value of a facet: how many rows, whether it is chosen, and the address where that is the other way round."""

    text: str | None
    rows: int
    is_chosen: bool
    to: str


@dataclass(frozen=True)
class ShownFacet:
    """A facet with its choices and where more of them, or none, are shown."""

    facet: Facet
    choices: Sequence[Choice]
    more: str
    less: str


@dataclass(frozen=True)
class FilterForm:
    """The form that adds a condition of a column: its operators, what is typed, and what is wrong with it."""

    field: Field
    operators: Sequence[tuple[Operator, str, bool]]
    hint: str
    value: str
    second: str
    wrong: str


def facts_of(
    request: Request, view: View, problems: Sequence[Problem], shown: Shown | None, wanted: Field | None, now: datetime
) -> dict[str, Any]:
    """Return what the template wants."""
    mended = next((p for p in problems if _field_of(view, p)), None)
    form = _form(view, mended, wanted)
    usual = view.relation.usual
    fields = sorted(view.relation.fields.values(), key=lambda f: usual.index(f.name) if f.name in usual else len(usual))
    return {
        "view": view,
        "info": view.relation.info,
        "heads": [_head(view, found) for found in view.shown],
        "chips": [Chip(c.words, _to(view.without(c))) for c in view.conditions],
        "bare": _to(replace(view, conditions=(), page=1)),
        "clean": _to(view),
        "now_again": _to(replace(view, as_of=None, page=1)),
        "problems": [p for p in problems if p is not mended],
        "form": form,
        "fields": fields,
        "countable": [found for found in fields if can_be_counted(found)],
        "suited": [
            (f.name, _to(_counting(view, f.name))) for f in dividing_fields(view)[:6] if f.name not in view.facets
        ],
        "hidden": _hidden,
        "shown": shown,
        "rows": [[shown_cell(cell) for cell in row] for row in shown.rows] if shown else (),
        "facets": [_facet(view, found) for found in shown.facets] if shown else (),
        "pages": _pages(view, shown) if shown else {},
        "sizes": [(size, _to(replace(view, size=size, page=1))) for size in SIZES],
        "flagged": _flagged(view, shown) if shown else (),
        "dated": date_line(shown.as_of, now) if shown and not view.as_of else "",
        "then": f"{read_moment(view.as_of, now):%Y-%m-%d %H:%M} UTC" if view.as_of else "",
        "files": [(name, address(view.relation.name, _exact(view), ending)) for ending, name in ENDINGS.items()],
        "link": f"{str(request.base_url).rstrip('/')}{address(view.relation.name, view.pairs())}",
        "all_columns": _to(replace(view, columns=tuple(view.relation.fields))),
        "usual_columns": _to(replace(view, columns=())),
        "sql": shown.statement.text if shown else "",
        "console": f"/sql?{urlencode({'sql': shown.statement.text})}" if shown else "",
        "sorted_words": _sorted_words(view),
    }


def _to(view: View) -> str:
    return address(view.relation.name, view.pairs())


def _exact(view: View) -> list[tuple[str, str]]:
    """Return what a file is made of: not the page, and nothing that is counted."""
    return replace(view, page=1, size=View(view.relation).size, facets=(), more=frozenset()).pairs()


def _head(view: View, found: Field) -> Head:
    is_sorted = view.sort == found.name
    way = ("descending" if view.descending else "ascending") if is_sorted else ""
    again = is_sorted and not view.descending
    words = "greatest first" if again else "smallest first"
    return Head(
        found,
        _to(view.sorted_by(found.name, descending=again)),
        way,
        words,
        address(view.relation.name, [*view.pairs(), ("_filter", found.name)]) + "#filter",
        found.values is Values.NUMBER,
    )


def _sorted_words(view: View) -> str:
    if view.sort is None:
        names = ", ".join(f"{name}{' (newest first)' if most else ''}" for name, most in view.relation.key)
        return f"In the order of {names}"
    ways = {Values.MOMENT: ("oldest first", "newest first"), Values.TEXT: ("A to Z", "Z to A")}
    words = ways.get(view.relation.fields[view.sort].values, ("smallest first", "greatest first"))
    return f"Sorted by {view.sort}, {words[view.descending]}, unknown last"


def _flagged(view: View, shown: Shown) -> Iterator[tuple[str, int, str]]:
    """Yield what some would not count: in words, how many rows, and the address of these."""
    for name, rows in shown.flagged.items():
        if rows and not any(condition.field.name == name for condition in view.conditions):
            condition = Condition(view.relation.fields[name], IS, ("true",))
            yield name.removeprefix("is_"), rows, _to(view.with_conditions([*view.conditions, condition]))


def _facet(view: View, facet: Facet) -> ShownFacet:
    name = facet.field.name
    more = "" if name in view.more or not facet.left else _to(replace(_counting(view, name), more=view.more | {name}))
    less = tuple(other for other in view.facets if other != name)
    asked = name in view.facets
    return ShownFacet(
        facet,
        [_choice(view, counted) for counted in facet.counted],
        more,
        _to(replace(view, facets=less, more=view.more - {name})) if asked else "",
    )


def _choice(view: View, counted: Counted) -> Choice:
    text = {"true": "yes", "false": "no"}.get(counted.text or "", counted.text)
    is_flag = counted.condition.field.values is Values.BOOLEAN
    return Choice(text if is_flag else counted.text, counted.rows, counted.is_chosen, _to(toggled(view, counted)))


def _counting(view: View, name: str) -> View:
    return replace(view, facets=tuple(dict.fromkeys((name, *view.facets))))


def _pages(view: View, shown: Shown) -> dict[str, Any]:
    last = shown.pages
    first_row = (view.page - 1) * view.size + 1
    steps = {
        "first": (1, view.page > 1),
        "previous": (min(view.page - 1, last), view.page > 1),
        "next": (view.page + 1, view.page < last),
        "last": (last, view.page < last),
    }
    links = {name: _to(view.on_page(number)) if can else "" for name, (number, can) in steps.items()}
    end = _to(view.on_page(last))
    return {
        **links,
        "number": view.page,
        "count": last,
        "from": first_row,
        "to": first_row + len(shown.rows) - 1,
        "end": end,
    }


def _field_of(view: View, problem: Problem) -> Field | None:
    """Return the column whose condition could not be read."""
    name = problem.parameter if problem.parameter in view.relation.fields else problem.parameter.rpartition("__")[0]
    return view.relation.fields.get(name)


def _form(view: View, problem: Problem | None, wanted: Field | None) -> FilterForm | None:
    found = _field_of(view, problem) if problem else wanted
    if found is None:
        return None
    code = problem.parameter.rpartition("__")[2] if problem and "__" in problem.parameter else ""
    usual = {Values.TEXT: "contains", Values.VERSION: "below", Values.MOMENT: "gt"}.get(found.values, "is")
    chosen = code or ("is" if problem else usual)
    value, _, second = (problem.value[:LONGEST] if problem else "").partition(RANGE)
    return FilterForm(
        found,
        [(operator, operator.words_for(found), operator.code == chosen) for operator in operators_of(found)],
        INPUTS.get(found.values, "a text; contains looks past case, accents and widths"),
        value,
        second,
        problem.words if problem else "",
    )


def _hidden(view: View, *left_out: str) -> Iterator[tuple[str, str]]:
    """Yield what a form sends along, so that the rest of the view stays as it is."""
    return ((name, value) for name, value in view.pairs() if name not in {*left_out, "_page"})
