"""All rows of a Prism table staged: by an export, by its pages, or device by device; as often as it takes.

It remembers what each reading of one full load brought, and what the provider counts; ``prism_full_load`` judges them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kandji_mirror.api.prism import Count, export
from kandji_mirror.capabilities import Capability
from kandji_mirror.ingest.csv_source import MemorySource
from kandji_mirror.ingest.file_queries import first_keys
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.sync.context import PassContext
from kandji_mirror.sync.data_file import refuse_keyless
from kandji_mirror.sync.devices import on_platforms
from kandji_mirror.sync.extract_stats import ExtractStats
from kandji_mirror.sync.filtered_pages import DeviceQueries
from kandji_mirror.sync.list_walk import walk_once
from kandji_mirror.sync.strategy import Method, full_load_method, pages_of
from kandji_schema.errors import ExportFailed, RateLimited, Rejected, ServerFault, Skip, Suspicious

READINGS = 3
"""A category that comes out otherwise each time is read at most so often."""

FEW_PAGES = 100
"""Up to so many pages are walked as the second reading after an export; above, a second export is."""

BACKGROUND_PAGES = 2_000
"""More pages are not walked while nobody waits: they would take the whole share of an hour."""


class PrismExtract:
    """The readings of one full load.

    ``method`` is how the newest reading went, ``requests`` what all took. ``counted`` is the provider's newest count.
    ``rows_found`` and ``digests`` are of the readings that nothing confirmed.
    """

    def __init__(self, ctx: PassContext, spent: int = 0) -> None:
        """``spent`` are requests of this pass that went before."""
        self.requests = spent
        self.method = Method.FULL_WALK
        self.counted: Count | None = None
        self.rows_found: list[int] = []
        self.digests: list[str] = []
        self._devices_found: set[str] = set()
        self._refusal: str | None = None
        self._ctx = ctx

    def spend(self, requests: int) -> None:
        """Count in requests that judging the readings took."""
        self.requests += requests

    # -- the count -------------------------------------------------------------------------------------------------

    def count(self) -> None:
        """Ask for the provider's count."""
        self.requests += 1
        self.counted = self._ctx.count()

    def recount(self, came: int) -> None:
        """Count again where so many rows do not fit the count."""
        if self.exact not in (None, came) or self.counted is None:
            self.count()

    @property
    def exact(self) -> int | None:
        """The provider's count, where it is an exact one."""
        return self.counted.rows if self.counted and not self.counted.approximate else None

    @property
    def _expected(self) -> int | None:
        if self.counted is not None:
            return self.counted.rows
        return self._ctx.previous.rows if self._ctx.current_file else None

    @property
    def _pages(self) -> int:
        return pages_of(self._expected or 0, self._ctx.resource.page_size)

    # -- reading ---------------------------------------------------------------------------------------------------

    def ways(self) -> Iterator[Method]:
        """Yield how to read: by export or by pages; a second time device by device, or by pages, where they are few."""
        by_device = True
        for _ in range(READINGS):
            again = bool(self.rows_found)
            if again and by_device and self.may_query_every_device():
                by_device = False
                yield Method.BY_DEVICE
            elif again and self._pages <= FEW_PAGES:
                yield Method.FULL_WALK
            else:
                yield full_load_method(self._expected, self._ctx.strategy_inputs())

    @contextmanager
    def read(self, way: Method) -> Iterator[tuple[Staging, Path, ExtractStats | None]]:
        """Lend a staging with all rows, the path of the next data file, and stats; those of an export nobody knows.

        :class:`NeedsFullLoad` where the rows cannot be asked for device by device after all.
        """
        ctx = self._ctx
        with ctx.store.scratch(ctx.resource.name) as (scratch, target):
            csv = MemorySource() if ctx.store.privacy.masks_people else scratch.with_name(f"{scratch.name}.csv")
            try:
                exported = way is Method.EXPORT and self._export(csv)
                with ctx.new_staging(scratch) as staging:
                    if way is Method.BY_DEVICE:
                        yield staging, target, self._stage_by_device(staging)
                    else:
                        yield staging, target, self._stage(staging, csv if exported else None)
            finally:
                csv.unlink(missing_ok=True)

    def note_unconfirmed(self, staging: Staging, rows: int) -> None:
        """Remember a reading that nothing confirms."""
        self.digests.append(staging.digest())
        self.rows_found.append(rows)
        self._devices_found.update(staging.first_keys())

    def _export(self, csv: Path | MemorySource) -> bool:
        """Download an export; False where the pages must do. Other tables work while it is awaited."""
        ctx = self._ctx
        before = ctx.client.own_requests
        try:
            with ctx.turn_released():
                export(ctx.client, ctx.resource, csv)
        except (Rejected, Skip) as error:
            self._refusal = str(error)
            return False
        except (ExportFailed, ServerFault, Suspicious):
            return False
        finally:
            self.requests += ctx.client.own_requests - before
        return True

    def _stage(self, staging: Staging, csv: Path | MemorySource | None) -> ExtractStats | None:
        """Stage the export, or the pages where there is none or it is no whole one; None for an export."""
        ctx = self._ctx
        if csv is not None:
            try:
                staging.add_csv(csv, counted=self.exact)
                refuse_keyless(staging)
                self.method = Method.EXPORT
                ctx.progress.advanced(ctx.resource.name, pages=1, rows=staging.rows, total=self._expected)
                return None
            except Suspicious:
                staging.clear()
        self._refuse_too_many_pages()
        self.method = Method.FULL_WALK
        stats = walk_once(ctx, staging)
        self.requests += stats.pages
        if self._refusal:  # of exports alone, as the pages came
            ctx.note_lack(Capability.EXPORT, self._refusal)
        refuse_keyless(staging)
        return stats

    def _refuse_too_many_pages(self) -> None:
        """Raise :class:`RateLimited` where the pages do not fit into what is left of the hour, or nobody waits."""
        ctx, pages, left = self._ctx, self._pages, self._ctx.client.remaining_hour
        room = min(BACKGROUND_PAGES if not ctx.request.asked else pages, pages if left is None else left)
        if pages > room:
            raise RateLimited(
                f"{ctx.resource.name} could not be exported, and its {pages:,} pages do not fit into the {room:,} "
                "requests it may take now. The previous rows are kept; the next pass tries again."
            )

    # -- device by device ------------------------------------------------------------------------------------------

    def may_query_every_device(self) -> bool:
        """Return whether to ask for the rows of each device costs about what another walk does."""
        ctx, devices = self._ctx, self._devices()
        known = ctx.fleet_is_new() and ctx.may_query_devices()  # who enrolled since an older list would be missed
        return known and bool(devices) and self._queries(devices).cost(len(devices)) <= FEW_PAGES

    def _stage_by_device(self, staging: Staging) -> ExtractStats:
        """Stage the rows of every device by direct queries, which rows that shift between pages cannot mislead."""
        devices, stats = self._devices(), ExtractStats()
        queries = self._queries(devices)
        try:
            for batch in queries.fetch(devices):
                for page in batch.pages:
                    stats.add_page(page)
                    staging.add(page.text)
                self._ctx.complete_devices.update(batch.devices)
        finally:
            self.requests += queries.requests
        refuse_keyless(staging)
        staging.unify_keys()
        self.method = Method.FULL_WALK
        return stats

    def _devices(self) -> list[str]:
        """Return every device that has rows of the table, or may have."""
        ctx = self._ctx
        listed = on_platforms(ctx.fleet() or {}, ctx.resource.platforms)
        mirrored = first_keys(ctx.engine, ctx.current_file, ctx.resource) if ctx.current_file else set()
        return sorted({*listed, *mirrored, *self._devices_found})

    def _queries(self, devices: Sequence[str]) -> DeviceQueries:
        return DeviceQueries(self._ctx, max(self.rows_found, default=0) / max(1, len(devices)))
