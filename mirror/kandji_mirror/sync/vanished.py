"""Deletion is never concluded from one absence.

A row that is mirrored but did not come in a complete walk is asked for by itself, where the provider has an endpoint
for it: 404 means gone, an answer means that the walk skipped it. Where there is none, or its key is only known as a
pseudonym, another walk is the second observation: absent twice means gone, provided that nothing moved meanwhile.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from kandji_mirror.api.pages import Page
from kandji_mirror.ingest.staging import Lost, Staging
from kandji_mirror.report import NoProgress
from kandji_mirror.sync.choice import MOST_PAGES
from kandji_mirror.sync.cleared import Cleared
from kandji_mirror.sync.job import Job
from kandji_mirror.sync.walks import WALKS, steady, still_there, walk_once
from kandji_schema.errors import Rejected, Skip, Suspicious

MANY = 50
MANY_SHARE = 0.05
SAMPLE = 20
"""Above 50 missing rows, or 5 % of the table, a sample of 20 is asked for before the others."""

MOST_IN_BACKGROUND = 100
"""So many rows are asked for in one pass while nobody waits; the others are kept until the next."""

AT_ONCE = 4


def confirm_vanished(job: Job, staging: Staging, live: Path, *, ordered: bool) -> Cleared:
    """Make sure that what did not come is gone; rows that are there, or may be, are staged.

    ``ordered`` tells that the list came in the order of its keys without a seam: then it lacks nothing that was there
    all the time. :class:`Suspicious` where many are missing and most of the sample are still there.
    """
    lost = staging.lost(live)
    if not lost:
        return Cleared()
    if job.resource.confirm is None or staging.keys_are_masked:
        cleared = _absent_again(job, staging, live, lost)
    else:
        cleared = _asked_for(job, staging, live, lost, ordered=ordered)
    return replace(cleared, goes=staging.lost(live, lost))


def _asked_for(job: Job, staging: Staging, live: Path, lost: Lost, *, ordered: bool) -> Cleared:
    missing, mirrored = list(lost), job.previous.rows
    many = len(missing) > MANY or len(missing) > MANY_SHARE * mirrored
    sample = missing[:: max(1, len(missing) // SAMPLE)][:SAMPLE] if many else missing
    try:
        found = _still_there(job, sample)
        if 2 * len(found) > len(sample) and many:
            raise _not_whole(job, len(missing), len(found), len(sample))
        proven = not many or (ordered and not found)
        others = [] if proven else [key for key in missing if key not in set(sample)][: _room(job) - len(sample)]
        found += _still_there(job, others)
    except (Skip, Rejected):
        return _absent_again(job, staging, live, lost)
    for page in found:
        staging.add(page.text)
    asked = {*sample, *others}
    kept = [] if proven else [key for name, keys in lost.items() if name not in asked for key in keys]
    staging.flush()
    if kept:
        staging.keep(live, kept)
    return Cleared(len(asked), len(found), len(kept))


def _room(job: Job) -> int:
    return MOST_PAGES if job.order.asked else MOST_IN_BACKGROUND


def _still_there(job: Job, keys: Sequence[str]) -> list[Page]:
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="still-there") as pool:
        pages = pool.map(lambda key: still_there(job.client, job.resource, key), keys)
        return [page for page in pages if page is not None]


def _not_whole(job: Job, missing: int, found: int, asked: int) -> Suspicious:
    return Suspicious(
        f"{missing} of {job.previous.rows} rows of {job.resource.name} did not come, but {found} of {asked} "
        "asked for are still there: the list was not whole. The previous rows are kept; the next pass tries again."
    )


def _absent_again(job: Job, staging: Staging, live: Path, lost: Lost) -> Cleared:
    """Walk until a walk brings nothing new and nothing moved meanwhile; what is still missing then is gone."""
    requests = 0
    for _ in range(WALKS):
        staging.drop_duplicates()
        known = staging.rows
        walked = walk_once(job.client, job.resource, staging, NoProgress())
        requests += walked.pages
        staging.drop_duplicates()
        if staging.rows == known and (walked.rows == known or steady(walked, job.resource)):
            return _without_damaged(staging, live, lost, requests)
    kept = _keys(staging.lost(live))
    staging.keep(live, kept)
    return Cleared(requests, rescued=len(_keys(lost)) - len(kept), kept=len(kept))


def _without_damaged(staging: Staging, live: Path, lost: Lost, requests: int) -> Cleared:
    """What is lost now is gone, but where a row that could not be told from others may be it."""
    missing = staging.lost(live)
    kept = _keys({first: keys for first, keys in missing.items() if staging.damaged(first)})
    if kept:
        staging.keep(live, kept)
    return Cleared(requests, rescued=len(_keys(lost)) - len(_keys(missing)), kept=len(kept))


def _keys(lost: Lost) -> set[int]:
    return {key for keys in lost.values() for key in keys}
