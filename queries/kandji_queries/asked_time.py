"""Moments as people write them."""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from kandji_schema.errors import UsageError

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

_AGO = re.compile(r"(\d{1,6})\s*([smhdw])")


def duration(text: str) -> timedelta:
    """``90s``, ``30m``, ``24h``, ``2d`` or ``1w``; :class:`UsageError` for anything else, and for none at all."""
    found = _AGO.fullmatch(text.strip())
    if found is None or not int(found[1]):
        raise UsageError(f"{_shown(text)} is no length of time. Write 30m, 24h, 2d or 1w.")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def moment(text: str, now: datetime) -> datetime:
    """``24h`` ago, or a date or time in ISO 8601 (UTC where it names no zone), as naive UTC.

    :class:`UsageError` for anything else.
    """
    with suppress(ValueError, OverflowError):
        if ago := _AGO.fullmatch(text.strip()):
            return _naive(now - timedelta(**{UNITS[ago[2]]: int(ago[1])}))
        return _naive(datetime.fromisoformat(text.strip()))
    raise UsageError(
        f"{_shown(text)} is no time. Write how long ago (30m, 24h, 2d, 1w) or a time such as 2026-11-20T12:00."
    )


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:80]}...")


def _naive(value: datetime) -> datetime:
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
