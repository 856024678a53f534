"""Turns the error of a statement into one that says what to write instead."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import duckdb

from kandji_queries.advice import dialects, spelling
from kandji_queries.advice.finding import LONGEST, Finding, Tried
from kandji_queries.advice.grouping import grouping
from kandji_queries.advice.lists import bound_list
from kandji_queries.advice.names import NameAdviser, place, unknown_table
from kandji_queries.advice.nearest import Columns
from kandji_queries.advice.told import WOULD_RUN, WRITE
from kandji_queries.engine.errors import LOOKED_AT, brief
from kandji_queries.engine.limits import Cancellation, Deadline
from kandji_queries.engine.pool import EnginePool
from kandji_queries.engine.query_engine import QueryEngine
from kandji_queries.guard.dependencies import Dependencies
from kandji_queries.guard.statements import Checked
from kandji_queries.lineage import tree
from kandji_queries.lineage.tree import UNREADABLE, Node
from kandji_queries.remarks import near_values
from kandji_queries.remarks.asked import Asked
from kandji_schema.errors import Failed, MirrorError, Refused, StatementError, TookTooLong
from kandji_schema.manifest import Manifest

Check = Callable[[str], Checked]
"""What the guard says of a statement under the same names and parameters."""

Try = Callable[[str, Checked], Tried | None]
"""Tries a statement that the guard took in an engine; None for one that is not tried."""

NOT_PARSED = "The statement cannot be parsed"
EMPTY = (
    "The statement is empty. Write a query, such as SELECT * FROM fleet LIMIT 10; SHOW TABLES lists the tables, "
    "DESCRIBE <table> the columns."
)

_WRITTEN: Mapping[str, Callable[[str], Finding | None]] = {
    "function": spelling.moments_as_here,
    "table function": spelling.ago_as_moment,
}
"""What is written anew where the guard refuses a call."""

FIXES = 3
"""Most steps of mending one statement."""

LONGEST_WORD = 80
"""Most characters of one word of an error that are told."""

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
    try_out: Try
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
        """Tell what was probably meant where the engine cannot take it; ``values`` are bound to the parameters.

        What is proposed is tried within ``seconds_left`` of the statement, and until ``stop`` is set.
        """
        try:
            yield
        except (duckdb.BinderException, duckdb.ConversionException) as error:
            if failed := self.failed(error, engine, checked, values, min(seconds_left(), TRIAL_SECONDS), stop):
                raise failed from error
            raise

    def refused(self, error: StatementError, tables: Collection[str]) -> StatementError:
        """Return the guard's error with what was probably meant; ``tables`` are the names there are."""
        if isinstance(error, Refused) and error.rule == "one statement" and not self.sql.strip("; \n\t"):
            return Refused(EMPTY, rule=error.rule)
        found = self._of_guard(error, tables)
        if isinstance(error, Failed):
            error = Failed(_bounded(str(error)))
        if found is None:
            return error
        mended = self._mended(found, self._trial, tables)[0] if found.mended else ""
        if isinstance(error, Refused) and error.rule == "function" and not mended:
            return error
        words = "\n".join(filter(None, [found.words, f"{WRITE}{mended}" if mended else found.otherwise]))
        return Refused(words, rule=error.rule) if isinstance(error, Refused) else Failed(f"{error}\n{words}")

    def failed(
        self,
        error: duckdb.Error,
        engine: QueryEngine,
        checked: Checked,
        values: Mapping[str, object],
        seconds: float,
        stop: Cancellation | None = None,
    ) -> Failed | None:
        """Return the engine's error with what was probably meant; None where there is nothing to say of it."""
        used = {table: names for table in sorted(checked.tables) if (names := engine.columns_of(table))}
        columns = {**self.columns(), **used}

        def trial(sql: str) -> Tried | None:
            try:
                again = self.check(sql)
            except StatementError:
                return None
            if not engine.tables.issuperset(again.tables):
                return self._trial(sql)
            return tried_out(engine, sql, again, values, seconds, stop)

        def lettered(sql: str) -> str:
            with suppress(MirrorError, *UNREADABLE):
                return near_values.corrected(sql, self.asked(engine, self.check(sql).tree)) if self.asked else sql
            return sql

        text = str(error)
        found = bound_list(self.sql, values, text) or _finding(
            self.sql, Tried(checked.tree, text, checked.tables), columns
        )
        if found is None:
            return None
        mended, further = self._mended(found, trial, ()) if found.mended else ("", [])
        words = " ".join([found.words, *further]) if mended else f"{found.words} {found.otherwise}".rstrip()
        proposal = f"\n{WOULD_RUN}{lettered(mended)}" if mended else ""
        return Failed(f"{words}{proposal}{place(text, self.sql)}") if words else None

    def _of_guard(self, error: StatementError, tables: Collection[str]) -> Finding | None:
        """Return what was meant by a statement that the guard does not take."""
        if isinstance(error, Failed) and str(error).startswith(NOT_PARSED):
            if spelt := dialects.other_spelling(self.sql):
                return Finding(*spelt)
            if len(self.sql) <= LONGEST and (found := spelling.unparsed(self.sql)):
                return found
            keyword = dialects.misspelt_keyword(self.sql)
            return Finding(keyword) if keyword else None
        if not isinstance(error, Refused):
            return None
        if error.rule == "table":
            return unknown_table(self.sql, _quoted(str(error)), sorted(tables), sorted(_queries()))
        written = _WRITTEN.get(error.rule) if len(self.sql) <= LONGEST else None
        found = written(self.sql) if written else None
        if found is None:
            return None
        if error.rule == "table function":
            told = "INTERVAL" in str(error) or "takes a moment" not in str(error)
            return Finding(str(error) if told else f"{error} {found.words}", found.mended)
        first = str(error).partition(". ")[0]  # what it says after that is of another number than theirs
        return Finding(f"{first}. {found.words}" if dialects.LAST_WEEK in str(error) else str(error), found.mended)

    def _mended(
        self, found: Finding, trial: Callable[[str], Tried | None], tables: Collection[str]
    ) -> tuple[str, list[str]]:
        """Return a statement that would run, this one or with more of it mended, and what that was; empty if none."""
        sql, further = found.mended, list[str]()
        for _ in range(FIXES):
            if not 0 < len(sql) <= LONGEST:
                break
            tried = trial(sql)
            if tried is not None and tried.error is None:
                return sql, further
            again = self._again(sql, tried, tables)
            if again is None or not again.mended:
                break
            sql = again.mended
            further.append(again.words)
        return "", []

    def _again(self, sql: str, tried: Tried | None, tables: Collection[str]) -> Finding | None:
        if tried is not None:
            return _finding(sql, tried, self.columns())
        try:
            self.check(sql)
        except StatementError as error:
            return Adviser(sql, self.check, self.columns, self.try_out)._of_guard(error, tables)
        return None

    def _trial(self, sql: str) -> Tried | None:
        """Try a statement in an engine that has what it reads."""
        try:
            again = self.check(sql)
            return self.try_out(sql, again)
        except MirrorError:
            return None


def _finding(sql: str, tried: Tried, columns: Columns) -> Finding | None:
    """Return what is wrong with a statement that the guard took and the engine does not."""
    error = tried.error or ""
    used = {table: columns[table] for table in sorted(tried.tables) if table in columns}
    with suppress(*UNREADABLE):
        if len(sql) > LONGEST:
            return NameAdviser(sql, tried.root, used, columns).finding(error)
        if "SYSDATE" in error.upper() and (moment := spelling.moments_as_here(sql)):
            return moment
        if found := NameAdviser(sql, tried.root, used, columns).finding(error):
            return found
        error = error[:LOOKED_AT]
        return grouping(sql, tried.root, error) or _of_values(sql, error)
    return None


def _of_values(sql: str, error: str) -> Finding | None:
    """Return what was meant where kinds of values do not go together, if it can be written anew."""
    if found := spelling.truth(sql, error):
        return found
    if "[]" in error and (bare := spelling.without_brackets(sql)) != sql:
        return Finding("Square brackets make a list of a name.", bare)
    if "No function matches" in error and (found := spelling.moments_as_here(sql)):
        return found if found.words else Finding(brief(error), found.mended)
    if re.search(r"(?i)invalid (?:timestamp|date) field format|compare values of type (?:TIMESTAMP|DATE)", error):
        return spelling.ago_as_moment(sql)
    return None


def trials(engines: EnginePool, dependencies: Dependencies, manifest: Manifest, values: Mapping[str, object]) -> Try:
    """Return what tries a statement in an engine that has all it reads, under one manifest."""

    def try_out(sql: str, checked: Checked) -> Tried | None:
        behind = dependencies.behind(manifest, checked.tables)
        with engines.engine(manifest, behind) as engine:
            engine.refuse_broken(behind)
            return tried_out(engine, sql, checked, values)

    return try_out


def tried_out(
    engine: QueryEngine,
    sql: str,
    checked: Checked,
    values: Mapping[str, object],
    seconds: float = TRIAL_SECONDS,
    stop: Cancellation | None = None,
) -> Tried | None:
    """Return what an engine says of the names of a statement; None for one that may take long."""
    if checked.kind != "select" or MAKERS.intersection(tree.functions_in(checked.tree)):
        return None
    with engine.cursor() as cursor:
        try:
            with Deadline(seconds, cursor.interrupt, stop=stop):
                cursor.execute(f"DESCRIBE {sql}", dict(values) or None)  # EXPLAIN computes all constants
        except duckdb.Error as found:
            return Tried(checked.tree, str(found), checked.tables)
        except TookTooLong:
            return None
    return Tried(checked.tree, None, checked.tables)


def _bounded(text: str) -> str:
    """Return an error without the rest of words that are very long."""
    return re.sub(rf"(\S{{{LONGEST_WORD}}})\S+", r"\1…", text)


def _quoted(text: str) -> str:
    return text.partition("'")[2].partition("'")[0]


def _queries() -> Collection[str]:
    from kandji_queries.catalog.queries import catalog  # only a name that is no table needs it

    return catalog().keys()
