"""The deletion check: no mirrored row goes because it did not come once; a second look has to say that it is gone.

Of a Prism table a direct query for the device confirms it. A count that fits is no proof: while devices leave, rows
shift between pages, and rows of devices that are gone make up for those that were skipped. Of a list the row is asked
for by itself, where the provider has an endpoint for it; where there is none, or its key is only known as a pseudonym,
another walk is the second look: absent twice means gone, provided that nothing moved meanwhile.
"""

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from kandji_mirror.api.paging import Page
from kandji_mirror.ingest.staging import MissingRows, Staging
from kandji_mirror.report import NoProgress
from kandji_mirror.sync.completeness import DeletionProof
from kandji_mirror.sync.context import BACKGROUND_COST, PassContext
from kandji_mirror.sync.filtered_pages import DeviceQueries, NeedsFullLoad
from kandji_mirror.sync.list_walk import WALKS, fetch_row, is_steady, walk_once
from kandji_mirror.sync.strategy import MOST_PAGES
from kandji_schema.errors import Rejected, RetryLater, Skip, Suspicious


class NeedsAnotherReading(Exception):
    """Not every device that lost rows can be queried, so another reading has to come first; ``lost`` are the rows."""

    def __init__(self, lost: MissingRows) -> None:
        super().__init__(f"{len(lost):,} devices lost rows")
        self.lost = lost


class DeletionCheck:
    """The check of what a pass over a Prism table would drop of its ``current`` file; staged rows are mended by it."""

    def __init__(self, ctx: PassContext, staging: Staging, current: Path | None) -> None:
        self._ctx = ctx
        self._staging = staging
        self._current = current
        self._requests = 0

    def check_all(self, *, earlier: MissingRows | None = None, least: int | None = None) -> DeletionProof:
        """Check which rows go where the staged ones replace all.

        ``earlier`` are the rows another reading of this pass lacked. There are ``least`` rows by the provider's count:
        answers that leave fewer prove nothing. :class:`NeedsAnotherReading` where another reading has to come first.
        """
        return self._check(None, earlier, least, may_read_again=earlier is None)

    def check_split(self, devices: Collection[str]) -> DeletionProof:
        """Put what direct queries tell in place of the staged rows of devices that came on several pages.

        Of a table with repeats nothing else tells a row that shifted to the next page, and so came twice, from one that
        is there twice.
        """
        answered = self._query(self._chosen(sorted(devices))) if devices else ()
        return DeletionProof(self._requests, unasked=not set(answered).issuperset(devices))

    def check_devices(self, whole: Collection[str]) -> DeletionProof:
        """Check which rows go where the staged ones replace those of the first keys in ``whole``."""
        return self._check(whole, None, None, may_read_again=False) if whole else DeletionProof()

    def _check(
        self, among: Collection[str] | None, earlier: MissingRows | None, least: int | None, *, may_read_again: bool
    ) -> DeletionProof:
        all_lost = self._lost(among)
        if not all_lost:
            return DeletionProof()
        doubtful = self._doubtful(all_lost, self._ctx.complete_devices)
        proof = self._settle(doubtful, earlier, least, may_read_again=may_read_again)
        return replace(proof, proven=self._lost(all_lost))

    def _settle(
        self, lost: MissingRows, earlier: MissingRows | None, least: int | None, *, may_read_again: bool
    ) -> DeletionProof:
        if not lost:
            return DeletionProof()
        chosen = self._chosen(list(lost))
        if len(chosen) < len(lost) and may_read_again:
            raise NeedsAnotherReading(lost)
        answered = set(self._query(chosen))
        can_ask = self._ctx.may_query_devices()  # the answers may have shown that the filter is ignored
        if may_read_again and not can_ask:
            raise NeedsAnotherReading(lost)
        after = self._doubtful(self._lost(lost), ())
        # a provider that answers no direct query is believed in what two readings say alike: there is nothing better
        kept = self._kept(after, answered, least, {} if can_ask else earlier or {})
        if kept:
            self._staging.restore(self._file, kept)
        return DeletionProof(self._requests, len(kept), unasked=can_ask and not answered.issuperset(after))

    @property
    def _file(self) -> Path:
        if self._current is None:
            raise ValueError("there is no file to compare with")
        return self._current

    def _lost(self, among: Collection[str] | None) -> MissingRows:
        return self._staging.missing(self._current, among) if self._current else {}

    def _doubtful(self, lost: MissingRows, complete: Collection[str]) -> MissingRows:
        """Return those of devices that are not known to be gone, and of which no answer was ``complete``."""
        return {
            device: keys
            for device, keys in lost.items()
            if (device not in complete or self._staging.damaged(device)) and not self._ctx.knows_gone(device)
        }

    # -- asking ------------------------------------------------------------------------------------------------

    def _chosen(self, devices: Sequence[str]) -> Sequence[str]:
        """Return the devices to query: as many as are affordable; the others have their turn on a later pass."""
        if not self._ctx.may_query_devices():
            return ()
        return devices[: self._queries().at_once * self._most]

    @property
    def _most(self) -> int:
        left = self._ctx.client.remaining_hour
        most = MOST_PAGES if self._ctx.request.asked else BACKGROUND_COST
        return most if left is None else min(most, left // 4)

    def _queries(self) -> DeviceQueries:
        rows = self._ctx.previous.rows
        return DeviceQueries(self._ctx, rows / max(1, len(self._ctx.fleet() or ())))

    def _query(self, devices: Sequence[str]) -> Collection[str]:
        """Put the answers in place of what is staged; return the devices that were answered for."""
        queries, answered = self._queries(), set[str]()
        try:
            for answer in queries.fetch(devices) if devices else ():
                self._staging.drop(answer.devices)
                for page in answer.pages:
                    self._staging.add(page.text)
                answered.update(answer.devices)
        except (NeedsFullLoad, RetryLater, Skip, Rejected):
            if self._ctx.client.stopped:
                raise
        self._requests += queries.requests
        self._staging.unify_keys()
        self._ctx.complete_devices.update(answered)
        return answered

    # -- judging -----------------------------------------------------------------------------------------------

    def _kept(
        self, lost: MissingRows, answered: Collection[str], least: int | None, twice: MissingRows
    ) -> Collection[int]:
        """Return the keys of the rows that stay: those nobody was asked for, and those that a damaged row may be.

        Rows that were missing ``twice`` go also where nobody was asked.
        """
        if least is not None and self._staging.rows < least:
            return _keys(lost)
        damaged = {device: keys for device, keys in lost.items() if self._staging.damaged(device)}
        unasked = {d: keys - twice.get(d, frozenset()) for d, keys in lost.items() if d not in answered}
        return _keys(unasked) | _keys(damaged)


MANY = 50
MANY_SHARE = 0.05
SAMPLE = 20
"""Above 50 missing rows, or 5 % of the table, a sample of 20 is asked for before the others."""

MOST_IN_BACKGROUND = 100
"""So many rows are asked for in one pass while nobody waits; the others are kept until the next."""

AT_ONCE = 4


def check_list_deletions(ctx: PassContext, staging: Staging, current: Path, *, ordered: bool) -> DeletionProof:
    """Make sure that what did not come is gone; rows that are there, or may be, are staged.

    ``ordered`` tells that the list came in the order of its keys, with no page torn: then it lacks nothing that was
    there all the time. :class:`Suspicious` where many are missing and most of the sample are still there.
    """
    lost = staging.missing(current)
    if not lost:
        return DeletionProof()
    if ctx.resource.confirm is None or staging.keys_are_masked:
        proof = _confirmed_by_walk(ctx, staging, current)
    else:
        proof = _confirmed_by_row(ctx, staging, current, lost, ordered=ordered)
    return replace(proof, proven=staging.missing(current, lost))


def _confirmed_by_row(
    ctx: PassContext, staging: Staging, current: Path, lost: MissingRows, *, ordered: bool
) -> DeletionProof:
    missing, mirrored = list(lost), ctx.previous.rows
    many = len(missing) > MANY or len(missing) > MANY_SHARE * mirrored
    sample = missing[:: max(1, len(missing) // SAMPLE)][:SAMPLE] if many else missing
    try:
        found = _fetch_rows(ctx, sample)
        if 2 * len(found) > len(sample) and many:
            raise _not_whole(ctx, len(missing), len(found), len(sample))
        proven = not many or (ordered and not found)
        others = [] if proven else [key for key in missing if key not in set(sample)][: _most_rows(ctx) - len(sample)]
        found += _fetch_rows(ctx, others)
    except (Skip, Rejected):
        return _confirmed_by_walk(ctx, staging, current)
    for page in found:
        staging.add(page.text)
    asked = {*sample, *others}
    kept = [] if proven else [key for name, keys in lost.items() if name not in asked for key in keys]
    staging.flush()
    if kept:
        staging.restore(current, kept)
    return DeletionProof(len(asked), len(kept))


def _most_rows(ctx: PassContext) -> int:
    return MOST_PAGES if ctx.request.asked else MOST_IN_BACKGROUND


def _fetch_rows(ctx: PassContext, keys: Sequence[str]) -> list[Page]:
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="fetch-row") as pool:
        pages = pool.map(lambda key: fetch_row(ctx.client, ctx.resource, key), keys)
        return [page for page in pages if page is not None]


def _not_whole(ctx: PassContext, missing: int, found: int, asked: int) -> Suspicious:
    return Suspicious(
        f"{missing} of {ctx.previous.rows} rows of {ctx.resource.name} did not come, but {found} of {asked} "
        "asked for are still there: the list was not whole. The previous rows are kept; the next pass tries again."
    )


def _confirmed_by_walk(ctx: PassContext, staging: Staging, current: Path) -> DeletionProof:
    """Walk until a walk brings nothing new and nothing moved meanwhile; what is still missing then is gone.

    Not so where a row that could not be told from others may be it.
    """
    requests, steady = 0, False
    for _ in range(WALKS):
        staging.drop_duplicates()
        known = staging.rows
        stats = walk_once(replace(ctx, progress=NoProgress()), staging)
        requests += stats.pages
        staging.drop_duplicates()
        if steady := staging.rows == known and (stats.rows == known or is_steady(stats, ctx.resource)):
            break
    missing = staging.missing(current)
    kept = _keys({first: keys for first, keys in missing.items() if not steady or staging.damaged(first)})
    if kept:
        staging.restore(current, kept)
    return DeletionProof(requests, len(kept))


def _keys(lost: MissingRows) -> set[int]:
    return {key for keys in lost.values() for key in keys}
