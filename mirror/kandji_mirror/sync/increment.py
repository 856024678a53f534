"""Keeping a Prism table up to date by the rows that were written since the last time."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from kandji_mirror.ingest.merging import Merged
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.ingest.watermark import watermark
from kandji_mirror.sync.base import Base
from kandji_mirror.sync.catching_up import CatchingUp, Caught, differing
from kandji_mirror.sync.changes import COLLECTED, NotEnough
from kandji_mirror.sync.choice import MANY_ROWS, Method, devices_cost, whole_cost
from kandji_mirror.sync.cleared import Cleared
from kandji_mirror.sync.deletion_check import DeletionCheck
from kandji_mirror.sync.doubts import mark_of, note_doubts
from kandji_mirror.sync.drift import joined
from kandji_mirror.sync.fleet import repeated_in
from kandji_mirror.sync.job import Job
from kandji_mirror.sync.putting import merged_state
from kandji_schema.manifest import State, TableState, data_dir

REST = timedelta(hours=2)
"""A table of very many rows is not read as a whole more often than this while nobody waits."""


def increment(job: Job) -> TableState:
    """Read what changed, find what vanished, write a data file if anything differs.

    Raises :class:`NotEnough` where everything must be read anew, and any of our errors; then nothing changed.
    """
    began = job.store.wall()
    base = _live_base(job)
    with job.room() as (staging, target):
        caught = CatchingUp(job, base, staging).run(_edited(job, base))
        if caught.settled.excess and _may_read_whole(job, base.rows):
            raise NotEnough(f"it has {differing(caught.settled.excess)}", caught.requests)
        note_doubts(job, staging.misread() if caught.drift.odd else (), began)
        cleared = DeletionCheck(job, staging, base.path).of_devices(caught.settled.whole)
        state = _written(job, base, merge(base, staging, caught, target), target, cleared)
    collected_at = _newest_collected(job, state) if caught.dated else job.previous.collected_at
    return replace(
        state,
        state=State.OK,
        error=None,
        method=Method.INCREMENT.value,
        collected_at=collected_at,
        requests=caught.requests + cleared.requests,
        drift=joined(job.previous.drift, caught.drift),
        attempted_at=began,
        synced_at=began,
        whole_at=None if cleared.unasked else state.whole_at,
        checked_at=began if caught.settled.excess == 0 and not cleared.kept else job.previous.checked_at,
        note=cleared.note or caught.note,
    )


def merge(base: Base, staging: Staging, caught: Caught, target: Path) -> Merged | None:
    """Put the staged rows on the base; None where there is nothing to put."""
    if not staging.rows and not caught.settled.whole:
        return None
    return staging.merge(base.path, target, whole=caught.settled.whole, built_bytes=base.built_bytes)


def _edited(job: Job, base: Base) -> list[str]:
    """Devices of which something this table repeats was edited since, or could not be read the last time.

    :class:`NotEnough` where they are too many.
    """
    since, marks = job.previous.synced_at, (*repeated_in(job.resource), mark_of(job.resource.name))
    edited = job.state.edits.since(since, marks) if since else []
    cost = devices_cost(len(edited), len(job.fleet() or ()), base.rows, job.resource.page_size)
    if edited and cost >= whole_cost(base.rows, job.resource.page_size, job.facts()):
        raise NotEnough(f"{len(edited):,} devices were edited", 0)
    return edited


def _live_base(job: Job) -> Base:
    path, state = job.live, job.previous
    if path is None:
        raise NotEnough("there is no data file of these columns", 0)
    start = state.watermark or watermark(job.engine, path, job.resource, job.client.provider_now)
    return Base(job.resource, path, state.rows, start, state.surplus, state.built_bytes, state.collected_at)


def _newest_collected(job: Job, state: TableState) -> datetime | None:
    file = data_dir(job.store.home) / str(state.file)
    return watermark(job.engine, file, job.resource, job.client.provider_now, COLLECTED.column)


def _may_read_whole(job: Job, rows: int) -> bool:
    """Whether a difference is worth a whole read now."""
    if job.order.asked:
        return True
    read_at = job.previous.whole_at
    rested = rows <= MANY_ROWS or read_at is None or job.store.wall() - read_at >= REST
    return rested and job.affordable(whole_cost(rows, job.resource.page_size, job.facts()))


def _written(job: Job, base: Base, merged: Merged | None, target: Path, cleared: Cleared) -> TableState:
    """The state with the merged file; the published one stays where nothing differs."""
    state = merged_state(job, merged, target, cleared) if merged else job.previous
    if state is job.previous:
        return replace(state, watermark=base.watermark)
    file = data_dir(job.store.home) / str(state.file)
    return replace(state, watermark=watermark(job.engine, file, job.resource, job.client.provider_now))
