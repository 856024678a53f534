"""What evidence tells, before anyone wrote it down: numbers by control and day, devices, gaps and exceptions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import IntEnum

from kandji_queries.evidence.exceptions import Exemption
from kandji_queries.evidence.framework import Control, Framework


class DayState(IntEnum):
    """What is known of a device and a control at the end of a day. The three kinds of unknown tell why."""

    ABSENT = 0
    PASSED = 1
    FAILED = 2
    NOT_KNOWN = 3
    TOO_OLD = 4
    NO_ROW = 5
    EXCEPTED = 6
    GAP = 7

    @property
    def word(self) -> str:
        """How it is called in files; "gap" where the day as such is not known."""
        return _WORDS[self]


_WORDS = {
    DayState.ABSENT: "not listed",
    DayState.PASSED: "passed",
    DayState.FAILED: "failed",
    DayState.NOT_KNOWN: "unknown",
    DayState.TOO_OLD: "unknown",
    DayState.NO_ROW: "unknown",
    DayState.EXCEPTED: "excepted",
    DayState.GAP: "gap",
}

REASONS = {
    DayState.NOT_KNOWN: "the value is not known",
    DayState.TOO_OLD: "reported too long ago, or nobody knows when",
    DayState.NO_ROW: "the device has no row",
}
"""Why a device is unknown."""

UNKNOWN = frozenset(REASONS)
"""The states that are unknown."""


@dataclass(frozen=True)
class Days:
    """A period of whole days, UTC, both ends included. ``moment`` is now, naive UTC; it ends today."""

    first: date
    last: date
    moment: datetime

    def __iter__(self) -> Iterator[date]:
        """Give every day."""
        return iter([self.first + timedelta(days=place) for place in range(len(self))])

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def place(self, day: date) -> int:
        """Return the place of a day, the first one being 0; it may lie outside."""
        return (day - self.first).days


@dataclass(frozen=True)
class DayCount:
    """The devices of a control at the end of a day; all four are None on a day that is not known (``is_gap``)."""

    day: date
    passed: int | None
    failed: int | None
    unknown: int | None
    excepted: int | None

    @property
    def is_gap(self) -> bool:
        """Whether nothing is known of the day."""
        return self.passed is None

    @property
    def devices(self) -> int | None:
        """How many devices the control is measured on."""
        parts = (self.passed, self.failed, self.unknown, self.excepted)
        known = [part for part in parts if part is not None]
        return sum(known) if known else None

    @property
    def percent(self) -> float | None:
        """The share that passed, of all devices, excepted and unknown ones too; None where there are none."""
        return round(100 * self.passed / self.devices, 1) if self.passed is not None and self.devices else None


@dataclass(frozen=True, kw_only=True)
class Device:
    """A device of the fleet in the period, as it was when it was last listed."""

    device_id: str
    name: str | None
    serial_number: str | None
    platform: str | None
    blueprint: str | None
    is_missing: bool | None
    is_removed: bool | None
    first_day: date
    last_day: date


@dataclass(frozen=True, kw_only=True)
class DeviceLine:
    """A device under a control: its states at both ends and how many days it was in each."""

    device: Device
    start: DayState
    end: DayState
    passed: int
    failed: int
    unknown: int
    excepted: int
    first_failed: date | None
    last_failed: date | None
    failed_rules: tuple[str, ...]
    unknown_because: str


@dataclass(frozen=True)
class Gap:
    """Days of a table of which nothing is known, with the reason, and the controls that are measured by it."""

    table: str
    first: date
    last: date
    kind: str
    why: str
    controls: tuple[str, ...] = ()

    @property
    def days(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class GapSpan:
    """Days of which nothing is known of some tables for the same reason."""

    first: date
    last: date
    days: int
    why: str
    tables: tuple[str, ...]
    controls: tuple[str, ...]


def gap_spans(gaps: Sequence[Gap]) -> tuple[GapSpan, ...]:
    """Return gaps with the tables that share days and reason told together, in order of days."""
    found: dict[tuple[date, date, str], list[Gap]] = {}
    for gap in gaps:
        found.setdefault((gap.first, gap.last, gap.why), []).append(gap)
    return tuple(
        GapSpan(
            *(first, last, same[0].days, why, tuple(gap.table for gap in same)),
            tuple(dict.fromkeys(control for gap in same for control in gap.controls)),
        )
        for (first, last, why), same in found.items()
    )


@dataclass(frozen=True)
class ExemptionUse:
    """An exception with what became of it: ``status`` in a few words, and how many days of devices it covered."""

    exemption: Exemption
    status: str
    days: int
    device: Device | None = None


@dataclass(frozen=True, kw_only=True)
class ControlEvidence:
    """A control with its numbers. ``measured_by`` are names of rules or the words "own statement".

    ``not_measured`` says why there are no numbers at all; empty where there are.
    """

    control: Control
    tables: tuple[str, ...]
    days: tuple[DayCount, ...] = ()
    lines: tuple[DeviceLine, ...] = ()
    gap_days: int = 0
    not_measured: str = ""

    @property
    def start(self) -> DayCount:
        """The end of the first day."""
        return self.days[0]

    @property
    def end(self) -> DayCount:
        """The end of the last day."""
        return self.days[-1]

    @property
    def ever_failed(self) -> int | None:
        """How many devices failed on some day that is known; None where none is."""
        if self.gap_days == len(self.days):
            return None
        return sum(line.failed > 0 for line in self.lines)


@dataclass(frozen=True)
class RuleTold:
    """A rule of compliance as it was applied: that of today."""

    name: str
    title: str
    table: str
    platforms: tuple[str, ...]
    conditions: str
    max_age: str


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Evidence of a period. ``made_at`` is aware UTC; ``as_of`` tells when every table used was read last.

    ``limits`` are sentences on what cannot be known, ``notes`` what has to be known of the data, ``statements`` the SQL
    of everything by a name that is fit for a file.
    """

    tenant: str
    version: str
    made_at: datetime
    generation: int
    published_at: datetime
    period: Days
    framework: Framework
    rules_file: str
    rules: tuple[RuleTold, ...]
    controls: tuple[ControlEvidence, ...]
    devices: int
    gaps: tuple[Gap, ...]
    exemptions: tuple[ExemptionUse, ...]
    as_of: Mapping[str, str | None]
    limits: Sequence[str]
    notes: Sequence[str]
    statements: Mapping[str, str] = field(default_factory=dict)
    masked: bool = False
    anonymous: bool = False

    @property
    def known_days(self) -> int:
        """On how many days every control that is measured is known."""
        gaps = [{count.day for count in one.days if count.is_gap} for one in self.controls if one.days]
        return len(self.period) - len(frozenset().union(*gaps)) if gaps else 0
