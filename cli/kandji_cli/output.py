"""Data on stdout, everything else on stderr."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, TextIO, cast

from kandji_cli import streams
from kandji_queries.results.formats import json_line, write
from kandji_queries.results.result import Result
from kandji_queries.results.values import ResultColumn
from kandji_schema.text import counted
from kandji_schema.utc import in_seconds

if TYPE_CHECKING:
    from kandji_schema.settings import Settings

FOR_EYES = ("table", "records", "markdown")
"""Forms in which nothing is better than NULL, where rows are our own."""

SCREEN = 20
"""Rows that are counted at a glance."""


def print_rows(names: Sequence[str], rows: Iterable[tuple[object, ...]], form: str) -> None:
    """Print rows of our own the way answers of the engine are printed."""
    listed = [tuple("" if cell is None and form in FOR_EYES else cell for cell in row) for row in rows]
    columns = tuple(ResultColumn(name, _type(row[place] for row in listed)) for place, name in enumerate(names))
    answer = Result(
        columns=columns, rows=listed, row_count=len(listed), truncated=False, as_of={}, elapsed_ms=0.0, notes=[]
    )
    with _reader_may_go():
        write(answer, form, _painted() if form == "table" else sys.stdout)
    if not listed:
        tell_number(0, form)


def _painted() -> TextIO:
    """Return stdout, with colours for states where it shows them."""
    from kandji_cli.colours import Painting, wanted  # rows for programs have none

    return cast(TextIO, Painting(sys.stdout)) if wanted(sys.stdout) else sys.stdout


def _type(cells: Iterable[object]) -> str:
    """Return the type of a column of ours by its first value."""
    first = next((cell for cell in cells if cell not in (None, "")), None)
    return next((name for kind, name in _TYPES if isinstance(first, kind)), "VARCHAR")


_TYPES = ((bool, "BOOLEAN"), (int, "BIGINT"), (float, "DOUBLE"), ((list, dict), "STRUCT"))
"""Types of columns of ours, as DuckDB calls them."""


def tell_number(rows: int, form: str) -> None:
    """Say how many rows there are, where eyes do not see that: there are none, or they fill a screen."""
    if form == "table" and (not rows or rows > SCREEN):
        sys.stdout.flush()
        tell(f"{counted(rows, 'row')}.")


def say(line: str = "") -> None:
    """Print one line of a command's own text."""
    with _reader_may_go():
        print(_shown(line))  # noqa: T201  # the one place that prints on stdout


def _shown(line: str) -> str:
    """Return the line as stdout may get it: a terminal gets nothing that it would obey, but a colour from us."""
    from kandji_cli.colours import wanted, with_head  # rows for programs have none

    seen = streams.visible(line) if sys.stdout.isatty() else line
    return with_head(seen) if wanted(sys.stdout) else seen


def say_page(page: str) -> None:
    """Print a page, which is UTF-8 wherever it goes."""
    with _reader_may_go():
        sys.stdout.flush()
        sys.stdout.buffer.write(page.encode())
        sys.stdout.buffer.flush()


def say_document(document: object) -> None:
    """Print a document of a command's own as JSON; moments as ``2026-11-20T12:00:00Z``."""
    text = json.dumps(document, default=_plain, indent=1, ensure_ascii=False)
    say("\n".join(map(json_line, text.split("\n"))) if sys.stdout.isatty() else text)


def say_line(document: object) -> None:
    """Print a document of a command's own as one line of JSON; moments as :func:`say_document` has them."""
    text = json.dumps(document, default=_plain, separators=(",", ":"), ensure_ascii=False)
    say(json_line(text) if sys.stdout.isatty() else text)


def _plain(value: object) -> object:
    return in_seconds(value) if isinstance(value, datetime) else str(value)


@contextmanager
def _reader_may_go() -> Iterator[None]:
    """Go on where the reader of a command's own words has gone: its exit code tells how it ended."""
    try:
        yield
    except BrokenPipeError:
        streams.drop(sys.stdout)


def tell(*lines: str) -> None:
    """Print lines for the person at the terminal, beside the data."""
    streams.tell(*lines)


def warn_of_settings() -> None:
    """Say what somebody meant to set and did not: misspelt names, and what a source may not set."""
    from contextlib import suppress

    from kandji_schema.errors import ConfigurationError
    from kandji_schema.settings import load

    with suppress(ConfigurationError):  # the command itself says so, where it needs the settings
        warn(remark.text for remark in load(doubtful=True).provenance.remarks if remark.grave)


def warn_of_foreign_home(settings: "Settings") -> None:
    """Say where the mirror is of another tenant than the settings name."""
    from kandji_schema.errors import ConfigurationError
    from kandji_schema.home import refuse_foreign

    try:
        refuse_foreign(settings)
    except ConfigurationError as error:
        warn([str(error)])


def warn(warnings: Iterable[str]) -> None:
    """Say what the person should know although the command went on."""
    for warning in warnings:
        tell(f"warning: {warning}")
