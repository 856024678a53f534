"""The deletion check: no row of a device that the tenant still lists goes unless a direct question confirms it.

A count that fits is no proof: while devices leave, rows shift between pages, and rows of devices that are gone make up
for those that were skipped. Every way of writing a Prism table asks here before rows go, and gets what it has to show.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kandji_mirror.ingest.staging import Lost, Staging
from kandji_mirror.sync.changes import NotEnough
from kandji_mirror.sync.choice import MOST_PAGES
from kandji_mirror.sync.cleared import Cleared
from kandji_mirror.sync.device_questions import DeviceQuestions
from kandji_mirror.sync.job import BACKGROUND_COST, Job
from kandji_schema.errors import Rejected, RetryLater, Skip


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


def _keys(lost: Mapping[str, Iterable[int]]) -> set[int]:
    return {key for keys in lost.values() for key in keys}
