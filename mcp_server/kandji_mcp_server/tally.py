"""How many questions were asked of a mirror in this process, how they ended, and how long they took.

Nothing of a question is kept: no text, no name of who asked.
"""

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock
from typing import TypeVar

from kandji_schema.errors import Busy, Interrupted, NothingMirrored, Refused, StatementError, TookTooLong, UsageError

T = TypeVar("T")

BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the histogram, in seconds."""


class Face(StrEnum):
    """By which way in a question came."""

    MCP = "mcp"
    PAGES = "pages"


class Kind(StrEnum):
    """A statement is anyone's SQL, in a process of its own; a question one of ours; an export files."""

    STATEMENT = "statement"
    QUESTION = "question"
    EXPORT = "export"


_OUTCOMES: tuple[tuple[type[BaseException], str], ...] = (
    (TookTooLong, "timeout"),
    (TimeoutError, "timeout"),
    (Busy, "busy"),
    (Refused, "refused"),
    (StatementError, "failed"),
    (UsageError, "failed"),
    (NothingMirrored, "nothing_mirrored"),
    (Interrupted, "stopped"),
    (Exception, "error"),
)

OUTCOMES = ("ok", "cut", *dict.fromkeys(word for _, word in _OUTCOMES))
"""How a question may end."""


@dataclass
class Query:
    """One question under way."""

    cut: bool = False

    def answered(self, found: T) -> T:
        """Return the answer, having noted whether it is the beginning of a longer one."""
        parts = found if isinstance(found, tuple) else (found,)
        self.cut = any(getattr(part, "truncated", False) is True for part in parts)
        return found


@dataclass
class Times:
    """A histogram: ``counts`` by the bounds of :data:`BUCKETS` and one beyond, and all seconds together."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one more."""
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds


class QueryTally:
    """Counts questions. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._ended = Counter(dict.fromkeys(((face, kind, "ok") for face in Face for kind in Kind), 0))
        self._times = {face: Times() for face in Face}

    @contextmanager
    def timed(self, face: Face | None, kind: Kind) -> Iterator[Query]:
        """Count the question of the block, which came by a face; None's are our own and not counted."""
        query, began, outcome = Query(), time.monotonic(), "stopped"  # a cancelled one is no Exception
        try:
            yield query
            outcome = "cut" if query.cut else "ok"
        except Exception as error:
            outcome = next(word for what, word in _OUTCOMES if isinstance(error, what))
            raise
        finally:
            if face is not None:
                with self._lock:
                    self._ended[face, kind, outcome] += 1
                    self._times[face].add(time.monotonic() - began)

    def ended(self) -> dict[tuple[Face, Kind, str], int]:
        """Return how many ended how, by face, kind and outcome."""
        with self._lock:
            return dict(self._ended)

    def times(self) -> dict[Face, Times]:
        """Return how long they took, by face."""
        with self._lock:
            return {face: Times(list(times.counts), times.seconds) for face, times in self._times.items()}
