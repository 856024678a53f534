"""Statements one after the other, each on the newest state of the mirror; what was answered last can be drawn."""

import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event

from kandji_cli.output import tell, warn
from kandji_cli.reads import How, show_rows
from kandji_mirror.threads import run_interruptible
from kandji_queries.charts.chart import Chart
from kandji_queries.charts.picture import chart_of_rows, picture_of
from kandji_queries.engine.limits import QueryLimits
from kandji_queries.reader import Reader
from kandji_queries.results.data_notes import Requirements
from kandji_queries.results.dates import date_line
from kandji_queries.results.formats import renamed, unique, write
from kandji_queries.results.result import Result
from kandji_schema.errors import Interrupted, UsageError
from kandji_schema.text import counted

ROWS = 10_000
"""Rows that are shown of one answer at a prompt; a script gets all."""


class Conversation:
    """What was said until now: the ``form`` of answers, and the last of them. ``reader`` answers."""

    def __init__(self, reader: Reader, form: str) -> None:
        """Begin with nothing."""
        self.reader = reader
        self.form = form
        self.at_terminal = sys.stdin.isatty() and sys.stdout.isatty()
        self._chart: Callable[[], Chart | None] | None = None

    def statement(self, sql: str) -> None:
        """Run one statement and show its answer; :class:`Interrupted` where Ctrl-C stopped it."""
        if self.at_terminal:
            found = self._interruptible(lambda reader: reader.run(sql, limits=self._limits()))
            self._show(found, lambda: _chart_of("Answer", found))
            return
        with self.reader.stream(sql) as answer:
            show_rows(self.reader, answer, How(form=self.form, limit=None, requirements=Requirements()))

    def query(self, name: str, params: Mapping[str, str]) -> None:
        """Run a named query likewise."""
        query = self.reader.named(name)
        if not self.at_terminal:
            with self.reader.stream_query(name, params) as answer:
                show_rows(self.reader, answer, How(form=self.form, limit=None, requirements=Requirements()))
            return
        found = self._interruptible(lambda reader: reader.query(name, params, limits=self._limits()))

        def chart() -> Chart | None:
            own = picture_of(query, params, found, found.rows, self.reader.now()).chart if query.chart else None
            return own or _chart_of(query.title, found)

        self._show(found, chart)

    def chart(self) -> Chart:
        """Return the picture of the last answer; :class:`UsageError` where there is none."""
        if self._chart is None:
            raise UsageError("There is no answer to draw yet. Ask first, at the prompt; then .chart draws the answer.")
        if (chart := self._chart()) is None:
            raise UsageError("This answer has no picture: that takes rows, and a column of numbers beside the first.")
        return chart

    def shown(self, show: Callable[[], None]) -> None:
        """Have something shown a screen at a time, where there is one."""
        from kandji_cli.pager import paged  # a script needs none

        with paged() if self.at_terminal else nullcontext():
            show()

    def _interruptible(self, work: Callable[[Reader], Result]) -> Result:
        stop = Event()
        try:
            return run_interruptible(lambda: work(self.reader.stopped_by(stop)), stop.set)
        except KeyboardInterrupt:
            raise Interrupted("Stopped.") from None

    def _limits(self) -> QueryLimits:
        return replace(self.reader.limits, rows=min(ROWS, self.reader.limits.rows), advice="")

    def _show(self, found: Result, chart: Callable[[], Chart | None]) -> None:
        self._chart = chart
        with suppress(BrokenPipeError):  # the pager was left
            self.shown(lambda: write(found, self.form, sys.stdout))
        if told := renamed(found, self.form):
            tell(told)
        warn(self.reader.warnings)
        for note in found.notes:
            tell(note)
        more = f"The first {counted(found.row_count, 'row')}" if found.truncated else counted(found.row_count, "row")
        dated = date_line(found.as_of, datetime.now(UTC))
        tell(f"{more} in {found.elapsed_ms / 1_000:.2f} s. {dated}".rstrip())


def _chart_of(title: str, found: Result) -> Chart | None:
    names = unique([column.name for column in found.columns])
    return chart_of_rows(title, names, found.rows, date_line(found.as_of, datetime.now(UTC)))
