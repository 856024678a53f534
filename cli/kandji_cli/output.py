"""Data on stdout, everything else on stderr."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kandji_cli import streams
from kandji_queries.results.formats import write
from kandji_queries.results.result import Result
from kandji_queries.results.values import ResultColumn
from kandji_schema.text import counted

if TYPE_CHECKING:
    from kandji_schema.settings import Settings

SCREEN = 20
"""Rows that are counted at a glance."""


def print_rows(names: Sequence[str], rows: Iterable[tuple[object, ...]], form: str) -> None:
    """Print rows of our own the way answers of the engine are printed."""
    columns = tuple(ResultColumn(name, "VARCHAR") for name in names)
    listed = list(rows)
    answer = Result(
        columns=columns, rows=listed, row_count=len(listed), truncated=False, as_of={}, elapsed_ms=0.0, notes=[]
    )
    with _reader_may_go():
        write(answer, form, sys.stdout)
    if not listed:
        tell_number(0, form)


def tell_number(rows: int, form: str) -> None:
    """Say how many rows there are, where eyes do not see that: there are none, or they fill a screen."""
    if form == "table" and (not rows or rows > SCREEN):
        sys.stdout.flush()
        tell(f"{counted(rows, 'row')}.")


def say(line: str = "") -> None:
    """Print one line of a command's own text."""
    with _reader_may_go():
        print(streams.visible(line) if sys.stdout.isatty() else line)  # noqa: T201  # the one place that prints on stdout


@contextmanager
def _reader_may_go() -> Iterator[None]:
    """Go on where the reader of a command's own words has gone: its exit code tells how it ended."""
    try:
        yield
    except BrokenPipeError:
        streams.drop(sys.stdout)


def tell(line: str) -> None:
    """Print one line for the person at the terminal, beside the data."""
    print(streams.visible(line), file=sys.stderr)  # noqa: T201  # the one place that prints on stderr


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
