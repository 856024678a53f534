"""A sweep: tables that cost a request a device, read out of the budget that is left, and published slice by slice."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from kandji_mirror.sync.device_reader import NOTHING_KNOWN, DeviceAnswer, DeviceReader, KnownRows
from kandji_mirror.sync.swept_table import SweptTable, path_of
from kandji_schema.errors import RetryLater
from kandji_schema.manifest import TableState
from kandji_schema.text import counted

SLICE = 500
SLICE_SECONDS = 60.0
"""So many devices are read before their rows are published, or for so long: a kill loses no more."""

AT_ONCE = 8

MOST_FAULTS = 10
"""Devices whose answer may fail before the sweep is given up for now."""

Publish = Callable[[Mapping[str, TableState]], object]


@dataclass(frozen=True)
class SweepSlice:
    """Devices that were read, beginning ``at``, and the tables with what they answered."""

    answers: Sequence[DeviceAnswer]
    states: Mapping[str, TableState]
    at: datetime

    @property
    def requests(self) -> int:
        """Requests spent on them."""
        return sum(answer.requests for answer in self.answers)


class Sweep:
    """One sweep over the tables of one path."""

    def __init__(self, tables: Sequence[SweptTable]) -> None:
        self._tables = tables
        self._client = tables[0].ctx.client
        self._wall = tables[0].ctx.store.wall
        filled = {table.resource.name: table.filled() for table in tables}
        self._reader = DeviceReader(self._client, path_of(tables[0].resource), filled)
        self._known: dict[str, KnownRows] = {}
        self._left: int | None = None
        self._faults: list[str] = []
        self._stopped_by: RetryLater | None = None
        self._done = 0
        self._spending = Lock()

    def read_due(self, budget: int | None, publish: Publish) -> int:
        """Read what is due; return the requests spent. ``publish`` makes states current.

        Once the requests of the ``budget`` are spent no other device is begun: one may cost a request a page.

        Raises what concerns all devices, such as :class:`PermissionMissing`; what was published before stays.
        """
        due = self._due(self._wall())
        chosen = due if budget is None else due[:budget]
        spent, done, self._left = 0, 0, budget
        while True:
            taken = self.read_slice(chosen[done : done + SLICE], len(chosen))
            publish(taken.states)
            self.record(taken)
            spent += taken.requests
            done += len(taken.answers)
            if done >= len(chosen) or self._is_spent or self._stopped_by or len(self._faults) > MOST_FAULTS:
                return spent

    def _due(self, now: datetime) -> list[str]:
        """Return devices that are due for any of the tables, in the order of the first that wants them."""
        return list(dict.fromkeys(device for table in self._tables for device in table.due(now)))

    def read_slice(self, devices: Sequence[str], of: int) -> SweepSlice:
        """Read some devices, ``of`` so many in all. Once the states are published, :meth:`record` it."""
        at = self._wall()
        self._known = {device: known for table in self._tables for device, known in table.known(devices).items()}
        answers = list(self._answers(devices, of))
        if devices and all(answer.error for answer in answers):  # a failure and no slow progress
            raise self._stopped_by or next(answer.error for answer in answers if answer.error)
        trouble = self._trouble()
        return SweepSlice(answers, {t.resource.name: t.merge(answers, at, trouble) for t in self._tables}, at)

    def record(self, taken: SweepSlice) -> None:
        """Write into the ledger what is published now: a kill before this only lets these devices be read again."""
        for table in self._tables:
            table.record(taken.answers, taken.at)

    def _answers(self, devices: Sequence[str], of: int) -> Iterator[DeviceAnswer]:
        """Yield answers in order; they end early when it is time to publish, and where no more can be had for now."""
        clock = self._client.clock
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
                        table.ctx.progress.advanced(table.resource.name, pages=self._done, rows=self._done, total=of)
                    yield answer
            except RetryLater as error:
                self._stopped_by = error

    @property
    def _is_spent(self) -> bool:
        return self._left is not None and self._left <= 0

    def _read_if_affordable(self, device: str) -> DeviceAnswer | None:
        """Return what the device answers; None where the budget is spent. What it costs at least is set aside first."""
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
            raise RetryLater(f"{counted(len(self._faults), 'device')} could not be read: {self._faults[0]}")
        wanted = [table for table in self._tables if device in table.fleet]
        platform = wanted[0].fleet[device].platform
        fields = {"device_id": device, "device__family": platform}
        known = self._known.get(device, NOTHING_KNOWN)
        return self._reader.read(device, [table.resource for table in wanted], fields, known)

    def _trouble(self) -> str | None:
        if self._stopped_by:
            return str(self._stopped_by)
        unread = counted(len(self._faults), "device")
        return f"{unread} could not be read now: {self._faults[0]}" if self._faults else None
