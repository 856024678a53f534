"""One pass over one table, the way that was chosen for it."""

from dataclasses import replace

from kandji_mirror.capabilities import Capability
from kandji_mirror.sync.changes import NotEnough
from kandji_mirror.sync.choice import Method, method
from kandji_mirror.sync.drift import more_odd
from kandji_mirror.sync.full_walk import full_walk
from kandji_mirror.sync.increment import increment
from kandji_mirror.sync.job import Job
from kandji_mirror.sync.newest_first import newest_first
from kandji_mirror.sync.whole_read import WholeRead
from kandji_schema.errors import ApiError, PermissionMissing, StoreDamaged
from kandji_schema.manifest import State, TableState
from kandji_schema.resource import Paging

MOVED = (404, 410)
"""Answers that say that there is no such list, or none any more."""


def one_pass(job: Job) -> TableState:
    """Read a table that is no sweep. Raises any of our errors; then nothing changed.

    :class:`PermissionMissing` of a Prism table with a fallback means: read it device by device.
    """
    chosen = method(job.resource, job.previous, job.facts())
    if chosen is Method.PER_DEVICE:
        raise PermissionMissing(f"{job.resource.name}: the token was not allowed to read Prism a short while ago.")
    if chosen is Method.NEWEST_FIRST:
        return newest_first(job)
    if job.resource.paging is not Paging.PRISM:
        return _listed(job)
    return _told(_doubted(_prism(job, chosen), job.previous), job)


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


def _prism(job: Job, chosen: Method) -> TableState:
    if chosen is not Method.INCREMENT:
        return WholeRead(job).run()
    try:
        return increment(job)
    except (NotEnough, StoreDamaged) as reason:
        return WholeRead(job, spent=_spent(reason)).run()


def _told(state: TableState, job: Job) -> TableState:
    """The state with what went wrong though there are rows: a run with it does not end as if all were well."""
    return replace(state, state=State.FAILED, error=" ".join(job.troubles)) if job.troubles else state


def _doubted(state: TableState, previous: TableState) -> TableState:
    """The state, with a whole read due next where more values of a column could not be read than before.

    That may pass, and an increment would not bring their rows again. Where it stays, it is read as a whole only once;
    a few devices are asked for at each increment until it passes, see ``doubts``.
    """
    return replace(state, whole_at=None) if more_odd(state.drift, previous.drift) else state


def _spent(reason: Exception) -> int:
    """Requests of an increment that did not do."""
    return reason.requests if isinstance(reason, NotEnough) else 0
