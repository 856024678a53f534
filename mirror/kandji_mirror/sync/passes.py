"""One pass over one table, the way that was chosen for it."""

from dataclasses import replace

from kandji_mirror.sync.changes import NotEnough
from kandji_mirror.sync.choice import Method, method
from kandji_mirror.sync.full_walk import full_walk
from kandji_mirror.sync.increment import increment
from kandji_mirror.sync.job import Job
from kandji_mirror.sync.newest_first import newest_first
from kandji_mirror.sync.whole_read import WholeRead
from kandji_schema.errors import PermissionMissing, StoreDamaged
from kandji_schema.manifest import TableState
from kandji_schema.resource import Paging


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
        return full_walk(job)
    return _doubted(_prism(job, chosen), job.previous)


def _prism(job: Job, chosen: Method) -> TableState:
    if chosen is not Method.INCREMENT:
        return WholeRead(job).run()
    try:
        return increment(job)
    except (NotEnough, StoreDamaged) as reason:
        return WholeRead(job, spent=_spent(reason)).run()


def _doubted(state: TableState, previous: TableState) -> TableState:
    """The state, with a whole read due next where values of a column could not be read for the first time.

    That may pass, and an increment would not bring their rows again. Where it stays, it is read as a whole only once.
    """
    return replace(state, whole_at=None) if state.drift.odd.keys() - previous.drift.odd.keys() else state


def _spent(reason: Exception) -> int:
    """Requests of an increment that did not do."""
    return reason.requests if isinstance(reason, NotEnough) else 0
