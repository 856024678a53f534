"""Reading all rows of a resource into a staging, once or as often as it takes to get a consistent picture."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from kandji_mirror.api.client import Client
from kandji_mirror.api.paging import Page, walk
from kandji_mirror.api.paths import quote_segment
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.sync.outcome import Progress
from kandji_schema.errors import NotFound, RetryLater, Suspicious
from kandji_schema.resource import Paging, Resource

WALKS = 3
"""A list that changes while it is read is read again, at most so often in all."""

PARENTS_AT_ONCE = 4

_COUNTED = frozenset({Paging.ARRAY, Paging.COUNT})
"""Idioms whose total is exact; Prism's is a hint and cursor links have none."""


@dataclass
class Walked:
    """Counts of one walk. ``kept_parents`` are those whose own list could not be read, ``reason`` the first one's."""

    pages: int = 0
    rows: int = 0
    odd_rows: int = 0
    totals: set[int | None] = field(default_factory=set)
    kept_parents: list[tuple[str, ...]] = field(default_factory=list)
    reason: str | None = None

    def take(self, page: Page) -> None:
        """Count a page in."""
        self.pages += 1
        self.rows += len(page.rows)
        self.odd_rows += page.odd_rows
        self.totals.add(page.total)

    @property
    def total(self) -> int | None:
        """What the provider says there is, as far as it said one thing."""
        return next(iter(self.totals)) if len(self.totals) == 1 else None

    @property
    def steady(self) -> bool:
        """Whether every page told the same total and so many rows came."""
        return self.totals <= {None} or self.totals == {self.rows + self.odd_rows}


def walk_all(client: Client, resource: Resource, staging: Staging, progress: Progress, *, keep: bool = False) -> Walked:
    """Walk a list into the staging. An exact total that does not fit means that rows shifted: it is walked anew.

    With ``keep`` the rows of the earlier walks stay, so that the staging holds what any of them brought.
    """
    requests = 0
    for attempt in range(1, WALKS + 1):
        walked = _walk_once(client, resource, staging, progress)
        requests += walked.pages
        if walked.steady or resource.paging not in _COUNTED or attempt == WALKS:
            break
        if not keep:
            staging.clear()
    walked.pages = requests
    return walked


def _walk_once(client: Client, resource: Resource, staging: Staging, progress: Progress) -> Walked:
    walked = Walked()
    for page in walk(client, resource):
        walked.take(page)
        staging.add(page.text)
        progress.advanced(resource.name, pages=walked.pages, rows=walked.rows, total=page.total)
    staging.flush()
    return walked


def walk_parents(
    client: Client, resource: Resource, staging: Staging, progress: Progress, parents: Sequence[tuple[str, ...]]
) -> Walked:
    """Walk the list of every parent row; each answer is a whole set. One that fails keeps its previous rows."""
    walked = Walked()
    with ThreadPoolExecutor(PARENTS_AT_ONCE, thread_name_prefix=f"walk-{resource.name}") as pool:
        for parent, pages in zip(parents, pool.map(lambda p: _pages_of(client, resource, p), parents), strict=True):
            if isinstance(pages, RetryLater):
                walked.kept_parents.append(parent)
                walked.reason = walked.reason or str(pages)
                continue
            for page in pages:
                walked.take(page)
                staging.add(page.text, parent)
            progress.advanced(resource.name, pages=walked.pages, rows=walked.rows, total=None)
    if parents and len(walked.kept_parents) == len(parents):
        raise Suspicious(f"None of the {len(parents)} lists of {resource.name} could be read: {walked.reason}")
    staging.flush()
    return walked


def _pages_of(client: Client, resource: Resource, parent: tuple[str, ...]) -> list[Page] | RetryLater:
    names = dict(zip(resource.parent_key, map(quote_segment, parent), strict=True))
    try:
        return list(walk(client, resource, path=resource.path.format(**names)))
    except NotFound:
        return []  # the parent went while its siblings were read, and its rows with it
    except RetryLater as error:
        return error
