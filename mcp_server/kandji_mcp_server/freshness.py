"""How old an answer is, in words."""

from collections.abc import Mapping
from datetime import datetime

from kandji_schema.ages import age
from kandji_schema.manifest import State

CLOSE = 0.8
"""The youngest of several ages is as good as the oldest from this share of it on."""


def in_words(synced_at: str | None, now: datetime) -> str:
    """``2026-11-20T12:00:00Z`` as an age: ``5 min``, ``3 h``, ``never synced``."""
    return age(datetime.fromisoformat(synced_at), now) if synced_at else State.NEVER.value


def overall(as_of: Mapping[str, str | None], now: datetime) -> str:
    """The age of all tables: ``3 min``, or from the youngest to the oldest, ``3 min (devices) to 2 d (apps)``."""
    if not as_of:
        return "reads no table"
    # what was never synced has no moment and counts as the oldest
    newest_first = sorted(as_of, key=lambda table: as_of[table] or "", reverse=True)
    youngest, oldest = ((table, in_words(as_of[table], now)) for table in (newest_first[0], newest_first[-1]))
    if youngest[1] == oldest[1] or _close(as_of[newest_first[0]], as_of[newest_first[-1]], now):
        return oldest[1]
    return f"{youngest[1]} ({youngest[0]}) to {oldest[1]} ({oldest[0]})"


def _close(youngest: str | None, oldest: str | None, now: datetime) -> bool:
    """Whether it makes no difference which of the two is meant."""
    if youngest is None or oldest is None:
        return False
    ages = [(now - datetime.fromisoformat(moment)).total_seconds() for moment in (youngest, oldest)]
    return ages[0] > CLOSE * ages[1]
