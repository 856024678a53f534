"""From spans of days to numbers: each device's state at the end of each day, control by control.

A device has a byte a day for every rule, and the bytes of a control are made of those of its rules. Most devices have
the same bytes as others, so that each pattern is looked at once.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from kandji_queries.compliance.rule_set import Rule
from kandji_queries.evidence.contents import (
    REASONS,
    UNKNOWN,
    DayCount,
    Days,
    DayState,
    Device,
    DeviceLine,
)
from kandji_queries.evidence.exceptions import Exemption
from kandji_queries.evidence.rule_days import Verdict

OF_VERDICT = {
    Verdict.PASS: DayState.PASSED,
    Verdict.FAIL: DayState.FAILED,
    Verdict.NULL: DayState.NOT_KNOWN,
    Verdict.OLD: DayState.TOO_OLD,
}

Span = tuple[Any, ...]
"""Values, and the first and the last day of which they are true."""


class Fleet:
    """The devices that were listed in the period, each on its days and with its platform of then."""

    def __init__(self, period: Days, spans: Iterable[Span]) -> None:
        """``spans`` are those of :data:`FLEET_COLUMNS`, by device and day."""
        self.period = period
        self._spans: dict[str, list[tuple[int, int, str | None]]] = {}
        self._last: dict[str, Span] = {}
        self._first: dict[str, date] = {}
        for span in spans:
            device_id, platform, first, last = span[0], span[3], span[-2], span[-1]
            self._spans.setdefault(device_id, []).append((period.place(first), period.place(last), platform))
            self._first.setdefault(device_id, first)
            self._last[device_id] = span

    @property
    def devices(self) -> Mapping[str, Device]:
        """Every device by its identifier."""
        return {
            key: Device(
                device_id=key,
                name=span[1],
                serial_number=span[2],
                platform=span[3],
                blueprint=span[4],
                is_missing=span[5],
                is_removed=span[6],
                first_day=self._first[key],
                last_day=span[-1],
            )
            for key, span in self._last.items()
        }

    def days_of(self, platforms: Sequence[str]) -> dict[str, bytearray]:
        """Return of every device that is of these platforms, all without any, the days on which it was listed."""
        found: dict[str, bytearray] = {}
        for device_id, spans in self._spans.items():
            days = bytearray(len(self.period))
            for first, last, platform in spans:
                if not platforms or platform in platforms:
                    days[first : last + 1] = bytes([DayState.NO_ROW]) * (last + 1 - first)
            if any(days):
                found[device_id] = days
        return found


FLEET_COLUMNS = ("device_id", "device_name", "serial_number", "platform", "blueprint_name", "is_missing", "is_removed")


def rule_days(fleet: Fleet, rule: Rule, spans: Iterable[Span]) -> dict[str, bytes]:
    """Return the state of each device that a rule is for on each day, from the rule's spans."""
    found = fleet.days_of(rule.platforms)
    for device_id, first, last, result in spans:
        if (days := found.get(device_id)) is not None:
            _put(days, fleet.period.place(first), fleet.period.place(last), OF_VERDICT[Verdict(result)])
    return {device_id: bytes(days) for device_id, days in found.items()}


def _put(days: bytearray, first: int, last: int, state: DayState) -> None:
    """Put a state on the days on which the device was listed."""
    for place in range(max(first, 0), min(last + 1, len(days))):
        if days[place]:
            days[place] = state


def _worst(states: Iterable[int]) -> int:
    """Return the state of a control by those of its rules on one day."""
    known = {state for state in states if state}
    if DayState.FAILED in known:
        return DayState.FAILED
    return max(known, default=int(DayState.ABSENT))  # every unknown is greater than passed


@dataclass(frozen=True)
class Judged:
    """The devices of a control: their final bytes, and in which rules each failed."""

    days: Mapping[str, bytes]
    failed_rules: Mapping[str, tuple[str, ...]]
    used: Mapping[Exemption, int] = field(default_factory=dict)


def judge(
    period: Days,
    by_rule: Mapping[str, Mapping[str, bytes]],
    gaps: frozenset[int],
    exemptions: Mapping[str, Sequence[Exemption]],
) -> Judged:
    """Return each device under a control. ``gaps`` are places of days that are not known.

    ``exemptions`` are those of this control, by device.
    """
    made: dict[tuple[bytes, ...], bytes] = {}
    days: dict[str, bytes] = {}
    failed: dict[str, tuple[str, ...]] = {}
    used: Counter[Exemption] = Counter()
    for device_id in dict.fromkeys(key for rule in by_rule.values() for key in rule):
        parts = tuple(rule[device_id] for rule in by_rule.values() if device_id in rule)
        if parts not in made:
            made[parts] = _together(parts, gaps)
        pattern = made[parts]
        if not any(state and place not in gaps for place, state in enumerate(pattern)):
            continue  # listed on days that are not known alone
        if DayState.FAILED in pattern:
            failed[device_id] = tuple(name for name, rule in by_rule.items() if _fails(rule.get(device_id, b""), gaps))
        for exemption in exemptions.get(device_id, ()):
            pattern, covered = _excepted(period, pattern, exemption)
            used[exemption] += covered
        days[device_id] = pattern
    return Judged(days, failed, used)


def _together(parts: Sequence[bytes], gaps: frozenset[int]) -> bytes:
    return bytes(
        DayState.GAP if place in gaps else _worst(states) for place, states in enumerate(zip(*parts, strict=True))
    )


def _fails(days: bytes, gaps: frozenset[int]) -> bool:
    return any(state == DayState.FAILED and place not in gaps for place, state in enumerate(days))


def _excepted(period: Days, pattern: bytes, exemption: Exemption) -> tuple[bytes, int]:
    """Return a pattern with the failed and unknown days of an exception as such, and how many these are."""
    found, covered = bytearray(pattern), 0
    first, last = max(period.place(exemption.first_day), 0), period.place(exemption.last_day)
    for place in range(first, min(last + 1, len(found))):
        if found[place] == DayState.FAILED or found[place] in UNKNOWN:
            found[place] = DayState.EXCEPTED
            covered += 1
    return bytes(found), covered


def count_days(period: Days, days: Iterable[bytes], gaps: frozenset[int]) -> tuple[DayCount, ...]:
    """Count the devices in each state at the end of each day."""
    patterns = Counter(days)
    counts: list[Counter[int]] = [Counter() for _ in range(len(period))]
    for pattern, devices in patterns.items():
        for place, state in enumerate(pattern):
            counts[place][state] += devices
    return tuple(
        DayCount(day, None, None, None, None)
        if place in gaps
        else DayCount(
            day,
            counts[place][DayState.PASSED],
            counts[place][DayState.FAILED],
            sum(counts[place][state] for state in UNKNOWN),
            counts[place][DayState.EXCEPTED],
        )
        for place, day in enumerate(period)
    )


def device_lines(period: Days, judged: Judged, devices: Mapping[str, Device]) -> tuple[DeviceLine, ...]:
    """Return a line for each device, those that failed most days first."""
    facts: dict[bytes, dict[str, Any]] = {}
    lines = []
    for device_id, pattern in judged.days.items():
        if pattern not in facts:
            facts[pattern] = _facts(period, pattern)
        failed_rules = judged.failed_rules.get(device_id, ())
        lines.append(DeviceLine(device=devices[device_id], failed_rules=failed_rules, **facts[pattern]))
    return tuple(sorted(lines, key=_order))


def _facts(period: Days, pattern: bytes) -> dict[str, Any]:
    unknown = [state for state in pattern if state in UNKNOWN]
    first, last = pattern.find(DayState.FAILED), pattern.rfind(DayState.FAILED)
    return {
        "start": DayState(pattern[0]),
        "end": DayState(pattern[-1]),
        "passed": pattern.count(DayState.PASSED),
        "failed": pattern.count(DayState.FAILED),
        "unknown": len(unknown),
        "excepted": pattern.count(DayState.EXCEPTED),
        "first_failed": period.first + timedelta(days=first) if first >= 0 else None,
        "last_failed": period.first + timedelta(days=last) if last >= 0 else None,
        "unknown_because": REASONS[DayState(unknown[-1])] if unknown else "",
    }


def _order(line: DeviceLine) -> tuple[Any, ...]:
    return (-line.failed, -line.unknown, -line.excepted, line.device.serial_number or "", line.device.device_id)
