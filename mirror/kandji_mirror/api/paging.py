"""All pages of a resource, in order, with no needless request."""

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from types import MappingProxyType

from kandji_mirror.api.answers import is_beyond_last_page
from kandji_mirror.api.bodies import dump
from kandji_mirror.api.client import Client
from kandji_mirror.api.pages import Page, read_page
from kandji_mirror.threads import in_thread
from kandji_schema.errors import NotFound, ServerFault
from kandji_schema.resource import Paging, Resource

MOST_EMPTY_PAGES = 10
"""Empty pages in a row, each naming another one after it, before a walk is given up."""

ROOM = 16 * 1024 * 1024
"""Characters of the pages that are asked for at once: eight of the usual ones. Their rows take many times as much."""

__all__ = ["Page", "abreast", "walk"]

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
    """Every page of ``resource``, in order; ``path`` fills in the braces of the resource's own.

    ``params`` are sent with every request, beside the resource's own. Up to ``in_flight`` requests run at once where
    the first page tells how many rows there are and where pages are counted by offset. A resource with ``page_size`` 0
    has pages of the provider's choosing: no limit is sent. Whether all rows came is for the caller to judge, by
    ``Page.total``. :class:`ServerFault` for a page that comes a second time, and for links that go round in circles.
    """
    sent = {**resource.params, **_size(resource), **params}
    path = path or resource.path
    return _without_repeats(_Walk(client, resource, path, sent, in_flight).pages(), path)


def abreast(page: Page, most: int) -> int:
    """How many pages like this one may be under way at once, ``most`` or fewer."""
    return max(1, min(most, ROOM // max(1, len(page.text))))


def _size(resource: Resource) -> Mapping[str, str]:
    if not resource.page_size or resource.paging is Paging.WHOLE:
        return NOTHING
    return {_SIZE_NAMES.get(resource.paging, "limit"): str(resource.page_size)}


def _without_repeats(pages: Iterator[Page], path: str) -> Iterator[Page]:
    """The pages, as long as none was seen before: its first and last row and their number tell it from the others."""
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
        """The pages after ``page``, which ``here`` brought: each tells, at least by its number, which one is next."""
        seen, rows, empty = {tuple(here.items())}, page.members, 0
        while here := self._onward(page, here, rows):
            if tuple(here.items()) in seen or empty > MOST_EMPTY_PAGES:
                raise ServerFault(f"GET {self.path}: the provider's links to the next page go round in circles.")
            seen.add(tuple(here.items()))
            page = self._unless_beyond_the_last(here)
            yield page
            rows, empty = rows + page.members, 0 if page.members else empty + 1

    def _onward(self, page: Page, here: Mapping[str, str], rows: int) -> Mapping[str, str]:
        """Parameters of the page after ``page``; empty at the end. Without a link, the ``rows`` until now decide."""
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
        """The pages after the first. Its length is the step: a server may cap a page below the limit."""
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
