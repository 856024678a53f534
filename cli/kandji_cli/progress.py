"""Progress of a sync on stderr: one picture that fits the terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from kandji_mirror.api.client import Client
from kandji_mirror.report import Outcome
from kandji_mirror.sync.request import REFUSED
from kandji_schema.manifest import State
from kandji_schema.text import counted, escaped

STYLES = {State.OK: "green", State.FAILED: "red"}
"""Colours of states; all others are yellow."""

ROOM_FOR_PAGES = 66
"""Columns that a line with the pages of a table takes."""

ROOM_FOR_SPEED = 78
"""Columns that a line with the speed of a table takes, too."""

OTHER_LINES = 4
"""Lines of the terminal that are not for running tables: the total, those not shown, the budget, the cursor."""

NOW_AND_THEN = 30.0
"""Seconds between two lines about what is still being read, where there is no terminal."""

A_SECOND = 4
"""How often the picture is drawn."""


@contextmanager
def watched(client: Client, console: Console | None = None) -> Iterator[Picture | Lines]:
    """Show a :class:`kandji_mirror.report.Progress` for the time of the block."""
    console = console or Console(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal:
        yield Lines(console)
        return
    picture = Picture(console, lambda: client.remaining_hour)
    with Live(picture, console=console, transient=True, refresh_per_second=A_SECOND):
        yield picture


@dataclass
class _Running:
    """A table that is being read: what came since ``began``."""

    table: str
    began: float
    pages: int = 0
    rows: int = 0
    total: int | None = None

    def counts(self) -> str:
        """Say how many of how many came; of tables read device by device these are devices."""
        if self.total is not None:
            return f"{self.rows:,} of {self.total:,}"
        return f"{self.rows:,} read" if self.rows or self.pages else "asked for"


class _Told:
    """What is known of a run, told by any of its threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.lock = Lock()
        self.clock = clock
        self.began = clock()
        self.planned_tables: set[str] = set()
        self.running: dict[str, _Running] = {}
        self.ended: dict[str, State] = {}

    def planned(self, tables: Sequence[str]) -> None:
        """Take note of what is going to be read."""
        with self.lock:
            self.planned_tables.update(tables)

    def started(self, table: str) -> None:
        """Take note of a table that is read from now on."""
        with self.lock:
            self.running[table] = _Running(table, self.clock())

    def advanced(self, table: str, *, pages: int, rows: int, total: int | None) -> None:
        """Take note of what came."""
        with self.lock:
            one = self.running.setdefault(table, _Running(table, self.clock()))
            one.pages, one.rows, one.total = pages, rows, total

    def finished(self, outcome: Outcome) -> None:
        """Take note of how a table ended."""
        with self.lock:
            self.running.pop(outcome.table, None)
            self.ended[outcome.table] = outcome.state

    @property
    def tables(self) -> int:
        """How many there are in all."""
        return len({*self.planned_tables, *self.running, *self.ended})


class Picture(_Told):
    """One bar for all tables, a line for each that is being read, and one of what is done and left.

    It is as wide as the terminal and no higher; failures stand above it and stay.
    """

    def __init__(
        self, console: Console, left: Callable[[], int | None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``left`` tells the requests that are left in the tenant's hour, None before it is known."""
        super().__init__(clock)
        self._console = console
        self._left = left

    def finished(self, outcome: Outcome) -> None:
        """Count how it ended; say why, where it failed."""
        super().finished(outcome)
        if outcome.error and outcome.state not in REFUSED:
            self._console.print(Text(outcome.table, "red"), Text(escaped(f": {outcome.error}")), sep="")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines as they are now."""
        with self.lock:
            running = sorted(self.running.values(), key=lambda one: one.began)
            ended, tables, took = Counter(self.ended.values()), self.tables, self.clock() - self.began
        yield _total(sum(ended.values()), tables, took, options.max_width)
        most = max(1, (options.height or console.height) - OTHER_LINES)
        shown = running if len(running) <= most else running[: most - 1]
        for one in shown:
            yield self._line(one, options.max_width)
        if len(running) > len(shown):
            yield Text(f"  and {len(running) - len(shown)} more", "dim")
        yield self._budget(ended, options.max_width)

    def _line(self, one: _Running, room: int) -> Text:
        line = Text(f"  {one.table:<31}  {one.counts():>16}", no_wrap=True, overflow="ellipsis")
        seconds = self.clock() - one.began
        if room >= ROOM_FOR_PAGES and one.pages:
            line.append(f"  {counted(one.pages, 'page'):>11}", "dim")
        if room >= ROOM_FOR_SPEED and one.rows and seconds >= 1:
            line.append(f"  {one.rows / seconds:,.0f}/s", "dim")
        line.truncate(room, overflow="ellipsis")
        return line

    def _budget(self, ended: Counter[State], room: int) -> Text:
        line = Text("", no_wrap=True)
        for state, number in sorted(ended.items(), key=lambda item: [*State].index(item[0])):
            line.append(f"{', ' if line.plain else ''}{number} ")
            line.append(state.value, STYLES.get(state, "yellow"))
        if (left := self._left()) is not None:
            line.append(f"{'; ' if line.plain else ''}{counted(left, 'request')} left this hour", "dim")
        line.truncate(room, overflow="ellipsis")
        return line


def _total(done: int, tables: int, took: float, room: int) -> Table:
    minutes, seconds = divmod(int(took), 60)
    words = f" {done} of {counted(tables, 'table')}  {minutes}:{seconds:02}"
    line = Table.grid()
    line.add_row(ProgressBar(total=max(tables, 1), completed=done, width=max(8, min(60, room - len(words)))), words)
    return line


class Lines(_Told):
    """A line when a table is done, and now and then one of what takes long."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        """``console`` writes to stderr."""
        super().__init__(clock)
        self._console = console
        self._told = self.began

    def advanced(self, table: str, *, pages: int, rows: int, total: int | None) -> None:
        """Say where a table is, where nothing was said for a while."""
        super().advanced(table, pages=pages, rows=rows, total=total)
        with self.lock:
            if self.clock() - self._told < NOW_AND_THEN:
                return
            self._told = self.clock()
            done = f"{len(self.ended)} of {counted(self.tables, 'table')} done"
            words = f"{table}: {self.running[table].counts()}; {done}"
        self._say(words)

    def finished(self, outcome: Outcome) -> None:
        """Say how it ended."""
        super().finished(outcome)
        reason = f": {outcome.error}" if outcome.error and outcome.state not in REFUSED else ""
        rows, requests = counted(outcome.rows, "row"), counted(outcome.requests, "request")
        with self.lock:
            self._told = self.clock()
        self._say(f"{outcome.table}: {outcome.state.value}, {rows}, {requests}{reason}")

    def _say(self, line: str) -> None:
        self._console.print(line, soft_wrap=True, highlight=False, markup=False)
