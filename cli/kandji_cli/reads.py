"""``sql``, ``query``, ``tables``, ``describe`` and ``queries``: everything that reads the mirror."""

import os
import re
import signal
import sys
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kandji_cli.home_to_read import settings_to_read
from kandji_cli.output import print_rows, tell, tell_number, warn
from kandji_queries.catalog.params import read_cli_value
from kandji_queries.engine.limits import QueryLimits
from kandji_queries.engine.process_limits import bound_memory
from kandji_queries.reader import Reader
from kandji_queries.results.data_notes import Requirements
from kandji_queries.results.dates import date_line
from kandji_queries.results.formats import renamed, write
from kandji_queries.results.result import Answer
from kandji_queries.results.stream import Stream
from kandji_queries.times import read_duration
from kandji_schema.durations import in_words
from kandji_schema.errors import NothingMirrored, TookTooLong, TooManyRows, UsageError
from kandji_schema.home import refuse_foreign
from kandji_schema.settings import Settings, load

if TYPE_CHECKING:
    from kandji_queries.catalog.dictionary import TableInfo
    from kandji_queries.catalog.queries import NamedQuery

ADVICE = "Aggregate or filter, take the first rows with --limit, or raise KANDJI_MIRROR_QUERY_ROWS."
"""What one does about an answer that was cut. An export has no such limit, but takes names only."""


_ONE_ROW = re.compile("One row (per|for each|a) ")
"""How most descriptions of tables begin."""

_MATTERS = ("partial", "failed", "forbidden", "absent")
"""States of tables that have rows nevertheless."""

BEST = ("fleet", "compliance", "devices")
"""Tables and views that answer most; they come first where people read."""

_CLAUSE = re.compile(r"[,;:(] ?|[.] ")

START = (
    "Start with fleet: a row per device with most of what is known of it. `kandji-mirror describe NAME` explains a "
    "name."
)
"""What one reads below the list of tables."""


@dataclass(frozen=True, kw_only=True)
class How:
    """How an answer is wanted: the form of its rows, so many of them at most, and what the tables used must meet.

    ``columns`` are those to show, empty for all.
    """

    form: str
    limit: int | None
    requirements: Requirements
    columns: tuple[str, ...] = ()

    @classmethod
    def from_options(
        cls, *, form: str, limit: int | None, max_age: str | None, strict: bool, columns: tuple[str, ...] = ()
    ) -> "How":
        """Read them from the options of a command."""
        return cls(form=form, limit=limit, requirements=required(max_age=max_age, strict=strict), columns=columns)


def required(*, max_age: str | None, strict: bool) -> Requirements:
    """Return what ``--max-age`` and ``--strict`` ask of the tables used."""
    return Requirements(max_age=None if max_age is None else read_duration(max_age), strict=strict)


def run_sql(statement: str, params: Mapping[str, str], how: How) -> None:
    """Print the answer of one guarded statement, with its age on stderr."""
    text, values = statement_text(statement), read_values(params)
    with (
        open_reader(how.requirements) as reader,
        reader.stream(text, values, limits=wanted_limits(reader, how)) as answer,
    ):
        show_answer(reader, answer, how)


def statement_text(statement: str) -> str:
    """Return the statement, from standard input where it is -; :class:`UsageError` where there is none."""
    text = sys.stdin.read() if statement == "-" else statement
    if not text.strip():
        raise UsageError('There is no statement. Example: kandji-mirror sql "FROM fleet LIMIT 5"')
    return text


def read_values(params: Mapping[str, str]) -> dict[str, object]:
    """Return the values of parameters as a statement takes them."""
    return {name: read_cli_value(value) for name, value in params.items()}


def run_query(name: str, params: Mapping[str, str], how: How) -> None:
    """Print the answer of a named query, with its age on stderr."""
    with (
        open_reader(how.requirements) as reader,
        reader.stream_query(name, params, limits=wanted_limits(reader, how)) as answer,
    ):
        show_answer(reader, answer, how)


def wanted_limits(reader: Reader, how: How) -> QueryLimits:
    """Allow no more rows than are asked for; of those a cut is what was asked for."""
    most = reader.limits.rows
    if how.limit is None or how.limit > most:
        return reader.limits
    return replace(reader.limits, rows=how.limit, advice="")


def show_answer(reader: Reader, answer: Stream, how: How) -> None:
    """Print the columns that are wanted as :func:`show_rows` does."""
    if how.columns:
        answer.only(how.columns)
    show_rows(reader, answer, how)


def show_rows(reader: Reader, answer: Answer, how: How) -> None:
    """Print rows and age; :class:`TooManyRows` after them where they are not all and nobody asked for fewer."""
    write(answer, how.form, sys.stdout)
    tell_number(answer.row_count, how.form)
    if told := renamed(answer, how.form):
        tell(told)
    date(reader, answer.as_of, answer.notes, how.form)
    if answer.truncated and (how.limit is None or how.limit > answer.row_count):
        raise TooManyRows(f"The answer is cut: it has more than {answer.row_count:,} rows. {ADVICE}")


def list_tables(form: str) -> None:
    """Print what is there; for eyes shorter: ages, and in a few words what a row is.

    Where nothing is mirrored, what there would be; then :class:`NothingMirrored`.
    """
    with open_reader() as reader:
        print_tables(reader, form)


def print_tables(reader: Reader, form: str) -> None:
    """Do so by a reader that is open."""
    from kandji_queries.describe import functions_in_short  # with it comes the catalogue

    try:
        found, nothing = reader.tables(), None
    except NothingMirrored as error:
        from kandji_queries.catalog.declared import DeclaredMirror  # with it come the definitions of all tables

        found, nothing = DeclaredMirror().tables(), error
    functions = functions_in_short(reader) if form == "table" else ""
    warn(reader.warnings)
    if form == "table" and nothing:
        print_rows(("table", "one row per"), [(t.name, _row_of(t.description)) for t in found], form)
    elif form == "table":
        first = sorted(found, key=lambda table: BEST.index(table.name) if table.name in BEST else len(BEST))
        short = [(t.name, f"{t.rows:,}" if t.rows is not None else "", _age(t), _row_of(t.description)) for t in first]
        wide = max(len(row[1]) for row in short)
        aligned = [(name, rows.rjust(wide), *rest) for name, rows, *rest in short]
        print_rows(("table", "rows".rjust(wide), "age", "one row per"), aligned, form)
        for state in _MATTERS:
            if names := [t.name for t in found if t.state == state and t.age_seconds is not None]:
                tell(f"{state.capitalize()}: {', '.join(names)}; `kandji-mirror status` tells why.")
        tell(f"Functions: {functions}")
        tell(START)
    else:
        rows = [(t.name, t.kind, t.rows, t.state, t.synced_at, t.description) for t in found]
        print_rows(("table", "kind", "rows", "state", "synced_at", "holds"), rows, form)
    if nothing:
        raise nothing


def _row_of(description: str) -> str:
    """Return in a few words what one row is, or what is in there."""
    sentence = description.split(". ")[0].rstrip(".")
    return _CLAUSE.split(_ONE_ROW.sub("", sentence, count=1))[0]


def _age(table: "TableInfo") -> str | None:
    """Return how old a table is; what is the matter with it, or what it is, where it has no age."""
    return table.state or table.kind if table.age_seconds is None else in_words(table.age_seconds)


def describe(name: str, form: str) -> None:
    """Print what a table, view, named query or macro is; as it is defined where nothing is mirrored."""
    from kandji_cli.describe import show
    from kandji_queries.describe import describe as describe_name

    with open_reader() as reader:
        detail = describe_name(reader, name)
        warn(reader.warnings)
    show(detail, form)


def help_with_query(name: str) -> None:
    """Print what a named query answers, takes and runs; :class:`UnknownName` with the nearest names."""
    from kandji_cli.describe import show
    from kandji_queries.catalog.own_queries import find_query
    from kandji_queries.describe import describe_query

    show(describe_query(find_query(load().home, name)), "table")


def check_query(file: str) -> None:
    """Read the file of a query of one's own, prepare its statement, and print what it is; raises what is wrong."""
    from kandji_cli.describe import show
    from kandji_queries.catalog.own_queries import own_folder, read_own
    from kandji_queries.describe import describe_query

    query = read_own(Path(file))
    found = describe_query(query)
    query.check_counts()
    show(found, "table")
    tell(f"{file} is well formed; in {own_folder(load().home)} it is the query {query.name}.")


def list_queries(form: str) -> None:
    """Print the catalogue; it needs no mirror. For eyes what a query takes stands below its title."""
    from kandji_queries.catalog.own_queries import own_queries
    from kandji_queries.catalog.queries import catalog

    own = own_queries(load().home)
    found = [*catalog().values(), *own.queries.values()]
    if form == "table":
        print_rows(("query", "answers"), [row for query in found for row in _in_short(query, own.queries)], form)
        tell("What one takes, tells and runs: kandji-mirror query NAME --help")
    else:
        whole = form in {"json", "jsonl", "arrays"}
        rows = [(q.name, q.title, _parameters(q) if whole else _takes(q), q.name in own.queries) for q in found]
        print_rows(("query", "title", "parameters", "own"), rows, form)
    warn(own.broken.values())


def _takes(query: "NamedQuery") -> str:
    return ", ".join(param.signature for param in query.own_params())


def _parameters(query: "NamedQuery") -> list[dict[str, object]]:
    """Return what a query takes, for programs."""
    facts = ("name", "kind", "required", "default", "choices", "low", "high", "description")
    return [{fact: getattr(param, fact) for fact in facts} for param in query.params]


def _in_short(query: "NamedQuery", own: Container[str]) -> Iterator[tuple[str, str]]:
    yield query.name, f"{query.title}{' (your own)' if query.name in own else ''}"
    if takes := _takes(query):
        yield "", f"takes {takes.replace('|', ' | ')}"


def open_reader(
    requirements: Requirements = Requirements(),  # noqa: B008  # frozen
    *,
    lazy: bool = True,
    bounded: bool = True,
    stays: bool = False,
    settings: Settings | None = None,
) -> Reader:
    """Open a reader of the configured home, or of that of some ``settings``.

    ``lazy`` opens only the files a statement needs, else all at once.

    The memory of this process is ``bounded`` for good, and of all that it starts. It ``stays`` where Ctrl-C ends a
    statement only, which is its caller's to see to.
    """
    # Ctrl-C ends the process at once, as it does other tools: nothing is written here, and Python's own handler
    # would have to wait until the engine comes back.
    if not stays:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    settings = settings or settings_to_read()
    refuse_foreign(settings)
    limits = QueryLimits(
        seconds=settings.mirror_query_seconds,
        memory_mb=settings.mirror_query_memory_mb,
        rows=settings.mirror_query_rows,
        advice=ADVICE,
    )
    if bounded:
        bound_memory(limits.memory_mb)
    rules, masked = settings.mirror_compliance_file, settings.privacy.masks_people
    return Reader(
        settings.home, limits, lazy=lazy, rules=rules, masked=masked, kill=_end_at_once, requirements=requirements
    )


def _end_at_once(why: TookTooLong) -> None:
    """End the process: a long call of one function cannot be interrupted, and here is nothing to save."""
    tell(f"kandji-mirror: {why}")
    os._exit(why.exit_code)


def date(reader: Reader, as_of: Mapping[str, str | None], notes: list[str], form: str) -> None:
    """Print the age of the answer and what else has to be known, on stderr; ``arrays`` carry it themselves."""
    sys.stdout.flush()
    warn(reader.warnings)
    if form == "arrays":
        return
    for note in notes:
        tell(note)
    if line := date_line(as_of, datetime.now(UTC)):
        tell(line)
