"""Lists that only grow, at their front: reading stops at what is known. Rows are never deleted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from kandji_mirror.api.paging import Page, walk
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.sync.changes import OVERLAP
from kandji_mirror.sync.choice import Method
from kandji_mirror.sync.drift import drift_of, joined
from kandji_mirror.sync.full_walk import refuse_keyless
from kandji_mirror.sync.job import Job
from kandji_mirror.sync.published import knows_any, newest
from kandji_mirror.sync.putting import put
from kandji_mirror.sync.walks import Walked
from kandji_schema.manifest import State, TableState
from kandji_schema.resource import Resource

Enough = Callable[[Page], bool]


def newest_first(job: Job) -> TableState:
    """Read down to what is mirrored already, the first time everything, and add it."""
    began = job.store.wall()
    live = job.live
    with job.room() as (staging, target):
        walked = _walk(job, staging, _reaches(job, live) if live and not job.order.whole else lambda page: False)
        refuse_keyless(staging)
        staging.drop_duplicates()
        drift = joined(job.previous.drift, drift_of(job.resource, staging.leftovers(), walked.odd_rows))
        state = put(job, staging, target)
    return replace(
        state,
        state=State.OK,
        error=None,
        note=None,
        method=Method.NEWEST_FIRST.value,
        requests=walked.pages,
        drift=drift,
        attempted_at=began,
        synced_at=began,
    )


def ordered_by(resource: Resource) -> str:
    """The column the provider sorts the list by."""
    return resource.params["sort_by"].lstrip("-")


def _reaches(job: Job, live: Path) -> Enough:
    """A page reaches what is known when it holds a known row and is older than the newest one, and a little more."""
    column = ordered_by(job.resource)
    known = newest(live, job.resource, column)
    if known is None:
        return lambda page: False
    border = known.replace(tzinfo=UTC) - OVERLAP

    def reached(page: Page) -> bool:
        oldest = min((moment for row in page.rows if (moment := _moment(row.get(column)))), default=None)
        keys = [str(row.get(job.resource.key[0])) for row in page.rows]
        return oldest is not None and oldest < border and knows_any(live, job.resource, keys)

    return reached


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def _walk(job: Job, staging: Staging, enough: Enough) -> Walked:
    walked = Walked()
    for page in walk(job.client, job.resource):
        walked.take(page)
        staging.add(page.text)
        job.progress.advanced(job.resource.name, pages=walked.pages, rows=walked.rows, total=None)
        if enough(page):
            break
    staging.flush()
    return walked
