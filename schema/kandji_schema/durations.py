"""Durations and ages: the one place that reads them as people write them, and says them in words."""

import re
from datetime import datetime, timedelta

_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}
_WRITTEN = {"w": timedelta(weeks=1), **_UNITS, "mo": timedelta(days=30), "y": timedelta(days=365)}
_SHORT = {"d": "d", "h": "h", "m": "min", "s": "s"}
_LONG = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_DURATION = re.compile(r"(?P<number>[0-9]{1,6})\s*(?P<unit>mo|[smhdwy])", re.ASCII)

AHEAD = timedelta(minutes=1)
"""A moment further ahead than this was written by a clock that was wrong then, or is read by one that is now.

Less is what a clock may be set back by in everyday life.
"""

IN_FUTURE = "in the future"
"""What is said in place of an age that would be below zero."""


def parse_duration(text: str, *, units: str = "smhdw") -> timedelta | None:
    """Return the duration that ``90s``, ``30m``, ``24h``, ``2d`` or ``1w`` is; None for anything else.

    With ``units`` that have ``y``, ``1mo`` and ``1y`` are 30 and 365 days.
    """
    found = _DURATION.fullmatch(text.strip())
    return (
        int(found["number"]) * _WRITTEN[found["unit"]]
        if found and (found["unit"] in units or (found["unit"] == "mo" and "y" in units))
        else None
    )


def exactly_in_words(length: timedelta, *, short: bool = False) -> str:
    """Say a duration in the largest unit that leaves no rest: ``7 days``, ``90 minutes``; ``7 d`` where ``short``."""
    unit = next((unit for unit, one in _UNITS.items() if length and not length % one), "s")
    return f"{length / _UNITS[unit]:g} {(_SHORT if short else _LONG)[unit]}"


def in_future(moment: datetime | None, now: datetime) -> bool:
    """Tell whether a moment lies ahead, so that it says nothing about an age."""
    return moment is not None and moment - now > AHEAD


def seconds_since(moment: datetime | None, now: datetime) -> float | None:
    """Return the seconds since a moment, never below zero; None where there is none, or it is in the future."""
    if moment is None or in_future(moment, now):
        return None
    return max(0.0, (now - moment).total_seconds())


def age(moment: datetime | None, now: datetime) -> str:
    """Say how long ago, in the largest unit that fits: 12 s, 5 min, 3 h, 2 d; ``never``; or that it is ahead."""
    return "never" if moment is None else in_words((now - moment).total_seconds())


def ago(moment: datetime, now: datetime) -> str:
    """Say the same as part of a sentence: ``3 h ago``, or ``in the future``."""
    words = age(moment, now)
    return words if words == IN_FUTURE else f"{words} ago"


def in_words(age_seconds: float) -> str:
    """Say an age of so many seconds; one a little below zero is none, one further below is in the future."""
    if age_seconds < -AHEAD.total_seconds():
        return IN_FUTURE
    length = timedelta(seconds=max(0, int(age_seconds)))
    unit = next((unit for unit, one in _UNITS.items() if length >= 2 * one), "s")
    return f"{length // _UNITS[unit]} {_SHORT[unit]}"
