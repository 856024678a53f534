"""A list read as a whole: walk it, check what did not come, and write the next data file.

For every table at a path of its own. A list that was not found is looked for at the path that took its place.
"""

from dataclasses import replace
from datetime import datetime

from kandji_mirror.capabilities import Capability
from kandji_mirror.ingest.file_queries import first_keys
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.sync.completeness import PROVEN_BY_ANSWERS
from kandji_mirror.sync.context import PassContext
from kandji_mirror.sync.data_file import CurrentFile, read_current_file, refuse_keyless, write_replacement
from kandji_mirror.sync.deletion_check import check_list_deletions
from kandji_mirror.sync.extract_stats import ExtractStats, observed_drift
from kandji_mirror.sync.list_walk import walk_all, walk_parents
from kandji_mirror.sync.strategy import Method
from kandji_schema.errors import ApiError
from kandji_schema.manifest import State, TableState

GONE = (404, 410)
"""Answers that say that there is no such list, or none any more."""


def load_list(ctx: PassContext) -> TableState:
    """Read a list at its own path, or at the one that took its place: what answered last time is asked first.

    Raises any of our errors; then nothing changed.
    """
    paths = [ctx, *_at_newer_path(ctx)]
    if ctx.lacks(Capability.DECLARED_PATH):
        paths.reverse()
    try:
        return _load(paths[0])
    except ApiError as error:
        if error.status not in GONE or len(paths) == 1:
            raise
        return _load_elsewhere(paths[1], error)


def _at_newer_path(ctx: PassContext) -> list[PassContext]:
    newer = ctx.resource.successor
    return [replace(ctx, resource=replace(ctx.resource, path=newer.path, params=newer.params))] if newer else []


def _load_elsewhere(ctx: PassContext, gone: ApiError) -> TableState:
    """Read the list at the other path; raise ``gone`` where it is there no more than at the first."""
    try:
        state = _load(ctx)
    except ApiError as error:
        raise gone if error.status in GONE else error from gone
    newer = ctx.resource.successor
    if newer and ctx.resource.path == newer.path:
        ctx.note_lack(Capability.DECLARED_PATH, str(gone))
    else:
        ctx.state.capabilities.note_present(ctx.resource.name, Capability.DECLARED_PATH)
    return state


def _load(ctx: PassContext) -> TableState:
    """Read everything and write a data file if anything differs."""
    began = ctx.store.wall()
    with ctx.workspace() as (staging, target):
        current = read_current_file(ctx, staging)
        stats = _walk(ctx, staging, current)
        refuse_keyless(staging)
        staging.drop_duplicates()
        proof = PROVEN_BY_ANSWERS
        if current and ctx.resource.parent is None:
            proof = check_list_deletions(ctx, staging, current.path, ordered=stats.ordered)
        staging.drop_duplicates()
        state = replace(
            write_replacement(ctx, staging, current, target, proof),
            method=Method.FULL_WALK.value,
            requests=stats.pages + proof.requests,
            drift=observed_drift(ctx.resource, staging.leftovers(), stats.odd_rows, stats.never_sent),
            attempted_at=began,
            note=proof.note or stats.note,
        )
    return _judged(state, stats, len(ctx.parents), began)


def _walk(ctx: PassContext, staging: Staging, current: CurrentFile | None) -> ExtractStats:
    if ctx.resource.parent is None:
        return walk_all(ctx, staging)
    filled = first_keys(ctx.engine, current.path, ctx.resource) if current else set()
    stats = walk_parents(ctx, staging, filled)
    if stats.kept_parents and current:
        column = next(iter(ctx.resource.parent_key))
        staging.copy_rows(current.path, column, [key[0] for key in stats.kept_parents])
    return stats


def _judged(state: TableState, stats: ExtractStats, parents: int, began: datetime) -> TableState:
    """Return the state as far as every list could be read."""
    if not stats.kept_parents and stats.reason:
        return replace(state, state=State.FAILED, error=stats.reason, note=None)
    if not stats.kept_parents:
        return replace(state, state=State.OK, synced_at=began, whole_at=began, error=None)
    kept = f"{len(stats.kept_parents)} of {parents} lists could not be read and kept their previous rows"
    return replace(state, state=State.FAILED, error=f"{kept}: {stats.reason}")
