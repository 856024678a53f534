"""Moments are microseconds since 1970 in UTC; here are the provider's spellings of them."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def moment_of(time: datetime) -> int:
    """Return the moment of an aware datetime."""
    return (time - EPOCH) // MICROSECOND


def time_of(moment: int) -> datetime:
    """Return the datetime of a moment, in UTC."""
    return EPOCH + timedelta(microseconds=moment)


def zulu(moment: int) -> str:
    """Write a moment as lists, users and notes do: ``2024-07-23T14:11:37.150080Z``."""
    return offset(moment)[:26] + "Z"


def spaced(moment: int) -> str:
    """Write a moment as enrolments of the device list do: ``2022-06-24 14:20:19.961496+00:00``."""
    return time_of(moment).isoformat(" ", "microseconds")


def offset(moment: int) -> str:
    """Write a moment as Prism does: ``2024-11-18T23:04:43.852118+00:00``.

    Called for every row, hence not by ``isoformat``, which takes three times as long.
    """
    minute, rest = divmod(moment, MINUTE)
    return f"{_minute(minute)}{rest // SECOND:02d}.{rest % SECOND:06d}+00:00"


@lru_cache(maxsize=16_384)
def _minute(minute: int) -> str:
    return f"{time_of(minute * MINUTE):%Y-%m-%dT%H:%M:}"


def parse(text: str) -> int | None:
    """Return the moment of an ISO text (no zone means UTC), or None."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment_of(time if time.tzinfo else time.replace(tzinfo=UTC))
