"""How checks ask the mirror: statements go through the guard into one process of their own, bounded like anyone's.

What is read is what the privacy mode lets the check see: masked files unless it says ``personal``, and the mode allows
that.
"""

import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from kandji_queries.catalog.own_queries import find_query
from kandji_queries.engine.limits import QueryLimits
from kandji_queries.reader import Reader
from kandji_queries.results.data_notes import SYNC_COMMAND
from kandji_queries.results.result import Answer
from kandji_queries.workers.messages import StatementRequest, WorkerStart, answer
from kandji_queries.workers.process import Worker
from kandji_schema.errors import Failed, TookTooLong
from kandji_schema.settings import Settings
from kandji_watch.conditions import Question

MOST_ROWS = 10_000
"""Rows of an answer; a check that finds more is too wide to tell anybody anything."""

MOST_BYTES = 32 * 1024**2
CELL_BYTES = 1_000


class Asker:
    """Asks one home, one question after the other. The process for statements is started for the first one."""

    def __init__(self, settings: Settings, *, here: bool = sys.platform == "win32") -> None:
        """``settings`` say where the home is, who sees what, and what a statement may cost.

        ``here`` runs statements in this process, within the same limits of time: where no other can be bounded.
        """
        self._settings = settings
        self._here = here
        self._workers: dict[bool, Worker] = {}
        self._readers: dict[bool, Reader] = {}
        self._limits = QueryLimits(
            seconds=settings.mirror_query_seconds,
            memory_mb=settings.mirror_query_memory_mb,
            rows=MOST_ROWS,
            bytes=MOST_BYTES,
            cell_bytes=CELL_BYTES,
        )

    def masks(self, *, personal: bool) -> bool:
        """Tell whether a check reads pseudonyms in place of personal data."""
        return self._settings.privacy.masks(personal=personal)

    def ask(self, question: Question, *, personal: bool, now: datetime) -> Answer:
        """Return the whole answer; raises as :meth:`Reader.run` does, :class:`Failed` where it has too many rows."""
        sql, values = question.sql, dict(question.params)
        if question.query:
            query = find_query(self._settings.home, question.query)
            sql, values = query.statement(question.params), query.bind(question.params)
        found = self._run(sql, values, self.masks(personal=personal), now)
        if found.truncated:
            raise Failed(f"The answer has more than {MOST_ROWS:,} rows, or is too large to be kept. Narrow the check.")
        return found

    def close(self) -> None:
        """End the processes, and close what is open."""
        for opened in (self._workers, self._readers):
            while opened:
                opened.popitem()[1].close()

    def _run(self, sql: str, values: Mapping[str, Any], masked: bool, now: datetime) -> Answer:
        if self._here:
            return self._run_here(sql, values, masked)
        message = StatementRequest(sql, values, self._limits, now.astimezone(UTC), SYNC_COMMAND).encoded()
        try:
            return answer(self._worker(masked).ask(message, self._limits.seconds, None))
        except TookTooLong:
            with suppress(KeyError):
                self._workers.pop(masked).close()  # it may be out of memory, or dead
            raise

    def _worker(self, masked: bool) -> Worker:
        if masked not in self._workers:
            options = {"rules": self._settings.mirror_compliance_file, "masked": masked, "values_in_errors": not masked}
            home = self._settings.home.absolute()
            self._workers[masked] = Worker(WorkerStart(home, replace(self._limits), options))
        return self._workers[masked]

    def _run_here(self, sql: str, values: Mapping[str, Any], masked: bool) -> Answer:
        """Run it as `kandji-mirror sql` does."""
        if masked not in self._readers:
            rules, shown = self._settings.mirror_compliance_file, not masked
            self._readers[masked] = Reader(
                self._settings.home, self._limits, lazy=True, rules=rules, masked=masked, values_in_errors=shown
            )
        return self._readers[masked].run_json(sql, values)
