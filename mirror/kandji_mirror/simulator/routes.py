"""Paths of the API, read off the schema: a table's list, its rows one by one, and Prism's count."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from kandji_mirror.api.wire import Request, Response
from kandji_mirror.simulator.answers import JSON, NOT_FOUND, NOT_FOUND_PAGE, json_answer
from kandji_mirror.simulator.filters import BadFilter
from kandji_mirror.simulator.pages import Asked, array_page, count_page, cursor_page
from kandji_mirror.simulator.prism_pages import CAP, DEFAULT_LIMIT, PrismPages
from kandji_mirror.simulator.quirks import Quirks
from kandji_mirror.simulator.world import World
from kandji_schema.resource import Paging, Resource

Handler = Callable[[Request, Mapping[str, str]], Response]


class Route(NamedTuple):
    """Requests whose path matches get ``answer(request, names in the path)``."""

    pattern: re.Pattern[str]
    answer: Handler


def routes(world: World, quirks: Quirks, *, host: str, web_host: str) -> tuple[Route, ...]:
    """All routes; fixed paths come before those with names in them."""
    made = _Routes(world, quirks, host, web_host)
    found = [_route("/api/v1/prism/count", made.count)]
    for resource in world.resources.values():
        found.append(_route(resource.path, made.list_of(resource)))
        if resource.confirm:
            found.append(_route(resource.confirm, made.one_of(resource)))
    return tuple(sorted(found, key=lambda route: route.pattern.groups))


def _route(template: str, answer: Handler) -> Route:
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
    return Route(re.compile(pattern), answer)


class _Routes:
    """Makes the handlers; holds what they all need."""

    def __init__(self, world: World, quirks: Quirks, host: str, web_host: str) -> None:
        self._world = world
        self._quirks = quirks
        self._hosts = host, web_host
        self._prism = {
            r.category: PrismPages(world, r, quirks) for r in world.resources.values() if r.paging is Paging.PRISM
        }

    def count(self, request: Request, found: Mapping[str, str]) -> Response:
        """``GET /prism/count``."""
        pages = self._prism.get(dict(request.query).get("category"))
        return json_answer(200, pages.count()) if pages else json_answer(400, {"detail": "Invalid category"})

    def list_of(self, resource: Resource) -> Handler:
        """A table's path, in the table's idiom."""
        return self._prism_pages(resource) if resource.paging is Paging.PRISM else self._listing(resource)

    def one_of(self, resource: Resource) -> Handler:
        """One row by its id, or one of the provider's 404s."""
        listing = self._world.tables.listing(resource.name)
        gone = NOT_FOUND_PAGE if resource.name == "blueprints" else NOT_FOUND

        def answer(request: Request, found: Mapping[str, str]) -> Response:
            record = listing.find(next(iter(found.values())))
            return gone if record is None else json_answer(200, listing.row(record))

        return answer

    def _prism_pages(self, resource: Resource) -> Handler:
        pages = self._prism[resource.category]

        def answer(request: Request, found: Mapping[str, str]) -> Response:
            query = dict(request.query)
            limit = _number(query, "limit", DEFAULT_LIMIT, CAP) or DEFAULT_LIMIT
            try:
                return Response(200, JSON, pages.page(query, limit, _number(query, "offset", 0)))
            except BadFilter as error:
                return json_answer(400, {"detail": str(error)})

        return answer

    def _listing(self, resource: Resource) -> Handler:
        listing = self._world.tables.listing(resource.name)
        cap = max(300, resource.page_size)

        def answer(request: Request, found: Mapping[str, str]) -> Response:
            query = dict(request.query)
            records = listing.records(query, found)
            if records is None:
                return NOT_FOUND
            limit = _number(query, "limit", cap, cap) or cap
            asked = Asked(request.path, query, limit, _number(query, "offset", 0), *self._hosts)
            if resource.paging is Paging.ARRAY:
                return array_page(listing, records, asked, totals=self._quirks.totals)
            return (cursor_page if resource.paging is Paging.CURSOR else count_page)(listing, records, asked)

        return answer


def _number(query: Mapping[str, str], name: str, otherwise: int, cap: int | None = None) -> int:
    """A number of the query as the provider reads it: nonsense is left out, too much is cut."""
    text = query.get(name, "")
    value = int(text) if text.isdecimal() else otherwise
    return value if cap is None else min(value, cap)
