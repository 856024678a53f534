"""All pages of a resource, in order, with no needless request."""

from collections import Counter, deque
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import dataclass, field
from threading import Lock
from types import MappingProxyType
from typing import Any

from kandji_mirror.api.client import Client
from kandji_mirror.api.envelopes import LAST, NotThisEnvelope, open_envelope
from kandji_mirror.api.lenient_json import (
    TooDeep,
    dump,
    has_long_numbers,
    may_be_deep,
    parse,
    parse_leniently,
    too_deep,
)
from kandji_mirror.api.responses import is_beyond_last_page
from kandji_mirror.threads import in_thread
from kandji_schema.errors import NotFound, ServerFault, Unreadable
from kandji_schema.http import Response
from kandji_schema.resource import Paging, Resource

Row = dict[str, Any]

LARGE = 2 * 1024 * 1024
"""Pages of more bytes are taken apart one at a time: that takes many times their size, and no longer than at once."""

_ALONE = Lock()


@dataclass(frozen=True, slots=True)
class Page:
    """One page of rows, in the provider's order.

    ``text`` is a JSON object whose member ``data`` is the list of rows; where a row has unknown fields that are not
    null, or objects and lists where a value should be, it has them there, in a member ``extra``. ``rows`` are the same
    rows as they came. ``total`` is what the provider says there are on all pages, None where it does not: a hint.
    ``odd_rows`` counts members of the list that were no objects, or nested beyond reason, and are left out; ``unknown``
    counts the rows that carry each unknown field, ``absent`` are the known ones that no row carries, none where there
    are no rows. ``onward`` are the query parameters of the next page: empty on the last one, None where the page does
    not tell.
    """

    rows: list[Row]
    text: str
    total: int | None = None
    odd_rows: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    onward: Mapping[str, str] | None = field(default_factory=lambda: LAST)
    absent: frozenset[str] = frozenset()

    @property
    def members(self) -> int:
        """How far the page moves an offset."""
        return len(self.rows) + self.odd_rows


def read_page(response: Response, resource: Resource) -> Page:
    """Read the page in a 200 answer; :class:`ServerFault` where it is none: an error page is never "no rows"."""
    with _ALONE if len(response.body) > LARGE else nullcontext():
        return _read(response, resource)


def page_of_rows(rows: list[Row], resource: Resource, odd_rows: int = 0) -> Page:
    """Make a page of rows that came otherwise than as one; of those that were no objects there is the number."""
    text = dump({"data": [_with_extra(row, resource) for row in rows]})
    unknown, absent = _unknown_fields(rows, resource.known_fields), _absent_fields(rows, resource.known_fields)
    return Page(rows, text, odd_rows=odd_rows, unknown=unknown, absent=absent)


def _read(response: Response, resource: Resource) -> Page:
    try:
        value, strict = parse(response.body)
        opened = open_envelope(value, response, resource)
    except TooDeep as error:
        raise _no_page(response, resource, f"it is {error}", kind=Unreadable) from None
    except ValueError as error:
        raise _no_page(response, resource, f"it is not JSON: {str(error)[:80]}") from None
    except NotThisEnvelope as error:
        raise _no_page(response, resource, str(error)) from None
    rows = _objects(opened.members, response.body)
    if opened.members and not rows:
        raise _no_page(response, resource, f"none of its {len(opened.members)} rows is an object that can be read")
    odd, unknown = len(opened.members) - len(rows), _unknown_fields(rows, resource.known_fields)
    if strict and opened.around and not odd and not unknown and not any(map(resource.misshapen, rows)):
        before, after = opened.around
        text = f"{before}{response.body.decode()}{after}"
    else:
        rows = _in_full(rows, response, resource)
        text = dump({"data": [_with_extra(row, resource) for row in rows]})
    return Page(rows, text, opened.total, odd, unknown, opened.onward, _absent_fields(rows, resource.known_fields))


def _in_full(rows: list[Row], response: Response, resource: Resource) -> list[Row]:
    """Return the rows with every digit of their numbers, since the body's own text is not handed on."""
    if not has_long_numbers(response.body):
        return rows
    return _objects(open_envelope(parse_leniently(response.body), response, resource).members, response.body)


def _objects(members: list[Any], body: bytes) -> list[Row]:
    """Return the rows among the members of a list out of ``body``."""
    rows = [member for member in members if type(member) is dict]
    return [row for row in rows if not too_deep(row)] if may_be_deep(body) else rows


def _unknown_fields(rows: list[Row], known: frozenset[str]) -> Counter[str]:
    """Count the rows that carry each unknown field with a value; fast where, as nearly always, there is none."""
    strange = [row for row in rows if not known.issuperset(row)]
    return Counter(name for row in strange for name in _extra(row, known))


def _absent_fields(rows: list[Row], known: frozenset[str]) -> frozenset[str]:
    """Return known fields that no row has: of those the first row lacks, which are few, the others are asked."""
    candidates = known.difference(rows[0]) if rows else ()
    return frozenset(name for name in candidates if not any(name in row for row in rows))


def _extra(row: Row, known: Collection[str]) -> Row:
    return {name: value for name, value in row.items() if name not in known and value is not None}


def _with_extra(row: Row, resource: Resource) -> Row:
    known, misshapen = resource.known_fields, resource.misshapen(row)
    if not misshapen and known.issuperset(row):
        return row
    extra = _extra(row, known) | {name: row[name] for name in misshapen}
    return row | dict.fromkeys(misshapen) | ({"extra": extra} if extra else {})


def _no_page(
    response: Response, resource: Resource, reason: str, *, kind: type[ServerFault] = ServerFault
) -> ServerFault:
    return kind(
        f"GET {resource.path} answered {response.status}, but not with {resource.name}: {reason}.",
        status=response.status,
    )


MOST_EMPTY_PAGES = 10
"""Empty pages in a row, each naming another one after it, before a walk is given up."""

ROOM = 16 * 1024 * 1024
"""Characters of the pages that are asked for at once: eight of the usual ones. Their rows take many times as much."""

__all__ = ["Page", "abreast", "page_of_rows", "walk"]

NOTHING: Mapping[str, str] = MappingProxyType({})

_SIZE_NAMES = {Paging.PAGE: "size", Paging.AFTER: "size"}  # the others call it limit
_SIDE_BY_SIDE = frozenset({Paging.ARRAY, Paging.PRISM})
"""Idioms whose pages are asked for by offset, several at once, where the first one does not tell how it goes on."""


def walk(
    client: Client,
    resource: Resource,
    *,
    path: str | None = None,
    params: Mapping[str, str] = NOTHING,
    in_flight: int = 8,
) -> Iterator[Page]:
    """Yield every page of ``resource``, in order; ``path`` fills in the braces of the resource's own.

    ``params`` are sent with every request, beside the resource's own. Up to ``in_flight`` requests run at once where
    the first page tells how many rows there are and where pages are counted by offset. A resource with ``page_size`` 0
    has pages of the provider's choosing: no limit is sent. Whether all rows came is for the caller to judge, by
    ``Page.total``. :class:`ServerFault` for a page that comes a second time, and for links that go round in circles.
    """
    sent = {**resource.params, **_size(resource), **params}
    path = path or resource.path
    return _without_repeats(_Walk(client, resource, path, sent, in_flight).pages(), path)


def abreast(page: Page, most: int) -> int:
    """Return how many pages like this one may be under way at once, ``most`` or fewer."""
    return max(1, min(most, ROOM // max(1, len(page.text))))


def _size(resource: Resource) -> Mapping[str, str]:
    if not resource.page_size or resource.paging is Paging.WHOLE:
        return NOTHING
    return {_SIZE_NAMES.get(resource.paging, "limit"): str(resource.page_size)}


def _without_repeats(pages: Iterator[Page], path: str) -> Iterator[Page]:
    """Yield the pages, each a new one: its first and last row and their number tell it from the others."""
    seen: set[int] = set()
    for page in pages:
        if page.rows:
            fingerprint = hash(dump([page.rows[0], page.rows[-1], len(page.rows)]))
            if fingerprint in seen:
                raise ServerFault(f"GET {path} sent the same page twice: it does not page as it should.")
            seen.add(fingerprint)
        yield page


@dataclass(frozen=True)
class _Walk:
    client: Client
    resource: Resource
    path: str
    params: Mapping[str, str]
    in_flight: int

    def pages(self) -> Iterator[Page]:
        start = {"page": "1"} if self.resource.paging is Paging.PAGE else NOTHING
        first = self._fetch(start)
        yield first
        if first.onward is None and self.resource.paging in _SIDE_BY_SIDE:
            yield from self._by_offset(first)
        else:
            yield from self._one_by_one(first, start)

    def _fetch(self, onward: Mapping[str, str]) -> Page:
        params = {**self.params, **onward}
        return self.client.read(self.path, params.items(), lambda response: read_page(response, self.resource))

    def _one_by_one(self, page: Page, here: Mapping[str, str]) -> Iterator[Page]:
        """Yield the pages after ``page``, which ``here`` brought: each tells, at least by its number, which is next."""
        seen, rows, empty = {tuple(here.items())}, page.members, 0
        while here := self._onward(page, here, rows):
            if tuple(here.items()) in seen or empty > MOST_EMPTY_PAGES:
                raise ServerFault(f"GET {self.path}: the provider's links to the next page go round in circles.")
            seen.add(tuple(here.items()))
            page = self._unless_beyond_the_last(here)
            yield page
            rows, empty = rows + page.members, 0 if page.members else empty + 1

    def _onward(self, page: Page, here: Mapping[str, str], rows: int) -> Mapping[str, str]:
        """Return the parameters of the next page; empty at the end. Without a link, the ``rows`` until now decide."""
        if page.onward is not None:
            return page.onward
        if page.total == rows or "cursor" in here:
            return NOTHING
        if "page" in here or not self.resource.page_size:
            return {"page": str(int(here.get("page", "1")) + 1)}
        return {"offset": str(rows)}

    def _unless_beyond_the_last(self, onward: Mapping[str, str]) -> Page:
        try:
            return self._fetch(onward)
        except NotFound as error:
            if "page" not in onward or not is_beyond_last_page(error):
                raise
            return Page([], '{"data":[]}')  # rows went away meanwhile, and this page with them

    def _by_offset(self, first: Page) -> Iterator[Page]:
        """Yield the pages after the first. Its length is the step: a server may cap a page below the limit."""
        step = first.members
        total = first.total if first.total is not None and first.total >= step else None
        if not step or step == total:
            return
        offset = step
        ahead: deque[Future[Page]] = deque()
        most = abreast(first, self.in_flight)
        while True:
            while len(ahead) < (1 if total is None else most) and (total is None or offset < total):
                ahead.append(self._start(offset))
                offset += step
            if not ahead:
                return
            page = ahead.popleft().result()
            yield page
            if not page.members or (total is None and page.members < step):
                return
            total = total if total is None or page.total is None else page.total
            most = abreast(page, self.in_flight)

    def _start(self, offset: int) -> Future[Page]:
        return in_thread(lambda: self._fetch({"offset": str(offset)}))
