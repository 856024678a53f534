"""``/search``: everything that has a name and fits some words, each with the page it leads to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kandji_queries.catalog.search import things
from kandji_queries.catalog.search.answer import DEFINED, MOST, Found, search
from kandji_queries.catalog.search.hits import Hit
from kandji_queries.results.dates import date_line
from kandji_schema.errors import UnknownName, UsageError
from kandji_web.asking import ask
from kandji_web.cells import address
from kandji_web.rendering import page

MIXED = 30
"""Most hits where no kind was chosen."""

FIELDS = ("q", "kind")

WORDS: Mapping[str, str] = {"column": "Columns", "table": "Tables", "view": "Views", "query": "Queries"}
"""What kinds are called that are no things."""


@dataclass(frozen=True)
class Told:
    """A hit and where it leads."""

    name: str
    also: str
    about: str
    to: str


async def search_page(request: Request) -> Response:
    """Show what fits, or the field alone where nothing was asked for yet."""
    words, kind = request.query_params.get("q", "").strip(), request.query_params.get("kind", "").strip() or None
    wrong = "".join(
        f"{UnknownName('parameter of this page', name, FIELDS)} " for name in request.query_params if name not in FIELDS
    )
    found: Found | None = None
    if words and not wrong:
        try:
            found = await ask(request, lambda reader: search(reader, words, kind, MOST if kind else MIXED))
        except UsageError as error:
            wrong = str(error)
    status = 400 if wrong else 200
    return page(request, "search.html", title="Search", status=status, **_facts(words, kind, found, wrong))


def _facts(words: str, kind: str | None, found: Found | None, wrong: str) -> dict[str, Any]:
    titles = {**WORDS, **things.kinds()}
    hits = found.hits if found else ()
    order = list(dict.fromkeys(hit.kind for hit in hits))
    sorted_hits = sorted(hits, key=lambda hit: order.index(hit.kind))
    return {
        "words": words,
        "kind": kind,
        "wrong": wrong,
        "kinds": [
            (titles[name], [_told(hit) for hit in listed], _more(words, name, kind))
            for name, listed in groupby(sorted_hits, key=lambda hit: hit.kind)
        ],
        "choices": [(name, titles[name]) for name in (*things.kinds(), *DEFINED)],
        "notes": found.notes if found else (),
        "number": len(hits),
        "dated": date_line(found.as_of, datetime.now(UTC)) if found else "",
        "asked": found is not None,
    }


def _more(words: str, name: str, kind: str | None) -> str:
    return "" if kind else f"/search?{urlencode({'q': words, 'kind': name})}"


def _told(hit: Hit) -> Told:
    to = _LEADS[hit.kind](hit)
    return Told(hit.name, hit.also if hit.also != hit.name else "", hit.shown, to)


def _table(table: str, column: str, *, also: str = "") -> Callable[[Hit], str]:
    """Lead to the rows with that name; with ``also`` to those where this column has the hit's other name."""

    def to(hit: Hit) -> str:
        pair = (also, hit.also) if also and hit.also else (column, hit.name)
        return address(table, [pair])

    return to


def _column(hit: Hit) -> str:
    table, _, column = hit.name.partition(".")
    return address(table, [("_filter", column)]) + "#filter"


_LEADS: Mapping[str, Callable[[Hit], str]] = {
    "column": _column,
    "table": lambda hit: address(hit.name, []),
    "view": lambda hit: address(hit.name, []),
    "query": lambda hit: f"/queries/{quote(hit.name.partition('(')[0], safe='')}",
    "device": lambda hit: f"/devices/{quote(hit.also or hit.name, safe='')}",
    "app": _table("apps", "name", also="bundle_id"),
    "person": _table("fleet", "user_name", also="user_email"),
    "blueprint": _table("devices", "blueprint_name"),
    "certificate": _table("prism_certificates", "common_name"),
    "cve": _table("vulnerability_detections", "cve_id"),
    "item": _table("device_library_items", "name"),
    "profile": _table("prism_installed_profiles", "profile_display_name", also="payload_identifier"),
    "tag": _table("devices", "tags"),
}
"""Where hits lead, by kind."""

ROUTES = [Route("/search", search_page)]
