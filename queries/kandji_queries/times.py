"""Moments and lengths of time as people write them in options and parameters; all moments are of UTC."""

from contextlib import suppress
from datetime import datetime, timedelta

from kandji_schema.durations import parse_duration
from kandji_schema.errors import UsageError
from kandji_schema.utc import naive_utc

DAYS_AGO = {"today": 0, "yesterday": 1}
"""Words for the beginning of a day."""


def read_duration(text: str) -> timedelta:
    """Return a length of time that is not zero; :class:`UsageError` for anything else."""
    length = parse_duration(text)
    if not length:
        raise UsageError(f"{_shown(text)} is no length of time. Write 30m, 24h, 2d or 1w.")
    return length


def read_moment(text: str, now: datetime) -> datetime:
    """Return how long ago, the beginning of ``today`` or ``yesterday``, or a time in ISO 8601, as naive UTC.

    How long ago is ``24h``, ``2d``, ``1mo`` (30 days), ``1y`` (365 days).
    :class:`UsageError` for anything else.
    """
    plain = text.strip()
    with suppress(ValueError, OverflowError):
        if (ago := parse_duration(plain, units="smhdwy")) is not None:
            return naive_utc(now - ago)
        if (days := DAYS_AGO.get(plain.lower())) is not None:
            return naive_utc(now - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
        return naive_utc(datetime.fromisoformat(plain))
    raise UsageError(
        f"{_shown(text)} is no time. Write how long ago (30m, 24h, 2d, 1mo, 1y), yesterday or today, or a time such as "
        "2026-11-20T12:00, all in UTC."
    )


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:80]}...")
