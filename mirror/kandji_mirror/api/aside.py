"""Work that may hang, in threads that nobody has to wait for."""

from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from threading import RLock, Thread
from typing import Any, TypeVar

T = TypeVar("T")


def in_thread(job: Callable[[], T]) -> Future[T]:
    """Run ``job`` in a thread that cannot hold up the end of the process, as a pool's threads would."""
    future: Future[T] = Future()

    def run() -> None:
        with suppress(InvalidStateError):  # nobody waits for it any more
            try:
                future.set_result(job())
            except BaseException as error:  # raised again where the result is asked for
                future.set_exception(error)

    Thread(target=run, daemon=True, name="kandji-aside").start()
    return future


class Calls:
    """Calls of functions that may hang: whoever waits for one can be let go at once, from any other thread."""

    def __init__(self) -> None:
        self._lock = RLock()  # a signal's handler may stop the client while this very thread holds the lock
        self._waiting: set[Future[Any]] = set()
        self._reason: Callable[[], BaseException] | None = None

    def result(self, job: Callable[[], T]) -> T:
        """What ``job`` returns or raises; or, from the moment of :meth:`abandon` on, the error made there."""
        future = in_thread(job)
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
