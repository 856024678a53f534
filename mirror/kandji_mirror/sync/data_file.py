"""TODO: say what this is."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from kandji_mirror.ingest.merging import Merged
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.sync.completeness import Cleared
from kandji_mirror.sync.context import Job
from kandji_mirror.sync.deletion_check import DeletionCheck
from kandji_schema import ddl
from kandji_schema.errors import Suspicious
from kandji_schema.manifest import TableState


@dataclass(frozen=True)
class Live:
    """A published data file that was read to its end: ``digest`` is of what is in it now."""

    path: Path
    digest: str
    rows: int


def live_of(job: Job, staging: Staging) -> Live | None:
    """The published data file, if it can still be read to its last block."""
    path = job.live
    digest = staging.digest_of_file(path) if path else None
    if path and digest is None:
        job.store.warnings.append(f"{path} is damaged; {job.resource.name} is written anew.")
    return Live(path, digest, job.previous.rows) if path and digest else None


def refuse_keyless(staging: Staging) -> None:
    """:class:`Suspicious` where not one row has a key: these are no rows of the table."""
    rows = staging.rows
    if rows and staging.rows_without_key() == rows:
        name, key = staging.resource.name, staging.resource.key[0]
        raise Suspicious(f"None of the {rows} rows of {name} has a {key}. The previous rows are kept.")


def written(job: Job, staging: Staging, live: Live | None, target: Path, cleared: Cleared) -> TableState:
    """The state with the staged rows, which were cleared; the published file stays where it holds exactly these."""
    digest, definition = staging.digest() if live else None, ddl.statements(job.resource)
    if live and live.digest == digest and job.previous.ddl == definition:
        return replace(job.previous, digest=digest)
    rows = staging.write(target)
    state = job.admitted(target, cleared)
    return replace(state, rows=rows, digest=digest, built_bytes=state.bytes)


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
