"""What was stamped lately: all of it, the rows stamped a little late included, in as few pages as it takes."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path

from kandji_mirror.ingest.staging import Staging
from kandji_mirror.ingest.watermark import newest_but
from kandji_mirror.sync.context import Job
from kandji_mirror.sync.extract_stats import Walked
from kandji_mirror.sync.filtered_pages import OVERLAP, NotEnough, Stamp, pages_since, stage
from kandji_schema.resource import Resource


@dataclass(frozen=True)
class Base:
    """``rows`` in ``path``, complete up to ``watermark``, and up to ``collected`` with what was only collected again.

    ``surplus`` is how many rows the provider counts more than it has rows of different keys; ``built_bytes`` is the
    size of the file when it was last written anew.
    """

    resource: Resource
    path: Path
    rows: int
    watermark: datetime | None
    surplus: int
    built_bytes: int
    collected: datetime | None = None


FEW_PAGES = 2
"""Up to so many pages are read at once: to tell what of them is new costs as much."""

KNOWN = 200
"""So many of the newest known rows are read once more: a page (300) has room for them and for some that are new."""

LEAST = timedelta(microseconds=1)
"""The provider's stamps are no finer."""


class Window:
    """The rows of a ``stamp`` from a little before the ``newest`` known one on.

    Of a large fleet they are many, and nearly all are known: devices report every 15 minutes, and the overlap alone is
    ten. Then the newest of them are read; of the others it is enough that the provider has no more than are known.
    """

    def __init__(self, job: Job, base: Base, staging: Staging, stamp: Stamp, newest: datetime, *, most: int) -> None:
        """``newest``, aware UTC, is of rows of ``base``. Reading is :class:`NotEnough` for more than ``most`` pages."""
        now = job.client.provider_now
        self.since = (min(newest, now) if now else newest) - OVERLAP
        """Where the window begins."""
        self.start = self.since
        """All rows stamped then or later are staged, once they are read."""
        self._job = job
        self._base = base
        self._staging = staging
        self._stamp = stamp
        self._newest = newest
        self._most = most
        self._number: int | None = None

    def read(self) -> Walked:
        """Stage all of them where they are few, or nobody knows how many they are; else the newest."""
        pages = pages_since(self._job, self._stamp, self.since)
        first = next(pages)
        many = first.onward and (first.total or 0) > FEW_PAGES * self._job.resource.page_size
        known = self._newest_but_known() if many else None
        if known is None:
            return stage(self._job, self._staging, chain((first,), pages), most=self._most)
        self._number, self.start = first.total, known + LEAST
        return self._read_from_start(spent=1)

    def read_others(self, whole: Collection[str]) -> Walked:
        """Stage the others too, where the provider had more than are known now.

        Mirrored rows of the devices in ``whole`` that are not staged do not count; rows that the provider has twice, by
        its count of all, may be here.
        """
        if self._number is None:
            return Walked()
        known = self._staging.rows_since(self._base.path, self._stamp.column, self.since, whole)
        if self._number <= known + self._base.surplus:
            return Walked()
        self._number, self.start = None, self.since
        return self._read_from_start()

    def _read_from_start(self, *, spent: int = 0) -> Walked:
        try:
            pages = pages_since(self._job, self._stamp, self.start)
            walked = stage(self._job, self._staging, pages, most=self._most)
        except NotEnough as reason:
            raise NotEnough(str(reason), reason.requests + spent) from reason
        walked.pages += spent
        return walked

    def _newest_but_known(self) -> datetime | None:
        """The stamp up to which known rows need not be read; None where they are not so many."""
        within = (self.since, self._newest)
        return newest_but(self._job.engine, self._base.path, self._job.resource, self._stamp.column, within, KNOWN)
