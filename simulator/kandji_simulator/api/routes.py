"""Paths of the API: those of the schema's tables, Prism's counts and exports, and what is asked or done live."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from kandji_schema.http import Request, Response
from kandji_schema.resource import Paging, Resource
from kandji_simulator.api.actions import action_routes
from kandji_simulator.api.exports import BadExport, Exports, Job
from kandji_simulator.api.paging import IDIOMS, PAGE, PageRequest, Quirks, counted
from kandji_simulator.api.prism import CAP, DEFAULT_LIMIT, BadFilter, PrismPages
from kandji_simulator.api.routing import JSON, NOT_FOUND, NOT_FOUND_PAGE, Handler, Route, json_answer, route
from kandji_simulator.api.secrets import secret_routes
from kandji_simulator.api.writes import device_routes, note_routes, tag_routes
from kandji_simulator.simulation.world import World
from kandji_simulator.tables.library import LibraryItemStatus
from kandji_simulator.tables.listing import Listing
from kandji_simulator.tables.threats import newer_threats

_ITEM_STATUS = "/api/v1/library/library-items/{item_id}/status"
_NONE = {"lost_mode": json_answer(400, ["Device is not in lost mode."])}
"""Tables of one row a device whose endpoint calls it an error that there is none."""


_NEWER_THREATS = "/api/v2/threat/threat-details"
_NO_STATUSES = json_answer(400, {"statuses": ["This field is required."]})


class Whole(NamedTuple):
    """A list that comes at once: where its rows are in the answer, and the name of the table."""

    rows_at: str
    table: str


@dataclass(frozen=True)
class Hosts:
    """Of the links in answers: the API's, and the web app's."""

    api: str
    web: str


def routes(
    world: World,
    quirks: Quirks,
    exports: Exports,
    *,
    hosts: Hosts,
    clock: Callable[[], float],
    url: Callable[[Job], str],
) -> tuple[Route, ...]:
    """Return all routes; fixed paths come before those with names in them. ``url`` signs the file of an export."""
    made = _Routes(world, quirks, hosts)
    found = [route("GET", "/api/v1/prism/count", made.count), *_export_routes(exports, clock, url)]
    found += [route("GET", path, made.whole(lists)) for path, lists in _wholes(world.resources.values()).items()]
    for resource in world.resources.values():
        if resource.paging is not Paging.WHOLE:
            found.append(route("GET", resource.path, made.list_of(resource)))
        if resource.confirm:
            found.append(route("GET", resource.confirm, made.one_of(resource)))
    found += [*device_routes(world), *action_routes(world), *note_routes(world), *tag_routes(world)]
    found.append(route("GET", _NEWER_THREATS, made.with_statuses(newer_threats(world.tables))))
    found += [*secret_routes(world), route("GET", _ITEM_STATUS, made.counted(LibraryItemStatus(world)))]
    return tuple(sorted(found, key=lambda known: known.pattern.groups))


def _wholes(resources: Iterable[Resource]) -> dict[str, list[Whole]]:
    """Return the lists that come at once, by path: several tables may be read off one answer."""
    found: dict[str, list[Whole]] = defaultdict(list)
    for resource in resources:
        if resource.paging is Paging.WHOLE:
            found[resource.path].append(Whole(resource.rows_at, resource.name))
        if resource.fallback:
            found[resource.fallback.path].append(Whole(resource.fallback.rows_at, f"device_{resource.name}"))
    return found


def _export_routes(exports: Exports, clock: Callable[[], float], url: Callable[[Job], str]) -> tuple[Route, Route]:
    def order(request: Request, found: Mapping[str, str]) -> Response:
        try:
            return json_answer(
                200, exports.as_json(exports.order(json.loads(request.body or b"null"), clock()), "pending")
            )
        except (BadExport, BadFilter) as error:
            return json_answer(400, {"detail": str(error)})
        except ValueError as error:
            return json_answer(400, f"JSON parse error - {error}")

    def poll(request: Request, found: Mapping[str, str]) -> Response:
        job = exports.jobs.get(found["export_id"])
        return NOT_FOUND if job is None else json_answer(200, exports.poll(job, clock(), url(job)))

    return (
        route("POST", "/api/v1/prism/export", order),
        route("GET", "/api/v1/prism/export/{export_id}", poll),
    )


class _Routes:
    """Makes the handlers; holds what they all need."""

    def __init__(self, world: World, quirks: Quirks, hosts: Hosts) -> None:
        self._world = world
        self._quirks = quirks
        self._hosts = hosts
        self._prism = {
            r.category: PrismPages(world, r, quirks) for r in world.resources.values() if r.paging is Paging.PRISM
        }

    def count(self, request: Request, found: Mapping[str, str]) -> Response:
        """Serve ``GET /prism/count``."""
        pages = self._prism.get(dict(request.query).get("category"))
        return json_answer(200, pages.count()) if pages else json_answer(400, {"detail": "Invalid category"})

    def list_of(self, resource: Resource) -> Handler:
        """Serve a table's path, in the table's idiom."""
        return self._prism_pages(resource) if resource.paging is Paging.PRISM else self._listing(resource)

    def one_of(self, resource: Resource) -> Handler:
        """Serve one row by its id, or one of the provider's 404s."""
        listing = self._world.tables.listing(resource.name)
        gone = NOT_FOUND_PAGE if resource.name == "blueprints" else NOT_FOUND

        def answer(request: Request, found: Mapping[str, str]) -> Response:
            record = listing.find(next(iter(found.values())))
            return gone if record is None else json_answer(200, listing.row(record))

        return answer

    def whole(self, lists: Sequence[Whole]) -> Handler:
        """Serve one object with a member for each list; or the bare list or object of the only one, at ""."""

        def answer(request: Request, found: Mapping[str, str]) -> Response:
            rows = {whole.rows_at: self._at_once(whole.table, dict(request.query), found) for whole in lists}
            if any(value is None for value in rows.values()):
                return NOT_FOUND
            if lists[0].table in _NONE and not rows[lists[0].rows_at]:
                return _NONE[lists[0].table]
            return json_answer(200, rows.get("", {**found, **rows}))

        return answer

    def _at_once(self, table: str, query: Mapping[str, str], found: Mapping[str, str]) -> Any:
        listing = self._world.tables.listing(table)
        records = listing.records(query, found)
        rows = None if records is None else [listing.row(record) for record in records]
        return rows[0] if rows and listing.single else rows

    def _prism_pages(self, resource: Resource) -> Handler:
        pages = self._prism[resource.category]

        def answer(request: Request, found: Mapping[str, str]) -> Response:
            asked = self.asked(request, CAP)
            limit = asked.number("limit", DEFAULT_LIMIT, CAP) or DEFAULT_LIMIT
            try:
                return Response(200, JSON, pages.page(asked.query, limit, asked.offset))
            except BadFilter as error:
                return json_answer(400, {"detail": str(error)})

        return answer

    def _listing(self, resource: Resource) -> Handler:
        listing = self._world.tables.listing(resource.name)
        if resource.rows_at:
            return self.counted(listing, resource.rows_at)
        idiom = IDIOMS[resource.paging]

        def answer(request: Request, found: Mapping[str, str]) -> Response:
            asked = self.asked(request, resource.page_size)
            records = listing.records(asked.query, found)
            return NOT_FOUND if records is None else idiom(listing, records, asked)

        return answer

    def counted(self, listing: Listing, rows_at: str = "") -> Handler:
        """Serve a count envelope; where ``rows_at`` is given, as that member of an object that names the parent."""

        def answer(request: Request, found: Mapping[str, str]) -> Response:
            asked = self.asked(request, PAGE)
            records = listing.records(asked.query, found)
            if records is None:
                return NOT_FOUND
            page = counted(listing, records, asked)
            return json_answer(200, {**found, rows_at: page} if rows_at else page)

        return answer

    def with_statuses(self, listing: Listing) -> Handler:
        """Serve a count envelope that nobody gets without saying which statuses."""
        answer = self.counted(listing)

        def checked(request: Request, found: Mapping[str, str]) -> Response:
            return answer(request, found) if dict(request.query).get("statuses") else _NO_STATUSES

        return checked

    def asked(self, request: Request, most: int) -> PageRequest:
        """Return the page a request is for."""
        return PageRequest(
            request.path, dict(request.query), most, self._hosts.api, self._hosts.web, totals=self._quirks.totals
        )
