"""What one statement may cost, and what ends it when it costs more or its caller no longer waits."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from math import inf
from threading import Event, Thread
from types import TracebackType
from typing import Protocol

from kandji_schema.errors import Interrupted, TookTooLong

LOOK_EVERY = 0.05
"""Seconds between two looks at a call, and between two interrupts: one sent before the statement runs is lost, so they
are sent until the call ends."""

GRACE = 0.5
"""Seconds after the first interrupt before a call is killed: one long call of one function never sees interrupts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryLimits:
    """Bounds of one statement and its answer.

    ``seconds`` is time spent in the engine, a slow consumer of the rows does not count. ``memory_mb`` and ``threads``
    belong to the whole engine. ``bytes`` bounds the rows as compact JSON, ``cell_bytes`` one text; None is no bound.
    ``advice`` tells the reader of a cut answer how to get the rest.
    """

    seconds: float = 30.0
    memory_mb: int = 1_024
    threads: int = 2
    rows: int = 1_000_000
    bytes: int | None = None
    cell_bytes: int | None = None
    advice: str = "Aggregate, filter, or name fewer columns."


class Cancellation(Protocol):
    """What tells that nobody waits for a statement any more; a :class:`threading.Event` is one."""

    def is_set(self) -> bool:
        """Tell whether to stop; asked from another thread, some twenty times a second."""


class Verdict(Enum):
    """What a look at a call says: it may go on, it is asked to end, or it is ended from outside."""

    GO_ON = "go on"
    INTERRUPT = "interrupt"
    KILL = "kill"


class Watchdog:
    """Decides when what runs has to end. It has no thread and touches nothing: whoever asks acts on the answer."""

    def __init__(
        self,
        *,
        ends: float = inf,
        stop: Cancellation | None = None,
        most_bytes: float = inf,
        clock: Callable[[], float] = time.monotonic,
        memory: Callable[[], int] = lambda: 0,
    ) -> None:
        """Take the bounds: ``ends`` is a moment of ``clock``, ``most_bytes`` bounds what ``memory`` reads."""
        self._ends = ends
        self._stop: Cancellation = stop or Event()
        self._most_bytes = most_bytes
        self._clock = clock
        self._memory = memory
        self._interrupted_at: float | None = None

    def look(self) -> Verdict:
        """Return what is to be done now: nothing is taken back, and too much memory gets no time of grace."""
        now = self._clock()
        if self._memory() > self._most_bytes:
            return Verdict.KILL
        if self._interrupted_at is None and now < self._ends and not self._stop.is_set():
            return Verdict.GO_ON
        self._interrupted_at = now if self._interrupted_at is None else self._interrupted_at
        return Verdict.KILL if now >= self._interrupted_at + GRACE else Verdict.INTERRUPT

    def pause(self) -> float:
        """Return the seconds until the next look."""
        left = self._ends - self._clock()
        return left if 0 < left < LOOK_EVERY else LOOK_EVERY


class Deadline:
    """A budget of seconds for calls into the engine; wrap each call in ``with deadline:``.

    Only the time inside the blocks counts. When the budget is used up, or ``stop`` is set, ``interrupt`` is called
    again and again until the block is left, which then raises :class:`TookTooLong` or :class:`Interrupted` whatever the
    call did. Where the block is not left within :data:`GRACE`, ``kill`` is called with what there is to say.
    """

    def __init__(
        self,
        seconds: float,
        interrupt: Callable[[], object],
        *,
        stop: Cancellation | None = None,
        kill: Callable[[TookTooLong], object] | None = None,
    ) -> None:
        """``interrupt`` and ``kill`` are called from another thread and must be safe at any time."""
        self._seconds = seconds
        self._left = seconds
        self._interrupt = interrupt
        self._stop: Cancellation = stop or Event()
        self._kill = kill

    def __enter__(self) -> None:
        self._ends = time.monotonic() + max(self._left, 0.0)
        self._done = Event()
        watchdog = Watchdog(ends=self._ends, stop=self._stop)
        self._thread = Thread(target=self._watch, args=(self._done, watchdog), daemon=True)
        self._thread.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()
        self._left = self._ends - time.monotonic()
        if self._stop.is_set():
            raise Interrupted("The statement was stopped: whoever asked no longer waits for it.") from error
        if self._left <= 0:
            raise self._too_long() from error

    def _too_long(self) -> TookTooLong:
        return TookTooLong(
            f"The statement was stopped after its {self._seconds:g} seconds. Ask for less at once: filter earlier, "
            "select fewer columns, avoid joins without a condition. KANDJI_MIRROR_QUERY_SECONDS sets the limit."
        )

    def _watch(self, done: Event, watchdog: Watchdog) -> None:
        while not done.wait(watchdog.pause()):
            verdict = watchdog.look()
            if verdict is not Verdict.GO_ON:
                self._interrupt()
            if verdict is Verdict.KILL and self._kill is not None:
                self._kill(self._too_long())
