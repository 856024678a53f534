"""The deletion check: no row of a device that the tenant still lists goes unless a direct question confirms it.

A count that fits is no proof: while devices leave, rows shift between pages, and rows of devices that are gone make up
for those that were skipped. Every way of writing a Prism table asks here before rows go, and gets what it has to show.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kandji_mirror.ingest.staging import Lost, Staging
from kandji_mirror.sync.changes import NotEnough
from kandji_mirror.sync.choice import MOST_PAGES
from kandji_mirror.sync.device_questions import DeviceQuestions
from kandji_mirror.sync.job import BACKGROUND_COST, Job
from kandji_schema.errors import Rejected, RetryLater, Skip

SAMPLE = 20
"""Where more devices lost rows than can be asked for, so many are, after a second reading lacked the same rows."""


class ReadAgain(Exception):
    """Too many devices lost rows to ask for each, so that another reading has to come first; ``lost`` are the rows."""

    def __init__(self, lost: Lost) -> None:
        super().__init__(f"{len(lost):,} devices lost rows")
        self.lost = lost


@dataclass(frozen=True)
class Cleared:
    """Staged rows that may take the place of the mirrored ones.

    ``rescued`` rows are there though they had not come; ``kept`` ones stay as nothing confirmed that they are gone.
    """

    requests: int = 0
    rescued: int = 0
    kept: int = 0

    @property
    def note(self) -> str | None:
        """What is not perfect though nothing failed."""
        if not self.kept:
            return None
        return f"{self.kept:,} rows did not come, but no direct question confirmed that they are gone: they are kept."


class DeletionCheck:
    """One look at what a pass would drop of the file ``live``; staged rows are mended by it."""

    def __init__(self, job: Job, staging: Staging, live: Path | None) -> None:
        self._job = job
        self._staging = staging
        self._live = live
        self._requests = 0

    def of_whole(self, *, earlier: Lost | None = None, least: int | None = None) -> Cleared:
        """The staged rows are to replace all.

        ``earlier`` are the rows another reading lacked. There are ``least`` rows by the provider's count: answers that
        leave fewer prove nothing. :class:`ReadAgain` where another reading has to come first.
        """
        return self._cleared(None, earlier, least, may_read_again=earlier is None)

    def of_devices(self, whole: Collection[str]) -> Cleared:
        """The staged rows are to replace those of some first keys."""
        return self._cleared(whole, None, None, may_read_again=False) if whole else Cleared()

    def _cleared(
        self, among: Collection[str] | None, earlier: Lost | None, least: int | None, *, may_read_again: bool
    ) -> Cleared:
        lost = self._doubtful(among)
        if not lost:
            return Cleared()
        chosen = self._chosen(list(lost), earlier)
        if not chosen and may_read_again:
            raise ReadAgain(lost)
        answered = self._ask(chosen)
        after = self._doubtful(lost, told=())
        rescued = sum(len(lost[device] - after.get(device, frozenset())) for device in answered)
        kept = self._kept(after, answered, earlier, least, rescued=rescued)
        self._staging.keep(self._file, kept) if kept else None
        return Cleared(self._requests, rescued, len(kept))

    @property
    def _file(self) -> Path:
        if self._live is None:
            raise ValueError("there is no file to compare with")
        return self._live

    def _doubtful(self, among: Collection[str] | None, told: Collection[str] | None = None) -> Lost:
        """Lost rows of devices that are not known to be gone, and of which nobody was ``told`` all rows."""
        if self._live is None:
            return {}
        known = self._job.told if told is None else told
        lost = self._staging.lost(self._live, among)
        return {
            device: keys
            for device, keys in lost.items()
            if (device not in known or self._staging.damaged(device)) and not self._job.knows_gone(device)
        }

    # -- asking ------------------------------------------------------------------------------------------------

    def _chosen(self, devices: Sequence[str], earlier: Lost | None) -> Sequence[str]:
        """The devices to ask for: all where that is affordable, a sample where another reading says the same."""
        if not self._job.may_ask_devices():
            return ()
        if self._questions().cost(len(devices)) <= self._most:
            return devices
        return devices[:: max(1, len(devices) // SAMPLE)][:SAMPLE] if earlier is not None else ()

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

    def _kept(
        self, lost: Lost, answered: Collection[str], earlier: Lost | None, least: int | None, *, rescued: int
    ) -> Collection[int]:
        """Keys of the rows that stay."""
        if least is not None and self._staging.rows < least:
            return _keys(lost)
        unasked = {device: keys for device, keys in lost.items() if device not in answered}
        damaged = {device: keys for device, keys in lost.items() if self._staging.damaged(device)}
        if earlier is None or rescued:
            return _keys(unasked) | _keys(damaged)
        twice = {device: keys - earlier.get(device, frozenset()) for device, keys in unasked.items()}
        return _keys(twice) | _keys(damaged)


def _keys(lost: Mapping[str, Iterable[int]]) -> set[int]:
    return {key for keys in lost.values() for key in keys}
