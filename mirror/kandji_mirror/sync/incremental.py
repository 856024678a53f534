"""A Prism table brought up to date by the rows that were written since the last time.

Read the changes, reconcile them with the provider's count, check what would be deleted, merge into the current file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from kandji_mirror.capabilities import Capability
from kandji_mirror.ingest.merge import Merged
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.sync.completeness import DeletionProof
from kandji_mirror.sync.context import PassContext
from kandji_mirror.sync.cursor_window import BaseFile, CursorWindow
from kandji_mirror.sync.data_file import merged_state, refuse_keyless
from kandji_mirror.sync.deletion_check import DeletionCheck
from kandji_mirror.sync.devices import repeated_columns
from kandji_mirror.sync.extract_stats import ExtractStats, merge_drift, observed_drift
from kandji_mirror.sync.filtered_pages import (
    COLLECTED_AT,
    UPDATED_AT,
    NeedsFullLoad,
    device_batches,
    note_unread_devices,
    stage_devices,
    unread_mark,
)
from kandji_mirror.sync.reconcile import Reconciled, Reconciliation
from kandji_mirror.sync.strategy import MANY_ROWS, SHORT_PAGES, Method, devices_cost, most_pages
from kandji_schema.manifest import Drift, State, TableState

REST = timedelta(hours=2)
"""A table of very many rows is not read as a whole more often than this while nobody waits."""

LAGS = "Rows that were only collected again may show an older last_collected_at until the next whole read."
UNCOUNTED = "The provider does not count it, so rows that vanished may stay until the next whole read."
ROUGH = "The provider counts it only roughly, so rows that vanished may stay until the next whole read."


@dataclass(frozen=True)
class Changes:
    """Changes of a base file, staged and compared with the count, not yet merged.

    Where it is ``dated`` all that was only collected again is staged too; it ``lags`` where someone waited for that,
    and it was too much or cannot be asked for.
    """

    reconciled: Reconciled
    requests: int
    drift: Drift
    dated: bool
    lags: bool

    @property
    def note(self) -> str | None:
        """What the table's state says of them; None where they fit the count in every way."""
        if self.reconciled.excess:
            return f"It has {difference_in_words(self.reconciled.excess)}; they are found at the next whole read."
        if self.reconciled.excess is None and not self.reconciled.approximate:
            return UNCOUNTED
        if self.reconciled.excess is None and not (self.dated and self.reconciled.asked):
            return ROUGH
        return LAGS if self.lags else None


def incremental_load(ctx: PassContext) -> TableState:
    """Read what changed, find what vanished, write a data file if anything differs.

    Raises :class:`NeedsFullLoad` where everything must be read anew, and any of our errors; then nothing changed.
    """
    began = ctx.store.wall()
    base = _current_base(ctx)
    with ctx.workspace() as (staging, target):
        changes = ChangeReader(ctx, base, staging).read(_edited(ctx, base))
        if changes.reconciled.excess and _may_load_all(ctx, base.rows):
            raise NeedsFullLoad(f"it has {difference_in_words(changes.reconciled.excess)}", changes.requests)
        note_unread_devices(ctx, staging.misread() if changes.drift.odd else (), began)
        proof = DeletionCheck(ctx, staging, base.path).check_devices(changes.reconciled.whole)
        state = _merged(ctx, base, merge(base, staging, changes, target), target, proof)
    collected_at = ctx.newest(ctx.file_of(state), COLLECTED_AT.column) if changes.dated else ctx.previous.collected_at
    return replace(
        state,
        state=State.OK,
        error=None,
        method=Method.INCREMENT.value,
        collected_at=collected_at,
        requests=changes.requests + proof.requests,
        drift=merge_drift(ctx.previous.drift, changes.drift),
        attempted_at=began,
        synced_at=began,
        whole_at=None if proof.unasked else state.whole_at,
        checked_at=began if changes.reconciled.excess == 0 and not proof.kept else ctx.previous.checked_at,
        note=proof.note or changes.note,
    )


def merge(base: BaseFile, staging: Staging, changes: Changes, target: Path) -> Merged | None:
    """Put the staged rows on the base; None where there is nothing to put."""
    if not staging.rows and not changes.reconciled.whole:
        return None
    return staging.merge(base.path, target, whole=changes.reconciled.whole, built_bytes=base.built_bytes)


def _edited(ctx: PassContext, base: BaseFile) -> list[str]:
    """Return the devices of which something this table repeats was edited since, or could not be read the last time.

    :class:`NeedsFullLoad` where they are too many.
    """
    since, marks = ctx.previous.synced_at, (*repeated_columns(ctx.resource), unread_mark(ctx.resource.name))
    edited = ctx.state.edits.since(since, marks) if since else []
    cost = devices_cost(len(edited), len(ctx.fleet() or ()), base.rows, ctx.resource.page_size)
    if edited and cost >= ctx.full_load_cost(base.rows):
        raise NeedsFullLoad(f"{len(edited):,} devices were edited", 0)
    return edited


def _current_base(ctx: PassContext) -> BaseFile:
    path, state = ctx.current_file, ctx.previous
    if path is None:
        raise NeedsFullLoad("there is no data file of these columns", 0)
    start = state.watermark or ctx.newest(path)
    return BaseFile(ctx.resource, path, state.rows, start, state.surplus, state.built_bytes, state.collected_at)


def _may_load_all(ctx: PassContext, rows: int) -> bool:
    """Return whether a difference is worth a full load now."""
    if ctx.request.asked:
        return True
    read_at = ctx.previous.whole_at
    rested = rows <= MANY_ROWS or read_at is None or ctx.store.wall() - read_at >= REST
    return rested and ctx.can_afford(ctx.full_load_cost(rows))


def _merged(ctx: PassContext, base: BaseFile, merged: Merged | None, target: Path, proof: DeletionProof) -> TableState:
    """Return the state with the merged file; the published one stays where nothing differs."""
    state = merged_state(ctx, merged, target, proof) if merged else ctx.previous
    if state is ctx.previous:
        return replace(state, watermark=base.watermark)
    return replace(state, watermark=ctx.newest(ctx.file_of(state)))


def difference_in_words(excess: int) -> str:
    """Return the difference from the provider's count, in words."""
    return f"{abs(excess):,} rows {'more' if excess > 0 else 'fewer'} than the provider counts"


class ChangeReader:
    """Reads the changes since ``base``: what is new first, then what vanished, then what came late."""

    def __init__(self, ctx: PassContext, base: BaseFile, staging: Staging) -> None:
        """:class:`NeedsFullLoad` where nothing says how far ``base`` goes."""
        if base.watermark is None:
            raise NeedsFullLoad("no row says when it was written", 0)
        most = most_pages(base.rows, ctx.resource.page_size, ctx.strategy_inputs(), asked=ctx.request.asked)
        self._ctx = ctx
        self._base = base
        self._staging = staging
        self._written = CursorWindow(ctx, base, staging, UPDATED_AT, base.watermark, most=most)
        self._reported = self._report_window()
        self._lags = False
        self._requests = 0
        self._odd_rows = 0

    def _report_window(self) -> CursorWindow | None:
        """Return the window of rows only collected again, where someone waits for exact dates; else None.

        It dates the rows, and it tells devices that lost one. Categories of one row a device are stamped anew each
        time.
        """
        ctx, newest = self._ctx, self._base.collected
        ignored = ctx.lacks(Capability.COLLECTED_AT_FILTER)
        if not ctx.request.asked or newest is None or ctx.resource.key == ("device_id",) or ignored:
            return None
        most = SHORT_PAGES if self._large else ctx.full_load_cost(self._base.rows)
        return CursorWindow(ctx, self._base, self._staging, COLLECTED_AT, newest, most=most)

    @property
    def _large(self) -> bool:
        """Whether a full load takes so long that the dates may rather lag."""
        return self._base.rows > MANY_ROWS

    def read(self, edited: Sequence[str] = ()) -> Changes:
        """Stage what changed, and what else it takes to fit the provider's count.

        Rows of ``edited`` devices are asked for by device: they repeat what people edit, and are not stamped anew by
        it. :class:`NeedsFullLoad` where it is much.
        """
        try:
            return self._read_all(edited)
        except NeedsFullLoad as reason:
            raise NeedsFullLoad(str(reason), self._requests + reason.requests) from reason

    def _read_all(self, edited: Sequence[str]) -> Changes:
        self._count_in(self._written.read())
        for some in device_batches(edited):
            self._count_in(stage_devices(self._ctx, self._staging, some))
        self._read_reports()
        refuse_keyless(self._staging)
        reconciled = self._reconcile()
        if not reconciled.excess and self._read_late_rows(reconciled):
            reconciled = self._reconcile()
        leftovers = self._staging.leftovers() if self._staging.rows else {}
        drift = observed_drift(self._ctx.resource, leftovers, self._odd_rows)
        return Changes(reconciled, self._requests, drift, dated=self._reported is not None, lags=self._lags)

    def _count_in(self, stats: ExtractStats) -> bool:
        """Count requests in; return whether they brought rows."""
        self._requests += stats.pages
        self._odd_rows += stats.odd_rows
        return stats.rows > 0

    def _read_reports(self) -> None:
        if self._reported:
            try:
                self._count_in(self._reported.read())
            except NeedsFullLoad as reason:
                self._leave_reports(reason)

    def _leave_reports(self, reason: NeedsFullLoad) -> None:
        """Go on without the reports; :class:`NeedsFullLoad` where to read the whole table is the way to have them."""
        self._requests += reason.requests
        ignored = self._ctx.lacks(Capability.COLLECTED_AT_FILTER)
        if not ignored and not self._large:
            raise NeedsFullLoad("too much was collected again", 0) from reason
        self._reported, self._lags = None, True

    def _reconcile(self) -> Reconciled:
        self._staging.drop_duplicates()
        reported = self._reported.start if self._reported else None
        reconciled = Reconciliation(
            self._ctx, self._base, self._staging, self._written.since, reported=reported
        ).reconcile()
        self._requests += reconciled.requests
        return reconciled

    def _read_late_rows(self, reconciled: Reconciled) -> bool:
        """Stage what came after rows stamped later had been read; return whether there may be any.

        Only once it is known what vanished, for else the numbers of those and of these could make up for each other.
        """
        found = self._count_in(self._written.read_others(reconciled.whole))
        if self._reported:
            try:
                found |= self._count_in(self._reported.read_others(reconciled.whole))
            except NeedsFullLoad as reason:
                self._leave_reports(reason)
        return found
