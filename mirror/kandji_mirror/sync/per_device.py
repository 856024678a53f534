"""Tables that cost a request a device, read slowly out of the budget that is left, and published slice by slice."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock

from kandji_mirror.state import DeviceReading, SweepLedger
from kandji_mirror.sync.context import Job
from kandji_mirror.sync.data_file import put
from kandji_mirror.sync.device_reader import NOTHING_KNOWN, DeviceAnswer, DeviceReader, Known
from kandji_mirror.sync.devices import Fleet, Listed, of_platforms
from kandji_mirror.sync.extract_stats import drift_of, joined, more_odd
from kandji_mirror.sync.published import first_keys, own_keys
from kandji_mirror.sync.strategy import Method
from kandji_schema.durations import in_future
from kandji_schema.errors import RetryLater
from kandji_schema.manifest import State, TableState
from kandji_schema.resource import Resource

SLICE = 500
SLICE_SECONDS = 60.0
"""So many devices are read before their rows are published, or for so long: a kill loses no more."""

AT_ONCE = 8

MOST_FAULTS = 10
"""Devices whose answer may fail before the sweep is given up for now."""

FEW_MISREAD = 10
"""So many devices are read again each time until their answers fit; what is wrong with more is hardly an accident."""

Publish = Callable[[Mapping[str, TableState]], object]


@dataclass(frozen=True)
class Slice:
    """Devices that were read, beginning ``at``, and the tables with what they answered."""

    answers: Sequence[DeviceAnswer]
    states: Mapping[str, TableState]
    at: datetime

    @property
    def requests(self) -> int:
        """Requests spent on them."""
        return sum(answer.requests for answer in self.answers)


@dataclass
class Table:
    """One table of a sweep: the devices it has rows of, and when each was read.

    ``misread`` are devices whose last answer had something in it that did not fit; it ``doubts`` that this stays so.
    """

    job: Job
    fleet: Fleet
    readings: dict[str, DeviceReading]
    requests: int = 0
    misread: set[str] = field(default_factory=set)
    doubts: bool = False

    @property
    def resource(self) -> Resource:
        """What is swept."""
        return self.job.resource

    def due(self, now: datetime) -> list[str]:
        """Devices to read, the most urgent first."""
        ttl, reported = self.resource.ttl, self.resource.reported
        return due_devices(self.fleet, self.readings, now, ttl, anew=self.job.order.whole, reported=reported)

    def known(self, devices: Sequence[str]) -> Mapping[str, Known]:
        """What is mirrored of these devices, where their lists only grow: those are read from their newest rows on."""
        job, resource = self.job, self.resource
        if not resource.newest_first or job.live is None:
            return {}
        keys = own_keys(job.live, resource, devices)
        trusted = {} if job.order.whole else {d: r for d, r in self.readings.items() if r.seen != MISREAD}
        read = {device: trusted[device].surplus for device in devices if device in trusted}
        return {d: Known(keys.get(d, frozenset()), read.get(d, 0), whole=d in read) for d in devices}

    def whole(self, answers: Sequence[DeviceAnswer]) -> set[str]:
        """Devices whose rows are those of the answers and no others."""
        answered = [answer for answer in answers if self.resource.name in answer.texts]
        return {answer.device for answer in answered if answer.gone or not self.resource.newest_first}

    def unlisted(self) -> set[str]:
        """Devices with rows here that the tenant does not list any more.

        None where the rows came otherwise, of devices that an older list of this run may not have yet.
        """
        job = self.job
        if job.live is None or not (job.fleet_is_new() or job.previous.method == method_of(self.resource)):
            return set()
        return first_keys(job.live, self.resource) - (job.fleet() or self.fleet).keys()

    def read_at(self) -> list[datetime]:
        """When each of the listed devices was read, as far as it was."""
        return [reading.at for device, reading in self.readings.items() if device in self.fleet]


def swept_table(job: Job, fleet: Fleet, ledger: SweepLedger) -> Table:
    """The table with what the ledger says of it; nothing where its rows are not those that were read then."""
    name, method = job.resource.name, method_of(job.resource)
    devices = of_platforms(fleet, job.resource.platforms)
    if job.live is not None and job.previous.method == method:
        return Table(job, devices, ledger.readings(name))
    ledger.clear(name)
    return Table(job, devices, {})


def method_of(resource: Resource) -> Method:
    """What a sweep of the table is called."""
    return Method.SWEEP if resource.swept else Method.PER_DEVICE


def path_of(resource: Resource) -> str:
    """The path that is asked for each device; tables that share it are read together."""
    return resource.path if resource.swept or resource.fallback is None else resource.fallback.path


class Sweep:
    """One sweep over the tables of one path."""

    def __init__(self, tables: Sequence[Table], ledger: SweepLedger) -> None:
        self._tables = tables
        self._ledger = ledger
        filled = {t.resource.name: first_keys(t.job.live, t.resource) if t.job.live else set() for t in tables}
        self._reader = DeviceReader(tables[0].job.client, path_of(tables[0].resource), filled)
        self._known: dict[str, Known] = {}
        self._left: int | None = None
        self._faults: list[str] = []
        self._stopped_by: RetryLater | None = None
        self._done = 0
        self._spending = Lock()

    def run(self, budget: int | None, publish: Publish) -> int:
        """Read what is due; returns the requests spent. ``publish`` makes states current.

        Once the requests of the ``budget`` are spent no other device is begun: one may cost a request a page.

        Raises what concerns all devices, such as :class:`PermissionMissing`; what was published before stays.
        """
        due = self._due(self._now())
        chosen = due if budget is None else due[:budget]
        spent, done, self._left = 0, 0, budget
        while True:
            taken = self.take(chosen[done : done + SLICE], len(chosen))
            publish(taken.states)
            self.note(taken)
            spent += taken.requests
            done += len(taken.answers)
            if done >= len(chosen) or self._is_spent or self._stopped_by or len(self._faults) > MOST_FAULTS:
                return spent

    def _now(self) -> datetime:
        return self._tables[0].job.store.wall()

    def _due(self, now: datetime) -> list[str]:
        """Devices that are due for any of the tables, in the order of the first that wants them."""
        return list(dict.fromkeys(device for table in self._tables for device in table.due(now)))

    def take(self, devices: Sequence[str], of: int) -> Slice:
        """Read some devices, ``of`` so many in all. Once the states are published, :meth:`note` it."""
        at = self._now()
        self._known = {device: known for table in self._tables for device, known in table.known(devices).items()}
        answers = list(self._answers(devices, of))
        self._refuse_nothing(devices, answers)
        return Slice(answers, {table.resource.name: self._put(table, answers, at) for table in self._tables}, at)

    def note(self, taken: Slice) -> None:
        """Write into the ledger what is published now: a kill before this only lets these devices be read again."""
        for table in self._tables:
            self._note(table, taken.answers, taken.at)

    # -- reading -----------------------------------------------------------------------------------------------

    def _answers(self, devices: Sequence[str], of: int) -> Iterator[DeviceAnswer]:
        """Answers in order; they end early when it is time to publish, and where no more can be had for now."""
        clock = self._tables[0].job.client.clock
        until = clock() + SLICE_SECONDS

        def read(device: str) -> DeviceAnswer | None:
            return self._read_if_affordable(device) if device == devices[0] or clock() < until else None

        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sweep") as pool:
            try:
                for answer in pool.map(read, devices):
                    if answer is None:
                        return
                    self._done += 1
                    if answer.error:
                        self._faults.append(str(answer.error))
                    for table in self._tables:
                        table.job.progress.advanced(table.resource.name, pages=self._done, rows=self._done, total=of)
                    yield answer
            except RetryLater as error:
                self._stopped_by = error

    @property
    def _is_spent(self) -> bool:
        return self._left is not None and self._left <= 0

    def _read_if_affordable(self, device: str) -> DeviceAnswer | None:
        """What the device answers; None where the budget is spent. What it costs at least is set aside beforehand."""
        with self._spending:
            if self._is_spent:
                return None
            self._spend(1)
        answer = self._read(device)
        with self._spending:
            self._spend(answer.requests - 1)
        return answer

    def _spend(self, requests: int) -> None:
        self._left = None if self._left is None else self._left - requests

    def _read(self, device: str) -> DeviceAnswer:
        if len(self._faults) > MOST_FAULTS:
            raise RetryLater(f"{len(self._faults)} devices could not be read: {self._faults[0]}")
        wanted = [table for table in self._tables if device in table.fleet]
        platform = wanted[0].fleet[device].platform
        fields = {"device_id": device, "device__family": platform}
        known = self._known.get(device, NOTHING_KNOWN)
        return self._reader.read(device, [table.resource for table in wanted], fields, known)

    def _refuse_nothing(self, devices: Sequence[str], answers: Sequence[DeviceAnswer]) -> None:
        """Where not one device could be read, that is a failure and no slow progress."""
        if devices and all(answer.error for answer in answers):
            raise self._stopped_by or next(answer.error for answer in answers if answer.error)

    # -- writing -----------------------------------------------------------------------------------------------

    def _put(self, table: Table, answers: Sequence[DeviceAnswer], at: datetime) -> TableState:
        """The table with the rows of the answers in place of what it had of these devices."""
        job, name = table.job, table.resource.name
        texts = {answer.device: answer.texts[name] for answer in answers if name in answer.texts}
        table.requests += sum(answer.requests for answer in answers)
        with job.room() as (staging, target):
            for device, pages in texts.items():
                for page in pages:
                    staging.add(page, (device,) if table.resource.parent_key else ())
            staging.flush()
            staging.drop_duplicates()
            seen = drift_of(table.resource, staging.leftovers())
            table.misread = staging.misread() if seen.odd else set()
            table.doubts = len(table.misread) <= FEW_MISREAD or more_odd(seen, job.previous.drift)
            drift = joined(job.previous.drift, seen)
            whole = table.whole(answers) | table.unlisted()
            job.told.update(whole)  # the list of devices was confirmed without those that are gone
            state = put(job, staging, target, whole=whole)
        table.readings |= self._readings(table, answers, at)
        return replace(self._judged(table, state, at), drift=drift)

    def _judged(self, table: Table, state: TableState, now: datetime) -> TableState:
        """The state as far as the listed devices were read."""
        read, name = table.read_at(), table.resource.name
        missing = len(table.fleet) - len(read)
        trouble = self._trouble()
        note = (
            f"{len(read):,} of {len(table.fleet):,} devices read; `kandji-mirror sync {name}` reads the rest at one "
            "request each"
        )
        return replace(
            state,
            state=State.PARTIAL if missing or trouble else State.OK,
            error=trouble,
            note=note if missing else None,
            method=method_of(table.resource).value,
            requests=table.requests,
            attempted_at=now,
            synced_at=min(read, default=None if missing else now),
            whole_at=None,
            checked_at=None,
            watermark=None,
            surplus=0,
        )

    def _trouble(self) -> str | None:
        if self._stopped_by:
            return str(self._stopped_by)
        return f"{len(self._faults)} devices could not be read now: {self._faults[0]}" if self._faults else None

    def _readings(self, table: Table, answers: Sequence[DeviceAnswer], at: datetime) -> dict[str, DeviceReading]:
        """A device that was there but had no answer for its platform counts as read too."""
        read = (a for a in answers if not a.error and a.device in table.fleet)
        again = table.misread if table.doubts else set()
        seen = {device: MISREAD if device in again else listed.seen for device, listed in table.fleet.items()}
        return {a.device: DeviceReading(at, seen[a.device], a.surplus) for a in read}

    def _note(self, table: Table, answers: Sequence[DeviceAnswer], at: datetime) -> None:
        gone = table.readings.keys() - table.fleet.keys()
        self._ledger.note(table.resource.name, self._readings(table, answers, at), gone)
        for device in gone:
            del table.readings[device]


MISREAD = ""
"""Stands for what the list of devices said where the answer is to be asked for again: no device is listed so."""


def due_devices(
    fleet: Fleet,
    readings: Mapping[str, DeviceReading],
    now: datetime,
    ttl: timedelta,
    *,
    anew: bool = False,
    reported: bool = True,
) -> list[str]:
    """Devices never read, then those heard of since they were read, then those read longer ago than ``ttl``.

    Of those never read the one that checked in last comes first, else the oldest reading does. ``anew`` makes every
    device due. Of rows that are not ``reported`` by devices it does not matter that something was heard of one.
    """
    never = sorted(fleet.keys() - readings.keys(), key=lambda device: (_silence(fleet[device], now), device))
    known = sorted(fleet.keys() & readings.keys(), key=lambda device: (readings[device].at, device))
    moved = {d for d in known if readings[d].seen == MISREAD or (reported and readings[d].seen != fleet[d].seen)}
    heard_of = [device for device in known if device in moved]
    quiet = [device for device in known if device not in moved]
    old = [device for device in quiet if now - readings[device].at >= ttl or in_future(readings[device].at, now)]
    return never + heard_of + (quiet if anew else old)


def _silence(device: Listed, now: datetime) -> timedelta:
    return now.replace(tzinfo=None) - device.checked_in if device.checked_in else timedelta.max
