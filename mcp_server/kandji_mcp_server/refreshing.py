"""Reading from the tenant because someone asked: one run for all who ask for the same at the same time."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from kandji_schema.counts import counted

if TYPE_CHECKING:
    from kandji_mirror.report import Outcome, Report
    from kandji_mirror.scheduler.scheduler import Scheduler

Key = tuple[str, ...]


@dataclass
class Flight:
    """A run that is going on. It is also the run's progress: ``steps`` only ever grow, ``words`` say where it is.

    Runs in another process tell nothing before their end.
    """

    steps: int = 0
    words: str = "asked for"
    done: "Future[Report]" = field(default_factory=Future)

    def started(self, table: str) -> None:
        """See :class:`~kandji_mirror.report.Progress`."""
        self._step(f"{table}: begun")

    def advanced(self, table: str, *, pages: int, rows: int, total: int | None) -> None:
        """See :class:`~kandji_mirror.report.Progress`."""
        self._step(f"{table}: {rows:,} of {total:,} rows" if total else f"{table}: {counted(rows, 'row')}")

    def finished(self, outcome: "Outcome") -> None:
        """See :class:`~kandji_mirror.report.Progress`."""
        self._step(f"{outcome.table}: {outcome.state.value}, {counted(outcome.rows, 'row')}")

    def _step(self, words: str) -> None:
        self.words = words
        self.steps += 1


class Refreshing:
    """The runs that are going on. Any thread may call it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._flights: dict[Key, Flight] = {}

    def begin(self, key: Key, ask: "Callable[[Flight], Future[Report]]") -> Flight:
        """The run of that key, begun by ``ask`` unless it is going on."""
        with self._lock:
            flight = self._flights.get(key)
            if flight is None or flight.done.done():
                flight = Flight()
                flight.done = ask(flight)
                self._flights[key] = flight
            return flight


def tables_run(scheduler: "Scheduler", tables: Key) -> "Callable[[Flight], Future[Report]]":
    """What begins a run over whole tables."""
    return lambda flight: scheduler.refresh(tables, progress=flight)


def device_run(scheduler: "Scheduler", device_id: str) -> "Callable[[Flight], Future[Report]]":
    """What begins a run over one device in all its tables."""
    return lambda flight: scheduler.refresh_devices([device_id], progress=flight)
