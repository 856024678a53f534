"""Which segments are written together, and which are let go: pure decisions over what the manifest says.

Segments are merged like a binary counter: a new one swallows the newest ones of its day that hold no more events than
itself. So every event is rewritten a logarithmic number of times, a day has few segments at any moment, and a small
change costs little however much the day brought before it. Later the segments of a past day become one, then those of a
past month.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from kandji_schema.manifest import Segment

SMALL = 500
"""A segment of fewer events counts as one of so many: rewriting them costs no more than having another file."""

LARGEST = 200_000
"""Most events of a segment made by merging; it bounds the time one merge takes to about two seconds."""

Run = slice
"""Neighbouring segments, as places in the manifest's list."""


def kept(segments: Sequence[Segment], now: datetime, keep_days: int) -> tuple[Segment, ...]:
    """The segments with an event of the last ``keep_days`` days, and the newest one, which says what is tracked."""
    oldest = now - timedelta(days=keep_days)
    return tuple(s for place, s in enumerate(segments, 1) if s.until >= oldest or place == len(segments))


def swallowed(segments: Sequence[Segment], events: int, at: datetime) -> Run:
    """The newest segments that a new one of so many events takes in, so that they need not be read one by one."""
    first = len(segments)
    while first and _same_day(segments[first - 1], at) and _weight(segments[first - 1]) <= max(events, SMALL):
        first -= 1
        events += count(segments[first])
    return slice(first, len(segments))


def mergeable(segments: Sequence[Segment], now: datetime) -> Run | None:
    """The oldest segments of one past day, else of one past month, that should be one; None where all is well."""
    past_days = (run for run in _runs(segments, _day) if segments[run][-1].until.date() < now.date())
    past_months = (run for run in _runs(segments, _month) if _month(segments[run][-1]) != (now.year, now.month))
    return next((run for runs in (past_days, past_months) for run in runs if _longer_than_one(run)), None)


def count(segment: Segment) -> int:
    """Events of all tables."""
    return sum(segment.tables.values())


def _runs(segments: Sequence[Segment], period: Callable[[Segment], object]) -> Iterator[Run]:
    """Longest runs of neighbours that end in one period and hold at most :data:`LARGEST` events."""
    first = events = 0
    for place, segment in enumerate(segments):
        events += count(segment)
        if place > first and (period(segment) != period(segments[first]) or events > LARGEST):
            yield slice(first, place)
            first, events = place, count(segment)
    if segments:
        yield slice(first, len(segments))


def _longer_than_one(run: Run) -> bool:
    return bool(run.stop - run.start > 1)


def _same_day(segment: Segment, at: datetime) -> bool:
    return segment.until.date() == at.date()


def _weight(segment: Segment) -> int:
    return max(count(segment), SMALL)


def _day(segment: Segment) -> object:
    return segment.until.date()


def _month(segment: Segment) -> object:
    return segment.until.year, segment.until.month
