"""Backoff: pauses after failures, which grow with every further one."""

import random
import re
import time
from collections.abc import Callable
from threading import Lock

FIRST = 30.0
LONGEST = 900.0
"""Seconds of the first pause and of the longest ones, without their jitter."""

_NUMBER = re.compile(r"\d+")


class Backoff:
    """Who failed how often in a row, by name, and rests until when. ``clock`` is monotonic, in seconds."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, jitter: Callable[[], float] = random.random
    ) -> None:
        """``jitter`` answers 0.0 to 1.0; a pause grows by up to a quarter, so that failures do not march in step."""
        self._clock = clock
        self._jitter = jitter
        self._failures: dict[str, int] = {}
        self._until: dict[str, float] = {}
        self._words: dict[str, str] = {}
        self._lock = Lock()

    def is_active(self, name: str) -> bool:
        """Tell whether a pause is not over yet."""
        with self._lock:
            return name in self._until and self._clock() < self._until[name]

    def is_failing(self, name: str) -> bool:
        """Tell whether its last attempt failed, be the pause over or not."""
        with self._lock:
            return name in self._failures

    def note_failure(self, name: str, words: str = "") -> bool:
        """Begin the next pause; tell whether this is news: the first failure in a row, or one with other ``words``.

        Numbers in the words do not count: "in 17 s" is no other trouble than "in 16 s".
        """
        said = _NUMBER.sub("#", words)
        with self._lock:
            before, self._words[name] = self._words.get(name, said), said
            count = self._failures.get(name, 0) + 1
            self._failures[name] = count
            pause = min(LONGEST, FIRST * 2.0 ** min(count - 1, 16)) * (1 + self._jitter() / 4)
            self._until[name] = self._clock() + pause
            return count == 1 or said != before

    def note_success(self, name: str) -> bool:
        """Forget the failures; tell whether there were any."""
        with self._lock:
            self._until.pop(name, None)
            self._words.pop(name, None)
            return self._failures.pop(name, None) is not None
