"""Turns the error of a statement into one that says what to write instead."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import duckdb

from kandji_queries.advice import dialects
from kandji_queries.advice.names import Finding, NameAdviser, Tried, unknown_table
from kandji_queries.advice.nearest import Columns
from kandji_queries.engine.limits import Cancellation, Deadline
from kandji_queries.engine.query_engine import QueryEngine
from kandji_queries.guard.statements import Checked
from kandji_queries.lineage import tree
from kandji_queries.lineage.tree import UNREADABLE, Node
from kandji_queries.remarks import near_values
from kandji_queries.remarks.asked import Asked
from kandji_schema.errors import Failed, Refused, StatementError, TookTooLong

Check = Callable[[str], Checked]
"""What the guard says of a statement under the same names and parameters."""

NOT_PARSED = "The statement cannot be parsed"

TRIAL_SECONDS = 0.5
"""Longest time that names of a proposal are looked up in the engine; it takes milliseconds."""

MAKERS = frozenset({"range", "generate_series", "repeat", "lpad", "rpad", "format", "printf"})
"""Functions that make much of little, where the engine computes constants while it looks names up, as of LIMIT."""


@dataclass(frozen=True)
class Adviser:
    """Advice about one statement; ``columns`` are those of all tables and views by name.

    ``asked`` makes of an engine and a tree what more is asked of a statement; None where errors repeat no values.
    """

    sql: str
    check: Check
    columns: Callable[[], Columns]
    asked: Callable[[QueryEngine, Node], Asked] | None = None

    def checked(self, tables: Collection[str]) -> Checked:
        """Check the statement, with advice in the error; ``tables`` are the names there are."""
        try:
            return self.check(self.sql)
        except StatementError as error:
            raise self.refused(error, tables) from error

    @contextmanager
    def explaining(
        self,
        engine: QueryEngine,
        checked: Checked,
        values: Mapping[str, object],
        seconds_left: Callable[[], float],
        stop: Cancellation | None = None,
    ) -> Iterator[None]:
        """Tell of a name that is not there what was probably meant; ``values`` are bound to the parameters.

        What is proposed is tried within ``seconds_left`` of the statement, and until ``stop`` is set.
        """
        try:
            yield
        except duckdb.BinderException as error:
            if failed := self.failed(error, engine, checked, values, min(seconds_left(), TRIAL_SECONDS), stop):
                raise failed from error
            raise

    def refused(self, error: StatementError, tables: Collection[str]) -> StatementError:
        """Return the guard's error with what was probably meant; ``tables`` are the names there are."""
        if isinstance(error, Refused) and error.rule == "table":
            found = unknown_table(self.sql, _quoted(str(error)), sorted(tables), sorted(_queries()))
            return Refused(self._proposing(found), rule=error.rule) if found else error
        if isinstance(error, Failed) and str(error).startswith(NOT_PARSED):
            if spelling := dialects.other_spelling(self.sql):
                return Failed(f"{error}\n{self._proposing(Finding(*spelling))}")
            if keyword := dialects.misspelt_keyword(self.sql):
                return Failed(f"{error}\n{keyword}")
        return error

    def failed(
        self,
        error: duckdb.BinderException,
        engine: QueryEngine,
        checked: Checked,
        values: Mapping[str, object],
        seconds: float,
        stop: Cancellation | None = None,
    ) -> Failed | None:
        """Return the error about a name that none of the tables has; None where it is about something else."""
        used = {table: names for table in sorted(checked.tables) if (names := engine.columns_of(table))}
        adviser = NameAdviser(self.sql, checked.tree, used, {**self.columns(), **used})

        def trial(sql: str) -> Tried | None:
            try:
                again = self.check(sql)
            except StatementError:
                return None
            if not engine.tables.issuperset(again.tables):
                return Tried(again.tree, None)  # one that was not opened, whose columns are known all the same
            if again.kind != "select" or MAKERS.intersection(tree.functions_in(again.tree)):
                return None
            with engine.cursor() as cursor:
                try:
                    with Deadline(seconds, cursor.interrupt, stop=stop):
                        cursor.execute(f"DESCRIBE {sql}", dict(values) or None)  # EXPLAIN computes all constants
                except duckdb.Error as found:
                    return Tried(again.tree, str(found))
                except TookTooLong:
                    return None
            return Tried(again.tree, None)

        def lettered(sql: str) -> str:
            return near_values.corrected(sql, self.asked(engine, self.check(sql).tree)) if self.asked else sql

        with suppress(*UNREADABLE):
            said = adviser.about(str(error), trial, lettered)
            return Failed(said) if said else None
        return None

    def _proposing(self, found: Finding) -> str:
        """Return the words, with the statement that mends it where the guard takes that."""
        if not found.mended:
            return found.words
        try:
            self.check(found.mended)
        except StatementError:
            return found.words
        return f"{found.words}\nWrite: {found.mended}"


def _quoted(text: str) -> str:
    return text.partition("'")[2].partition("'")[0]


def _queries() -> Collection[str]:
    from kandji_queries.catalog.queries import catalog  # only a name that is no table needs it

    return catalog().keys()
