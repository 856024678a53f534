"""``query NAME --chart``: the picture of an answer, in a file or in the terminal."""

import locale
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import cast, get_args

from kandji_cli.colours import wanted
from kandji_cli.output import say
from kandji_cli.reads import ADVICE, How, date, open_reader, wanted_limits
from kandji_queries.catalog.own_queries import find_query, own_queries
from kandji_queries.catalog.queries import catalog
from kandji_queries.charts import drawing
from kandji_queries.charts.chart import Chart
from kandji_queries.charts.picture import read_picture
from kandji_queries.charts.specification import specification
from kandji_queries.charts.text_chart import WIDTH, text_chart
from kandji_schema.errors import NotExported, TooManyRows, UsageError
from kandji_schema.files import is_address, write_atomically
from kandji_schema.settings import load

TERMINAL = "-"
"""What is typed for the terminal."""


def draw_query(name: str, params: Mapping[str, str], target: str, how: How) -> None:
    """Run a named query and draw its answer into a file, or on the terminal for ``-``; its age on stderr.

    What cannot be drawn is refused before anything runs.
    """
    _refuse_rows(how)
    _refuse_without_hint(load().home, name)
    form = None if target == TERMINAL else _form(target)
    with open_reader(how.requirements) as reader:
        picture = read_picture(reader, name, params, limits=wanted_limits(reader, how))
        if picture.truncated and how.limit is None:
            raise TooManyRows(f"Nothing is drawn: the answer has more than {len(picture.rows):,} rows. {ADVICE}")
        chart = cast(Chart, picture.chart)
        if form is None:
            show_chart(chart)
        else:
            _write(Path(target), drawing.draw(specification(chart), form))
        date(reader, dict(picture.as_of), list(picture.notes), how.form)


def _refuse_rows(how: How) -> None:
    if how.form != "table" or how.columns:
        raise UsageError(
            "--chart draws the answer, --format and --columns are for its rows: leave one of them out. Which columns "
            "are drawn stands in the query's header, `-- chart:`."
        )


def _form(target: str) -> drawing.Form:
    """Return the form that a file's name asks for; raises where it cannot be written or drawn here."""
    path = Path(target)
    ending = path.suffix.lower().removeprefix(".")
    if ending not in get_args(drawing.Form):
        raise UsageError(
            f"--chart {target!r} is no picture: name a file that ends in .svg, .png or .pdf, or - for here."
        )
    if is_address(target):
        raise UsageError(f"--chart {target!r} is an address: name a file of this machine.")
    if path.exists() and not path.is_file():
        raise UsageError(f"--chart {target!r} is no file but a folder or a device. Name a file.")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"There is no folder {path.absolute().parent}. Make it, or name another file.")
    drawing.get_ready()
    return cast(drawing.Form, ending)


def _refuse_without_hint(home: Path, name: str) -> None:
    query = find_query(home, name)
    if query.chart is None:
        known = [*catalog().values(), *own_queries(home).queries.values()]
        raise UsageError(
            f"The query {query.name} has no picture: its answer is better read. These have one: "
            f"{', '.join(found.name for found in known if found.chart and not found.like)}."
        )


def show_chart(chart: Chart) -> None:
    """Draw it on stdout, as wide as the terminal."""
    terminal = sys.stdout.isatty()
    wide = shutil.get_terminal_size((WIDTH, 24)).columns if terminal else WIDTH
    sys.stdout.write(text_chart(chart, wide, plain=terminal and not _has_blocks(), colour=wanted(sys.stdout)))


def _has_blocks() -> bool:
    """Tell whether the encoding of the terminal, as the locale has it, has block characters."""
    try:
        "█▏▁".encode(locale.getencoding())
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _write(path: Path, data: bytes) -> None:
    try:
        write_atomically(path, data)
    except OSError as error:
        raise NotExported(
            f"{path} could not be written: {error.strerror or error}. Free some space, correct the rights, or name "
            "another file; what was there before is unchanged."
        ) from error
    say(f"{path}: {len(data):,} bytes.")
