"""One pass over one table, by the method that the strategy chose for it.

An increment that will not do becomes a full load in the same pass. What went wrong though there are rows is told here.
"""

from dataclasses import replace

from kandji_mirror.sync.append_only import append_only_load
from kandji_mirror.sync.context import PassContext
from kandji_mirror.sync.extract_stats import has_more_odd_values
from kandji_mirror.sync.filtered_pages import NeedsFullLoad
from kandji_mirror.sync.full_load import load_list
from kandji_mirror.sync.incremental import incremental_load
from kandji_mirror.sync.prism_full_load import PrismFullLoad
from kandji_mirror.sync.strategy import Method, choose_method
from kandji_schema.errors import PermissionMissing, StoreDamaged
from kandji_schema.manifest import State, TableState
from kandji_schema.resource import Paging


def read_table(ctx: PassContext) -> TableState:
    """Read a table that is no sweep. Raises any of our errors; then nothing changed.

    :class:`PermissionMissing` of a Prism table with a fallback means: read it device by device.
    """
    chosen = choose_method(ctx.resource, ctx.previous, ctx.strategy_inputs())
    if chosen is Method.PER_DEVICE:
        raise PermissionMissing(f"{ctx.resource.name}: the token was not allowed to read Prism a short while ago.")
    if chosen is Method.NEWEST_FIRST:
        return append_only_load(ctx)
    if ctx.resource.paging is not Paging.PRISM:
        return load_list(ctx)
    return _with_problems(ctx, _due_if_more_is_odd(ctx, _read_prism(ctx, chosen)))


def _read_prism(ctx: PassContext, chosen: Method) -> TableState:
    if chosen is not Method.INCREMENT:
        return PrismFullLoad(ctx).load()
    try:
        return incremental_load(ctx)
    except NeedsFullLoad as reason:
        return PrismFullLoad(ctx, spent=reason.requests).load()
    except StoreDamaged:
        return PrismFullLoad(ctx).load()


def _with_problems(ctx: PassContext, state: TableState) -> TableState:
    """Mark a table as failed where something went wrong though it has rows: such a run must not end as if well."""
    return replace(state, state=State.FAILED, error=" ".join(ctx.problems)) if ctx.problems else state


def _due_if_more_is_odd(ctx: PassContext, state: TableState) -> TableState:
    """Make a full load due next where more values of a column could not be read than before.

    That may pass, and an increment would not bring their rows again. Where it stays, it is read as a whole only once;
    a few devices are asked for at each increment until it passes, see ``note_unread_devices``.
    """
    return replace(state, whole_at=None) if has_more_odd_values(state.drift, ctx.previous.drift) else state
