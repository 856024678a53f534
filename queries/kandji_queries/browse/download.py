"""A view as a file: all rows of its filters in the columns and order of the page, written as exports write them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kandji_queries.browse.relation import Relation
from kandji_queries.browse.statements import whole_of
from kandji_queries.browse.view import View
from kandji_queries.export import watch
from kandji_queries.export.copy_files import JSONL, Form, FormOptions, file_form
from kandji_queries.export.source import MirrorSource
from kandji_queries.times import read_moment
from kandji_schema.errors import UnknownName

ENDINGS: Mapping[str, str] = {".csv": "CSV", ".parquet": "Parquet", ".json": "JSON"}
"""What the names of files end with, and what their forms are called."""

TYPES: Mapping[str, str] = {
    ".csv": "text/csv; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
    ".json": "application/json",
}
"""Media types of these."""

_JSON = Form(name="json", suffix="json", copy="FORMAT json, ARRAY true", rules=JSONL)


@dataclass(frozen=True)
class Written:
    """A file that was written: its ``path``, what it is to be called, and its number of rows."""

    path: Path
    name: str
    rows: int


def write_file(
    source: MirrorSource, view: View, ending: str, folder: Path, now: datetime, stop: Callable[[], None]
) -> Written:
    """Write a view into ``folder``. CSV is made so that a spreadsheet reads it rightly and runs nothing of it.

    ``stop`` is called about ten times a second; what it raises ends the writing. :class:`UnknownName` for an ending
    there is not; :class:`NotExported` where the file cannot be written.
    """
    if ending not in ENDINGS:
        raise UnknownName("form of a file", ending, ENDINGS)
    asked, path = whole_of(view, now), folder / f"rows{ending}"
    form = file_form(ending.removeprefix(".")) or _JSON
    with source.statement(view.relation.name, asked.sql, asked.params) as (opened, item):
        opened.spill_to(folder)
        statement = form.statement(
            item.sql, opened.columns(item), str(path), FormOptions(spreadsheet_safe=ending == ".csv")
        )
        with opened.session(*watch.WATCHED) as session:
            found = watch.execute(session, statement, item.params, lambda _: stop())
    rows = sum(count for _, count, *_ in found) if form.counts_files else found[0][0]
    return Written(path, file_name(view.relation, view, now, ending), rows)


def file_name(relation: Relation, view: View, now: datetime, ending: str) -> str:
    """Return what a file is called: the table, whether it is a part of it, and of when it is."""
    moment = read_moment(view.as_of, now) if view.as_of else now
    part = "-filtered" if view.conditions else ""
    return f"{relation.name}{part}-{moment:%Y-%m-%dT%H%MZ}{ending}"
