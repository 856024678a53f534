"""The days on which a table was read: what tells "nothing changed" from "nobody looked" of a day in the past.

History has the changes that were seen; that a day brought none is only known where the table was read on it. Days are
of UTC, kept as spans ``("2026-07-01", "2026-09-30")``, both ends included, in order and apart from each other.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

Spans = tuple[tuple[str, str], ...]
"""Spans of days, the ends in ISO 8601."""

MOST = 400
"""Most spans that are kept, the newest ones: a table that is read every other day has so many in two years."""

_DAY = timedelta(days=1)


def with_day(spans: Spans, moment: datetime) -> Spans:
    """Return the spans with the day of a moment (aware) too."""
    day = moment.astimezone(UTC).date()
    if spans and spans[-1][0] <= day.isoformat() <= spans[-1][1]:
        return spans  # nearly always: today was read before
    return spans_of([*days_in(spans), day])


def spans_of(days: Iterable[date]) -> Spans:
    """Return days, in any order, as spans."""
    found: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if found and found[-1][1] + _DAY == day:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return tuple((first.isoformat(), last.isoformat()) for first, last in found[-MOST:])


def days_in(spans: Spans) -> Iterator[date]:
    """Give every day of the spans, in order."""
    for first, last in spans:
        day, end = date.fromisoformat(first), date.fromisoformat(last)
        while day <= end:
            yield day
            day += _DAY
