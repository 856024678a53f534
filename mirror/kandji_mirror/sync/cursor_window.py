"""Rows of a Prism table stamped lately, those stamped a little late included, in as few pages as it takes."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path

from kandji_mirror.ingest.file_queries import newest_but
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.sync.context import PassContext
from kandji_mirror.sync.extract_stats import ExtractStats
from kandji_mirror.sync.filtered_pages import OVERLAP, Cursor, NeedsFullLoad, pages_since, stage_pages
from kandji_schema.resource import Resource


@dataclass(frozen=True)
class BaseFile:
    """A data file that newer rows are put on: ``rows`` in ``path``.

    It is complete up to ``watermark``, and up to ``collected`` with what was only collected again. ``surplus`` is how
    many rows the provider counts more than it has rows of different keys; ``built_bytes`` is the size of the file when
    it was last written anew.
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


class CursorWindow:
    """The rows of a ``cursor`` from a little before the ``newest`` known one on.

    Of a large fleet they are many, and nearly all are known: devices report every 15 minutes, and the overlap alone is
    ten. Then the newest of them are read; of the others it is enough that the provider has no more than are known.
    """

    def __init__(
        self, ctx: PassContext, base: BaseFile, staging: Staging, cursor: Cursor, newest: datetime, *, most: int
    ) -> None:
        """``newest``, aware UTC, is of rows of ``base``. More than ``most`` pages are :class:`NeedsFullLoad`."""
        now = ctx.client.provider_now
        self.since = (min(newest, now) if now else newest) - OVERLAP
        """Where the window begins."""
        self.start = self.since
        """All rows stamped then or later are staged, once they are read."""
        self._ctx = ctx
        self._base = base
        self._staging = staging
        self._cursor = cursor
        self._newest = newest
        self._most = most
        self._number: int | None = None

    def read(self) -> ExtractStats:
        """Stage all rows of the window where they are few, or nobody knows how many they are; else the newest."""
        pages = pages_since(self._ctx, self._cursor, self.since)
        first = next(pages)
        many = first.onward and (first.total or 0) > FEW_PAGES * self._ctx.resource.page_size
        known = self._newest_but_known() if many else None
        if known is None:
            return stage_pages(self._ctx, self._staging, chain((first,), pages), most=self._most)
        self._number, self.start = first.total, known + LEAST
        return self._read_from_start(spent=1)

    def read_others(self, whole: Collection[str]) -> ExtractStats:
        """Stage the window's other rows too, where the provider had more than are known now.

        Mirrored rows of the devices in ``whole`` that are not staged do not count; rows that the provider has twice, by
        its count of all, may be here.
        """
        if self._number is None:
            return ExtractStats()
        known = self._staging.rows_since(self._base.path, self._cursor.column, self.since, whole)
        if self._number <= known + self._base.surplus:
            return ExtractStats()
        self._number, self.start = None, self.since
        return self._read_from_start()

    def _read_from_start(self, *, spent: int = 0) -> ExtractStats:
        try:
            pages = pages_since(self._ctx, self._cursor, self.start)
            stats = stage_pages(self._ctx, self._staging, pages, most=self._most)
        except NeedsFullLoad as reason:
            raise NeedsFullLoad(str(reason), reason.requests + spent) from reason
        return replace(stats, pages=stats.pages + spent)

    def _newest_but_known(self) -> datetime | None:
        """Return the moment up to which known rows need not be read; None where they are not so many."""
        within = (self.since, self._newest)
        return newest_but(self._ctx.engine, self._base.path, self._ctx.resource, self._cursor.column, within, KNOWN)
