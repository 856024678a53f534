"""Keeping a Prism table up to date by the rows that were written since the last time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from kandji_mirror.capabilities import Capability
from kandji_mirror.ingest.merging import Merged
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.ingest.watermark import watermark
from kandji_mirror.sync.completeness import Cleared
from kandji_mirror.sync.context import Job
from kandji_mirror.sync.cursor_window import Base, Window
from kandji_mirror.sync.data_file import merged_state, refuse_keyless
from kandji_mirror.sync.deletion_check import DeletionCheck
from kandji_mirror.sync.devices import repeated_in
from kandji_mirror.sync.extract_stats import Walked, drift_of, joined
from kandji_mirror.sync.filtered_pages import COLLECTED, WRITTEN, NotEnough, mark_of, note_doubts, pieces, read_devices
from kandji_mirror.sync.reconcile import Settled, Settling
from kandji_mirror.sync.strategy import MANY_ROWS, SHORT_PAGES, Method, devices_cost, most_pages, whole_cost
from kandji_schema.manifest import Drift, State, TableState, data_dir

LAGS = "Rows that were only collected again may show an older last_collected_at until the next whole read."
UNCOUNTED = "The provider does not count it, so rows that vanished may stay until the next whole read."
ROUGH = "The provider counts it only roughly, so rows that vanished may stay until the next whole read."


@dataclass(frozen=True)
class Caught:
    """Changes of a base, staged and compared with the count, not yet merged.

    Where it is ``dated`` all that was only collected again is staged too; it ``lags`` where someone waited for that,
    and it was too much or cannot be asked for.
    """

    settled: Settled
    requests: int
    rows: int
    drift: Drift
    dated: bool
    lags: bool

    @property
    def note(self) -> str | None:
        """What is not perfect though nothing failed."""
        if self.settled.excess:
            return f"It has {differing(self.settled.excess)}; they are found at the next whole read."
        if self.settled.excess is None and not self.settled.approximate:
            return UNCOUNTED
        if self.settled.excess is None and not (self.dated and self.settled.asked):
            return ROUGH
        return LAGS if self.lags else None


def differing(excess: int) -> str:
    """The difference from the provider's count, in words."""
    return f"{abs(excess):,} rows {'more' if excess > 0 else 'fewer'} than the provider counts"


class CatchingUp:
    """One catching up of ``base``: what is new first, then what vanished, then what came late."""

    def __init__(self, job: Job, base: Base, staging: Staging) -> None:
        """:class:`NotEnough` where nothing says how far ``base`` goes."""
        if base.watermark is None:
            raise NotEnough("no row says when it was written", 0)
        most = most_pages(base.rows, job.resource.page_size, job.facts(), asked=job.order.asked)
        self._job = job
        self._base = base
        self._staging = staging
        self._written = Window(job, base, staging, WRITTEN, base.watermark, most=most)
        self._reported = self._window_of_reports()
        self._lags = False
        self._requests = 0
        self._odd_rows = 0

    def _window_of_reports(self) -> Window | None:
        """What was only collected again, which the provider does not call written, where someone waits for it.

        It dates the rows, and it tells devices that lost one. Categories of one row a device are stamped anew each
        time.
        """
        job, newest = self._job, self._base.collected
        ignored = job.lacks(Capability.COLLECTED_AT_FILTER)
        if not job.order.asked or newest is None or job.resource.key == ("device_id",) or ignored:
            return None
        whole = whole_cost(self._base.rows, job.resource.page_size, job.facts())
        return Window(job, self._base, self._staging, COLLECTED, newest, most=SHORT_PAGES if self._large else whole)

    @property
    def _large(self) -> bool:
        """Whether to read the table as a whole takes so long that its dates may rather lag."""
        return self._base.rows > MANY_ROWS

    def run(self, edited: Sequence[str] = ()) -> Caught:
        """Stage what changed, and what else it takes to fit the provider's count; :class:`NotEnough` where it is much.

        Rows of ``edited`` devices are asked for by device: they repeat what people edit, and are not stamped anew by
        it.
        """
        try:
            return self._run(edited)
        except NotEnough as reason:
            raise NotEnough(str(reason), self._requests + reason.requests) from reason

    def _run(self, edited: Sequence[str]) -> Caught:
        self._take(self._written.read())
        for some in pieces(edited):
            self._take(read_devices(self._job, self._staging, some))
        self._read_reports()
        refuse_keyless(self._staging)
        settled = self._settled()
        if not settled.excess and self._late_ones(settled):
            settled = self._settled()
        rows = self._staging.rows
        leftovers = self._staging.leftovers() if rows else {}
        drift = drift_of(self._job.resource, leftovers, self._odd_rows)
        return Caught(settled, self._requests, rows, drift, dated=self._reported is not None, lags=self._lags)

    def _take(self, walked: Walked) -> bool:
        """Count requests in; whether they brought rows."""
        self._requests += walked.pages
        self._odd_rows += walked.odd_rows
        return walked.rows > 0

    def _read_reports(self) -> None:
        if self._reported:
            try:
                self._take(self._reported.read())
            except NotEnough as reason:
                self._leave_reports(reason)

    def _leave_reports(self, reason: NotEnough) -> None:
        """Go on without the reports; :class:`NotEnough` where to read the whole table is the way to have them."""
        self._requests += reason.requests
        ignored = self._job.lacks(Capability.COLLECTED_AT_FILTER)
        if not ignored and not self._large:
            raise NotEnough("too much was collected again", 0) from reason
        self._reported, self._lags = None, True

    def _settled(self) -> Settled:
        self._staging.drop_duplicates()
        reported = self._reported.start if self._reported else None
        settled = Settling(self._job, self._base, self._staging, self._written.since, reported=reported).run()
        self._requests += settled.requests
        return settled

    def _late_ones(self, settled: Settled) -> bool:
        """Stage what came after rows stamped later had been read; whether there may be any.

        Only once it is known what vanished, for else the numbers of those and of these could make up for each other.
        """
        found = self._take(self._written.read_others(settled.whole))
        if self._reported:
            try:
                found |= self._take(self._reported.read_others(settled.whole))
            except NotEnough as reason:
                self._leave_reports(reason)
        return found


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
