"""All pages of a resource, in order, with no needless request."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread
from typing import TypeVar

from kandji_mirror.api.client import Client
from kandji_mirror.api.pages import Page, read_page
from kandji_schema.errors import NotFound, ServerFault
from kandji_schema.resource import Resource

MOST_EMPTY_PAGES = 10
"""Empty pages in a row, each naming another one after it, before a walk is given up."""

__all__ = ["Page", "walk"]

T = TypeVar("T")


def walk(client: Client, resource: Resource, *, path: str | None = None, in_flight: int = 8) -> Iterator[Page]:
    """Every page of ``resource``, in order; ``path`` fills in the braces of the resource's own.

    Up to ``in_flight`` requests run at once where the first page tells how many rows there are and where pages are
    counted by offset. A resource with ``page_size`` 0 has pages of the provider's choosing: no limit is sent. Whether
    all rows came is for the caller to judge, by ``Page.total``. :class:`ServerFault` for a walk that goes round in
    circles.
    """
    return _without_repeats(_Walk(client, resource, path or resource.path, in_flight).pages())


def _without_repeats(pages: Iterator[Page]) -> Iterator[Page]:
    """The pages, as long as each differs from the one before."""
    before: Page | None = None
    for page in pages:
        if before and page.rows and page.rows == before.rows:
            raise ServerFault("The provider sent the same page twice in a row: it does not page as it should.")
        yield page
        before = page


@dataclass(frozen=True)
class _Walk:
    client: Client
    resource: Resource
    path: str
    in_flight: int

    def pages(self) -> Iterator[Page]:
        first = self._fetch({})
        yield first
        if first.onward is None:
            yield from self._by_offset(first)
        else:
            yield from self._by_link(first.onward)

    def _fetch(self, onward: Mapping[str, str]) -> Page:
        limit = {"limit": str(self.resource.page_size)} if self.resource.page_size else {}
        params = {**self.resource.params, **limit, **onward}
        return self.client.read(self.path, params.items(), lambda response: read_page(response, self.resource))

    def _by_link(self, onward: Mapping[str, str] | None) -> Iterator[Page]:
        seen: set[tuple[tuple[str, str], ...]] = set()
        empty = 0
        while onward:
            here = tuple(onward.items())
            if here in seen or empty > MOST_EMPTY_PAGES:
                raise ServerFault(f"GET {self.path}: the provider's links to the next page go round in circles.")
            seen.add(here)
            page = self._linked(onward)
            yield page
            onward, empty = page.onward, 0 if page.members else empty + 1

    def _linked(self, onward: Mapping[str, str]) -> Page:
        try:
            return self._fetch(onward)
        except NotFound:
            if "page" not in onward:
                raise
            return Page([], '{"data":[]}')  # rows went away meanwhile, and this page with them

    def _by_offset(self, first: Page) -> Iterator[Page]:
        """The pages after the first. Its length is the step: a server may cap a page below the limit."""
        step = first.members
        total = first.total if first.total is not None and first.total >= step else None
        if not self._goes_on(step, total):
            return
        offset = step
        ahead: deque[Future[Page]] = deque()
        while True:
            while len(ahead) < (1 if total is None else self.in_flight) and (total is None or offset < total):
                ahead.append(self._start(offset))
                offset += step
            if not ahead:
                return
            page = ahead.popleft().result()
            yield page
            if not page.members or (total is None and page.members < step):
                return
            total = total if total is None or page.total is None else page.total

    def _goes_on(self, step: int, total: int | None) -> bool:
        if not 0 < step <= self.resource.page_size:  # empty, or the whole set at once
            return False
        return step == self.resource.page_size if total is None else step < total

    def _start(self, offset: int) -> Future[Page]:
        return _in_thread(lambda: self._fetch({"offset": str(offset)}))


def _in_thread(job: Callable[[], T]) -> Future[T]:
    """Run ``job`` in a thread that cannot hold up the end of the process, as a pool's threads would."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(job())
        except BaseException as error:  # raised again where the result is asked for
            future.set_exception(error)

    Thread(target=run, daemon=True, name="kandji-page").start()
    return future
