"""Lists that only grow, at their front: reading stops at what is known. Rows are never deleted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from kandji_mirror.api.paging import Page, walk
from kandji_mirror.api.paths import quote_segment
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.sync.context import Job
from kandji_mirror.sync.data_file import put, refuse_keyless
from kandji_mirror.sync.extract_stats import Walked, drift_of, joined, more_odd
from kandji_mirror.sync.filtered_pages import OVERLAP
from kandji_mirror.sync.published import knows_any, newest
from kandji_mirror.sync.strategy import Method
from kandji_schema.errors import NotFound, ServerFault, Suspicious
from kandji_schema.manifest import State, TableState

Enough = Callable[[Page], bool]


def newest_first(job: Job) -> TableState:
    """Read down to what is mirrored already, the first time everything, and add it."""
    began, whole = job.store.wall(), _reads_all(job)
    with job.room() as (staging, target):
        walked = _walk(job, staging)
        refuse_keyless(staging)
        staging.drop_duplicates()
        seen = drift_of(job.resource, staging.leftovers(), walked.odd_rows)
        drift, misread = joined(job.previous.drift, seen), more_odd(seen, job.previous.drift)
        state = put(job, staging, target)
    return replace(
        state,
        state=State.FAILED if walked.reason else State.OK,
        error=walked.reason,
        note=walked.note,
        method=Method.NEWEST_FIRST.value,
        requests=walked.pages,
        drift=drift,
        attempted_at=began,
        synced_at=state.synced_at if walked.reason else began,
        whole_at=None if misread or (walked.reason and whole) else began if whole else job.previous.whole_at,
    )


def _reads_all(job: Job) -> bool:
    """Whether what is known does not do: also the time after something came that could not be read."""
    adopted = job.previous.method is None  # rows of an earlier version lack columns
    return job.live is None or job.order.whole or adopted or job.previous.whole_at is None


def _reaches(job: Job, above: Sequence[str]) -> Enough:
    """A page reaches what is known when it holds a known row and is older than the newest one, and a little more."""
    resource, live = job.resource, job.live
    known = newest(live, resource, above) if live and not _reads_all(job) else None
    if live is None or known is None:
        return lambda page: False
    border, source = known.replace(tzinfo=UTC) - OVERLAP, resource.newest_by.sources[0]

    def reached(page: Page) -> bool:
        oldest = min((moment for row in page.rows if (moment := _moment(row.get(source)))), default=None)
        keys = [str(row.get(resource.own_key)) for row in page.rows]
        return oldest is not None and oldest < border and knows_any(live, resource, keys, above)

    return reached


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def _walk(job: Job, staging: Staging) -> Walked:
    """The tenant's list, or that of every parent row: what one of them cannot tell now, it tells the next time."""
    walked, gone = Walked(), list[str]()
    for above in job.parents if job.resource.parent else [()]:
        try:
            for page in _pages(job, above):
                walked.take(page)
                staging.add(page.text, above)
                job.progress.advanced(job.resource.name, pages=walked.pages, rows=walked.rows, total=None)
        except (NotFound, ServerFault) as error:
            if not above:
                raise
            if isinstance(error, NotFound):
                gone.append(str(error))
            else:
                walked.kept_parents.append(tuple(above))
                walked.reason = walked.reason or str(error)
    _tell_of_the_silent(job, walked, gone)
    staging.flush()
    return walked


def _pages(job: Job, above: Sequence[str]) -> Iterator[Page]:
    """Pages down to what is known."""
    enough = _reaches(job, above)
    names = dict(zip(job.resource.parent_key, map(quote_segment, above), strict=True))
    for page in walk(job.client, job.resource, path=job.resource.path.format(**names)):
        yield page
        if enough(page):
            return


def _tell_of_the_silent(job: Job, walked: Walked, gone: Sequence[str]) -> None:
    """Say why some parents had no answer: a note where they are ``gone``, a reason where the answer was broken.

    :class:`Suspicious` where not one parent had any.
    """
    broken, parents = len(walked.kept_parents), len(job.parents)
    if parents and broken + len(gone) == parents:
        reason = walked.reason or gone[0]
        raise Suspicious(f"None of the {parents} lists of {job.resource.name} could be read: {reason}")
    if broken:
        walked.reason = f"{broken} of {parents} lists could not be read and kept their previous rows: {walked.reason}"
    if gone:
        walked.note = f"{len(gone)} of {parents} lists could not be read now: {gone[0]}"
