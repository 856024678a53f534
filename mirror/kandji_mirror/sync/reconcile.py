"""The rows of an increment reconciled with the provider's count: where they differ, what vanished or was missed.

Staged changes are mended by direct queries for as long as that is cheaper than to load everything.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kandji_mirror.api.prism import Count
from kandji_mirror.ingest.file_queries import first_keys
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.sync.context import PassContext
from kandji_mirror.sync.cursor_window import BaseFile
from kandji_mirror.sync.filtered_pages import (
    COLLECTED_AT,
    UPDATED_AT,
    NeedsFullLoad,
    device_batches,
    pages_since,
    stage_devices,
    stage_pages,
)
from kandji_mirror.sync.strategy import devices_cost

WIDER = timedelta(hours=3)
"""How far an increment goes back where rows are missing: they may be stamped by a clock that is two hours slow."""

WIDER_PAGES = 20

FAR_OFF = 0.1
"""Share of an approximate count by which the rows may differ from it."""


@dataclass(frozen=True)
class Reconciled:
    """How the rows there would be compare with the provider's count.

    ``excess`` is how many rows more than the provider there would be, 0 where it fits, None where nobody can tell.
    Every mirrored row of the devices in ``whole`` is replaced by the staged ones. An ``approximate`` count shows only
    what is far off. Without an exact one ``asked`` tells whether all devices that may have lost rows could be asked.
    """

    excess: int | None
    whole: frozenset[str] = frozenset()
    requests: int = 1
    approximate: bool = False
    asked: bool = True


class Reconciliation:
    """Brings the staged changes of ``base`` in line with the provider's count."""

    def __init__(
        self, ctx: PassContext, base: BaseFile, staging: Staging, since: datetime, *, reported: datetime | None = None
    ) -> None:
        """``since`` is where the increment began; all that devices ``reported`` then or later is staged."""
        self._ctx = ctx
        self._base = base
        self._staging = staging
        self._since = since
        self._reported = reported
        self._requests = 0
        self._counted: Count | None = None
        self._whole: frozenset[str] = frozenset()

    def reconcile(self) -> Reconciled:
        """Compare, and ask for what may have been missed or may have vanished, as long as that is the cheapest way."""
        self._count()
        if self._counted is None or self._counted.approximate:
            asked = self._query_uncounted()
            approximate = self._counted is not None
            return Reconciled(self._far_off(), self._whole, self._requests, approximate=approximate, asked=asked)
        excess = self._excess()
        if excess is not None and excess < 0:
            excess = self._find_missed()
        if excess is not None and excess > 0:
            excess = self._find_vanished()
        return Reconciled(excess, self._whole, self._requests)

    def _count(self) -> None:
        self._requests += 1
        self._counted = self._ctx.count()

    def _excess(self, whole: Collection[str] | None = None) -> int | None:
        if self._counted is None or self._counted.approximate:
            return None
        return self._rows(self._whole if whole is None else whole) + self._base.surplus - self._counted.rows

    def _rows(self, whole: Collection[str]) -> int:
        """Return how many rows there would be; the data file is not touched where nothing came."""
        if not whole and not self._staging.rows:
            return self._base.rows
        return self._staging.rows_after(self._base.path, whole)

    def _query_uncounted(self) -> bool:
        """Query, for want of an exact count, devices that are gone and those that reported without all their rows.

        Returns whether there was an answer for all of them.
        """
        lost = self._incomplete() if self._reported else []
        suspects = [*self._gone(), *lost]
        for some in device_batches(suspects) if self._ctx.may_query_devices() else ():
            try:
                self._requests += stage_devices(self._ctx, self._staging, some).pages
            except NeedsFullLoad:
                break
            self._staging.drop_duplicates()
            self._whole |= frozenset(some)
        return self._whole.issuperset(suspects)

    def _far_off(self) -> int | None:
        """Return the difference from an approximate count where it is too large for that."""
        if self._counted is None:
            return None
        excess = self._rows(self._whole) - self._counted.rows
        return excess if abs(excess) > FAR_OFF * self._counted.rows else None

    def _find_missed(self) -> int | None:
        """Read further back, as there are more rows: they came meanwhile, or are stamped before they were written."""
        try:
            pages = pages_since(self._ctx, UPDATED_AT, self._since - WIDER)
            self._requests += stage_pages(self._ctx, self._staging, pages, most=WIDER_PAGES).pages
        except NeedsFullLoad:
            return self._excess()
        self._staging.drop_duplicates()
        self._count()
        return self._excess()

    def _find_vanished(self) -> int | None:
        """Query devices, since the provider has fewer rows: of those that are gone, or that reported something new."""
        gone = self._gone()
        if gone and self._excess(gone) == 0:
            self._whole = frozenset(gone)
            return 0
        lost = self._incomplete()
        first = [*gone, *lost] if self._reported else []
        if first and self._query(first) == 0:
            return 0
        changed = [device for device in self._staging.first_keys() if device not in {*gone, *lost}]
        return self._query([*([] if first else [*gone, *lost]), *changed])

    def _incomplete(self) -> list[str]:
        """Return devices that reported some of their mirrored rows anew and not the others: those may have vanished."""
        return self._staging.incomplete(self._base.path, COLLECTED_AT.column, self._reported)

    def _gone(self) -> list[str]:
        """Return devices with rows here that the tenant no longer lists."""
        fleet = self._ctx.fleet()
        return sorted(self._here() - fleet.keys()) if fleet is not None else []

    def _here(self) -> set[str]:
        kept = first_keys(self._ctx.engine, self._base.path, self._base.resource)
        return kept | set(self._staging.first_keys())

    def _query(self, candidates: Sequence[str]) -> int | None:
        """Ask for all rows of the candidates, piece by piece, until the number fits."""
        excess = self._excess()
        if not self._worthwhile(len(candidates)):
            return excess
        for some in device_batches(candidates):
            try:
                self._requests += stage_devices(self._ctx, self._staging, some).pages
            except NeedsFullLoad:
                return excess
            self._staging.drop_duplicates()
            self._whole |= frozenset(some)
            excess = self._excess()
            if excess == 0:
                return 0
        return self._unless_too_few()

    def _unless_too_few(self) -> int | None:
        """Return what is left; answers that leave fewer rows than are counted do not prove that rows vanished."""
        excess = self._excess()
        if excess is not None and excess < 0:
            self._whole = frozenset()
            excess = self._excess()
        return excess

    def _worthwhile(self, candidates: int) -> bool:
        """Return whether asking for so many devices is cheaper than reading everything."""
        ctx, rows = self._ctx, self._base.rows
        if not candidates or not ctx.may_query_devices():
            return False
        pages = devices_cost(candidates, len(self._here()), rows, ctx.resource.page_size)
        return pages < ctx.full_load_cost(rows) and ctx.can_afford(pages)
