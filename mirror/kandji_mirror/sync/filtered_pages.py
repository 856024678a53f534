"""The rows of a Prism category that were written since a moment, and those of some devices: by its filter."""

import json
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from kandji_mirror.api.pages import Page
from kandji_mirror.api.paging import walk
from kandji_mirror.capabilities import Capability
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.sync.context import Job
from kandji_mirror.sync.extract_stats import Walked
from kandji_mirror.sync.strategy import DEVICES_A_REQUEST
from kandji_schema.errors import Rejected, StoreError

OVERLAP = timedelta(minutes=10)
"""Rows may appear a little later than they are stamped; the ones that come twice cost next to nothing."""


@dataclass(frozen=True)
class Stamp:
    """A moment that every row tells, and the capability it takes to filter by it."""

    column: str
    filter: Capability


WRITTEN = Stamp("updated_at", Capability.UPDATED_AT_FILTER)
COLLECTED = Stamp("last_collected_at", Capability.COLLECTED_AT_FILTER)


class NotEnough(Exception):
    """Increments will not do this time; the text says why. ``requests`` were spent until that was clear."""

    def __init__(self, reason: str, requests: int = 1) -> None:
        super().__init__(reason)
        self.requests = requests


def pieces(devices: Sequence[str]) -> Iterator[Sequence[str]]:
    """Devices in portions of one request."""
    for start in range(0, len(devices), DEVICES_A_REQUEST):
        yield devices[start : start + DEVICES_A_REQUEST]


def spelled(moment: datetime) -> str:
    """A moment as Prism writes it: 2024-11-18T23:04:43.852118+00:00."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def pages_since(job: Job, stamp: Stamp, since: datetime) -> Iterator[Page]:
    """The rows stamped at ``since`` or later, one page at least.

    :class:`NotEnough` where the provider does not honour the filter, which is remembered.
    """
    for page in _filtered(job, {stamp.column: {"gte": spelled(since)}}, stamp.filter):
        if any(_older(row, stamp.column, since) for row in page.rows):
            raise _not_honoured(job, stamp.filter, "it sent older rows")
        yield page


def stage(job: Job, staging: Staging, pages: Iterable[Page], *, most: int) -> Walked:
    """Stage the rows of pages; :class:`NotEnough` where they are more than ``most``, or a page tells that they will."""
    walked, room = Walked(), most * job.resource.page_size
    for page in pages:
        walked.take(page)
        if walked.pages > most or (page.onward and (page.total or 0) > room):
            raise NotEnough(f"too many pages of {job.resource.name} have changed", walked.pages)
        staging.add(page.text)
        job.progress.advanced(job.resource.name, pages=walked.pages, rows=walked.rows, total=page.total)
    staging.flush()
    return walked


def read_devices(job: Job, staging: Staging, devices: Sequence[str]) -> Walked:
    """Stage all rows of some devices, at most :data:`DEVICES_A_REQUEST`; :class:`NotEnough` as above."""
    walked = Walked()
    for page in device_pages(job, devices):
        walked.take(page)
        staging.add(page.text)
    staging.flush()
    if walked.pages == 1:  # between several pages rows may have shifted
        job.told.update(devices)
    return walked


def device_pages(job: Job, devices: Sequence[str]) -> Iterator[Page]:
    """The pages of all rows of some devices, at most :data:`DEVICES_A_REQUEST`; :class:`NotEnough` as above."""
    asked = frozenset(devices)
    for page in _filtered(job, {"device_id": {"in": list(devices)}}, Capability.DEVICE_FILTER):
        if any(row.get("device_id") not in asked for row in page.rows):
            raise _not_honoured(job, Capability.DEVICE_FILTER, "it sent rows of other devices")
        yield page


def _filtered(job: Job, wanted: Mapping[str, Mapping[str, Any]], capability: Capability) -> Iterator[Page]:
    params = {"filter": json.dumps(wanted, separators=(",", ":"))}
    try:
        yield from walk(job.client, job.resource, params=params)
    except Rejected as error:
        raise _not_honoured(job, capability, str(error)) from error


def _not_honoured(job: Job, capability: Capability, seen: str) -> NotEnough:
    job.note_lack(capability, seen)
    return NotEnough(f"the provider does not honour the filter: {seen}")


def _older(row: Mapping[str, Any], column: str, since: datetime) -> bool:
    """Whether the row is stamped before ``since``; one without a readable stamp is not."""
    try:
        stamp = datetime.fromisoformat(row.get(column) or "")
    except (TypeError, ValueError):
        return False
    return (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)) < since


ROOM = 0.7
"""How full a page may get by what is expected: devices have more rows and fewer."""


@dataclass(frozen=True)
class Answer:
    """All rows of some devices, as pages; some rows may come twice."""

    devices: Sequence[str]
    pages: Sequence[Page]


class DeviceQuestions:
    """Questions to one table about devices that have about so many rows each."""

    def __init__(self, job: Job, rows_a_device: float) -> None:
        self._job = job
        self._rows = max(rows_a_device, 1 / DEVICES_A_REQUEST)
        self._page = job.resource.page_size
        self.requests = 0

    @property
    def at_once(self) -> int:
        """Devices of one question."""
        return max(1, min(DEVICES_A_REQUEST, int(ROOM * self._page / self._rows)))

    def cost(self, devices: int) -> int:
        """Requests it takes, about, to ask for so many devices."""
        return -(-devices // self.at_once)

    def ask(self, devices: Sequence[str]) -> Iterator[Answer]:
        """The answers for all of them. :class:`NotEnough` where the provider does not honour such a question."""
        left = deque(devices)
        while left:
            some = [left.popleft() for _ in range(min(self.at_once, len(left)))]
            pages = self._read(some)
            if len(pages) == 1:
                yield Answer(some, pages)
            elif len(some) == 1:
                yield Answer(some, [*pages, *self._read(some)])
            else:
                self._learn(pages, len(some))
                left.extendleft(reversed(some))

    def _read(self, devices: Sequence[str]) -> list[Page]:
        pages = list(device_pages(self._job, devices))
        self.requests += len(pages)
        return pages

    def _learn(self, pages: Sequence[Page], devices: int) -> None:
        """Pages may be shorter than was asked for, and devices have more rows than was thought."""
        fit = self.at_once
        self._page = min(self._page, max(1, pages[0].members))
        self._rows = max(self._rows, sum(page.members for page in pages) / devices)
        while self.at_once >= fit and fit > 1:
            self._rows *= 2


def mark_of(table: str) -> str:
    """Stands for a column in the record of edits; no column is called so."""
    return f"(unread) {table}"


def note_doubts(job: Job, devices: Collection[str], at: datetime) -> None:
    """Remember devices with something that could not be read, as long as one request can ask for all of them.

    Of more it is not likely to pass; the table is read as a whole once, see ``passes``.
    """
    if 0 < len(devices) <= DEVICES_A_REQUEST and job.may_ask_devices():
        with suppress(StoreError):  # then the next whole read brings them
            job.state.edits.note([(device, mark_of(job.resource.name)) for device in devices], at)
