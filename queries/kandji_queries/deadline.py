"""A time limit that really stops the engine."""

import time
from collections.abc import Callable
from threading import Event, Thread
from types import TracebackType

from kandji_schema.errors import TookTooLong

INTERRUPT_EVERY = 0.05
"""Seconds between two interrupts: one sent before the statement runs is lost, so they are sent until the call ends."""


class Deadline:
    """A budget of seconds for calls into the engine; wrap each call in ``with deadline:``.

    Only the time inside the blocks counts. When the budget is used up ``interrupt`` is called again and again until the
    block is left, which then raises :class:`TookTooLong` whatever the call did.
    """

    def __init__(self, seconds: float, interrupt: Callable[[], None]) -> None:
        """``interrupt`` is called from another thread and must be safe at any time."""
        self._seconds = seconds
        self._left = seconds
        self._interrupt = interrupt

    def __enter__(self) -> None:
        self._began = time.monotonic()
        self._done = Event()
        self._watch = Thread(target=self._stop_late_call, args=(self._done, self._left), daemon=True)
        self._watch.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._done.set()
        self._watch.join()
        self._left -= time.monotonic() - self._began
        if self._left <= 0:
            raise TookTooLong(
                f"The statement was stopped after its {self._seconds:g} seconds. Ask for less at once: filter earlier, "
                "select fewer columns, avoid joins without a condition. KANDJI_MIRROR_QUERY_SECONDS sets the limit."
            ) from error

    def _stop_late_call(self, done: Event, seconds: float) -> None:
        late = not done.wait(max(seconds, 0))
        while late and not done.is_set():
            self._interrupt()
            done.wait(INTERRUPT_EVERY)
