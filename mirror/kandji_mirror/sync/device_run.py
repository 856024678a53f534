"""One run over some devices: their rows read anew in every table that has any, in place of those that are mirrored.

Everything else a table's state tells stays: its other rows are as old as they were, and its next pass is as due.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import groupby

from kandji_mirror.api.paging import Page, read_page
from kandji_mirror.ingest.file_queries import filled_keys
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.report import Outcome, error_of_table, forbidden_reason, state_of
from kandji_mirror.sync.context import PassContext, RunContext
from kandji_mirror.sync.data_file import write_merge
from kandji_mirror.sync.devices import DEVICES, Fleet, on_platforms, read_fleet
from kandji_mirror.sync.dispatch import read_table
from kandji_mirror.sync.extract_stats import merge_drift, observed_drift
from kandji_mirror.sync.filtered_pages import NeedsFullLoad, device_batches, stage_devices
from kandji_mirror.sync.list_walk import fetch_row
from kandji_mirror.sync.per_device import Sweep, SweepSlice
from kandji_mirror.sync.publish import note_device_edits, publish
from kandji_mirror.sync.strategy import Method
from kandji_mirror.sync.swept_table import open_swept_table, path_of
from kandji_mirror.threads import run_parallel
from kandji_schema.errors import (
    MirrorError,
    NothingMirrored,
    Suspicious,
)
from kandji_schema.manifest import State, TableState
from kandji_schema.registry import resources as all_resources
from kandji_schema.resource import Resource


@dataclass(frozen=True)
class Refreshed:
    """The table's state with the devices' rows as they are now, and the requests that took."""

    state: TableState
    requests: int


class DeviceRun:
    """The requested devices, in every requested table that is mirrored, published at one moment.

    The device table comes first: it tells which devices are gone and what platform the others are of. A table that
    cannot be asked keeps its rows and its state; the outcome tells why.
    """

    def __init__(self, run: RunContext) -> None:
        self.outcomes: list[Outcome] = []
        self.generation: int | None = None
        self._run = run
        self._states: dict[str, TableState] = {}
        self._slices: list[tuple[Sweep, SweepSlice]] = []
        self._fleet: Fleet = {}

    def execute(self) -> None:
        """Read and publish. Raises :class:`NothingMirrored` where there is no device table, and what concerns all."""
        run = self._run
        if run.store.data_file(DEVICES) is None:
            raise NothingMirrored("The device list is not mirrored yet. Run `kandji-mirror sync` first.")
        began = run.store.wall()
        self._read_devices()
        run_parallel(list(self._others()), run.client.stop)
        note_device_edits(run.store, run.state.edits, self._states[DEVICES], began)
        self.generation = publish(run.store, run.engine, self._states, keep_days=run.keep_days, at=began).generation
        for sweep, taken in self._slices:
            sweep.record(taken)

    @property
    def outage(self) -> str | None:
        """Why the provider as a whole could not be asked; None where it could."""
        return str(self._run.client.outage) if self._run.client.outage else None

    def _read_devices(self) -> None:
        """Read the device table; without it nothing is known of the rest, so its errors are raised."""
        clock, ctx = time.monotonic(), self._context(all_resources()[DEVICES])
        self._run.progress.started(DEVICES)
        refreshed = _refresh_device_list(ctx, self._run.request.devices)
        self._fleet = read_fleet(self._run.engine, self._run.file_of(refreshed.state))
        self._finish(ctx.resource, refreshed, clock)

    def _others(self) -> Iterator[Callable[[], None]]:
        chosen = [r for r in all_resources().values() if r.name in self._run.request.names and r.name != DEVICES]
        by_path = [r for r in chosen if r.swept or self._run.published(r).method == Method.PER_DEVICE]
        for _, group in groupby(sorted(by_path, key=path_of), key=path_of):
            tables = list(group)
            yield partial(self._guarded, tables, partial(self._per_device, tables))
        for resource in chosen:
            if resource not in by_path:
                yield partial(self._guarded, [resource], partial(self._category, resource))

    def _guarded(self, tables: Sequence[Resource], read: Callable[[float], None]) -> None:
        """Read tables, with every error that concerns them alone told as their outcome."""
        with self._run.turn:
            clock = time.monotonic()
            for resource in tables:
                self._run.progress.started(resource.name)
            try:
                read(clock)
            except Exception as error:  # whatever is in a table, the others go on
                if self._run.client.stopped:
                    raise
                for resource in tables:
                    self._trouble(resource, error_of_table(resource, error), clock)

    def _category(self, resource: Resource, clock: float) -> None:
        mirrored = self._run.published(resource).file is not None
        devices = self._run.request.devices
        refreshed = _refresh_category(self._context(resource), devices, self._fleet) if mirrored else None
        self._finish(resource, refreshed, clock)

    def _per_device(self, group: Sequence[Resource], clock: float) -> None:
        """Read tables of one path: one request a device fills all of them."""
        tables = [open_swept_table(self._context(resource), self._fleet) for resource in group]
        devices = [device for device in self._run.request.devices if any(device in table.fleet for table in tables)]
        begun = [table for table in tables if devices or table.ctx.current_file]
        for table in tables:
            if table not in begun:
                self._finish(table.resource, None, clock)
        if begun:
            self._take(Sweep(begun), devices, clock)

    def _take(self, sweep: Sweep, devices: Sequence[str], clock: float) -> None:
        taken = sweep.read_slice(devices, len(devices))
        for place, (name, state) in enumerate(taken.states.items()):
            before = self._run.store.current.tables[name]
            as_due = replace(state, attempted_at=before.attempted_at, requests=before.requests)
            self._finish(all_resources()[name], Refreshed(as_due, 0 if place else taken.requests), clock)
        self._slices.append((sweep, taken))

    def _context(self, resource: Resource) -> PassContext:
        return self._run.pass_over(resource, lambda: self._fleet)

    def _finish(self, resource: Resource, refreshed: Refreshed | None, clock: float) -> None:
        """Take a table in; None where it is not mirrored at all."""
        before = self._run.published(resource)
        if refreshed is None:
            self._run.finish(self.outcomes, _outcome(before, before.state, clock))
            return
        state = refreshed.state
        self._states[resource.name] = state
        outcome = _outcome(state, State.FAILED if state.error and state.error != before.error else State.OK, clock)
        outcome = replace(outcome, requests=refreshed.requests, changed=state.file != before.file)
        self._run.finish(self.outcomes, outcome)

    def _trouble(self, resource: Resource, error: MirrorError, clock: float) -> None:
        state = state_of(error)
        text = f"{forbidden_reason(resource)}: {error}" if state is State.FORBIDDEN else str(error)
        self._run.finish(
            self.outcomes,
            replace(_outcome(self._run.published(resource), state, clock), error=text, error_kind=error.word),
        )


def _outcome(table: TableState, state: State, clock: float) -> Outcome:
    """Return how the devices fared, which is not how the table did when it was last read."""
    seconds = round(time.monotonic() - clock, 3)
    return Outcome(
        table.name, state, table.rows, 0, seconds, changed=False, error=table.error, method=Method.BY_DEVICE.value
    )


def _refresh_device_list(ctx: PassContext, devices: Sequence[str]) -> Refreshed:
    """Return the device table with each of the devices that the tenant has, and without the others.

    One request a device; two where it is gone, as nothing is deleted on one observation.
    """
    pages = {device: fetch_row(ctx.client, ctx.resource, device) for device in devices}
    gone = [device for device, page in pages.items() if page is None]
    for device in gone:
        _refuse_if_listed(ctx, device)
    with ctx.workspace() as (staging, target):
        for device, page in pages.items():
            if page is not None:
                _refuse_another(device, page, ctx.resource)
                staging.add(page.text)
        staging.drop_duplicates()
        drift = merge_drift(ctx.previous.drift, observed_drift(ctx.resource, staging.leftovers()))
        ctx.complete_devices.update(devices)
        state = write_merge(ctx, staging, target, whole=devices)
    return Refreshed(replace(state, drift=drift), len(devices) + len(gone))


def _refuse_if_listed(ctx: PassContext, device: str) -> None:
    """Look a second time for a device that answers 404: the list must not have it either."""
    params = {**ctx.resource.params, "limit": str(ctx.resource.page_size), ctx.resource.key[0]: device}
    page = ctx.client.read(ctx.resource.path, params.items(), lambda answer: read_page(answer, ctx.resource))
    if any(row.get(ctx.resource.key[0]) == device for row in page.rows):
        raise Suspicious(f"The device {device} answers 404, but it is listed. Its rows are kept.")


def _refuse_another(device: str, page: Page, resource: Resource) -> None:
    if [row.get(resource.key[0]) for row in page.rows] != [device]:
        raise Suspicious(f"The provider was asked for the device {device} and sent something else. Its rows are kept.")


def _refresh_category(ctx: PassContext, devices: Sequence[str], fleet: Fleet) -> Refreshed:
    """Return a Prism table with the devices' rows read anew; by the usual pass where it cannot be asked by device.

    Devices of platforms the category has nothing of are asked for only where rows of them are mirrored.
    """
    try:
        return _by_device(ctx, devices, on_platforms(fleet, ctx.resource.platforms).keys())
    except NeedsFullLoad as reason:
        state = read_table(ctx)
        return Refreshed(state, state.requests + reason.requests)


def _by_device(ctx: PassContext, devices: Sequence[str], expected: Collection[str]) -> Refreshed:
    if ctx.current_file is None or not ctx.may_query_devices():
        raise NeedsFullLoad("the provider cannot be asked by device", 0)
    filled = filled_keys(ctx.engine, ctx.current_file, ctx.resource, devices)
    asked = [device for device in devices if device in filled or device in expected]
    with ctx.workspace() as (staging, target):
        requests = _stage(ctx, staging, asked)
        emptied = sorted((filled & set(expected)) - set(staging.first_keys()))
        requests += _stage(ctx, staging, emptied)  # that a device has no rows any more is believed at the second look
        staging.unify_keys()
        drift = merge_drift(ctx.previous.drift, observed_drift(ctx.resource, staging.leftovers()))
        state = write_merge(ctx, staging, target, whole=asked)
    return Refreshed(replace(state, drift=drift, whole_at=_whole_at(ctx, state)), requests)


def _stage(ctx: PassContext, staging: Staging, devices: Sequence[str]) -> int:
    return sum(stage_devices(ctx, staging, some).pages for some in device_batches(devices))


def _whole_at(ctx: PassContext, state: TableState) -> datetime | None:
    """Make a full load due without a watermark: an increment would begin at these rows, as if no other were older."""
    return state.whole_at if state.watermark or state.file == ctx.previous.file else None
