"""A Prism table read as a whole, by export or by its pages.

What came replaces what is mirrored only where a second thing says the same: the provider's count, the previous number
of rows where there is no exact count, or a second reading.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from kandji_mirror.api.counts import Count
from kandji_mirror.api.exports import export
from kandji_mirror.capabilities import Capability
from kandji_mirror.ingest.csv_source import HeldSource
from kandji_mirror.ingest.staging import Lost, Staging
from kandji_mirror.ingest.watermark import watermark
from kandji_mirror.sync.completeness import Cleared
from kandji_mirror.sync.context import Job
from kandji_mirror.sync.cursor_window import Base
from kandji_mirror.sync.data_file import Live, live_of, refuse_keyless, written
from kandji_mirror.sync.deletion_check import DeletionCheck, ReadAgain
from kandji_mirror.sync.devices import DEVICES, of_platforms
from kandji_mirror.sync.extract_stats import Walked, drift_of
from kandji_mirror.sync.filtered_pages import COLLECTED, WRITTEN, DeviceQuestions, NotEnough, note_doubts
from kandji_mirror.sync.incremental import CatchingUp, differing, merge
from kandji_mirror.sync.list_walk import still_there, walk_once
from kandji_mirror.sync.published import first_keys
from kandji_mirror.sync.strategy import Method, pages_of, whole_method
from kandji_schema.errors import ExportFailed, RateLimited, Rejected, ServerFault, Skip, Suspicious
from kandji_schema.manifest import Drift, State, TableState, data_dir
from kandji_schema.registry import resource as resource_named

READINGS = 3
"""A category that comes out otherwise each time is read at most so often."""

SHRUNK = 0.9
"""Fewer rows than this share of the previous ones need a second reading where no exact count confirms them."""

FEW_PAGES = 100
"""Up to so many pages are walked as the second reading after an export; above, a second export is."""

BACKGROUND_PAGES = 2_000
"""More pages are not walked while nobody waits: they would take the whole share of an hour."""

QUICK = 3_000
"""Up to so many rows are rather read again than caught up with by an increment."""


SAMPLE = 20
"""Of devices that have no rows any more so many are asked for by themselves."""


@dataclass(frozen=True)
class Accepted:
    """Rows that may replace the mirrored ones. ``checked`` tells whether the provider's count says the same."""

    state: TableState
    checked: bool


class WholeRead:
    """One whole read of one Prism table."""

    def __init__(self, job: Job, spent: int = 0) -> None:
        """``spent`` are requests of this pass that went before."""
        self._job = job
        self._requests = spent
        self._counted: Count | None = None
        self._earlier: list[str] = []
        self._lost: Lost | None = None
        self._seen: set[str] = set()
        self._found: list[int] = []
        self._method = Method.FULL_WALK
        self._refusal: str | None = None
        self._note: str | None = None
        self._unsettled = False
        self._misread: set[str] = set()

    def run(self) -> TableState:
        """Read until something confirms what came. Raises any of our errors; then nothing changed."""
        began = self._job.store.wall()
        self._count()
        for way in self._ways():
            accepted = self._read(way)
            if accepted is not None:
                note_doubts(self._job, self._misread, began)
                return replace(
                    accepted.state,
                    state=State.OK,
                    error=None,
                    note=self._note,
                    method=self._method.value,
                    requests=self._requests,
                    attempted_at=began,
                    synced_at=began,
                    whole_at=None if self._unsettled or self._on_probation(accepted.state) else began,
                    checked_at=began if accepted.checked and not self._note else self._job.previous.checked_at,
                )
        raise Suspicious(self._unconfirmed())

    def _on_probation(self, state: TableState) -> bool:
        """Whether more was counted than came, by another number than before: it may be rows of a fleet that moved.

        A provider that counts some rows twice does so on the next pass too.
        """
        return state.surplus not in (0, self._job.previous.surplus)

    def _ways(self) -> Iterator[Method]:
        """By export or by pages; a second reading device by device, or by pages, where they are few."""
        by_device = True
        for _ in range(READINGS):
            facts, again = self._job.facts(), bool(self._found)
            if again and by_device and self._may_ask_every_device():
                by_device = False
                yield Method.BY_DEVICE
            else:
                yield (
                    Method.FULL_WALK if again and self._pages() <= FEW_PAGES else whole_method(self._expected(), facts)
                )

    def _may_ask_every_device(self) -> bool:
        """Whether to ask for the rows of each device costs about what another walk does."""
        job, devices = self._job, self._devices()
        known = job.fleet_is_new() and job.may_ask_devices()  # who enrolled since an older list would be missed
        return known and bool(devices) and self._questions(devices).cost(len(devices)) <= FEW_PAGES

    def _devices(self) -> list[str]:
        """Every device that has rows of the table, or may have."""
        job = self._job
        listed = of_platforms(job.fleet() or {}, job.resource.platforms)
        mirrored = first_keys(job.live, job.resource) if job.live else set()
        return sorted({*listed, *mirrored, *self._seen})

    def _questions(self, devices: Sequence[str]) -> DeviceQuestions:
        return DeviceQuestions(self._job, max(self._found, default=0) / max(1, len(devices)))

    def _expected(self) -> int | None:
        if self._counted is not None:
            return self._counted.rows
        return self._job.previous.rows if self._job.live else None

    def _pages(self) -> int:
        return pages_of(self._expected() or 0, self._job.resource.page_size)

    def _count(self) -> None:
        self._requests += 1
        self._counted = self._job.count()

    @property
    def _exact(self) -> int | None:
        return self._counted.rows if self._counted and not self._counted.approximate else None

    def _read(self, way: Method) -> Accepted | None:
        """One reading; None where nothing confirms it."""
        job = self._job
        with job.store.scratch(job.resource.name) as (scratch, target):
            csv = HeldSource() if job.store.privacy.masks_people else scratch.with_name(f"{scratch.name}.csv")
            try:
                exported = way is Method.EXPORT and self._exported(csv)
                with job.staging(scratch) as staging:
                    if way is Method.BY_DEVICE:
                        return self._asked_for(staging, target)
                    walked = self._filled(staging, csv if exported else None)
                    return self._judged(staging, walked, target)
            except ReadAgain as reason:
                self._lost = reason.lost
                return None
            finally:
                csv.unlink(missing_ok=True)

    # -- reading -----------------------------------------------------------------------------------------------

    def _exported(self, csv: Path | HeldSource) -> bool:
        """Whether the export is there; else the pages must do. Other tables work while it is awaited."""
        job = self._job
        before = job.client.own_requests
        try:
            with job.at_rest():
                export(job.client, job.resource, csv)
        except (Rejected, Skip) as error:
            self._refusal = str(error)
            return False
        except (ExportFailed, ServerFault, Suspicious):
            return False
        finally:
            self._requests += job.client.own_requests - before
        return True

    def _filled(self, staging: Staging, csv: Path | HeldSource | None) -> Walked | None:
        """Stage the export, or the pages where there is none or it is no whole one; None for an export."""
        if csv is not None:
            try:
                staging.add_csv(csv, counted=self._exact)
                refuse_keyless(staging)
                self._method = Method.EXPORT
                self._job.progress.advanced(self._job.resource.name, pages=1, rows=staging.rows, total=self._expected())
                return None
            except Suspicious:
                staging.clear()
        self._refuse_too_many_pages()
        self._method = Method.FULL_WALK
        walked = walk_once(self._job.client, self._job.resource, staging, self._job.progress)
        self._requests += walked.pages
        if self._refusal:  # of exports alone, as the pages came
            self._job.note_lack(Capability.EXPORT, self._refusal)
        refuse_keyless(staging)
        return walked

    def _refuse_too_many_pages(self) -> None:
        """:class:`RateLimited` where the pages do not fit into what is left of the hour, or nobody waits for them."""
        job, pages, left = self._job, self._pages(), self._job.client.remaining_hour
        room = min(BACKGROUND_PAGES if not job.order.asked else pages, pages if left is None else left)
        if pages > room:
            raise RateLimited(
                f"{job.resource.name} could not be exported, and its {pages:,} pages do not fit into the {room:,} "
                "requests it may take now. The previous rows are kept; the next pass tries again."
            )

    def _asked_for(self, staging: Staging, target: Path) -> Accepted | None:
        """The rows of every device by direct questions, which rows that shift between pages cannot mislead."""
        devices, walked = self._devices(), Walked()
        questions = self._questions(devices)
        try:
            for answer in questions.ask(devices):
                for page in answer.pages:
                    walked.take(page)
                    staging.add(page.text)
                self._job.told.update(answer.devices)
        except NotEnough:
            return None
        finally:
            self._requests += questions.requests
        refuse_keyless(staging)
        staging.settle()
        self._method = Method.FULL_WALK
        rows, digest = staging.rows, staging.digest()
        if self._loses_counted_rows(rows):
            self._count()  # it may have been before many devices went
        if self._loses_counted_rows(rows) and not self._emptied_are_gone(staging):
            self._noted(staging, rows)
            return None
        fits = digest in self._earlier and self._exact is not None
        drift = self._drift(staging, walked)
        surplus = (self._exact or 0) - rows if fits else 0
        state = self._replacing(staging, target, surplus=surplus)
        if self._exact not in (None, rows + surplus):  # of who enrolled since the list of devices nobody asked
            self._unsettled = True
            self._note = self._note or f"It has {differing(rows - (self._exact or 0))}; the next pass looks again."
        return Accepted(replace(state, drift=drift), checked=self._exact == rows + surplus)

    def _emptied_are_gone(self, staging: Staging) -> bool:
        """Whether devices of which no row came are no longer there at all, by a sample of them: not so after a lie."""
        job = self._job
        emptied = sorted((first_keys(job.live, job.resource) if job.live else set()) - set(staging.first_keys()))
        sample = emptied[:: max(1, len(emptied) // SAMPLE)][:SAMPLE]
        self._requests += len(sample)
        devices = resource_named(DEVICES)
        return bool(sample) and all(still_there(job.client, devices, device) is None for device in sample)

    def _noted(self, staging: Staging, rows: int) -> None:
        """Remember a reading that nothing confirms."""
        self._earlier.append(staging.digest())
        self._found.append(rows)
        self._seen.update(staging.first_keys())

    # -- judging -----------------------------------------------------------------------------------------------

    def _judged(self, staging: Staging, walked: Walked | None, target: Path) -> Accepted | None:
        """What came as the table's new rows, where something confirms it."""
        split = self._take(DeletionCheck(self._job, staging, None).of_split(walked.split if walked else ()))
        came = staging.rows
        if self._job.resource.repeats:
            staging.number_repeats()
        twice = staging.drop_duplicates()
        drift = self._drift(staging, walked)
        shifted = walked is not None and walked.pages > 1 and self._shifted(came)
        shifted |= split.unasked and staging.digest() not in self._earlier
        accepted = None if shifted else self._confirmed(staging, came, twice, target)
        if shifted:
            self._noted(staging, came - twice)
        accepted = accepted or self._caught_up(staging, came, twice, target)
        return accepted and replace(accepted, state=replace(accepted.state, drift=drift))

    def _confirmed(self, staging: Staging, came: int, twice: int, target: Path) -> Accepted | None:
        """The staged rows, where a count, the previous number, or an earlier reading says the same."""
        self._recount(came)
        if self._exact == came and twice in (0, self._job.previous.surplus):
            return Accepted(self._replacing(staging, target, surplus=twice), checked=True)
        digest = staging.digest()
        if digest in self._earlier and not self._loses_counted_rows(came - twice):
            surplus = 0 if self._exact is None else self._exact - (came - twice)
            return Accepted(self._replacing(staging, target, surplus=surplus), checked=False)
        self._noted(staging, came - twice)
        if self._exact is None and came - twice >= SHRUNK * max(self._job.previous.rows, self._approximate):
            return Accepted(self._replacing(staging, target, surplus=0), checked=False)
        if self._job.live is None and len(self._found) == READINGS:
            return self._for_want_of_better(staging, target)
        return None

    def _for_want_of_better(self, staging: Staging, target: Path) -> Accepted:
        """What the last reading brought of a table that is not mirrored yet: the state tells that it failed."""
        self._job.troubles.append(self._unconfirmed())
        return Accepted(self._replacing(staging, target, surplus=0), checked=False)

    def _recount(self, came: int) -> None:
        if self._exact not in (None, came) or self._counted is None:
            self._count()

    def _shifted(self, came: int) -> bool:
        """Whether rows may have been skipped between pages, though the number fits, and direct questions would tell."""
        before = self._exact
        self._recount(came)
        fewer = before is not None and self._exact is not None and self._exact < before
        return self._exact == came and fewer and self._may_ask_every_device()

    def _loses_counted_rows(self, rows: int) -> bool:
        """Whether many mirrored rows would go that the provider still counts: the same wrong page may come twice."""
        if self._counted is None:
            return False
        known = min(self._job.previous.rows, self._counted.rows - self._job.previous.surplus)
        return rows < SHRUNK * known

    @property
    def _approximate(self) -> int:
        return self._counted.rows if self._counted else 0

    def _replacing(self, staging: Staging, target: Path, *, surplus: int) -> TableState:
        live: Live | None = live_of(self._job, staging)
        cleared = self._cleared(staging, live, surplus)
        state = written(self._job, staging, live, target, cleared)
        file = data_dir(self._job.store.home) / str(state.file)
        return replace(state, surplus=surplus, watermark=self._newest(file), collected_at=self._collected(file))

    def _cleared(self, staging: Staging, live: Live | None, surplus: int) -> Cleared:
        least = None if self._exact is None else self._exact - surplus
        check = DeletionCheck(self._job, staging, live.path if live else None)
        self._note, self._unsettled = None, False
        return self._take(check.of_whole(earlier=self._lost, least=least))

    def _take(self, cleared: Cleared) -> Cleared:
        """Count in what a check took, and remember what it left open."""
        self._requests += cleared.requests
        self._note = self._note or cleared.note
        self._unsettled |= cleared.unasked
        return cleared

    def _caught_up(self, staging: Staging, came: int, twice: int, target: Path) -> Accepted | None:
        """What changed while a large category was read, put on top, where that makes the number fit."""
        job = self._job
        if self._exact is None or came <= QUICK or job.resource.repeats:
            return None
        path = target.with_name(f"{target.name}.base")
        cleared = self._cleared(staging, live_of(job, staging), twice)
        try:
            staging.write(path)
            staging.clear()
            base = Base(job.resource, path, came - twice, self._newest(path), twice, path.stat().st_size)
            return self._on_top(staging, base, target, cleared)
        finally:
            path.unlink(missing_ok=True)

    def _on_top(self, staging: Staging, base: Base, target: Path, before: Cleared) -> Accepted | None:
        collected = self._collected(base.path)
        with suppress(NotEnough):
            caught = CatchingUp(self._job, base, staging).run()
            self._requests += caught.requests
            if caught.settled.excess == 0:
                cleared = self._take(DeletionCheck(self._job, staging, base.path).of_devices(caught.settled.whole))
                merged = merge(base, staging, caught, target)
                rows = merged.rows if merged else base.rows
                finished = target if target.exists() else base.path
                state = self._job.admitted(finished, cleared.with_more(before.goes))
                state = replace(state, rows=rows, digest=None, built_bytes=state.bytes, surplus=base.surplus)
                return Accepted(replace(state, watermark=base.watermark, collected_at=collected), checked=True)
        return None

    def _newest(self, path: Path) -> datetime | None:
        return self._watermark(path, WRITTEN.column)

    def _collected(self, path: Path) -> datetime | None:
        return self._watermark(path, COLLECTED.column)

    def _watermark(self, path: Path, column: str) -> datetime | None:
        return watermark(self._job.engine, path, self._job.resource, self._job.client.provider_now, column)

    def _drift(self, staging: Staging, walked: Walked | None) -> Drift:
        """Of an export nobody knows which fields its rows lacked: what pages told stays."""
        resource, before = self._job.resource, self._job.previous.drift
        self._misread = staging.misread()
        if walked is None:
            return replace(drift_of(resource, staging.leftovers()), missing=before.missing)
        return drift_of(resource, staging.leftovers(), walked.odd_rows, walked.never_sent)

    def _unconfirmed(self) -> str:
        said = self._counted.rows if self._counted else "unknown"
        kept = "The previous rows are kept" if self._job.live else "Those of the last one are there, not all"
        return (
            f"{self._job.resource.name} had {self._job.previous.rows} rows; {len(self._found)} readings brought "
            f"{', '.join(map(str, self._found))}, and the provider's count is {said}. {kept}; the next pass tries "
            "again."
        )
