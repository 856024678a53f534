"""A control of one's own that is measured by a statement: its rows become states of devices."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from kandji_queries.evidence.contents import DayState
from kandji_queries.evidence.framework import Control
from kandji_queries.evidence.judging import Fleet
from kandji_queries.results.result import Result
from kandji_schema.errors import ConfigurationError

COLUMNS = ("device_id", "day", "result")

_RESULTS: Mapping[object, DayState] = {
    True: DayState.PASSED,
    False: DayState.FAILED,
    None: DayState.NOT_KNOWN,
    "pass": DayState.PASSED,
    "fail": DayState.FAILED,
    "unknown": DayState.NOT_KNOWN,
}


def file_name(control: Control) -> str:
    """Return the name of the statement among the files."""
    return f"control-{re.sub('[^A-Za-z0-9.-]', '_', control.id)[:60]}"


def states(fleet: Fleet, control: Control, found: Result, path: Path) -> Mapping[str, bytes]:
    """Return the state of each device on each day, of devices that were listed; a day without a row is unknown.

    Devices that the statement never names are not measured. :class:`ConfigurationError` where it has other columns or
    results than it should.
    """
    names = [column.name for column in found.columns]
    if not set(COLUMNS) <= set(names):
        raise wrong(path, control, f"its columns are {', '.join(names)}; it must have {', '.join(COLUMNS)}")
    places = [names.index(name) for name in COLUMNS]
    listed = fleet.days_of(())
    seen: dict[str, bytearray] = {}
    for row in found.rows:
        device_id, day, result = (row[place] for place in places)
        days = seen.get(device_id) or listed.get(device_id)
        place = fleet.period.place(_day(path, control, day))
        if days is not None and 0 <= place < len(days) and days[place]:
            days[place] = _state(path, control, result)
            seen[device_id] = days
    return {device_id: bytes(days) for device_id, days in seen.items()}


def _day(path: Path, control: Control, day: Any) -> date:
    if isinstance(day, datetime):
        return day.date()
    if isinstance(day, date):
        return day
    raise wrong(path, control, f"a row has the day {day!r}; it must be a DATE")


def _state(path: Path, control: Control, result: Any) -> DayState:
    try:
        return _RESULTS[result]
    except (KeyError, TypeError):
        raise wrong(
            path, control, f"a row has the result {str(result)[:80]!r}; it must be true, false, pass, fail or unknown"
        ) from None


def wrong(path: Path, control: Control, what: str) -> ConfigurationError:
    """Return the error of a statement that is no measure of its control."""
    return ConfigurationError(f"{path}, control {control.id}, sql: {what}.")
