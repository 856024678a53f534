"""One pass over one table, the way that was chosen for it."""

from dataclasses import replace

from kandji_mirror.sync.append_only import newest_first
from kandji_mirror.sync.context import Job
from kandji_mirror.sync.extract_stats import more_odd
from kandji_mirror.sync.filtered_pages import NotEnough
from kandji_mirror.sync.full_load import _listed
from kandji_mirror.sync.incremental import increment
from kandji_mirror.sync.prism_full_load import WholeRead
from kandji_mirror.sync.strategy import Method, method
from kandji_schema.errors import PermissionMissing, StoreDamaged
from kandji_schema.manifest import State, TableState
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
        return _listed(job)
    return _told(_doubted(_prism(job, chosen), job.previous), job)


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
