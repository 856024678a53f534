"""Ages as people say them."""

from datetime import datetime


def age(moment: datetime | None, now: datetime) -> str:
    """How long ago, in the largest unit that fits: 12 s, 5 min, 3 h, 2 d."""
    return "never" if moment is None else in_words((now - moment).total_seconds())


def in_words(age_seconds: float) -> str:
    """An age of so many seconds; one below zero is none."""
    seconds = max(0, int(age_seconds))
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
