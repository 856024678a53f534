"""The door to the children: a few of them, a bounded queue, and always one that is ready."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Condition, Thread
from time import monotonic
from types import TracebackType
from typing import Any, Self

from kandji_queries.deadline import INTERRUPT_EVERY, Stop
from kandji_queries.limits import Limits
from kandji_queries.result import Result
from kandji_queries.workers.messages import Request, Start, answer
from kandji_queries.workers.process import Worker
from kandji_schema.errors import Busy, Interrupted, MirrorError, TookTooLong

AT_ONCE = 2
"""Statements that run at the same time."""

WAITING = 32
"""Statements that may wait for their turn; a further one is refused at once."""

PATIENCE = 2
"""Longest wait for a turn, in time limits of a statement: those that run end within one and a bit."""

STATEMENTS = 1_000
"""After so many a child is replaced, whatever it may have gathered."""


class Workers:
    """Runs statements of anyone's on the mirror in ``home``, each in a process of its own. Thread-safe."""

    def __init__(
        self,
        home: Path,
        limits: Limits | None = None,
        *,
        at_once: int = AT_ONCE,
        waiting: int = WAITING,
        statements: int = STATEMENTS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        **options: Any,
    ) -> None:
        """Starts nothing yet. ``options`` are more arguments of :class:`Reader`, as JSON knows them: ``rules``."""
        self.limits = limits or Limits()
        self._start = Start(home.absolute(), self.limits, options)
        self._at_once = at_once
        self._most_waiting = waiting
        self._statements = statements
        self._clock = clock
        self._changed = Condition()
        self._idle: list[Worker] = []
        self._failures: list[MirrorError] = []
        self._running = self._waiting = self._starting = self._coming = 0
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def start(self) -> None:
        """Have a child ready soon, without waiting for it."""
        with self._changed:
            self._have_spare()

    def run(
        self,
        sql: str,
        params: Mapping[str, object] | None = None,
        *,
        limits: Limits | None = None,
        stop: Stop | None = None,
    ) -> Result:
        """Run one statement as :meth:`Reader.run` does, with cells as JSON knows them; ``stop`` ends it when set.

        The time limit counts from handing the statement over to the last byte of its answer. Raises what
        :meth:`Reader.run` raises, :class:`Busy` where too many wait, :class:`UsageError` for a parameter that is no
        JSON value.
        """
        limits = limits or self.limits
        message = Request(sql, params or {}, limits, self._clock()).encoded()
        with self._turn(limits.seconds, stop), self._worker() as worker:
            return answer(worker.ask(message, limits.seconds, stop))

    def close(self) -> None:
        """End all children that do not work; those that do end with their statement."""
        with self._changed:
            self._closed = True
            idle, self._idle = self._idle, []
            self._changed.notify_all()
        for worker in idle:
            worker.close()

    @contextmanager
    def _turn(self, seconds: float, stop: Stop | None) -> Iterator[None]:
        with self._changed:
            if self._running >= self._at_once:
                self._wait_for_turn(monotonic() + PATIENCE * seconds, stop)
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _wait_for_turn(self, until: float, stop: Stop | None) -> None:
        if self._waiting >= self._most_waiting:
            raise _busy(f"{self._running} statements run and {self._waiting} wait")
        self._waiting += 1
        try:
            while self._running >= self._at_once:
                self._changed.wait(INTERRUPT_EVERY)
                if stop is not None and stop.is_set():
                    raise Interrupted(
                        "The statement was stopped before it began: whoever asked no longer waits for it."
                    )
                if monotonic() >= until:
                    raise _busy(f"{self._running} statements take long")
        finally:
            self._waiting -= 1

    @contextmanager
    def _worker(self) -> Iterator[Worker]:
        worker = self._taken()
        worn = True
        try:
            yield worker
            worn = False
        except TookTooLong:
            raise  # it may be out of memory, or dead: another takes its place
        except MirrorError:
            worn = False
            raise
        finally:
            self._give_back(worker, worn or worker.served >= self._statements)

    def _taken(self) -> Worker:
        with self._changed:
            self._starting += 1
            try:
                worker = self._ready()
            finally:
                self._starting -= 1
            self._have_spare()
            return worker

    def _ready(self) -> Worker:
        """Wait for one that is ready; the lock is held by whoever calls."""
        while True:
            while self._idle:
                worker = self._idle.pop()
                if worker.alive:
                    return worker
                worker.close()
            if self._closed:
                raise Interrupted("The statement was not run: the server is ending.")
            self._have_spare()
            self._changed.wait()
            if self._failures:
                raise self._failures.pop()

    def _have_spare(self) -> None:
        """Let one come for everyone who waits for one, and one more; the lock is held by whoever calls."""
        while not self._closed and len(self._idle) + self._coming <= self._starting:
            self._coming += 1
            Thread(target=self._bring, name="spare", daemon=True).start()

    def _bring(self) -> None:
        worker: Worker | None = None
        failure: MirrorError | None = None
        try:
            worker = Worker(self._start)
        except (MirrorError, OSError) as error:
            failure = error if isinstance(error, MirrorError) else MirrorError(f"No process for SQL: {error}")
        with self._changed:
            self._coming -= 1
            self._failures = [failure] if failure else []
            if worker is not None and not self._closed:
                self._idle.append(worker)
                worker = None
            self._changed.notify_all()
        if worker is not None:
            worker.close()

    def _give_back(self, worker: Worker, worn: bool) -> None:
        with self._changed:
            kept = not worn and worker.alive and not self._closed and len(self._idle) < self._at_once
            if kept:
                self._idle.append(worker)
            else:
                self._have_spare()
            self._changed.notify_all()
        if not kept:
            worker.close()


def _busy(why: str) -> Busy:
    return Busy(f"The statement was not run: {why}. Ask again in a moment, or for less at once.")
