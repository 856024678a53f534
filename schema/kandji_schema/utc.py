"""Moments in UTC, as every time of the mirror is: with a zone in Python, without one in the engine, and as text."""

from datetime import UTC, datetime, timedelta


def aware_utc(moment: datetime) -> datetime:
    """Return a moment with the zone UTC; one without a zone is of UTC."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def naive_utc(moment: datetime) -> datetime:
    """Return a moment as a TIMESTAMP column has it, in UTC and without a zone; one without a zone is of UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def iso_utc(moment: datetime) -> str:
    """Return ``2026-11-20T12:00:00Z``, with microseconds where there are any."""
    return f"{naive_utc(moment).isoformat()}Z"


def in_seconds(moment: datetime | None) -> str | None:
    """Return ``2026-11-20T12:00:00Z`` in whole seconds; None where there is no moment."""
    return f"{naive_utc(moment):%Y-%m-%dT%H:%M:%SZ}" if moment else None


def whole_second(moment: datetime) -> datetime:
    """Return the moment, or the first whole second after it: one that can be written and is not before it."""
    return moment if not moment.microsecond else moment.replace(microsecond=0) + timedelta(seconds=1)
