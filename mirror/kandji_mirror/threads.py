"""Daemon threads for work that may hang: none of them holds up Ctrl-C or the end of the process.

The API client waits for answers by them, a sync reads tables in them, and the command line runs a whole sync in one.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, InvalidStateError, wait
from contextlib import suppress
from threading import RLock, Thread
from typing import Any, TypeVar

T = TypeVar("T")

LAST_SECONDS = 1.5
"""How long stopped work that runs beside other work may take to end."""

PATIENCE = 5.0
"""Seconds that interrupted work gets to publish what is complete; a second signal ends even these."""

_LOOK_EVERY = 0.5  # seconds; a wait without end cannot be interrupted on Windows


def in_thread(work: Callable[[], T]) -> Future[T]:
    """Run ``work`` in a thread that cannot hold up the end of the process, as a pool's threads would."""
    future: Future[T] = Future()

    def run() -> None:
        with suppress(InvalidStateError):  # nobody waits for it any more
            try:
                future.set_result(work())
            except BaseException as error:  # raised again where the result is asked for
                future.set_exception(error)

    Thread(target=run, daemon=True, name="kandji-work").start()
    return future


def run_parallel(tasks: Sequence[Callable[[], object]], stop: Callable[[], None]) -> None:
    """Run all tasks at once and wait for them. The first error of one, or Ctrl-C, calls ``stop`` and is raised.

    Tasks that have not ended :data:`LAST_SECONDS` after that are left alone.
    """
    left = {in_thread(task) for task in tasks}
    try:
        while left:
            done, left = wait(left, _LOOK_EVERY, FIRST_COMPLETED)
            for future in done:
                future.result()
    except BaseException:
        stop()
        wait(left, LAST_SECONDS)
        raise


def run_interruptible(work: Callable[[], T], stop: Callable[[], None]) -> T:
    """Return or raise what ``work`` does. Ctrl-C calls ``stop``, gives the work a moment to end, and is raised.

    In the work's own thread it could strike in a call into DuckDB, which either swallows it or leaves the connection in
    use, so that all that tidies up fails in turn.
    """
    future = in_thread(work)
    try:
        while not future.done():
            wait([future], _LOOK_EVERY)
    except KeyboardInterrupt:
        stop()
        wait([future], PATIENCE)
        raise
    return future.result()


class AbandonableCalls:
    """Calls of functions that may hang: whoever waits for one can be let go at once, from any other thread."""

    def __init__(self) -> None:
        self._lock = RLock()  # a signal's handler may stop the client while this very thread holds the lock
        self._waiting: set[Future[Any]] = set()
        self._reason: Callable[[], BaseException] | None = None

    def wait_for(self, work: Callable[[], T]) -> T:
        """Return or raise what ``work`` does; or, from the moment of :meth:`abandon` on, raise the error made there."""
        future = in_thread(work)
        with self._lock:
            self._waiting.add(future)
            reason = self._reason
        if reason:
            _let_go(future, reason())
        try:
            return future.result()
        finally:
            with self._lock:
                self._waiting.discard(future)

    def abandon(self, reason: Callable[[], BaseException]) -> None:
        """Raise what ``reason`` makes in every thread that waits. The calls go on until they end by themselves."""
        with self._lock:
            self._reason = reason
            waiting = tuple(self._waiting)
        for future in waiting:
            _let_go(future, reason())


def _let_go(future: Future[Any], error: BaseException) -> None:
    with suppress(InvalidStateError):  # the result came first
        future.set_exception(error)
