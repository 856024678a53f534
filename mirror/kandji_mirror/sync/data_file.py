"""Staged rows as a table's next data file: in place of the current one, or merged into it.

Where nothing differs the current file stays. Every finished file passes the gate of ``completeness`` on its way.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from kandji_mirror.ingest.merge import Merged
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.store.masked_files import state_for_mode
from kandji_mirror.sync.completeness import DeletionProof, refuse_unproven
from kandji_mirror.sync.context import PassContext, TableContext
from kandji_mirror.sync.deletion_check import DeletionCheck
from kandji_schema import ddl
from kandji_schema.errors import Suspicious
from kandji_schema.manifest import TableState


@dataclass(frozen=True)
class CurrentFile:
    """A published data file that was read to its end: ``digest`` is of what is in it now."""

    path: Path
    digest: str


def read_current_file(ctx: TableContext, staging: Staging) -> CurrentFile | None:
    """Return the published data file, if it can still be read to its last block."""
    path = ctx.current_file
    digest = staging.digest_of_file(path) if path else None
    if path and digest is None:
        ctx.store.warnings.append(f"{path} is damaged; {ctx.resource.name} is written anew.")
    return CurrentFile(path, digest) if path and digest else None


def refuse_keyless(staging: Staging) -> None:
    """Raise :class:`Suspicious` where not one row has a key: these are no rows of the table."""
    rows = staging.rows
    if rows and staging.rows_without_key() == rows:
        name, key = staging.resource.name, staging.resource.key[0]
        raise Suspicious(f"None of the {rows} rows of {name} has a {key}. The previous rows are kept.")


def write_replacement(
    ctx: TableContext, staging: Staging, current: CurrentFile | None, target: Path, proof: DeletionProof
) -> TableState:
    """Write the staged rows as the whole table; the current file stays where it holds exactly these."""
    digest, definition = staging.digest() if current else None, ddl.statements(ctx.resource)
    if current and current.digest == digest and ctx.previous.ddl == definition:
        return replace(ctx.previous, digest=digest)
    rows = staging.write(target)
    state = admit_file(ctx, target, proof)
    return replace(state, rows=rows, digest=digest, built_bytes=state.bytes)


def write_merge(ctx: PassContext, staging: Staging, target: Path, *, whole: Collection[str] = ()) -> TableState:
    """Write the staged rows over those of the same keys; of the first keys in ``whole`` the other rows go.

    The current file stays where nothing differs by that. Without one the staged rows are the table.
    """
    if ctx.current_file is None:
        rows = staging.write(target)
        state = admit_file(ctx, target, DeletionProof())
        return replace(state, rows=rows, digest=None, built_bytes=state.bytes)
    if not whole and not staging.rows:
        return ctx.previous
    proof = DeletionCheck(ctx, staging, ctx.current_file).check_devices(whole)
    merged = staging.merge(ctx.current_file, target, whole=whole, built_bytes=ctx.previous.built_bytes)
    state = merged_state(ctx, merged, target, proof)
    return replace(state, whole_at=None) if proof.unasked else state


def merged_state(ctx: PassContext, merged: Merged, target: Path, proof: DeletionProof) -> TableState:
    """Return the state with what a merge wrote, if it wrote anything."""
    if not merged.added + merged.changed + merged.removed:
        return ctx.previous
    state = admit_file(ctx, target, proof, merged.touched)
    if merged.rebuilt:
        return replace(state, rows=merged.rows, digest=None, built_bytes=state.bytes)
    return replace(state, rows=merged.rows, digest=None, ddl=ctx.previous.ddl)


def admit_file(
    ctx: TableContext, target: Path, proof: DeletionProof, touched: Collection[str] | None = None
) -> TableState:
    """Take a finished file into the store, with a masked copy where one is wanted; return the state that names it.

    ``touched`` are the first keys whose rows differ from the current file's; None where they may be any.
    :class:`Suspicious` for a file that lacks rows of which ``proof`` does not say that they may go.
    """
    if ctx.current_file:
        refuse_unproven(ctx.engine, ctx.resource, ctx.current_file, target, proof, touched)
    size = target.stat().st_size
    file = ctx.store.admit(ctx.resource.name, target)
    state = replace(ctx.previous, ddl=ddl.statements(ctx.resource), file=file, bytes=size)
    return state_for_mode(ctx.store, ctx.engine, ctx.resource, state, touched=touched)
