"""The provider's other pagination idioms: bare array, count envelope, cursor link."""

from base64 import b64decode, b64encode
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from kandji_mirror.api.wire import Response
from kandji_mirror.simulator.answers import JSON, json_answer
from kandji_mirror.simulator.listings import Listing
from kandji_mirror.simulator.prism_rows import encode

CURSOR_PAGE = 300


@dataclass(frozen=True)
class Asked:
    """One request for a page: ``hosts`` of links are without a path, ``limit`` is already cut to what is allowed."""

    path: str
    query: Mapping[str, str]
    limit: int
    offset: int
    host: str
    web_host: str


def array_page(listing: Listing, records: Any, asked: Asked, *, totals: bool) -> Response:
    """A bare array; how much there is stands in headers, and ``None`` in angle brackets where a link would be."""
    page = records[asked.offset : asked.offset + asked.limit]
    following, previous = _links(asked, len(records))
    headers = {**JSON, "link": f'<{following}>; rel="next", <{previous}>; rel="prev"'}
    if totals:
        headers["x-total-count"] = str(len(records))
        headers["x-total-pages"] = str(max(1, -(-len(records) // asked.limit)))
    return Response(200, headers, encode([listing.row(record) for record in page]))


def count_page(listing: Listing, records: Any, asked: Asked) -> Response:
    """``{count, next, previous, results}`` by offset."""
    page = records[asked.offset : asked.offset + asked.limit]
    following, previous = _links(asked, len(records))
    rows = [listing.row(record) for record in page]
    return json_answer(200, {"count": len(records), "next": following, "previous": previous, "results": rows})


def cursor_page(listing: Listing, records: Any, asked: Asked) -> Response:
    """``{next, previous, results}``; the links lead to the web app's host."""
    position = _read(asked.query["cursor"]) if "cursor" in asked.query else ""
    start = bisect_right(records, position, key=listing.position)
    page = records[start : start + CURSOR_PAGE]
    more = start + CURSOR_PAGE < len(records)
    before = records[start - CURSOR_PAGE - 1] if start > CURSOR_PAGE else None
    body = {
        "next": _cursor_link(asked, listing.position(page[-1])) if more else None,
        "previous": _cursor_link(asked, listing.position(before) if before else "") if start else None,
        "results": [listing.row(record) for record in page],
    }
    return json_answer(200, body)


def _links(asked: Asked, count: int) -> tuple[str | None, str | None]:
    following = asked.offset + asked.limit
    before = asked.offset - asked.limit
    return (
        _link(asked, following) if following < count else None,
        _link(asked, max(0, before)) if asked.offset else None,
    )


def _link(asked: Asked, offset: int) -> str:
    """The first page's link has no ``offset``."""
    query = {**asked.query, "limit": str(asked.limit)} | ({"offset": str(offset)} if offset else {})
    if not offset:
        query.pop("offset", None)
    return f"https://{asked.host}{asked.path}?{urlencode(query)}"


def _cursor_link(asked: Asked, position: str) -> str:
    query = {**asked.query, "cursor": b64encode(f"p={position}".encode()).decode()}
    return f"https://{asked.web_host}{asked.path}?{urlencode(query)}"


def _read(cursor: str) -> str:
    try:
        return b64decode(cursor, validate=True).decode().removeprefix("p=")
    except ValueError:
        return ""
