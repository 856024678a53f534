"""Moments as people write them."""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from kandji_schema.errors import UsageError

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

DAYS = {"today": 0, "yesterday": 1}
"""Words for the beginning of a day, and how many days ago it is; as all times of the mirror in UTC."""

_AGO = re.compile(r"(\d{1,6})\s*([smhdw])")


def duration(text: str) -> timedelta:
    """``90s``, ``30m``, ``24h``, ``2d`` or ``1w``; :class:`UsageError` for anything else, and for none at all."""
    found = _AGO.fullmatch(text.strip())
    if found is None or not int(found[1]):
        raise UsageError(f"{_shown(text)} is no length of time. Write 30m, 24h, 2d or 1w.")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def moment(text: str, now: datetime) -> datetime:
    """``24h`` ago, the beginning of ``today`` or ``yesterday``, or a date or time in ISO 8601, as naive UTC.

    All are of UTC where they name no zone.
    :class:`UsageError` for anything else.
    """
    with suppress(ValueError, OverflowError):
        if ago := _AGO.fullmatch(text.strip()):
            return _naive(now - timedelta(**{UNITS[ago[2]]: int(ago[1])}))
        if (days := DAYS.get(text.strip().lower())) is not None:
            return _naive(now - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
        return _naive(datetime.fromisoformat(text.strip()))
    raise UsageError(
        f"{_shown(text)} is no time. Write how long ago (30m, 24h, 2d, 52w), yesterday or today, or a time such as "
        "2026-11-20T12:00, all in UTC."
    )


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:80]}...")


def _naive(value: datetime) -> datetime:
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
