"""A few children and one spare: a killed one is replaced before anybody asks again."""

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Condition, Event, Thread
from time import monotonic
from typing import Any

from kandji_queries.fenced.memory import watched
from kandji_queries.fenced.worker import Gone, Worker
from kandji_queries.limits import Limits
from kandji_schema.errors import StoreError, TookTooLong

RETIRE_AFTER = 1_000
"""Statements after which a child is replaced: whatever it has gathered goes with it."""

QUEUED = 32
"""Statements that may wait for a child; further ones are told to come back."""

CANCEL_POLL = 0.05


class Pool:
    """Runs statements in children. Thread-safe; one caller's statement cannot slow or break another's.

    ``size`` statements run at once; one more child stands ready. The children are started by the first question or by
    :meth:`warm_up`.
    """

    def __init__(self, home: Path, limits: Limits, *, size: int = 2) -> None:
        """``limits`` are those of every statement that does not bring its own."""
        self._home = home
        self._limits = limits
        self._size = size
        self._changed = Condition()
        self._idle: list[Worker] = []
        self._leased: set[Worker] = set()
        self._waiting = 0
        self._starting = 0
        self._closed = False

    def run(self, sql: str, params: Mapping[str, object] | None = None, **facts: Any) -> dict[str, Any]:
        """The answer to one statement of anyone's, JSON-ready; see :meth:`Reader.run` for what it raises.

        ``limits`` (a mapping) replaces some bounds of this statement; ``cancelled`` is an event that ends it.
        """
        return self._asked({"sql": sql, "params": dict(params or {})}, **facts)

    def query(self, name: str, params: Mapping[str, object] | None = None, **facts: Any) -> dict[str, Any]:
        """The same for a named query."""
        return self._asked({"query": name, "params": dict(params or {})}, **facts)

    def warm_up(self) -> None:
        """Start the spare child ahead of the first question."""
        self._restock()

    def close(self) -> None:
        """End every child, statements that run included."""
        with self._changed:
            self._closed = True
            ended = [*self._idle, *self._leased]
            self._idle.clear()
            self._changed.notify_all()
        for worker in ended:
            worker.kill()

    def _asked(
        self, question: dict[str, Any], *, limits: Mapping[str, Any] | None = None, cancelled: Event | None = None
    ) -> dict[str, Any]:
        seconds = float((limits or {}).get("seconds", self._limits.seconds))
        worker = self._lease(seconds)
        try:
            with watched(worker.pid, self._limits.memory_mb, worker.kill), _ended_by(cancelled, worker.kill):
                return worker.ask({**question, "limits": dict(limits or {})}, seconds)
        except Gone:
            raise TookTooLong(
                "The statement was ended by force: it used up its memory or its processor time, or the caller "
                "cancelled it. Aggregate or filter earlier."
            ) from None
        finally:
            self._give_back(worker)

    def _lease(self, patience: float) -> Worker:
        """An idle child, or one more where there may be one; waits its turn otherwise."""
        until = monotonic() + patience
        with self._changed:
            if len(self._leased) >= self._size and self._waiting >= QUEUED:
                raise TookTooLong(f"{self._waiting} statements are waiting already. Ask again in a few seconds.")
            self._waiting += 1
            try:
                while len(self._leased) >= self._size and not self._closed:
                    if not self._changed.wait(until - monotonic()):
                        raise TookTooLong(
                            f"All {self._size} places were taken for {patience:g} s. Ask again in a few seconds."
                        )
            finally:
                self._waiting -= 1
            if self._closed:
                raise StoreError("The server is ending.")
            worker = self._idle.pop() if self._idle else Worker(self._home, self._limits)
            self._leased.add(worker)
        self._restock()
        return worker

    def _give_back(self, worker: Worker) -> None:
        spent = worker.served >= RETIRE_AFTER or not worker.alive
        with self._changed:
            self._leased.discard(worker)
            if not spent and not self._closed:
                self._idle.append(worker)
            self._changed.notify()
        if spent or self._closed:
            worker.kill()
            self._restock()

    def _restock(self) -> None:
        """Have one child ready beyond those at work, started beside whatever goes on."""
        with self._changed:
            if self._closed or self._idle or self._starting:
                return
            self._starting += 1
        Thread(target=self._start_one, daemon=True, name="fenced-spare").start()

    def _start_one(self) -> None:
        worker = Worker(self._home, self._limits)
        with self._changed:
            self._starting -= 1
            kept = not self._closed
            if kept:
                self._idle.append(worker)
        if not kept:
            worker.kill()


class _ended_by:  # noqa: N801  # reads as a phrase in a with statement
    """Calls ``end`` as soon as the event is set while the block runs."""

    def __init__(self, cancelled: Event | None, end: Callable[[], None]) -> None:
        self._cancelled = cancelled
        self._end = end
        self._done = Event()

    def __enter__(self) -> None:
        if self._cancelled is not None:
            Thread(target=self._watch, args=(self._cancelled,), daemon=True, name="fenced-cancel").start()

    def __exit__(self, *_: object) -> None:
        self._done.set()

    def _watch(self, cancelled: Event) -> None:
        while not self._done.is_set():
            if cancelled.wait(CANCEL_POLL) and not self._done.is_set():
                self._end()
                return
