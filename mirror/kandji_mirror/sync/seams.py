"""Reading a list by offset so that no row can slip through between two pages.

Each page begins with the last row of the page before. A device that goes while another comes leaves the total as it
was, but it moves the rows between them by one place: then the rows at a seam are not the same, and the walk is no
picture of the list. Lists in the order of a key lose nothing where every seam holds.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from kandji_mirror.api.client import Client
from kandji_mirror.api.pages import Page, read_page
from kandji_mirror.api.paging import abreast, walk
from kandji_mirror.threads import in_thread
from kandji_schema.errors import ServerFault
from kandji_schema.resource import Resource

IN_FLIGHT = 8


@dataclass(frozen=True)
class Piece:
    """A page of a walk. ``overlap`` rows at its begin came before; ``holds`` tells whether they are the same."""

    page: Page
    overlap: int = 0
    holds: bool = True


def overlapping(client: Client, resource: Resource) -> Iterator[Piece]:
    """Every page of a bare array, each but the first beginning with the last row of the one before.

    Ends with a page that is not full: totals may lie. :class:`ServerFault` where the same page comes twice.
    """
    first = _fetch(client, resource, 0)
    if first.onward:
        yield from (Piece(page) for page in walk(client, resource))  # no array: each page says how it goes on
        return
    yield Piece(first)
    full = first.members >= resource.page_size or (first.total or 0) > first.members
    if first.onward is None and full and first.members > 1:
        yield from _rest(client, resource, first)


def _rest(client: Client, resource: Resource, before: Page) -> Iterator[Piece]:
    """The pages after a full one. Its length is the step: a server may cap a page below the limit."""
    full, step, total = before.members, before.members - 1, before.total or 0
    offset, ahead = step, deque[Future[Page]]()
    while True:
        while not ahead or (len(ahead) < abreast(before, IN_FLIGHT) and offset + 1 < total):
            ahead.append(_start(client, resource, offset))
            offset += step
        page = ahead.popleft().result()
        if page.rows and page.rows == before.rows:
            raise ServerFault(f"GET {resource.path} sent the same page twice in a row: it does not page as it should.")
        yield Piece(page, overlap=min(1, page.members), holds=_same(before, page, resource))
        if page.members < full:
            return
        before = page


def _start(client: Client, resource: Resource, offset: int) -> Future[Page]:
    return in_thread(lambda: _fetch(client, resource, offset))


def _fetch(client: Client, resource: Resource, offset: int) -> Page:
    where = {"offset": str(offset)} if offset else {}
    params = {**resource.params, "limit": str(resource.page_size), **where}
    return client.read(resource.path, params.items(), lambda response: read_page(response, resource))


def _same(before: Page, page: Page, resource: Resource) -> bool:
    """Whether the last row of a page and the first of the next are one."""
    key = resource.key[0]
    return bool(page.rows) and bool(before.rows) and page.rows[0].get(key) == before.rows[-1].get(key)
