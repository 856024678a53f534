"""Read all rows of a list into a staging, once or as often as it takes to get a consistent picture.

A bare array is read by overlapping pages, so that no row can slip through between two: each page begins with the last
row of the one before. A device that goes while another comes leaves the total as it was, but moves the rows between
them by one place; then the overlapping rows are not the same, and the walk is no picture of the list. Lists in the
order of a key lose nothing where every overlap unbroken.
"""

from collections import deque
from collections.abc import Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from kandji_mirror.api.client import Client
from kandji_mirror.api.endpoint import quote_segment
from kandji_mirror.api.paging import Page, abreast, read_page, walk
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.sync.context import PassContext
from kandji_mirror.sync.extract_stats import ExtractStats
from kandji_mirror.threads import in_thread
from kandji_schema.errors import NotFound, Rejected, RetryLater, ServerFault, Skip, Suspicious
from kandji_schema.registry import resource as resource_named
from kandji_schema.resource import Paging, Resource

IN_FLIGHT = 8
"""Pages asked for ahead."""

WALKS = 3
"""A list that changes while it is read is read again, at most so often in all."""

FAR_OFF = 0.95
"""With a smaller share of the rows that the provider tells of a list counts as not read."""

PARENTS_AT_ONCE = 4

_COUNTED = frozenset({Paging.COUNT, Paging.PAGE, Paging.OFFSET})
"""Idioms whose total tells whether all rows came; Prism's is a hint and cursor links have none."""


@dataclass(frozen=True)
class OverlappingPage:
    """A page of a walk. ``overlap`` rows at its begin came before; it is ``unbroken`` where they are the same."""

    page: Page
    overlap: int = 0
    unbroken: bool = True


def walk_all(ctx: PassContext, staging: Staging) -> ExtractStats:
    """Walk a list into the staging; rows that shifted meanwhile make it be walked anew.

    Two walks that bring the same rows are believed, whatever the total says. After three different ones the last one
    is taken, with a note.
    """
    requests = 0
    before: str | None = None
    for attempt in range(1, WALKS + 1):
        stats = walk_once(ctx, staging)
        requests += stats.pages
        if is_steady(stats, ctx.resource) and not (ctx.resource.paging in _COUNTED and staging.repeated):
            break
        found = staging.digest()
        if found == before:
            break
        before = found
        if attempt == WALKS:
            staging.drop_duplicates()
            stats = _with_what_lacks(stats, staging.rows)
        else:
            staging.clear()
    return replace(stats, pages=requests)


def _with_what_lacks(stats: ExtractStats, rows: int) -> ExtractStats:
    """Return the stats of a walk that is no picture of its list, with how many rows came; far too few are a failure."""
    said = rows if stats.last_total is None else stats.last_total
    numbers = f" {rows:,} rows came, the provider tells of {said:,}." if rows < said else ""
    changed = f"The list changed in each of {WALKS} walks; a row of it may be missing until the next sync.{numbers}"
    return replace(stats, note=changed, reason=changed if rows < FAR_OFF * said else stats.reason)


def is_steady(stats: ExtractStats, resource: Resource) -> bool:
    """Return whether nothing tells that rows shifted between the pages of a walk."""
    if resource.paging is Paging.ARRAY:
        return stats.torn == 0
    return stats.fits_total or resource.paging not in _COUNTED


def walk_once(ctx: PassContext, staging: Staging) -> ExtractStats:
    """Walk a list into the staging, whatever comes."""
    resource = ctx.resource
    stats = ExtractStats(ordered=resource.paging is Paging.ARRAY)
    for part in _pages(ctx.client, resource):
        _refuse_foreign(part.page, resource)
        ascending = _ascending(part.page, resource)
        stats.add_page(part.page, overlap=part.overlap, unbroken=part.unbroken, ascending=ascending)
        if resource.repeats:
            stats.note_keys({str(row.get(resource.key[0])) for row in part.page.rows})
        staging.add(part.page.text)
        ctx.progress.advanced(resource.name, pages=stats.pages, rows=stats.rows, total=part.page.total)
    staging.flush()
    return stats


def _ascending(page: Page, resource: Resource) -> bool:
    """Return whether the rows of a page are in the order of the key."""
    keys = [str(row.get(resource.key[0])) for row in page.rows]
    return keys == sorted(keys)


def _refuse_foreign(page: Page, resource: Resource) -> None:
    """Raise :class:`Suspicious` for a page of other rows amid good ones: none has so much as the field of the key."""
    key = next(column for column in resource.columns if column.key)
    fields = {source.partition(".")[0] for source in key.sources}
    if len(page.rows) > 1 and fields <= page.absent:
        rows, name = len(page.rows), resource.name
        raise Suspicious(f"None of the {rows} rows of a page of {name} has a {key.name}. The previous rows are kept.")


def _pages(client: Client, resource: Resource) -> Iterator[OverlappingPage]:
    if resource.paging is Paging.ARRAY:
        return overlapping_pages(client, resource)
    return (OverlappingPage(page) for page in walk(client, resource))


def walk_parents(ctx: PassContext, staging: Staging, filled: Collection[str] = ()) -> ExtractStats:
    """Walk the list of every parent row; each answer is a whole set. One that fails keeps its previous rows.

    An empty list is believed at the second look where the parent's first key is among the ``filled`` ones.
    """
    stats, client, resource, parents = ExtractStats(), ctx.client, ctx.resource, ctx.parents

    def pages_of(parent: tuple[str, ...]) -> list[Page] | RetryLater:
        pages = _pages_of(client, resource, parent)
        emptied = parent[0] in filled and not isinstance(pages, RetryLater) and not any(page.rows for page in pages)
        return _pages_of(client, resource, parent) if emptied else pages

    with ThreadPoolExecutor(PARENTS_AT_ONCE, thread_name_prefix=f"walk-{resource.name}") as pool:
        for parent, pages in zip(parents, pool.map(pages_of, parents), strict=True):
            if isinstance(pages, RetryLater):
                stats.keep_parent(parent, str(pages))
                continue
            for page in pages:
                stats.add_page(page)
                staging.add(page.text, parent)
            ctx.progress.advanced(resource.name, pages=stats.pages, rows=stats.rows, total=None)
    if parents and len(stats.kept_parents) == len(parents):
        raise Suspicious(f"None of the {len(parents)} lists of {resource.name} could be read: {stats.reason}")
    staging.flush()
    return stats


def _pages_of(client: Client, resource: Resource, parent: tuple[str, ...]) -> list[Page] | RetryLater:
    names = dict(zip(resource.parent_key, map(quote_segment, parent), strict=True))
    try:
        return list(walk(client, resource, path=resource.path.format(**names)))
    except NotFound as error:
        return [] if _is_gone(client, resource, parent) else RetryLater(f"{error} Yet its parent is there.")
    except RetryLater as error:
        return error


def _is_gone(client: Client, resource: Resource, parent: tuple[str, ...]) -> bool:
    """Return whether the parent itself went while its siblings were read, and its rows with it."""
    above = resource_named(resource.parent or "")
    try:
        return above.confirm is None or fetch_row(client, above, parent[0]) is None
    except (Skip, Rejected):
        return False


def fetch_row(client: Client, resource: Resource, key: str) -> Page | None:
    """Ask for the row of one key by itself; None where the provider says that it is gone."""
    path = (resource.confirm or "").format(**{resource.key[0]: quote_segment(key)})
    try:
        return client.read(
            path, (), lambda answer: read_page(answer, replace(resource, paging=Paging.WHOLE, rows_at=""))
        )
    except NotFound:
        return None


def overlapping_pages(client: Client, resource: Resource) -> Iterator[OverlappingPage]:
    """Yield every page of a bare array, each but the first beginning with the last row of the one before.

    Ends with a page that is not full: totals may lie. :class:`ServerFault` where the same page comes twice.
    """
    first = _fetch(client, resource, 0)
    if first.onward:
        yield from (OverlappingPage(page) for page in walk(client, resource))  # no array: each page says how it goes on
        return
    yield OverlappingPage(first)
    full = first.members >= resource.page_size or (first.total or 0) > first.members
    if first.onward is None and full and first.members > 1:
        yield from _rest(client, resource, first)


def _rest(client: Client, resource: Resource, before: Page) -> Iterator[OverlappingPage]:
    """Yield the pages after a full one. Its length is the step: a server may cap a page below the limit."""
    full, step, total = before.members, before.members - 1, before.total or 0
    offset, ahead = step, deque[Future[Page]]()
    while True:
        while not ahead or (len(ahead) < abreast(before, IN_FLIGHT) and offset + 1 < total):
            ahead.append(_start(client, resource, offset))
            offset += step
        page = ahead.popleft().result()
        if page.rows and page.rows == before.rows:
            raise ServerFault(f"GET {resource.path} sent the same page twice in a row: it does not page as it should.")
        yield OverlappingPage(page, overlap=min(1, page.members), unbroken=_same(before, page, resource))
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
    """Return whether the last row of a page and the first of the next are one."""
    key = resource.key[0]
    return bool(page.rows) and bool(before.rows) and page.rows[0].get(key) == before.rows[-1].get(key)
