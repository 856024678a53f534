"""Some devices read anew in one table: their rows as the tenant has them now, in place of those that are mirrored.

Everything else the table's state tells stays: its other rows are as old as they were, and its next pass is as due.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from kandji_mirror.api.pages import Page, read_page
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.sync.context import Job
from kandji_mirror.sync.data_file import put
from kandji_mirror.sync.devices import Fleet, of_platforms
from kandji_mirror.sync.dispatch import one_pass
from kandji_mirror.sync.extract_stats import drift_of, joined
from kandji_mirror.sync.filtered_pages import NotEnough, pieces, read_devices
from kandji_mirror.sync.list_walk import still_there
from kandji_mirror.sync.published import filled_keys
from kandji_schema.errors import Suspicious
from kandji_schema.manifest import TableState
from kandji_schema.resource import Resource


@dataclass(frozen=True)
class Renewed:
    """The table's state with the devices' rows as they are now, and the requests that took."""

    state: TableState
    requests: int


def renew_listed(job: Job, devices: Sequence[str]) -> Renewed:
    """The device table with each of the devices that the tenant has, and without the others.

    One request a device; two where it is gone, as nothing is deleted on one observation.
    """
    pages = {device: still_there(job.client, job.resource, device) for device in devices}
    gone = [device for device, page in pages.items() if page is None]
    for device in gone:
        _refuse_if_listed(job, device)
    with job.room() as (staging, target):
        for device, page in pages.items():
            if page is not None:
                _refuse_another(device, page, job.resource)
                staging.add(page.text)
        staging.drop_duplicates()
        drift = joined(job.previous.drift, drift_of(job.resource, staging.leftovers()))
        job.told.update(devices)
        state = put(job, staging, target, whole=devices)
    return Renewed(replace(state, drift=drift), len(devices) + len(gone))


def _refuse_if_listed(job: Job, device: str) -> None:
    """The second observation of a device that answers 404: the list does not have it either."""
    params = {**job.resource.params, "limit": str(job.resource.page_size), job.resource.key[0]: device}
    page = job.client.read(job.resource.path, params.items(), lambda answer: read_page(answer, job.resource))
    if any(row.get(job.resource.key[0]) == device for row in page.rows):
        raise Suspicious(f"The device {device} answers 404, but it is listed. Its rows are kept.")


def _refuse_another(device: str, page: Page, resource: Resource) -> None:
    if [row.get(resource.key[0]) for row in page.rows] != [device]:
        raise Suspicious(f"The provider was asked for the device {device} and sent something else. Its rows are kept.")


def renew_category(job: Job, devices: Sequence[str], fleet: Fleet) -> Renewed:
    """A Prism table with the rows of the devices. The usual pass where the provider cannot be asked by device.

    Devices of platforms the category has nothing of are asked for only where rows of them are mirrored.
    """
    try:
        return _by_device(job, devices, of_platforms(fleet, job.resource.platforms).keys())
    except NotEnough as reason:
        state = one_pass(job)
        return Renewed(state, state.requests + reason.requests)


def _by_device(job: Job, devices: Sequence[str], expected: Collection[str]) -> Renewed:
    if job.live is None or not job.may_ask_devices():
        raise NotEnough("the provider cannot be asked by device", 0)
    filled = filled_keys(job.live, job.resource, devices)
    asked = [device for device in devices if device in filled or device in expected]
    with job.room() as (staging, target):
        requests = _staged(job, staging, asked)
        emptied = sorted((filled & set(expected)) - set(staging.first_keys()))
        requests += _staged(job, staging, emptied)  # that a device has no rows any more is believed at the second look
        staging.settle()
        drift = joined(job.previous.drift, drift_of(job.resource, staging.leftovers()))
        state = put(job, staging, target, whole=asked)
    return Renewed(replace(state, drift=drift, whole_at=_whole_at(job, state)), requests)


def _staged(job: Job, staging: Staging, devices: Sequence[str]) -> int:
    return sum(read_devices(job, staging, some).pages for some in pieces(devices))


def _whole_at(job: Job, state: TableState) -> datetime | None:
    """Without a watermark the next increment would begin at these rows, which are newer than others may be."""
    return state.whole_at if state.watermark or state.file == job.previous.file else None
