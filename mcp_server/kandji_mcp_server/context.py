"""What every tool works on: the mirror, opened when the first question comes."""

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from pathlib import Path
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, TypeVar

from anyio import CapacityLimiter, to_thread

from kandji_schema.errors import ConfigurationError, Interrupted, MirrorError
from kandji_schema.home import refuse_foreign
from kandji_schema.settings import Settings

if TYPE_CHECKING:
    from kandji_mcp_server.background import Background
    from kandji_mcp_server.registration import ToolSpec
    from kandji_queries.engine.limits import QueryLimits
    from kandji_queries.export.report import ExportReport
    from kandji_queries.reader import Reader
    from kandji_queries.results.result import JsonResult
    from kandji_queries.workers.pool import Workers

T = TypeVar("T")
Clock = Callable[[], datetime]

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Statements that run at the same time; further ones wait their turn."""

CALLERS = 64
"""Statements of anyone's that are dealt with at the same time: more than may wait, so that the rest is told so."""

KEPT_EXPORTS = 50
"""Folders of exports; the oldest go when a new one is there."""

MORE = "Aggregate, filter, or name fewer columns; `kandji-mirror sql ... --format csv` writes more rows to a file."
"""What a model does about an answer that was cut."""

CELL_BYTES = 4_000
"""Longer texts in one cell are cut, with a marker: one script or profile must not fill the whole answer."""


@dataclass(frozen=True)
class Export:
    """What is to be written to files. ``gone`` tells that nobody waits for it any more."""

    names: Sequence[str]
    form: str
    params: Mapping[str, object]
    gone: Event
    clock: Clock

    def watch(self, _name: str, _done: float) -> None:
        """Stop it where nobody waits."""
        if self.gone.is_set():
            raise Interrupted("The export was stopped: whoever asked no longer waits for it. Nothing was written.")


class ConfirmAt(Enum):
    """Where a human is asked about a live action.

    ``CLIENT``: by a question in the client, which that human runs. ``TERMINAL``: elsewhere, at a terminal: over a
    network an answer to a question proves no human, as it comes from whoever asked for the action.
    """

    CLIENT = "client"
    TERMINAL = "terminal"


@dataclass
class ServerContext:
    """The mirror in ``home``. Nothing is opened before the first :meth:`ask`, so that a client's greeting never waits.

    ``open_reader`` makes the reader from ``clock``, which tells the time, aware UTC, for ages, and ``open_workers``
    what runs statements of anyone's.
    ``background`` syncs beside the conversation, where this process may. ``live_tools`` are those of live actions, by
    where a human is asked about them.
    """

    home: Path
    most_bytes: int
    open_reader: "Callable[[Clock], Reader]"
    open_workers: "Callable[[Clock], Workers]"
    write_files: "Callable[[Export], ExportReport]"
    clock: Clock = lambda: datetime.now(UTC)
    background: "Background | None" = None
    live_tools: "Callable[[ConfirmAt], tuple[ToolSpec, ...]]" = lambda _: ()
    _reader: "Reader | None" = field(default=None, init=False)
    _workers: "Workers | None" = field(default=None, init=False)
    _sealed: bool = field(default=False, init=False)
    _opening: Lock = field(default_factory=Lock, init=False)
    _turns: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(AT_ONCE), init=False)
    _callers: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(CALLERS), init=False)

    async def ask(self, question: "Callable[[Reader], T]") -> T:
        """Answer from a thread of its own. A caller who cancels stops the statement, and frees its turn, at once."""
        gone = Event()
        try:
            return await to_thread.run_sync(self._answer, question, gone, limiter=self._turns, abandon_on_cancel=True)
        finally:
            gone.set()

    async def run_sql(self, sql: str, params: "Mapping[str, object] | None" = None, client: str = "") -> "JsonResult":
        """Run a statement of anyone's in a process of its own; it is stopped when the caller cancels.

        ``client`` names who asks: each has its share of the processes.
        """
        gone = Event()
        try:
            return await to_thread.run_sync(
                lambda: self._opened_workers().run(sql, params, stop=gone, client=client),
                abandon_on_cancel=True,
                limiter=self._callers,
            )
        finally:
            gone.set()

    def ready_worker(self) -> None:
        """Have a process for statements of anyone's ready soon; waits for nothing."""
        Thread(target=self._start_worker, name="worker", daemon=True).start()

    def _start_worker(self) -> None:
        try:
            self._opened_workers().start()
        except MirrorError as error:
            log.info("No process for statements could be started ahead: %s", error)

    async def export(self, names: "Sequence[str]", form: str, params: "Mapping[str, object]") -> "ExportReport":
        """Write tables, views and queries into a new folder below the export folder; all or, if cancelled, nothing."""
        gone = Event()
        try:
            return await to_thread.run_sync(
                lambda: self.write_files(Export(names, form, params, gone, self.clock)), abandon_on_cancel=True
            )
        finally:
            gone.set()

    async def warm_up(self) -> None:
        """Open the store ahead of the first question. What goes wrong here, that question will say."""
        try:
            await self.ask(lambda reader: reader.tables())
        except MirrorError as error:
            log.info("The store could not be opened ahead: %s", error)
        except Exception:
            log.exception("The store could not be opened ahead.")

    def _answer(self, question: "Callable[[Reader], T]", gone: Event) -> T:
        return question(self._checked_reader().stopped_by(gone))

    def _checked_reader(self) -> "Reader":
        """Return the reader, once its engine has been tried for known ways out; none of them may work."""
        with self._opening:
            self._reader = self._reader or self.open_reader(self.clock)
            if not self._sealed:
                self._reader.self_test()
                self._sealed = True
            return self._reader

    def _opened_workers(self) -> "Workers":
        with self._opening:
            self._workers = self._workers or self.open_workers(self.clock)
            return self._workers

    def close(self) -> None:
        """Close the store. No statement may be running any more."""
        if self._reader is not None:
            self._reader.close()
        if self._workers is not None:
            self._workers.close()


def make_context(settings: Settings, background: "Background | None" = None) -> ServerContext:
    """Return the context of a server over the mirror that the settings name, with the limits of MCP answers."""
    return ServerContext(
        home=settings.home,
        most_bytes=settings.mirror_mcp_bytes,
        open_reader=lambda clock: _reader(settings, clock),
        open_workers=lambda clock: _workers(settings, clock),
        write_files=partial(_export, settings),
        background=background,
        live_tools=partial(_live_tools, settings),
    )


def _live_tools(settings: Settings, confirm_at: ConfirmAt) -> "tuple[ToolSpec, ...]":
    if settings.mirror_actions != "on":
        return ()
    from kandji_mcp_server.live.tools import live_tools  # with it comes the API client

    return live_tools(settings, confirm_at)


def _reader(settings: Settings, clock: Clock) -> "Reader":
    refuse_foreign(settings)
    from kandji_queries.reader import Reader  # with it comes DuckDB, which greeting a client does not need

    return Reader(settings.home, _limits(settings), warm=True, clock=clock, **_options(settings))


def _workers(settings: Settings, clock: Clock) -> "Workers":
    if sys.platform == "win32":
        raise ConfigurationError(
            "Statements of AI clients cannot be run on Windows: no process can be bounded there. The named queries and "
            "all other tools answer; `kandji-mirror sql` runs a statement of your own."
        )
    refuse_foreign(settings)
    from kandji_queries.workers.pool import Workers

    return Workers(settings.home, _limits(settings), clock=clock, **_options(settings))


def _options(settings: Settings) -> dict[str, Any]:
    """Return how every reader is opened, in this process and in others: on masked files only, where that is wanted."""
    masked = settings.privacy.masks_agents
    return {"rules": settings.mirror_compliance_file, "masked": masked, "values_in_errors": not masked}


def _limits(settings: Settings) -> "QueryLimits":
    from kandji_queries.engine.limits import QueryLimits

    return QueryLimits(
        seconds=settings.mirror_query_seconds,
        memory_mb=settings.mirror_query_memory_mb,
        rows=settings.mirror_mcp_rows,
        bytes=settings.mirror_mcp_bytes,
        cell_bytes=CELL_BYTES,
        advice=MORE,
    )


def _export(settings: Settings, wanted: Export) -> "ExportReport":
    """Where the files go is a setting, never the caller's choice."""
    refuse_foreign(settings)
    from kandji_queries.export.export import ExportOptions, export

    return export(
        settings.home,
        wanted.names,
        wanted.form,
        settings.export_folder,
        ExportOptions(params=wanted.params, dated=True, keep=KEPT_EXPORTS, spreadsheet_safe=wanted.form == "csv"),
        progress=wanted.watch,
        rules=settings.mirror_compliance_file,
        masked=settings.privacy.masks_agents,
        memory_mb=settings.mirror_query_memory_mb,
        clock=wanted.clock,
    )
