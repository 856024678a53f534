"""The provider's pagination idioms other than Prism, and the quirks in which tenants differ."""

from base64 import b64decode, b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from kandji_schema.http import Response
from kandji_schema.resource import Paging
from kandji_simulator.api.routing import JSON, json_answer
from kandji_simulator.tables.listing import Listing
from kandji_simulator.tables.prism import encode


@dataclass(frozen=True)
class Quirks:
    """The first four are on; here is what False means.

    ``filters``: they are ignored without a word. ``prism_cursors``: Prism pages bring a total and no cursor.
    ``totals``: no list says how long it is. ``dates``: no answer has a ``Date`` header.
    ``clock`` is what the provider's clock, as seen in ``Date``, is ahead of the one it stamps rows with (the world's).
    Prism counts from ``approximate_counts_from`` on are approximate: rounded to two digits and marked so.
    """

    filters: bool = True
    prism_cursors: bool = True
    totals: bool = True
    dates: bool = True
    clock: timedelta = timedelta(0)
    approximate_counts_from: int = 100_000


PAGE = 300
"""Rows a page where the provider alone decides."""
_INVALID_PAGE = json_answer(404, {"detail": "Invalid page."})


@dataclass(frozen=True)
class PageRequest:
    """One request for a page of a list that gives ``most`` rows at once, 0 where it has a fixed size.

    ``host`` and ``web_host`` are where links lead; ``totals`` is whether the provider says how many rows there are.
    """

    path: str
    query: Mapping[str, str]
    most: int
    host: str
    web_host: str
    totals: bool = True

    def number(self, name: str, otherwise: int, cap: int | None = None) -> int:
        """Return a number of the query as the provider reads it: nonsense is left out, too much is cut."""
        text = self.query.get(name, "")
        value = int(text) if text.isdecimal() else otherwise
        return value if cap is None else min(value, cap)

    @property
    def limit(self) -> int:
        """Rows wanted."""
        cap = max(PAGE, self.most)
        return self.number("limit", cap, cap) or cap

    @property
    def offset(self) -> int:
        """Rows to be left out."""
        return self.number("offset", 0)


Records = Sequence[Any]
Idiom = Callable[[Listing, Records, PageRequest], Response]


def _array(listing: Listing, records: Records, asked: PageRequest) -> Response:
    """Answer with a bare array; totals and links are headers, ``None`` in angle brackets where there is no link."""
    following, previous = _links(asked, len(records))
    headers = {**JSON, "link": f'<{following}>; rel="next", <{previous}>; rel="prev"'}
    if asked.totals:
        headers["x-total-count"] = str(len(records))
        headers["x-total-pages"] = str(max(1, -(-len(records) // asked.limit)))
    return Response(200, headers, encode(_rows(listing, records, asked.offset, asked.limit)))


def counted(listing: Listing, records: Records, asked: PageRequest) -> dict[str, Any]:
    """Return ``{count, next, previous, results}`` by offset."""
    following, previous = _links(asked, len(records))
    rows = _rows(listing, records, asked.offset, asked.limit)
    return {"count": len(records), "next": following, "previous": previous, "results": rows}


def _count(listing: Listing, records: Records, asked: PageRequest) -> Response:
    """Answer with the same, or by numbered pages where the list knows nothing else."""
    if asked.most == 0 or "page" in asked.query:
        return _numbered(listing, records, asked)
    return json_answer(200, counted(listing, records, asked))


def _numbered(listing: Listing, records: Records, asked: PageRequest) -> Response:
    """Answer with pages of 300; one past the end is a 404."""
    page = asked.number("page", 1)
    start = (page - 1) * PAGE
    if page < 1 or start >= max(1, len(records)):
        return _INVALID_PAGE
    following = _to(asked, asked.host, page=page + 1) if start + PAGE < len(records) else None
    previous = _to(asked, asked.host, page=page - 1) if page > 1 else None
    rows = _rows(listing, records, start, PAGE)
    return json_answer(200, {"count": len(records), "next": following, "previous": previous, "results": rows})


def _cursor(listing: Listing, records: Records, asked: PageRequest) -> Response:
    """Answer with ``{next, previous, results}``; the links lead to the web app's host."""
    size = asked.number("limit", asked.most, asked.most) or PAGE
    return _by_place(listing, records, asked, "cursor", size)


def _after(listing: Listing, records: Records, asked: PageRequest) -> Response:
    """Answer with the same by ``after`` and ``size``."""
    cap = asked.most or PAGE
    return _by_place(listing, records, asked, "after", asked.number("size", cap, cap) or cap)


def _by_place(listing: Listing, records: Records, asked: PageRequest, name: str, size: int) -> Response:
    start = _start(listing, records, _read(asked.query[name])) if asked.query.get(name) else 0
    page = records[start : start + size]
    before = listing.position(records[start - size - 1]) if start > size else ""
    following = {name: _written(listing.position(page[-1]))} if start + size < len(records) else None
    body = {
        "next": _to(asked, asked.web_host, **following) if following else None,
        "previous": _to(asked, asked.web_host, **{name: _written(before)}) if start else None,
        "results": [listing.row(record) for record in page],
    }
    return json_answer(200, body)


def _start(listing: Listing, records: Records, place: str) -> int:
    """Return where the records behind a place begin; lists run up or down."""
    if len(records) > 1 and listing.position(records[0]) > listing.position(records[-1]):
        return len(records) - bisect_left(records[::-1], place, key=listing.position)
    return bisect_right(records, place, key=listing.position)


def _sized(listing: Listing, records: Records, asked: PageRequest) -> Response:
    """Answer with ``{total, page, size, results}``; ``page`` is missing from every odd page."""
    cap = asked.most or PAGE
    page, size = max(1, asked.number("page", 1)), asked.number("size", cap, cap) or cap
    total = len(records) if asked.totals else None
    number = {} if page % 2 else {"page": page}
    rows = _rows(listing, records, (page - 1) * size, size)
    return json_answer(200, {"total": total, **number, "size": size, "results": rows})


def _offset(listing: Listing, records: Records, asked: PageRequest) -> Response:
    """Answer with a summary and ``results``; ``next`` is always null: only a short page ends it."""
    summary = listing.summary(records) if asked.totals else {}
    rows = _rows(listing, records, asked.offset, asked.limit)
    return json_answer(200, {**summary, "next": None, "previous": None, "results": rows})


IDIOMS: Mapping[Paging, Idiom] = {
    Paging.ARRAY: _array,
    Paging.COUNT: _count,
    Paging.CURSOR: _cursor,
    Paging.PAGE: _sized,
    Paging.AFTER: _after,
    Paging.OFFSET: _offset,
}


def _rows(listing: Listing, records: Records, start: int, size: int) -> list[dict[str, Any]]:
    return [listing.row(record) for record in records[start : start + size]]


def _links(asked: PageRequest, count: int) -> tuple[str | None, str | None]:
    """Return the links to the next and previous page; that to the first has no ``offset``."""
    following, before = asked.offset + asked.limit, max(0, asked.offset - asked.limit)
    return (
        _to(asked, asked.host, limit=asked.limit, offset=following) if following < count else None,
        _to(asked, asked.host, limit=asked.limit, offset=before or None) if asked.offset else None,
    )


def _to(asked: PageRequest, host: str, **changed: object) -> str:
    """Return a link to the same list with some of the query changed; None leaves a parameter out."""
    query = {name: value for name, value in {**asked.query, **changed}.items() if value is not None}
    return f"https://{host}{asked.path}?{urlencode(query)}"


def _written(place: str) -> str:
    return b64encode(f"p={place}".encode()).decode()


def _read(cursor: str) -> str:
    try:
        return b64decode(cursor, validate=True).decode().removeprefix("p=")
    except ValueError:
        return ""
