"""Keeping a Prism table up to date by the rows that were written since the last time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path

from kandji_mirror.ingest.merging import Merged
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.ingest.watermark import watermark
from kandji_mirror.state import Edits, Fact
from kandji_mirror.sync.base import Base
from kandji_mirror.sync.changes import (
    COLLECTED,
    OVERLAP,
    NotEnough,
    pieces,
    read_changes,
    read_collected,
    read_devices,
)
from kandji_mirror.sync.choice import MANY_ROWS, SHORT_PAGES, Method, devices_cost, most_pages, whole_cost
from kandji_mirror.sync.drift import drift_of, joined
from kandji_mirror.sync.fleet import repeated_in
from kandji_mirror.sync.full_walk import refuse_keyless
from kandji_mirror.sync.job import Job
from kandji_mirror.sync.putting import merged_state
from kandji_mirror.sync.settling import Settled, Settling
from kandji_mirror.sync.walks import Walked
from kandji_schema.manifest import Drift, State, TableState, data_dir

REST = timedelta(hours=2)
"""A table of very many rows is not read as a whole more often than this while nobody waits."""

LAGS = "Rows that were only collected again may show an older last_collected_at until the next whole read."
ROUGH = "The provider counts it only roughly, so rows that vanished may stay until the next whole read."


class Collected(Enum):
    """How much is staged of what was only collected again."""

    UNASKED = "nothing: nobody waits for it"
    LEFT = "not enough: it was too much, or cannot be asked for"
    NEWER = "what is new; rows that are known as they are were left"
    ALL = "everything of a span of time, so that a device without some of its rows lost them"

    @property
    def dates(self) -> bool:
        """Whether all rows have their newest date."""
        return self in {Collected.NEWER, Collected.ALL}


@dataclass(frozen=True)
class Caught:
    """Changes of a base, staged and compared with the count, not yet merged."""

    settled: Settled
    pages: int
    rows: int
    drift: Drift
    collected: Collected = Collected.UNASKED

    @property
    def requests(self) -> int:
        """Requests until now."""
        return self.pages + self.settled.requests


def increment(job: Job) -> TableState:
    """Read what changed, find what vanished, write a data file if anything differs.

    Raises :class:`NotEnough` where everything must be read anew, and any of our errors; then nothing changed.
    """
    began = job.store.wall()
    base = _live_base(job)
    with job.room() as (staging, target):
        caught = catch_up(job, base, staging, edited=_edited(job, base))
        if caught.settled.excess and _may_read_whole(job, base.rows):
            raise NotEnough(f"it has {_differing(caught.settled.excess)}", caught.requests)
        state = _written(job, base, merge(base, staging, caught, target), target)
    collected_at = _newest_collected(job, state) if caught.collected.dates else job.previous.collected_at
    return replace(
        state,
        state=State.OK,
        error=None,
        method=Method.INCREMENT.value,
        collected_at=collected_at,
        requests=caught.requests,
        drift=joined(job.previous.drift, caught.drift),
        attempted_at=began,
        synced_at=began,
        checked_at=began if caught.settled.excess == 0 else job.previous.checked_at,
        note=note_of(caught),
    )


def catch_up(job: Job, base: Base, staging: Staging, *, edited: Sequence[str] = ()) -> Caught:
    """Stage what changed since the base was read and what else it takes to fit the provider's count.

    Rows of ``edited`` devices are asked for by device: they repeat what people edit, and are not stamped anew by it.
    """
    since = _since(base, job.client.provider_now)
    most = most_pages(base.rows, job.resource.page_size, job.facts(), asked=job.order.asked)
    walked = read_changes(job, staging, since, most=most)
    for some in pieces(edited):
        walked.pages += read_devices(job, staging, some).pages
    collected = _read_collected(job, base, staging, walked)
    refuse_keyless(staging)
    staging.drop_duplicates()
    settled = Settling(job, base, staging, since, collected=collected is Collected.ALL).run()
    rows = staging.rows
    leftovers = staging.leftovers() if rows else {}
    return Caught(settled, walked.pages, rows, drift_of(job.resource, leftovers, walked.odd_rows), collected)


def _read_collected(job: Job, base: Base, staging: Staging, walked: Walked) -> Collected:
    """Stage what was only collected again, which the provider does not call written, where someone waits for it.

    It dates the rows, and it tells devices that lost one. Categories of one row a device are stamped anew each time.
    A fleet renews all rows every 15 minutes: where those are too many pages the table is read as a whole, or, where it
    is too large for that, their dates are left.
    """
    refused = job.learned.holds(job.resource.name, Fact.COLLECTED_IGNORED)
    if not job.order.asked or base.collected is None or job.resource.key == ("device_id",) or refused:
        return Collected.UNASKED
    since, large = _begin(base.collected, job.client.provider_now), base.rows > MANY_ROWS
    most = SHORT_PAGES if large else whole_cost(base.rows, job.resource.page_size, job.facts())
    try:
        walked.pages += read_collected(job, staging, since, most=most, told=1).pages
        return Collected.ALL
    except NotEnough as reason:
        walked.pages += reason.requests
        window = Window(since, base.collected, reason.rows, most)
    if job.learned.holds(job.resource.name, Fact.COLLECTED_IGNORED):
        return Collected.LEFT
    if window.rows is not None and _only_newer(job, base, staging, walked, window):
        return Collected.NEWER
    if window.rows is not None and window.rows <= most * job.resource.page_size:
        walked.pages += read_collected(job, staging, since, most=most).pages
        return Collected.ALL
    if large:
        return Collected.LEFT
    raise NotEnough("too much was collected again", walked.pages)


@dataclass(frozen=True)
class Window:
    """The ``rows`` reported at ``since`` or later, None where the provider does not tell.

    The newest known one is of ``newest``; at most ``most`` pages may be read.
    """

    since: datetime
    newest: datetime
    rows: int | None
    most: int


def _only_newer(job: Job, base: Base, staging: Staging, walked: Walked, window: Window) -> bool:
    """Stage the rows reported after the newest that is known, and see whether the window has no others.

    Most of it is the overlap with what the last pass read: where the numbers fit, all of that is known.
    """
    try:
        newer = read_collected(job, staging, window.newest + timedelta(microseconds=1), most=window.most)
    except NotEnough as reason:
        walked.pages += reason.requests
        return False
    walked.pages += newer.pages
    staging.drop_duplicates()
    return (window.rows or 0) <= staging.rows_since(base.path, COLLECTED.column, window.since)


def merge(base: Base, staging: Staging, caught: Caught, target: Path) -> Merged | None:
    """Put the staged rows on the base; None where there is nothing to put."""
    if not staging.rows and not caught.settled.whole:
        return None
    return staging.merge(base.path, target, whole=caught.settled.whole, built_bytes=base.built_bytes)


def note_of(caught: Caught) -> str | None:
    """What is not perfect though nothing failed."""
    settled = caught.settled
    if not settled.excess:
        rough = settled.approximate and caught.collected is not Collected.ALL
        return ROUGH if rough else LAGS if caught.collected is Collected.LEFT else None
    return f"It has {_differing(settled.excess)}; they are found at the next whole read."


def _differing(excess: int) -> str:
    return f"{abs(excess):,} rows {'more' if excess > 0 else 'fewer'} than the provider counts"


def _edited(job: Job, base: Base) -> list[str]:
    """Devices of which something this table repeats was edited since; :class:`NotEnough` where they are too many."""
    since = job.previous.synced_at
    edited = Edits(job.store.home).since(since, repeated_in(job.resource)) if since else []
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


def _since(base: Base, provider_now: datetime | None) -> datetime:
    """Where to begin: at the newest row, unless that is stamped later than now, and a little before."""
    if base.watermark is None:
        raise NotEnough("no row says when it was written", 0)
    return _begin(base.watermark, provider_now)


def _begin(newest: datetime, provider_now: datetime | None) -> datetime:
    return (min(newest, provider_now) if provider_now else newest) - OVERLAP


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


def _written(job: Job, base: Base, merged: Merged | None, target: Path) -> TableState:
    """The state with the merged file; the published one stays where nothing differs."""
    state = merged_state(job, merged, target) if merged else job.previous
    if state is job.previous:
        return replace(state, watermark=base.watermark)
    file = data_dir(job.store.home) / str(state.file)
    return replace(state, watermark=watermark(job.engine, file, job.resource, job.client.provider_now))
