"""A Prism table loaded in full, and judged before it replaces what is mirrored.

What came is accepted only where a second thing says the same: the provider's count, the previous number of rows where
there is no exact count, or a second reading.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from kandji_mirror.ingest.file_queries import first_keys
from kandji_mirror.ingest.staging import MissingRows, Staging
from kandji_mirror.sync.completeness import DeletionProof
from kandji_mirror.sync.context import PassContext
from kandji_mirror.sync.cursor_window import BaseFile
from kandji_mirror.sync.data_file import admit_file, read_current_file, write_replacement
from kandji_mirror.sync.deletion_check import DeletionCheck, NeedsAnotherReading
from kandji_mirror.sync.devices import DEVICES
from kandji_mirror.sync.extract_stats import ExtractStats, observed_drift
from kandji_mirror.sync.filtered_pages import COLLECTED_AT, NeedsFullLoad, note_unread_devices
from kandji_mirror.sync.incremental import ChangeReader, difference_in_words, merge
from kandji_mirror.sync.list_walk import fetch_row
from kandji_mirror.sync.prism_extract import READINGS, PrismExtract
from kandji_mirror.sync.strategy import Method
from kandji_schema.errors import Suspicious
from kandji_schema.manifest import Drift, State, TableState
from kandji_schema.registry import resource as resource_named

SHRUNK = 0.9
"""Fewer rows than this share of the previous ones need a second reading where no exact count confirms them."""

QUICK = 3_000
"""Up to so many rows are rather read again than caught up with by an increment."""

SAMPLE = 20
"""Of devices that have no rows any more so many are asked for by themselves."""


@dataclass(frozen=True)
class Accepted:
    """Rows that may replace the mirrored ones. ``checked`` tells whether the provider's count says the same."""

    state: TableState
    checked: bool


class PrismFullLoad:
    """One full load of one Prism table."""

    def __init__(self, ctx: PassContext, spent: int = 0) -> None:
        """``spent`` are requests of this pass that went before."""
        self._ctx = ctx
        self._extract = PrismExtract(ctx, spent)
        self._lost: MissingRows | None = None
        self._note: str | None = None
        self._unsettled = False
        self._misread: set[str] = set()

    def load(self) -> TableState:
        """Read until a second thing confirms what came. Raises any of our errors; then nothing changed."""
        began = self._ctx.store.wall()
        self._extract.count()
        for way in self._extract.ways():
            accepted = self._read(way)
            if accepted is not None:
                note_unread_devices(self._ctx, self._misread, began)
                return replace(
                    accepted.state,
                    state=State.OK,
                    error=None,
                    note=self._note,
                    method=self._extract.method.value,
                    requests=self._extract.requests,
                    attempted_at=began,
                    synced_at=began,
                    whole_at=None if self._unsettled or self._on_probation(accepted.state) else began,
                    checked_at=began if accepted.checked and not self._note else self._ctx.previous.checked_at,
                )
        raise Suspicious(self._unconfirmed())

    def _on_probation(self, state: TableState) -> bool:
        """Return whether more was counted than came, by another number than before: rows of a fleet that moved, maybe.

        A provider that counts some rows twice does so on the next pass too.
        """
        return state.surplus not in (0, self._ctx.previous.surplus)

    def _read(self, way: Method) -> Accepted | None:
        """Read once and judge what came; None where nothing confirms it."""
        try:
            with self._extract.read(way) as (staging, target, stats):
                if way is Method.BY_DEVICE:
                    return self._judge_devices(staging, stats, target)
                return self._judge(staging, stats, target)
        except NeedsAnotherReading as reason:
            self._lost = reason.lost
        except NeedsFullLoad:  # the provider does not answer by device after all
            pass
        return None

    # -- judging ---------------------------------------------------------------------------------------------------

    def _judge(self, staging: Staging, stats: ExtractStats | None, target: Path) -> Accepted | None:
        """Accept what came as the table's new rows, where something confirms it."""
        check = DeletionCheck(self._ctx, staging, None)
        split = self._count_in(check.check_split(stats.split if stats else ()))
        came = staging.rows
        if self._ctx.resource.repeats:
            staging.number_repeats()
        twice = staging.drop_duplicates()
        drift = self._drift(staging, stats)
        shifted = stats is not None and stats.pages > 1 and self._shifted(came)
        shifted |= split.unasked and staging.digest() not in self._extract.digests
        accepted = None if shifted else self._confirm(staging, came, twice, target)
        if shifted:
            self._extract.note_unconfirmed(staging, came - twice)
        accepted = accepted or self._with_later_changes(staging, came, twice, target)
        return accepted and replace(accepted, state=replace(accepted.state, drift=drift))

    def _confirm(self, staging: Staging, came: int, twice: int, target: Path) -> Accepted | None:
        """Accept the staged rows, where a count, the previous number, or an earlier reading says the same."""
        extract, rows = self._extract, came - twice
        extract.recount(came)
        if extract.exact == came and twice in (0, self._ctx.previous.surplus):
            return Accepted(self._replace(staging, target, surplus=twice), checked=True)
        if staging.digest() in extract.digests and not self._loses_counted_rows(rows):
            surplus = 0 if extract.exact is None else extract.exact - rows
            return Accepted(self._replace(staging, target, surplus=surplus), checked=False)
        extract.note_unconfirmed(staging, rows)
        counted = extract.counted.rows if extract.counted else 0
        if extract.exact is None and rows >= SHRUNK * max(self._ctx.previous.rows, counted):
            return Accepted(self._replace(staging, target, surplus=0), checked=False)
        if self._ctx.current_file is None and len(extract.rows_found) == READINGS:
            # for want of anything better in a table that is not mirrored yet: its state tells that it failed
            self._ctx.problems.append(self._unconfirmed())
            return Accepted(self._replace(staging, target, surplus=0), checked=False)
        return None

    def _judge_devices(self, staging: Staging, stats: ExtractStats | None, target: Path) -> Accepted | None:
        """Accept the rows of every device, each from a direct answer, unless many go that are counted still."""
        extract, rows = self._extract, staging.rows
        if self._loses_counted_rows(rows):
            extract.count()  # it may have been before many devices went
        if self._loses_counted_rows(rows) and not self._emptied_are_gone(staging):
            extract.note_unconfirmed(staging, rows)
            return None
        exact = extract.exact
        surplus = exact - rows if exact is not None and staging.digest() in extract.digests else 0
        drift = self._drift(staging, stats)
        state = self._replace(staging, target, surplus=surplus)
        if exact not in (None, rows + surplus):  # of who enrolled since the list of devices nobody asked
            self._unsettled = True
            difference = difference_in_words(rows - (exact or 0))
            self._note = self._note or f"It has {difference}; the next pass looks again."
        return Accepted(replace(state, drift=drift), checked=exact == rows + surplus)

    def _emptied_are_gone(self, staging: Staging) -> bool:
        """Return whether devices of which no row came are gone, by a sample: after a wrong answer they are there."""
        ctx = self._ctx
        mirrored = first_keys(ctx.engine, ctx.current_file, ctx.resource) if ctx.current_file else set[str]()
        emptied = sorted(mirrored - set(staging.first_keys()))
        sample = emptied[:: max(1, len(emptied) // SAMPLE)][:SAMPLE]
        self._extract.spend(len(sample))
        devices = resource_named(DEVICES)
        return bool(sample) and all(fetch_row(ctx.client, devices, device) is None for device in sample)

    def _shifted(self, came: int) -> bool:
        """Return whether rows may have been skipped between pages, though the number fits, and queries would tell."""
        before = self._extract.exact
        self._extract.recount(came)
        exact = self._extract.exact
        fewer = before is not None and exact is not None and exact < before
        return exact == came and fewer and self._extract.may_query_every_device()

    def _loses_counted_rows(self, rows: int) -> bool:
        """Return whether many mirrored rows would go that are counted still: the same wrong page may come twice."""
        previous, counted = self._ctx.previous, self._extract.counted
        return counted is not None and rows < SHRUNK * min(previous.rows, counted.rows - previous.surplus)

    def _drift(self, staging: Staging, stats: ExtractStats | None) -> Drift:
        """Return the drift; of an export nobody knows which fields its rows lacked: what pages told stays."""
        resource, before = self._ctx.resource, self._ctx.previous.drift
        self._misread = staging.misread()
        if stats is None:
            return replace(observed_drift(resource, staging.leftovers()), missing=before.missing)
        return observed_drift(resource, staging.leftovers(), stats.odd_rows, stats.never_sent)

    def _unconfirmed(self) -> str:
        name, counted, found = self._ctx.resource.name, self._extract.counted, self._extract.rows_found
        kept = "The previous rows are kept" if self._ctx.current_file else "Those of the last one are there, not all"
        return (
            f"{name} had {self._ctx.previous.rows} rows; {len(found)} readings brought {', '.join(map(str, found))}, "
            f"and the provider's count is {counted.rows if counted else 'unknown'}. {kept}; the next pass tries again."
        )

    # -- writing ---------------------------------------------------------------------------------------------------

    def _replace(self, staging: Staging, target: Path, *, surplus: int) -> TableState:
        """Write the staged rows as the whole table."""
        ctx = self._ctx
        current = read_current_file(ctx, staging)
        proof = self._check_deletions(staging, current.path if current else None, surplus)
        state = write_replacement(ctx, staging, current, target, proof)
        file = ctx.file_of(state)
        collected = ctx.newest(file, COLLECTED_AT.column)
        return replace(state, surplus=surplus, watermark=ctx.newest(file), collected_at=collected)

    def _check_deletions(self, staging: Staging, current: Path | None, surplus: int) -> DeletionProof:
        least = None if self._extract.exact is None else self._extract.exact - surplus
        self._note, self._unsettled = None, False
        return self._count_in(DeletionCheck(self._ctx, staging, current).check_all(earlier=self._lost, least=least))

    def _count_in(self, proof: DeletionProof) -> DeletionProof:
        """Count in what a check took, and remember what it left open."""
        self._extract.spend(proof.requests)
        self._note = self._note or proof.note
        self._unsettled |= proof.unasked
        return proof

    def _with_later_changes(self, staging: Staging, came: int, twice: int, target: Path) -> Accepted | None:
        """Put on top what changed while a large category was read, where that makes the number fit."""
        ctx = self._ctx
        if self._extract.exact is None or came <= QUICK or ctx.resource.repeats:
            return None
        path = target.with_name(f"{target.name}.base")
        current = read_current_file(ctx, staging)
        proof = self._check_deletions(staging, current.path if current else None, twice)
        try:
            staging.write(path)
            staging.clear()
            base = BaseFile(ctx.resource, path, came - twice, ctx.newest(path), twice, path.stat().st_size)
            return self._merge_changes(staging, base, target, proof)
        finally:
            path.unlink(missing_ok=True)

    def _merge_changes(self, staging: Staging, base: BaseFile, target: Path, before: DeletionProof) -> Accepted | None:
        ctx = self._ctx
        collected = ctx.newest(base.path, COLLECTED_AT.column)
        with suppress(NeedsFullLoad):
            changes = ChangeReader(ctx, base, staging).read()
            self._extract.spend(changes.requests)
            if changes.reconciled.excess == 0:
                check = DeletionCheck(ctx, staging, base.path)
                proof = self._count_in(check.check_devices(changes.reconciled.whole))
                merged = merge(base, staging, changes, target)
                rows = merged.rows if merged else base.rows
                finished = target if target.exists() else base.path
                state = admit_file(ctx, finished, proof.with_proven(before.proven))
                state = replace(state, rows=rows, digest=None, built_bytes=state.bytes, surplus=base.surplus)
                return Accepted(replace(state, watermark=base.watermark, collected_at=collected), checked=True)
        return None
