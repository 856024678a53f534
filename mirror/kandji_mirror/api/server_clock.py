"""The server's clock beside this machine's: every answer of the provider tells its time of day."""

from datetime import datetime, timedelta
from threading import Lock

from kandji_schema.durations import in_words

TOLERATED = timedelta(minutes=5)
"""By so much clocks may differ without a word: nothing here depends on less."""

STEADY = timedelta(seconds=2)
"""A ``Date`` that does not move with time comes from a cache, and is nobody's clock. It has whole seconds."""

Seen = tuple[datetime, datetime]
"""What the provider told, and this machine's time when that came."""


class ServerClock:
    """What the newest answer told of the time, and how far this machine's clock is from it. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._first: Seen | None = None
        self._before: Seen | None = None
        self._last: Seen | None = None

    def note(self, told: datetime | None, local: datetime) -> None:
        """Take in the time that the provider ``told`` in an answer that came at ``local``, both aware UTC."""
        if told is None:
            return
        with self._lock:
            self._last = told, local
            self._first = self._first or self._last

    def recall(self, seen: Seen | None) -> None:
        """Take in what an earlier run saw last: so one that is over before the ``Date`` moves can tell, too."""
        with self._lock:
            self._before = seen or self._before

    @property
    def seen(self) -> Seen | None:
        """What was seen last, for the next run to :meth:`recall`."""
        return self._last

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
            if self._last is None:
                return None
            run = any(before and _runs_alike(before, self._last) for before in (self._before, self._first))
        return self.ahead if run else None


def _runs_alike(first: Seen, last: Seen) -> bool:
    theirs, ours = last[0] - first[0], last[1] - first[1]
    return theirs > timedelta(0) and abs(ours - theirs) <= STEADY


def clock_words(ahead: timedelta) -> str:
    """Say what is wrong with this machine's clock, and what to do."""
    side = "ahead of" if ahead > timedelta(0) else "behind"
    return f"This machine's clock is {in_words(abs(ahead).total_seconds())} {side} the provider's. Set it."
