"""A time limit that really stops the engine."""

import time
from collections.abc import Callable
from threading import Event, Thread
from types import TracebackType
from typing import Protocol

from kandji_queries.caller import gone
from kandji_schema.errors import Interrupted, TookTooLong

INTERRUPT_EVERY = 0.05
"""Seconds between two interrupts: one sent before the statement runs is lost, so they are sent until the call ends."""

GRACE = 0.5
"""Seconds after the first interrupt before ``kill``: one long call of one function never looks at interrupts."""


class Stop(Protocol):
    """What tells from outside that a statement is no longer wanted; a :class:`threading.Event` is one."""

    def is_set(self) -> bool:
        """Whether to stop; asked from another thread, some twenty times a second."""


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
        stop: Stop | None = None,
        kill: Callable[[TookTooLong], object] | None = None,
    ) -> None:
        """``interrupt`` and ``kill`` are called from another thread and must be safe at any time."""
        self._seconds = seconds
        self._left = seconds
        self._interrupt = interrupt
        self._stop: Stop = stop or gone() or Event()
        self._kill = kill

    def __enter__(self) -> None:
        self._ends = time.monotonic() + max(self._left, 0.0)
        self._done = Event()
        self._watch = Thread(target=self._watch_call, args=(self._done, self._ends), daemon=True)
        self._watch.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._done.set()
        self._watch.join()
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

    def _watch_call(self, done: Event, ends: float) -> None:
        while not done.wait(_until(ends)):
            if time.monotonic() >= ends or self._stop.is_set():
                self._end_call(done, time.monotonic() + GRACE)

    def _end_call(self, done: Event, patience_ends: float) -> None:
        while not done.is_set():
            self._interrupt()
            if self._kill is not None and time.monotonic() >= patience_ends:
                self._kill(self._too_long())
            done.wait(INTERRUPT_EVERY)


def _until(ends: float) -> float:
    """How long to wait before looking again whether the call is late or no longer wanted."""
    left = ends - time.monotonic()
    return left if 0 < left < INTERRUPT_EVERY else INTERRUPT_EVERY
