"""The forms with files of their own for each item, written by DuckDB's COPY."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kandji_queries.exporter import folder, watch
from kandji_queries.exporter.forms import Form, Shape
from kandji_queries.exporter.report import Stored
from kandji_queries.exporter.source import Item, Opened
from kandji_queries.result import Column
from kandji_schema.errors import UnknownName


def name_of(item: Item, form: Form, shape: Shape) -> str:
    """Name of an item's file, or of the folder of its partitions."""
    return item.name if shape.partition_by else f"{item.name}.{form.suffix}"


def refuse_without_column(columns: Mapping[str, Sequence[Column]], wanted: str | None) -> None:
    """:class:`UnknownName` where an item does not have the column to partition by."""
    for name, found in columns.items():
        known = [column.name for column in found]
        if wanted is not None and wanted not in known:
            raise UnknownName(f"column of {name} to partition by", wanted, known)


def write(
    opened: Opened,
    form: Form,
    shape: Shape,
    columns: Mapping[str, Sequence[Column]],
    whole: Path,
    progress: watch.Progress,
) -> dict[str, Stored]:
    """Write every item into the folder ``whole``; what became of each by name."""
    stored = {}
    for item in opened.items:
        path = whole / name_of(item, form, shape)
        statement = form.statement(item.sql, columns[item.name], str(path), shape)
        with opened.session(*watch.WATCHED) as session:
            found = watch.run(session, statement, item.params, watch.told(progress, item.name))
        rows = {Path(file): count for file, count, *_ in found} if form.counts_files else {path: found[0][0]}
        files = folder.divided(path, form.suffix) if shape.partition_by else [path]
        if not files:
            path.rmdir()  # no rows, so no partition
        measured = (replace(folder.measured(file, whole), rows=rows.get(file)) for file in files)
        stored[item.name] = Stored(sum(rows.values()), tuple(measured))
    return stored
