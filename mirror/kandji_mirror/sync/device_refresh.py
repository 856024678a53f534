"""Some devices read anew in one table: their rows as the tenant has them now, in place of those that are mirrored.

Everything else the table's state tells stays: its other rows are as old as they were, and its next pass is as due.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from kandji_mirror.api.pages import Page, read_page
from kandji_mirror.ingest.file_queries import filled_keys
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.sync.context import PassContext
from kandji_mirror.sync.data_file import write_merge
from kandji_mirror.sync.devices import Fleet, on_platforms
from kandji_mirror.sync.dispatch import read_table
from kandji_mirror.sync.extract_stats import merge_drift, observed_drift
from kandji_mirror.sync.filtered_pages import NeedsFullLoad, device_batches, stage_devices
from kandji_mirror.sync.list_walk import fetch_row
from kandji_schema.errors import Suspicious
from kandji_schema.manifest import TableState
from kandji_schema.resource import Resource


@dataclass(frozen=True)
class Refreshed:
    """The table's state with the devices' rows as they are now, and the requests that took."""

    state: TableState
    requests: int


def refresh_device_list(ctx: PassContext, devices: Sequence[str]) -> Refreshed:
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
    """Return the second observation of a device that answers 404: the list does not have it either."""
    params = {**ctx.resource.params, "limit": str(ctx.resource.page_size), ctx.resource.key[0]: device}
    page = ctx.client.read(ctx.resource.path, params.items(), lambda answer: read_page(answer, ctx.resource))
    if any(row.get(ctx.resource.key[0]) == device for row in page.rows):
        raise Suspicious(f"The device {device} answers 404, but it is listed. Its rows are kept.")


def _refuse_another(device: str, page: Page, resource: Resource) -> None:
    if [row.get(resource.key[0]) for row in page.rows] != [device]:
        raise Suspicious(f"The provider was asked for the device {device} and sent something else. Its rows are kept.")


def refresh_category(ctx: PassContext, devices: Sequence[str], fleet: Fleet) -> Refreshed:
    """Return a Prism table with the rows of the devices. The usual pass where the provider cannot be asked by device.

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
    filled = filled_keys(ctx.current_file, ctx.resource, devices)
    asked = [device for device in devices if device in filled or device in expected]
    with ctx.workspace() as (staging, target):
        requests = _stage(ctx, staging, asked)
        emptied = sorted((filled & set(expected)) - set(staging.first_keys()))
        requests += _stage(ctx, staging, emptied)  # that a device has no rows any more is believed at the second look
        staging.settle()
        drift = merge_drift(ctx.previous.drift, observed_drift(ctx.resource, staging.leftovers()))
        state = write_merge(ctx, staging, target, whole=asked)
    return Refreshed(replace(state, drift=drift, whole_at=_whole_at(ctx, state)), requests)


def _stage(ctx: PassContext, staging: Staging, devices: Sequence[str]) -> int:
    return sum(stage_devices(ctx, staging, some).pages for some in device_batches(devices))


def _whole_at(ctx: PassContext, state: TableState) -> datetime | None:
    """Make a full load due without a watermark: an increment would begin at these rows, as if no other were older."""
    return state.whole_at if state.watermark or state.file == ctx.previous.file else None
