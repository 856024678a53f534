"""A list read as a whole: walk, check, and write the next data file."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from kandji_mirror.capabilities import Capability
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.sync.completeness import OF_LISTS
from kandji_mirror.sync.context import Job
from kandji_mirror.sync.data_file import Live, live_of, refuse_keyless, written
from kandji_mirror.sync.deletion_check import confirm_vanished
from kandji_mirror.sync.extract_stats import Walked, drift_of
from kandji_mirror.sync.list_walk import walk_all, walk_parents
from kandji_mirror.sync.published import first_keys
from kandji_mirror.sync.strategy import Method
from kandji_schema.errors import ApiError
from kandji_schema.manifest import State, TableState


def full_walk(job: Job) -> TableState:
    """Read everything and write a data file if anything differs. Raises any of our errors; then nothing changed."""
    began = job.store.wall()
    with job.room() as (staging, target):
        live = live_of(job, staging)
        walked = _walk(job, staging, live)
        refuse_keyless(staging)
        staging.drop_duplicates()
        cleared = OF_LISTS
        if live and job.resource.parent is None:
            cleared = confirm_vanished(job, staging, live.path, ordered=walked.ordered)
        staging.drop_duplicates()
        state = replace(
            written(job, staging, live, target, cleared),
            method=Method.FULL_WALK.value,
            requests=walked.pages + cleared.requests,
            drift=drift_of(job.resource, staging.leftovers(), walked.odd_rows, walked.never_sent),
            attempted_at=began,
            note=cleared.note or walked.note,
        )
    return _ended(state, walked, job.parents, began)


def _walk(job: Job, staging: Staging, live: Live | None) -> Walked:
    if job.resource.parent is None:
        return walk_all(job.client, job.resource, staging, job.progress)
    filled = first_keys(live.path, job.resource) if live else set()
    walked = walk_parents(job.client, job.resource, staging, job.progress, job.parents, filled)
    if walked.kept_parents and live:
        column = next(iter(job.resource.parent_key))
        staging.copy_rows(live.path, column, [key[0] for key in walked.kept_parents])
    return walked


def _ended(state: TableState, walked: Walked, parents: Sequence[tuple[str, ...]], began: datetime) -> TableState:
    if not walked.kept_parents and walked.reason:
        return replace(state, state=State.FAILED, error=walked.reason, note=None)
    if not walked.kept_parents:
        return replace(state, state=State.OK, synced_at=began, whole_at=began, error=None)
    kept = f"{len(walked.kept_parents)} of {len(parents)} lists could not be read and kept their previous rows"
    return replace(state, state=State.FAILED, error=f"{kept}: {walked.reason}")


MOVED = (404, 410)
"""Answers that say that there is no such list, or none any more."""


def _listed(job: Job) -> TableState:
    """A list at its own path, or at the one that took its place: what answered the last time is asked first."""
    paths = [job, *_succeeded(job)]
    if job.lacks(Capability.DECLARED_PATH):
        paths.reverse()
    try:
        return full_walk(paths[0])
    except ApiError as error:
        if error.status not in MOVED or len(paths) == 1:
            raise
        return _elsewhere(paths[1], error)


def _succeeded(job: Job) -> list[Job]:
    newer = job.resource.successor
    return [replace(job, resource=replace(job.resource, path=newer.path, params=newer.params))] if newer else []


def _elsewhere(job: Job, gone: ApiError) -> TableState:
    """The list at the other path; ``gone`` where it is there no more than at the first."""
    try:
        state = full_walk(job)
    except ApiError as error:
        raise gone if error.status in MOVED else error from gone
    newer = job.resource.successor
    if newer and job.resource.path == newer.path:
        job.note_lack(Capability.DECLARED_PATH, str(gone))
    else:
        job.state.capabilities.note_present(job.resource.name, Capability.DECLARED_PATH)
    return state
