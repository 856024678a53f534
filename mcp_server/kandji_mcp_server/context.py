"""What every tool, resource and completion works on: one mirror, opened when the first question comes."""

import logging
import sys
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, TypeVar

from anyio import CapacityLimiter, fail_after, to_thread

from kandji_mcp_server.tally import Face, Kind, QueryTally
from kandji_schema.errors import ConfigurationError, Interrupted, MirrorError
from kandji_schema.events import about
from kandji_schema.home import refuse_foreign
from kandji_schema.settings import Settings

if TYPE_CHECKING:
    from kandji_mcp_server.background import Background
    from kandji_queries.engine.limits import QueryLimits
    from kandji_queries.export.report import ExportReport
    from kandji_queries.export.source import MirrorSource
    from kandji_queries.reader import Reader
    from kandji_queries.results.result import JsonResult
    from kandji_queries.workers.pool import PoolLoad, WorkerPool

T = TypeVar("T")
Clock = Callable[[], datetime]

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Statements that run at the same time; further ones wait their turn."""

WRITERS = 2
"""Files that are written for people at the same time, beside what they ask; further ones wait their turn."""

CALLERS = 64
"""Statements of anyone's that are dealt with at the same time: more than may wait, so that the rest is told so."""

KEPT_EXPORTS = 50
"""Folders of exports; the oldest go when a new one is there."""

REMEDY = "`refresh`"
"""What reads from the tenant, as notes call it: the tool, as a model has no command line."""

MORE = "Aggregate, filter, or name fewer columns; `export` writes whole tables, views and queries to files."
"""What a model does about an answer that was cut."""

CELL_BYTES = 4_000
"""Longer texts in one cell are cut, with a marker: one script or profile must not fill the whole answer."""


@dataclass
class ServerContext:
    """One mirror and how AI clients read it. Nothing is opened before the first question: a greeting never waits.

    ``background`` syncs beside the conversation, where this process may. ``clock`` tells the time, aware UTC, for ages.
    ``personal``: it is for people who may see personal data where it is masked for other clients. ``tally`` counts what
    is asked.
    """

    settings: Settings
    background: "Background | None" = None
    clock: Clock = lambda: datetime.now(UTC)
    personal: bool = False
    tally: QueryTally = field(default_factory=QueryTally)
    _reader: "Reader | None" = field(default=None, init=False)
    _workers: "WorkerPool | None" = field(default=None, init=False)
    _opening: Lock = field(default_factory=Lock, init=False)
    _turns: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(AT_ONCE), init=False)
    _callers: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(CALLERS), init=False)
    _writers: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(WRITERS), init=False)

    @property
    def home(self) -> Path:
        """The data directory."""
        return self.settings.home

    @property
    def most_bytes(self) -> int:
        """Most bytes of an answer."""
        return self.settings.mirror_mcp_bytes

    @property
    def masked(self) -> bool:
        """Whether masked files are read."""
        return self.settings.privacy.masks(personal=self.personal)

    def for_personal_data(self) -> "ServerContext":
        """Return another context of the same mirror, unopened, for people who may see personal data."""
        return replace(self, personal=True)

    async def ask(
        self, question: "Callable[[Reader], T]", *, face: Face | None = Face.MCP, seconds: float | None = None
    ) -> T:
        """Answer from a thread of its own. A caller who cancels stops the statement, and frees its turn, at once.

        ``face`` is where the question came from, None for one of our own. :class:`TimeoutError` after so many
        ``seconds``.
        """

        def work(gone: Event) -> T:
            return question(self._opened_reader().stopped_by(gone))

        with self.tally.timed(face, Kind.QUESTION) as query, fail_after(seconds):
            return query.answered(await _in_thread(work, self._turns))

    async def state(self) -> Hashable:
        """Return :attr:`Reader.state`; it runs no statement, and waits for none of those that do."""
        return await _in_thread(lambda _: self.read_state())

    def read_state(self) -> Hashable:
        """Return the same in the caller's thread, having opened the mirror where nobody has yet."""
        return self._opened_reader().state

    async def run_sql(
        self,
        sql: str,
        params: "Mapping[str, object] | None" = None,
        client: str = "",
        *,
        limits: "QueryLimits | None" = None,
        remedy: str = "",
        face: Face = Face.MCP,
    ) -> "JsonResult":
        """Run a statement of anyone's in a process of its own; it is stopped when the caller cancels.

        ``client`` names who asks: each has its share of the processes. ``limits`` are those of AI clients unless given,
        ``remedy`` what reads from the tenant, as notes call it, ``face`` where the statement came from.
        """

        def work(gone: Event) -> "JsonResult":
            pool = self._opened_workers()
            return pool.run(sql, params, limits=limits, stop=gone, client=client, remedy=remedy)

        with self.tally.timed(face, Kind.STATEMENT) as query:
            return query.answered(await _in_thread(work, self._callers))

    @property
    def load(self) -> "PoolLoad | None":
        """How busy the processes for statements are; None where none was wanted yet."""
        return self._workers.load if self._workers else None

    async def export(
        self, names: "Sequence[str]", form: str, params: "Mapping[str, object]", to: "Path | str" = ""
    ) -> "ExportReport":
        """Write tables, views and queries into a new folder below the export folder; all or, if cancelled, nothing.

        ``to`` is a folder of the server's own instead, for what is sent on at once; never one that a caller names.
        """
        with self.tally.timed(Face.PAGES if to else Face.MCP, Kind.EXPORT):
            return await _in_thread(lambda gone: self._export(names, form, params, gone, to))

    async def write(self, work: "Callable[[MirrorSource, Callable[[], None]], T]") -> T:
        """Write files of statements of ours, in a thread of its own.

        ``work`` gets the mirror as something to export, and what it is to call now and then: that raises
        :class:`Interrupted` once nobody waits any more.
        """
        return await _in_thread(lambda gone: self._write(work, gone), self._writers)

    def ready_worker(self) -> None:
        """Have a process for statements of anyone's ready soon; waits for nothing."""
        Thread(target=self._start_worker, name="worker", daemon=True).start()

    async def warm_up(self) -> None:
        """Open the store ahead of the first question. What goes wrong here, that question will say."""
        try:
            await self.ask(lambda reader: reader.tables(), face=None)
        except MirrorError as error:
            log.info("The store could not be opened ahead: %s", error, extra=about("store.unopened"))
        except Exception:
            log.exception("The store could not be opened ahead.", extra=about("store.unopened"))

    def close(self) -> None:
        """Close the store. No statement may be running any more."""
        if self._reader is not None:
            self._reader.close()
        if self._workers is not None:
            self._workers.close()

    def _start_worker(self) -> None:
        try:
            self._opened_workers().start()
        except MirrorError as error:
            log.info("No process for statements could be started ahead: %s", error, extra=about("worker.unstarted"))

    def _opened_reader(self) -> "Reader":
        """Return the reader, once its engine has been tried for known ways out; none of them may work."""
        with self._opening:
            if self._reader is None:
                refuse_foreign(self.settings)
                from kandji_queries.reader import Reader  # with it comes DuckDB, which greeting a client does not need

                reader = Reader(self.home, _limits(self.settings), warm=True, **self._options())
                try:
                    reader.self_test()
                except BaseException:
                    reader.close()
                    raise
                self._reader = reader
            return self._reader

    def _opened_workers(self) -> "WorkerPool":
        with self._opening:
            if self._workers is None:
                _refuse_without_bounds()
                refuse_foreign(self.settings)
                from kandji_queries.workers.pool import WorkerPool

                self._workers = WorkerPool(self.home, _limits(self.settings), **self._options())
            return self._workers

    def _options(self) -> dict[str, Any]:
        """Return how readers are opened, in this process and in others: on masked files only, where that is wanted."""
        rules, masked = self.settings.mirror_compliance_file, self.masked
        shown = {"values_in_errors": not masked, "remedy": REMEDY}
        return {"rules": rules, "masked": masked, "clock": self.clock, **shown}

    def _write(self, work: "Callable[[MirrorSource, Callable[[], None]], T]", gone: Event) -> T:
        refuse_foreign(self.settings)
        from kandji_queries.export.export import THREADS
        from kandji_queries.export.source import MirrorSource

        def stop_if_gone() -> None:
            if gone.is_set():
                raise Interrupted("The file was not written to its end: whoever asked no longer waits for it.")

        source = MirrorSource(
            self.home,
            rules=self.settings.mirror_compliance_file,
            masked=self.masked,
            memory_mb=self.settings.mirror_query_memory_mb,
            threads=THREADS,
            clock=self.clock,
        )
        with closing(source):
            return work(source, stop_if_gone)

    def _export(
        self, names: "Sequence[str]", form: str, params: "Mapping[str, object]", gone: Event, to: "Path | str"
    ) -> "ExportReport":
        """Write the files; where they go is a setting, never the caller's choice."""
        refuse_foreign(self.settings)
        from kandji_queries.export.export import ExportOptions, export

        def stop_if_gone(_name: str, _done: float) -> None:
            if gone.is_set():
                raise Interrupted("The export was stopped: whoever asked no longer waits for it. Nothing was written.")

        return export(
            self.home,
            names,
            form,
            to or self.settings.export_folder,
            ExportOptions(params=params, dated=True, keep=KEPT_EXPORTS, spreadsheet_safe=form == "csv"),
            progress=stop_if_gone,
            rules=self.settings.mirror_compliance_file,
            masked=self.masked,
            memory_mb=self.settings.mirror_query_memory_mb,
            clock=self.clock,
        )


async def _in_thread(work: Callable[[Event], T], limiter: CapacityLimiter | None = None) -> T:
    """Work in a thread of its own; the event it gets is set when the caller no longer waits."""
    gone = Event()
    try:
        return await to_thread.run_sync(work, gone, limiter=limiter, abandon_on_cancel=True)
    finally:
        gone.set()


def _refuse_without_bounds() -> None:
    if sys.platform == "win32":
        raise ConfigurationError(
            "Statements of AI clients cannot be run on Windows: no process can be bounded there. The named queries and "
            "all other tools answer; `kandji-mirror sql` runs a statement of your own."
        )


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
