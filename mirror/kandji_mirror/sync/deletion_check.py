"""The deletion check: no row of a device that the tenant still lists goes unless a direct question confirms it.

A count that fits is no proof: while devices leave, rows shift between pages, and rows of devices that are gone make up
for those that were skipped. Every way of writing a Prism table asks here before rows go, and gets what it has to show.
"""

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from kandji_mirror.api.pages import Page
from kandji_mirror.ingest.staging import Lost, Staging
from kandji_mirror.report import NoProgress
from kandji_mirror.sync.completeness import Cleared
from kandji_mirror.sync.context import BACKGROUND_COST, Job
from kandji_mirror.sync.filtered_pages import DeviceQuestions, NotEnough
from kandji_mirror.sync.list_walk import WALKS, steady, still_there, walk_once
from kandji_mirror.sync.strategy import MOST_PAGES
from kandji_schema.errors import Rejected, RetryLater, Skip, Suspicious


class ReadAgain(Exception):
    """Not every device that lost rows can be asked for, so another reading has to come first; ``lost`` are the rows."""

    def __init__(self, lost: Lost) -> None:
        super().__init__(f"{len(lost):,} devices lost rows")
        self.lost = lost


class DeletionCheck:
    """One look at what a pass would drop of the file ``live``; staged rows are mended by it."""

    def __init__(self, job: Job, staging: Staging, live: Path | None) -> None:
        self._job = job
        self._staging = staging
        self._live = live
        self._requests = 0

    def of_whole(self, *, earlier: Lost | None = None, least: int | None = None) -> Cleared:
        """The staged rows are to replace all.

        ``earlier`` are the rows another reading of this pass lacked. There are ``least`` rows by the provider's count:
        answers that leave fewer prove nothing. :class:`ReadAgain` where another reading has to come first.
        """
        return self._cleared(None, earlier, least, may_read_again=earlier is None)

    def of_split(self, devices: Collection[str]) -> Cleared:
        """Put what direct questions tell in place of the staged rows of devices that came on several pages.

        Of a table with repeats nothing else tells a row that shifted to the next page, and so came twice, from one that
        is there twice.
        """
        answered = self._ask(self._chosen(sorted(devices))) if devices else ()
        return Cleared(self._requests, unasked=not set(answered).issuperset(devices))

    def of_devices(self, whole: Collection[str]) -> Cleared:
        """The staged rows are to replace those of some first keys."""
        return self._cleared(whole, None, None, may_read_again=False) if whole else Cleared()

    def _cleared(
        self, among: Collection[str] | None, earlier: Lost | None, least: int | None, *, may_read_again: bool
    ) -> Cleared:
        all_lost = self._lost(among)
        if not all_lost:
            return Cleared()
        cleared = self._settled(self._doubtful(all_lost, self._job.told), earlier, least, may_read_again=may_read_again)
        return replace(cleared, goes=self._lost(all_lost))

    def _settled(self, lost: Lost, earlier: Lost | None, least: int | None, *, may_read_again: bool) -> Cleared:
        if not lost:
            return Cleared()
        chosen = self._chosen(list(lost))
        if len(chosen) < len(lost) and may_read_again:
            raise ReadAgain(lost)
        answered = set(self._ask(chosen))
        can_ask = self._job.may_ask_devices()  # the answers may have shown that the filter is ignored
        if may_read_again and not can_ask:
            raise ReadAgain(lost)
        after = self._doubtful(self._lost(lost), ())
        rescued = sum(len(lost[device] - after.get(device, frozenset())) for device in answered)
        # a provider that answers no direct question is believed in what two readings say alike: there is nothing better
        kept = self._kept(after, answered, least, {} if can_ask else earlier or {})
        self._staging.keep(self._file, kept) if kept else None
        return Cleared(self._requests, rescued, len(kept), unasked=can_ask and not answered.issuperset(after))

    @property
    def _file(self) -> Path:
        if self._live is None:
            raise ValueError("there is no file to compare with")
        return self._live

    def _lost(self, among: Collection[str] | None) -> Lost:
        return self._staging.lost(self._live, among) if self._live else {}

    def _doubtful(self, lost: Lost, told: Collection[str]) -> Lost:
        """Those of devices that are not known to be gone, and of which nobody was ``told`` all rows."""
        return {
            device: keys
            for device, keys in lost.items()
            if (device not in told or self._staging.damaged(device)) and not self._job.knows_gone(device)
        }

    # -- asking ------------------------------------------------------------------------------------------------

    def _chosen(self, devices: Sequence[str]) -> Sequence[str]:
        """The devices to ask for: as many as are affordable; the others have their turn on a later pass."""
        if not self._job.may_ask_devices():
            return ()
        return devices[: self._questions().at_once * self._most]

    @property
    def _most(self) -> int:
        left = self._job.client.remaining_hour
        most = MOST_PAGES if self._job.order.asked else BACKGROUND_COST
        return most if left is None else min(most, left // 4)

    def _questions(self) -> DeviceQuestions:
        rows = self._job.previous.rows
        return DeviceQuestions(self._job, rows / max(1, len(self._job.fleet() or ())))

    def _ask(self, devices: Sequence[str]) -> Collection[str]:
        """Put the answers in place of what is staged; the devices that were answered for."""
        questions, answered = self._questions(), set[str]()
        try:
            for answer in questions.ask(devices) if devices else ():
                self._staging.forget(answer.devices)
                for page in answer.pages:
                    self._staging.add(page.text)
                answered.update(answer.devices)
        except (NotEnough, RetryLater, Skip, Rejected):
            if self._job.client.stopped:
                raise
        self._requests += questions.requests
        self._staging.settle()
        self._job.told.update(answered)
        return answered

    # -- judging -----------------------------------------------------------------------------------------------

    def _kept(self, lost: Lost, answered: Collection[str], least: int | None, twice: Lost) -> Collection[int]:
        """Keys of the rows that stay: those nobody was asked for, and those that a damaged row may be.

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


def confirm_vanished(job: Job, staging: Staging, live: Path, *, ordered: bool) -> Cleared:
    """Make sure that what did not come is gone; rows that are there, or may be, are staged.

    ``ordered`` tells that the list came in the order of its keys without a seam: then it lacks nothing that was there
    all the time. :class:`Suspicious` where many are missing and most of the sample are still there.
    """
    lost = staging.lost(live)
    if not lost:
        return Cleared()
    if job.resource.confirm is None or staging.keys_are_masked:
        cleared = _absent_again(job, staging, live, lost)
    else:
        cleared = _asked_for(job, staging, live, lost, ordered=ordered)
    return replace(cleared, goes=staging.lost(live, lost))


def _asked_for(job: Job, staging: Staging, live: Path, lost: Lost, *, ordered: bool) -> Cleared:
    missing, mirrored = list(lost), job.previous.rows
    many = len(missing) > MANY or len(missing) > MANY_SHARE * mirrored
    sample = missing[:: max(1, len(missing) // SAMPLE)][:SAMPLE] if many else missing
    try:
        found = _still_there(job, sample)
        if 2 * len(found) > len(sample) and many:
            raise _not_whole(job, len(missing), len(found), len(sample))
        proven = not many or (ordered and not found)
        others = [] if proven else [key for key in missing if key not in set(sample)][: _room(job) - len(sample)]
        found += _still_there(job, others)
    except (Skip, Rejected):
        return _absent_again(job, staging, live, lost)
    for page in found:
        staging.add(page.text)
    asked = {*sample, *others}
    kept = [] if proven else [key for name, keys in lost.items() if name not in asked for key in keys]
    staging.flush()
    if kept:
        staging.keep(live, kept)
    return Cleared(len(asked), len(found), len(kept))


def _room(job: Job) -> int:
    return MOST_PAGES if job.order.asked else MOST_IN_BACKGROUND


def _still_there(job: Job, keys: Sequence[str]) -> list[Page]:
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="still-there") as pool:
        pages = pool.map(lambda key: still_there(job.client, job.resource, key), keys)
        return [page for page in pages if page is not None]


def _not_whole(job: Job, missing: int, found: int, asked: int) -> Suspicious:
    return Suspicious(
        f"{missing} of {job.previous.rows} rows of {job.resource.name} did not come, but {found} of {asked} "
        "asked for are still there: the list was not whole. The previous rows are kept; the next pass tries again."
    )


def _absent_again(job: Job, staging: Staging, live: Path, lost: Lost) -> Cleared:
    """Walk until a walk brings nothing new and nothing moved meanwhile; what is still missing then is gone."""
    requests = 0
    for _ in range(WALKS):
        staging.drop_duplicates()
        known = staging.rows
        walked = walk_once(job.client, job.resource, staging, NoProgress())
        requests += walked.pages
        staging.drop_duplicates()
        if staging.rows == known and (walked.rows == known or steady(walked, job.resource)):
            return _without_damaged(staging, live, lost, requests)
    kept = _keys(staging.lost(live))
    staging.keep(live, kept)
    return Cleared(requests, rescued=len(_keys(lost)) - len(kept), kept=len(kept))


def _without_damaged(staging: Staging, live: Path, lost: Lost, requests: int) -> Cleared:
    """What is lost now is gone, but where a row that could not be told from others may be it."""
    missing = staging.lost(live)
    kept = _keys({first: keys for first, keys in missing.items() if staging.damaged(first)})
    if kept:
        staging.keep(live, kept)
    return Cleared(requests, rescued=len(_keys(lost)) - len(_keys(missing)), kept=len(kept))


def _keys(lost: Lost) -> set[int]:
    return {key for keys in lost.values() for key in keys}
