"""The CSV files of evidence: controls, days, devices, exceptions and gaps, a row each, with a head line.

UTF-8, comma, dates in ISO 8601, empty where something is not known. No cell is taken for a formula by a spreadsheet.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from kandji_queries.evidence.contents import ControlEvidence, DayCount, Evidence
from kandji_queries.results.spreadsheet import harmless

COUNTS = ("passed", "failed", "unknown", "excepted", "devices", "percent_passed")

HEADS: Mapping[str, tuple[str, ...]] = {
    "controls.csv": (
        *("control", "title", "measured", "rules", "tables", "not_measured"),
        *(f"start_{name}" for name in COUNTS),
        *(f"end_{name}" for name in COUNTS),
        *("devices_ever_failed", "days_known", "days_gap"),
    ),
    "days.csv": ("control", "day", "state", *COUNTS),
    "devices.csv": (
        *("control", "device_id", "serial_number", "device_name", "platform", "blueprint_name"),
        *("first_day_listed", "last_day_listed", "state_at_start", "state_at_end"),
        *("days_passed", "days_failed", "days_unknown", "days_excepted", "first_failed", "last_failed"),
        *("failed_rules", "unknown_because", "is_missing", "is_removed"),
    ),
    "exceptions.csv": (
        *("control", "serial_number", "device_id", "reason", "approved_by", "from", "until"),
        *("status", "days_excepted"),
    ),
    "gaps.csv": ("first_day", "last_day", "days", "table", "kind", "why", "controls"),
}
"""The files with their columns."""


def csv_files(evidence: Evidence) -> Iterator[tuple[str, bytes]]:
    """Give every CSV file with its name."""
    rows = {
        "controls.csv": _controls,
        "days.csv": _days,
        "devices.csv": _devices,
        "exceptions.csv": _exceptions,
        "gaps.csv": _gaps,
    }
    for name, head in HEADS.items():
        yield name, _csv(head, rows[name](evidence))


def _csv(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return harmless(value) if isinstance(value, str) else value


def _counts(count: DayCount | None) -> tuple[Any, ...]:
    if count is None:
        return (None,) * len(COUNTS)
    return (count.passed, count.failed, count.unknown, count.excepted, count.devices, count.percent)


def _controls(evidence: Evidence) -> Iterator[Sequence[Any]]:
    for told in evidence.controls:
        control = told.control
        known = len(told.days) - told.gap_days
        yield (
            *(control.id, control.title, control.measured, measured_by(told), " ".join(told.tables)),
            told.not_measured,
            *_counts(told.days[0] if told.days else None),
            *_counts(told.days[-1] if told.days else None),
            *((told.ever_failed, known, told.gap_days) if told.days else (None, None, None)),
        )


def measured_by(told: ControlEvidence) -> str:
    """Return the names of the rules a control is measured by."""
    return " ".join(told.control.rules) or "own statement"


def _days(evidence: Evidence) -> Iterator[Sequence[Any]]:
    for told in evidence.controls:
        for count in told.days:
            yield told.control.id, count.day, "gap" if count.is_gap else "known", *_counts(count)


def _devices(evidence: Evidence) -> Iterator[Sequence[Any]]:
    for told in evidence.controls:
        for line in told.lines:
            device = line.device
            yield (
                *(told.control.id, device.device_id, device.serial_number, device.name, device.platform),
                *(device.blueprint, device.first_day, device.last_day, line.start.word, line.end.word),
                *(line.passed, line.failed, line.unknown, line.excepted, line.first_failed, line.last_failed),
                *(" ".join(line.failed_rules), line.unknown_because, device.is_missing, device.is_removed),
            )


def _exceptions(evidence: Evidence) -> Iterator[Sequence[Any]]:
    for use in evidence.exemptions:
        known = use.exemption
        yield (
            *(known.control, known.serial_number, use.device.device_id if use.device else None),
            *(known.reason, known.approved_by, known.first_day, known.last_day, use.status, use.days),
        )


def _gaps(evidence: Evidence) -> Iterator[Sequence[Any]]:
    for gap in evidence.gaps:
        yield gap.first, gap.last, gap.days, gap.table, gap.kind, gap.why, " ".join(gap.controls)
