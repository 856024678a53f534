"""Rows of a Prism category by its filter: those stamped since a moment, and all those of some devices.

Asking for some devices is a direct query: an answer of one page is one picture of them. One of several pages is none,
as rows shift between them while the tenant changes: then fewer devices are asked for at once. A device that has more
rows than a page is read twice, and what either reading brought counts.
"""

import json
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from kandji_mirror.api.paging import Page, walk
from kandji_mirror.capabilities import Capability
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.sync.context import PassContext
from kandji_mirror.sync.extract_stats import ExtractStats
from kandji_mirror.sync.strategy import DEVICES_A_REQUEST
from kandji_schema.errors import Rejected, StoreError

OVERLAP = timedelta(minutes=10)
"""Rows may appear a little later than they are stamped; the ones that come twice cost next to nothing."""


@dataclass(frozen=True)
class Cursor:
    """A column of moments that every row has, and the capability it takes to filter by it."""

    column: str
    filter: Capability


UPDATED_AT = Cursor("updated_at", Capability.UPDATED_AT_FILTER)
COLLECTED_AT = Cursor("last_collected_at", Capability.COLLECTED_AT_FILTER)


class NeedsFullLoad(Exception):
    """Filtered pages will not do this time; the text says why. ``requests`` were spent until that was clear."""

    def __init__(self, reason: str, requests: int = 1) -> None:
        super().__init__(reason)
        self.requests = requests


def device_batches(devices: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield devices in batches of one request."""
    for start in range(0, len(devices), DEVICES_A_REQUEST):
        yield devices[start : start + DEVICES_A_REQUEST]


def format_moment(moment: datetime) -> str:
    """Return a moment as Prism writes it: 2024-11-18T23:04:43.852118+00:00."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def pages_since(ctx: PassContext, cursor: Cursor, since: datetime) -> Iterator[Page]:
    """Yield the pages of the rows stamped at ``since`` or later, one page at least.

    :class:`NeedsFullLoad` where the provider does not honour the filter, which is remembered.
    """
    for page in _filtered(ctx, {cursor.column: {"gte": format_moment(since)}}, cursor.filter):
        if any((stamp := parse_moment(row.get(cursor.column))) and stamp < since for row in page.rows):
            raise _not_honoured(ctx, cursor.filter, "it sent older rows")
        yield page


def stage_pages(ctx: PassContext, staging: Staging, pages: Iterable[Page], *, most: int) -> ExtractStats:
    """Stage pages; :class:`NeedsFullLoad` where they are more than ``most``, or a page tells that they will be."""
    stats, room = ExtractStats(), most * ctx.resource.page_size
    for page in pages:
        stats.add_page(page)
        if stats.pages > most or (page.onward and (page.total or 0) > room):
            raise NeedsFullLoad(f"too many pages of {ctx.resource.name} have changed", stats.pages)
        staging.add(page.text)
        ctx.progress.advanced(ctx.resource.name, pages=stats.pages, rows=stats.rows, total=page.total)
    staging.flush()
    return stats


def stage_devices(ctx: PassContext, staging: Staging, devices: Sequence[str]) -> ExtractStats:
    """Stage all rows of some devices, at most :data:`DEVICES_A_REQUEST`; :class:`NeedsFullLoad` as above."""
    stats = ExtractStats()
    for page in pages_of_devices(ctx, devices):
        stats.add_page(page)
        staging.add(page.text)
    staging.flush()
    if stats.pages == 1:  # between several pages rows may have shifted
        ctx.complete_devices.update(devices)
    return stats


def pages_of_devices(ctx: PassContext, devices: Sequence[str]) -> Iterator[Page]:
    """Yield the pages of all rows of some devices, at most :data:`DEVICES_A_REQUEST`.

    :class:`NeedsFullLoad` where the provider does not honour the filter, which is remembered.
    """
    asked = frozenset(devices)
    for page in _filtered(ctx, {"device_id": {"in": list(devices)}}, Capability.DEVICE_FILTER):
        if any(row.get("device_id") not in asked for row in page.rows):
            raise _not_honoured(ctx, Capability.DEVICE_FILTER, "it sent rows of other devices")
        yield page


def _filtered(ctx: PassContext, wanted: Mapping[str, Mapping[str, Any]], capability: Capability) -> Iterator[Page]:
    params = {"filter": json.dumps(wanted, separators=(",", ":"))}
    try:
        yield from walk(ctx.client, ctx.resource, params=params)
    except Rejected as error:
        raise _not_honoured(ctx, capability, str(error)) from error


def _not_honoured(ctx: PassContext, capability: Capability, seen: str) -> NeedsFullLoad:
    ctx.note_lack(capability, seen)
    return NeedsFullLoad(f"the provider does not honour the filter: {seen}")


def parse_moment(value: object) -> datetime | None:
    """Return the moment the provider wrote, aware UTC; None where it is none."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


ROOM = 0.7
"""How full a page may get by what is expected: devices have more rows and fewer."""


@dataclass(frozen=True)
class DeviceBatch:
    """All rows of some devices, as pages; some rows may come twice."""

    devices: Sequence[str]
    pages: Sequence[Page]


class DeviceQueries:
    """Direct queries to one table about devices that have about so many rows each."""

    def __init__(self, ctx: PassContext, rows_a_device: float) -> None:
        self._ctx = ctx
        self._rows = max(rows_a_device, 1 / DEVICES_A_REQUEST)
        self._page = ctx.resource.page_size
        self.requests = 0

    @property
    def at_once(self) -> int:
        """Devices of one query."""
        return max(1, min(DEVICES_A_REQUEST, int(ROOM * self._page / self._rows)))

    def cost(self, devices: int) -> int:
        """Return the requests it takes, about, to ask for so many devices."""
        return -(-devices // self.at_once)

    def fetch(self, devices: Sequence[str]) -> Iterator[DeviceBatch]:
        """Yield the rows of all of them. :class:`NeedsFullLoad` where the provider does not honour such a query."""
        left = deque(devices)
        while left:
            some = [left.popleft() for _ in range(min(self.at_once, len(left)))]
            pages = self._read(some)
            if len(pages) == 1:
                yield DeviceBatch(some, pages)
            elif len(some) == 1:
                yield DeviceBatch(some, [*pages, *self._read(some)])
            else:
                self._adapt(pages, len(some))
                left.extendleft(reversed(some))

    def _read(self, devices: Sequence[str]) -> list[Page]:
        pages = list(pages_of_devices(self._ctx, devices))
        self.requests += len(pages)
        return pages

    def _adapt(self, pages: Sequence[Page], devices: int) -> None:
        """Ask for fewer devices at once: pages are shorter than asked for, or devices have more rows than thought."""
        fit = self.at_once
        self._page = min(self._page, max(1, pages[0].members))
        self._rows = max(self._rows, sum(page.members for page in pages) / devices)
        while self.at_once >= fit and fit > 1:
            self._rows *= 2


def unread_mark(table: str) -> str:
    """Return what stands for a column in the record of edits; no column is called so."""
    return f"(unread) {table}"


def note_unread_devices(ctx: PassContext, devices: Collection[str], at: datetime) -> None:
    """Remember devices with something that could not be read, as long as one request can ask for all of them.

    What a damaged answer left out would stay so for long, as nothing says afterwards that those rows were written: the
    next increment asks for them by device. Of more devices it is not likely to pass; the table is read as a whole once.
    """
    if 0 < len(devices) <= DEVICES_A_REQUEST and ctx.may_query_devices():
        with suppress(StoreError):  # then the next whole read brings them
            ctx.state.edits.note([(device, unread_mark(ctx.resource.name)) for device in devices], at)
