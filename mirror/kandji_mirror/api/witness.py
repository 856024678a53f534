"""The provider's clock beside this machine's: every answer tells its time of day."""

from datetime import datetime, timedelta
from threading import Lock

from kandji_schema.ages import in_words

TOLERATED = timedelta(minutes=5)
"""By so much clocks may differ without a word: nothing here depends on less."""

STEADY = timedelta(seconds=2)
"""A ``Date`` that does not move with time comes from a cache, and is nobody's clock."""


class Witness:
    """What the newest answer told of the time, and how far this machine's clock is from it. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._first: tuple[datetime, datetime] | None = None
        self._last: tuple[datetime, datetime] | None = None

    def note(self, told: datetime | None, local: datetime) -> None:
        """The provider ``told`` its time in an answer that came at ``local``, both aware UTC."""
        if told is None:
            return
        with self._lock:
            self._last = told, local
            self._first = self._first or self._last

    @property
    def now(self) -> datetime | None:
        """The provider's time of day in UTC, as of its newest answer; None where it never told."""
        return self._last[0] if self._last else None

    @property
    def ahead(self) -> timedelta | None:
        """How far this machine's clock is ahead, below zero where it is behind; None where they agree, or none told."""
        if self._last is None:
            return None
        told, local = self._last
        return local - told if abs(local - told) > TOLERATED else None

    @property
    def proven(self) -> timedelta | None:
        """The same, but only where the provider's clock was seen to run as this one does."""
        with self._lock:
            if self._first is None or self._last is None:
                return None
            theirs, ours = self._last[0] - self._first[0], self._last[1] - self._first[1]
        return self.ahead if ours > STEADY and abs(ours - theirs) <= STEADY else None


def clock_words(ahead: timedelta) -> str:
    """What is wrong with this machine's clock, and what to do."""
    side = "ahead of" if ahead > timedelta(0) else "behind"
    return f"This machine's clock is {in_words(abs(ahead).total_seconds())} {side} the provider's. Set it."
