"""Staged rows put into a table, with the published file as the ground."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from kandji_mirror.ingest.merging import Merged
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.sync.cleared import Cleared
from kandji_mirror.sync.deletion_check import DeletionCheck
from kandji_mirror.sync.job import Job
from kandji_schema.manifest import TableState


def put(job: Job, staging: Staging, target: Path, *, whole: Collection[str] = ()) -> TableState:
    """The state with the staged rows in place of those of their keys; of first keys in ``whole`` all others go.

    The published file stays where nothing differs by that. Without one the staged rows are the table.
    """
    if job.live is None:
        rows = staging.write(target)
        state = job.admitted(target, Cleared())
        return replace(state, rows=rows, digest=None, built_bytes=state.bytes)
    if not whole and not staging.rows:
        return job.previous
    cleared = DeletionCheck(job, staging, job.live).of_devices(whole)
    merged = staging.merge(job.live, target, whole=whole, built_bytes=job.previous.built_bytes)
    state = merged_state(job, merged, target, cleared)
    return replace(state, whole_at=None) if cleared.unasked else state


def merged_state(job: Job, merged: Merged, target: Path, cleared: Cleared) -> TableState:
    """The state with what a merge wrote of cleared rows, if it wrote anything."""
    if not merged.added + merged.changed + merged.removed:
        return job.previous
    state = job.admitted(target, cleared, merged.touched)
    if merged.rebuilt:
        return replace(state, rows=merged.rows, digest=None, built_bytes=state.bytes)
    return replace(state, rows=merged.rows, digest=None, ddl=job.previous.ddl)
