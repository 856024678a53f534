"""Ages as people say them, and moments that cannot have one."""

from datetime import datetime, timedelta

AHEAD = timedelta(minutes=1)
"""A moment further ahead than this was written by a clock that was wrong then, or is read by one that is now.

Less is what a clock may be set back by in everyday life.
"""

IN_FUTURE = "in the future"
"""What is said in place of an age that would be below zero."""


def in_future(moment: datetime | None, now: datetime) -> bool:
    """Whether a moment lies ahead, so that it says nothing about an age."""
    return moment is not None and moment - now > AHEAD


def seconds_since(moment: datetime | None, now: datetime) -> float | None:
    """Seconds since a moment, never below zero; None where there is none, and where it is in the future."""
    if moment is None or in_future(moment, now):
        return None
    return max(0.0, (now - moment).total_seconds())


def age(moment: datetime | None, now: datetime) -> str:
    """How long ago, in the largest unit that fits: 12 s, 5 min, 3 h, 2 d; ``never``; or that it is in the future."""
    return "never" if moment is None else in_words((now - moment).total_seconds())


def ago(moment: datetime, now: datetime) -> str:
    """The same as part of a sentence: ``3 h ago``, or ``in the future``."""
    words = age(moment, now)
    return words if words == IN_FUTURE else f"{words} ago"


def in_words(age_seconds: float) -> str:
    """An age of so many seconds; one a little below zero is none, one further below is in the future."""
    if age_seconds < -AHEAD.total_seconds():
        return IN_FUTURE
    seconds = max(0, int(age_seconds))
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
