"""Progress of a sync on stderr: bars on a terminal, one line a table elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from kandji_mirror.api.client import Client
from kandji_mirror.report import Outcome
from kandji_mirror.sync.request import REFUSED
from kandji_schema.manifest import State
from kandji_schema.text import counted

_MARKS = {
    State.NEVER: "[yellow]not mirrored[/]",
    State.OK: "[green]ok[/]",
    State.PARTIAL: "[yellow]partial[/]",
    State.FORBIDDEN: "[yellow]no permission[/]",
    State.ABSENT: "[yellow]not offered[/]",
    State.FAILED: "[red]failed[/]",
}


@contextmanager
def watched(client: Client, console: Console | None = None) -> Iterator[Bars | Lines]:
    """Show a :class:`kandji_mirror.report.Progress` for the time of the block."""
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield Lines(console)
        return
    columns = (
        TextColumn("{task.fields[mark]:>13} {task.description:<31}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("rows  {task.fields[pages]} pages  {task.fields[rate]}  {task.fields[budget]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield Bars(progress, client)


class Bars:
    """One bar a table: rows, pages, rows a second, and what is left of the tenant's hour."""

    def __init__(self, progress: Progress, client: Client) -> None:
        """``client`` tells the budget."""
        self._progress = progress
        self._client = client
        self._tasks: dict[str, TaskID] = {}

    def started(self, table: str) -> None:
        """Add the table's bar."""
        self._tasks[table] = self._progress.add_task(table, total=None, mark="", pages=0, rate="", budget="")

    def advanced(self, table: str, *, pages: int, rows: int, total: int | None) -> None:
        """Move the bar."""
        task = self._tasks[table]
        speed = self._progress.tasks[task].speed
        rate = f"{speed:,.0f}/s" if speed else ""
        self._progress.update(task, completed=rows, total=total, pages=pages, rate=rate, budget=self._budget())

    def finished(self, outcome: Outcome) -> None:
        """Fill the bar and say how it ended."""
        task = self._tasks[outcome.table]
        mark = _MARKS[outcome.state]
        self._progress.update(task, completed=outcome.rows, total=outcome.rows, mark=mark)
        self._progress.stop_task(task)
        if outcome.error and outcome.state not in REFUSED:
            self._progress.console.print(f"[red]{outcome.table}[/]: ", outcome.error, highlight=False)

    def _budget(self) -> str:
        left = self._client.remaining_hour
        return "" if left is None else f"{counted(left, 'request')} left this hour"


class Lines:
    """One line when a table is done."""

    def __init__(self, console: Console) -> None:
        """``console`` writes to stderr."""
        self._console = console

    def started(self, table: str) -> None:
        """Say nothing yet."""

    def advanced(self, table: str, *, pages: int, rows: int, total: int | None) -> None:
        """Say nothing yet."""

    def finished(self, outcome: Outcome) -> None:
        """Say how it ended."""
        reason = f": {outcome.error}" if outcome.error and outcome.state not in REFUSED else ""
        rows, requests = counted(outcome.rows, "row"), counted(outcome.requests, "request")
        line = f"{outcome.table}: {outcome.state.value}, {rows}, {requests}{reason}"
        self._console.print(line, soft_wrap=True, highlight=False, markup=False)
