"""A list read as a whole: walk, check, and write the next data file."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from kandji_mirror.ingest.staging import Staging
from kandji_mirror.sync.choice import Method
from kandji_mirror.sync.cleared import OF_LISTS, Cleared
from kandji_mirror.sync.drift import drift_of
from kandji_mirror.sync.job import Job
from kandji_mirror.sync.published import first_keys
from kandji_mirror.sync.vanished import confirm_vanished
from kandji_mirror.sync.walks import Walked, walk_all, walk_parents
from kandji_schema import ddl
from kandji_schema.errors import Suspicious
from kandji_schema.manifest import State, TableState


@dataclass(frozen=True)
class Live:
    """A published data file that was read to its end: ``digest`` is of what is in it now."""

    path: Path
    digest: str
    rows: int


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
