"""One table that is read device by device: which devices are due, what is known of them, and their rows merged in."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from kandji_mirror.ingest.file_queries import first_keys, own_keys
from kandji_mirror.state import DeviceReading
from kandji_mirror.sync.context import PassContext
from kandji_mirror.sync.data_file import write_merge
from kandji_mirror.sync.device_reader import DeviceAnswer, KnownRows
from kandji_mirror.sync.devices import Fleet, ListedDevice, on_platforms
from kandji_mirror.sync.extract_stats import has_more_odd_values, merge_drift, observed_drift
from kandji_mirror.sync.strategy import Method
from kandji_schema.durations import in_future
from kandji_schema.manifest import State, TableState
from kandji_schema.resource import Resource

FEW_MISREAD = 10
"""So many devices are read again each time until their answers fit; what is wrong with more is hardly an accident."""

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
    """Return devices never read, then those heard of since they were read, then those read longer ago than ``ttl``.

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


def _silence(device: ListedDevice, now: datetime) -> timedelta:
    return now.replace(tzinfo=None) - device.checked_in if device.checked_in else timedelta.max


@dataclass
class SweptTable:
    """One table of a sweep: the devices it has rows of, and when each was read.

    ``misread`` are devices whose last answer had something in it that did not fit; it ``doubts`` that this stays so.
    """

    ctx: PassContext
    fleet: Fleet
    readings: dict[str, DeviceReading]
    requests: int = 0
    misread: set[str] = field(default_factory=set)
    doubts: bool = False

    @property
    def resource(self) -> Resource:
        """What is swept."""
        return self.ctx.resource

    def due(self, now: datetime) -> list[str]:
        """Return the devices to read, the most urgent first."""
        ttl, reported = self.resource.ttl, self.resource.reported
        return due_devices(self.fleet, self.readings, now, ttl, anew=self.ctx.request.whole, reported=reported)

    def filled(self) -> set[str]:
        """Return the devices that have rows now."""
        return first_keys(self.ctx.engine, self.ctx.current_file, self.resource) if self.ctx.current_file else set()

    def known(self, devices: Sequence[str]) -> Mapping[str, KnownRows]:
        """Return what is mirrored of these devices, where their lists only grow and are read from their newest rows."""
        ctx, resource = self.ctx, self.resource
        if not resource.newest_first or ctx.current_file is None:
            return {}
        keys = own_keys(ctx.engine, ctx.current_file, resource, devices)
        trusted = {} if ctx.request.whole else {d: r for d, r in self.readings.items() if r.seen != MISREAD}
        read = {device: trusted[device].surplus for device in devices if device in trusted}
        return {d: KnownRows(keys.get(d, frozenset()), read.get(d, 0), whole=d in read) for d in devices}

    def merge(self, answers: Sequence[DeviceAnswer], at: datetime, trouble: str | None) -> TableState:
        """Write the table with the rows of the answers in place of what it had of these devices.

        The devices were read beginning ``at``; ``trouble`` is why some could not be.
        """
        ctx, name = self.ctx, self.resource.name
        texts = {answer.device: answer.texts[name] for answer in answers if name in answer.texts}
        self.requests += sum(answer.requests for answer in answers)
        with ctx.workspace() as (staging, target):
            for device, pages in texts.items():
                for page in pages:
                    staging.add(page, (device,) if self.resource.parent_key else ())
            staging.flush()
            staging.drop_duplicates()
            seen = observed_drift(self.resource, staging.leftovers())
            self.misread = staging.misread() if seen.odd else set()
            self.doubts = len(self.misread) <= FEW_MISREAD or has_more_odd_values(seen, ctx.previous.drift)
            drift = merge_drift(ctx.previous.drift, seen)
            whole = self._whole(answers) | self._unlisted()
            ctx.complete_devices.update(whole)  # the list of devices was confirmed without those that are gone
            state = write_merge(ctx, staging, target, whole=whole)
        self.readings |= self._new_readings(answers, at)
        return replace(self._judged(state, at, trouble), drift=drift)

    def record(self, answers: Sequence[DeviceAnswer], at: datetime) -> None:
        """Write into the ledger what is published now."""
        gone = self.readings.keys() - self.fleet.keys()
        self.ctx.state.ledger.note(self.resource.name, self._new_readings(answers, at), gone)
        for device in gone:
            del self.readings[device]

    def _whole(self, answers: Sequence[DeviceAnswer]) -> set[str]:
        """Return the devices whose rows are those of the answers and no others."""
        answered = [answer for answer in answers if self.resource.name in answer.texts]
        return {answer.device for answer in answered if answer.gone or not self.resource.newest_first}

    def _unlisted(self) -> set[str]:
        """Return the devices with rows here that the tenant does not list any more.

        None where the rows came otherwise, of devices that an older list of this run may not have yet.
        """
        ctx = self.ctx
        if ctx.current_file is None or not (ctx.fleet_is_new() or ctx.previous.method == method_of(self.resource)):
            return set()
        return self.filled() - (ctx.fleet() or self.fleet).keys()

    def _judged(self, state: TableState, now: datetime, trouble: str | None) -> TableState:
        """Return the state as far as the listed devices were read."""
        read = [reading.at for device, reading in self.readings.items() if device in self.fleet]
        missing = len(self.fleet) - len(read)
        note = note_of_part(self.resource.name, len(read), len(self.fleet))
        return replace(
            state,
            state=State.PARTIAL if missing or trouble else State.OK,
            error=trouble,
            note=note if missing else None,
            method=method_of(self.resource).value,
            requests=self.requests,
            attempted_at=now,
            synced_at=min(read, default=None if missing else now),
            whole_at=None,
            checked_at=None,
            watermark=None,
            surplus=0,
        )

    def _new_readings(self, answers: Sequence[DeviceAnswer], at: datetime) -> dict[str, DeviceReading]:
        """Return the readings; a device that was there but had no answer for its platform counts as read too."""
        read = (a for a in answers if not a.error and a.device in self.fleet)
        again = self.misread if self.doubts else set()
        seen = {device: MISREAD if device in again else listed.seen for device, listed in self.fleet.items()}
        return {a.device: DeviceReading(at, seen[a.device], a.surplus) for a in read}


def note_of_part(table: str, read: int, listed: int) -> str:
    """Say how many of the listed devices a table is read of, and what reads the others."""
    return f"{read:,} of {listed:,} devices read; `kandji-mirror sync {table}` reads the rest at one request each"


def part_in(note: str | None) -> str | None:
    """Return ``6 of 292`` where a note is one of :func:`note_of_part`; None where it says something else."""
    found = re.match(r"([\d,]+ of [\d,]+) devices read; ", note or "")
    return found[1] if found else None


def open_swept_table(ctx: PassContext, fleet: Fleet) -> SweptTable:
    """Return the table with what the ledger says of it; nothing where its rows are not those that were read then."""
    name, ledger = ctx.resource.name, ctx.state.ledger
    devices = on_platforms(fleet, ctx.resource.platforms)
    if ctx.current_file is not None and ctx.previous.method == method_of(ctx.resource):
        return SweptTable(ctx, devices, ledger.readings(name))
    ledger.clear(name)
    return SweptTable(ctx, devices, {})


def method_of(resource: Resource) -> Method:
    """Return the method that a sweep of the table goes by."""
    return Method.SWEEP if resource.swept else Method.PER_DEVICE


def path_of(resource: Resource) -> str:
    """Return the path that is asked for each device; tables that share it are read together."""
    return resource.path if resource.swept or resource.fallback is None else resource.fallback.path
