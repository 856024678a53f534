"""The pool of child processes: a few of them, a bounded queue, and always one that is ready."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Condition, Thread
from types import TracebackType
from typing import Any, Self

from kandji_queries.engine.limits import Cancellation, QueryLimits
from kandji_queries.results.result import JsonResult
from kandji_queries.workers.fair_queue import FairQueue
from kandji_queries.workers.messages import StatementRequest, WorkerStart, answer
from kandji_queries.workers.process import Worker
from kandji_schema.errors import Interrupted, MirrorError, TookTooLong

AT_ONCE = 2
"""Statements that run at the same time, and one short one more."""

WAITING = 32
"""Statements that may wait for their turn; where there is a further one, one of the client with most is refused."""

PATIENCE = 2
"""Longest wait for a turn, in time limits of a statement: those that run end within one and a bit."""

STATEMENTS = 1_000
"""After so many a child is replaced, whatever it may have gathered."""


@dataclass(frozen=True)
class PoolLoad:
    """How many processes run a statement, how many statements wait for one, and how many processes are ready."""

    busy: int
    waiting: int
    ready: int


class WorkerPool:
    """Runs statements of anyone's on the mirror in ``home``, each in a process of its own. Thread-safe."""

    def __init__(
        self,
        home: Path,
        limits: QueryLimits | None = None,
        *,
        at_once: int = AT_ONCE,
        waiting: int = WAITING,
        statements: int = STATEMENTS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        **options: Any,
    ) -> None:
        """Start nothing yet. ``options`` are more arguments of :class:`Reader`, as JSON knows them: ``rules``."""
        self.limits = limits or QueryLimits()
        self._start = WorkerStart(home.absolute(), self.limits, options)
        self._at_once = at_once
        self._turns = FairQueue(at_once, waiting)
        self._statements = statements
        self._clock = clock
        self._changed = Condition()
        self._idle: list[Worker] = []
        self._failures: list[MirrorError] = []
        self._wanted = self._starting_up = 0
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    @property
    def load(self) -> PoolLoad:
        """How busy it is; waits for nothing."""
        return PoolLoad(self._turns.running, self._turns.waiting, len(self._idle))

    def start(self) -> None:
        """Have a child ready soon, without waiting for it."""
        with self._changed:
            self._ensure_spare()

    def run(
        self,
        sql: str,
        params: Mapping[str, object] | None = None,
        *,
        limits: QueryLimits | None = None,
        stop: Cancellation | None = None,
        client: str = "",
        remedy: str = "",
    ) -> JsonResult:
        """Run one statement as :meth:`Reader.run` does, with rows as JSON; ``stop`` ends it when set.

        ``client`` names who asks; every client has its share of the turns. ``remedy`` is what reads from the tenant, as
        notes call it to this caller.

        The time limit counts from handing the statement over to the last byte of its answer. Raises what
        :meth:`Reader.run` raises, :class:`Busy` where too many wait, :class:`UsageError` for a parameter that is no
        JSON value.
        """
        limits = limits or self.limits
        message = StatementRequest(sql, params or {}, limits, self._clock(), remedy).encoded()
        with self._turns.turn(client, PATIENCE * limits.seconds, stop) as turn, self._worker() as worker:
            return answer(worker.ask(message, limits.seconds, turn))

    def close(self) -> None:
        """End all children that do not work; those that do end with their statement."""
        with self._changed:
            self._closed = True
            idle, self._idle = self._idle, []
            self._changed.notify_all()
        for worker in idle:
            worker.close()

    @contextmanager
    def _worker(self) -> Iterator[Worker]:
        worker = self._take()
        unusable = True
        try:
            yield worker
            unusable = False
        except TookTooLong:
            raise  # it may be out of memory, or dead: another takes its place
        except MirrorError:
            unusable = False
            raise
        finally:
            self._return(worker, unusable or worker.served >= self._statements)

    def _take(self) -> Worker:
        with self._changed:
            self._wanted += 1
            try:
                worker = self._ready()
            finally:
                self._wanted -= 1
            self._ensure_spare()
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
            self._ensure_spare()
            self._changed.wait()
            if self._failures:
                raise self._failures.pop()

    def _ensure_spare(self) -> None:
        """Let one come for everyone who waits for one, and one more; the lock is held by whoever calls."""
        while not self._closed and len(self._idle) + self._starting_up <= self._wanted:
            self._starting_up += 1
            Thread(target=self._start_spare, name="spare", daemon=True).start()

    def _start_spare(self) -> None:
        worker: Worker | None = None
        failure: MirrorError | None = None
        try:
            worker = Worker(self._start)
        except (MirrorError, OSError) as error:
            failure = error if isinstance(error, MirrorError) else MirrorError(f"No process for SQL: {error}")
        with self._changed:
            self._starting_up -= 1
            self._failures = [failure] if failure else []
            if worker is not None and not self._closed:
                self._idle.append(worker)
                worker = None
            self._changed.notify_all()
        if worker is not None:
            worker.close()

    def _return(self, worker: Worker, unusable: bool) -> None:
        with self._changed:
            kept = not unusable and worker.alive and not self._closed and len(self._idle) < self._at_once
            if kept:
                self._idle.append(worker)
            else:
                self._ensure_spare()
            self._changed.notify_all()
        if not kept:
            worker.close()
