"""Moments as people write them."""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from kandji_schema.errors import UsageError

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(text: str, now: datetime) -> datetime:
    """``24h`` ago, or a date or time in ISO 8601 (UTC where it names no zone), as naive UTC.

    :class:`UsageError` for anything else.
    """
    with suppress(ValueError, OverflowError):
        if ago := re.fullmatch(r"(\d{1,6})\s*([mhdw])", text.strip()):
            return _naive(now - timedelta(**{UNITS[ago[2]]: int(ago[1])}))
        return _naive(datetime.fromisoformat(text.strip()))
    shown = text if len(text) <= 80 else f"{text[:80]}..."
    raise UsageError(f"{shown!r} is no time. Write how long ago (30m, 24h, 2d, 1w) or a time such as 2026-11-20T12:00.")


def _naive(value: datetime) -> datetime:
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
