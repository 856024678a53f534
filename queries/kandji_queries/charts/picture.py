"""A named query, run once: its answer, the sentence it makes, and the chart of it where it has one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from kandji_queries.charts.chart import Chart
from kandji_queries.charts.hint import ChartHint, Kind
from kandji_queries.charts.lines import moment
from kandji_queries.charts.meanings import label_of
from kandji_queries.charts.number_text import number
from kandji_queries.charts.sentence import nothing, sentence
from kandji_queries.engine.limits import QueryLimits
from kandji_queries.results.dates import date_line
from kandji_queries.results.result import Answer, Result, Row
from kandji_queries.results.values import ResultColumn
from kandji_schema.text import counted


class PicturedQuery(Protocol):
    """What is needed of a :class:`~kandji_queries.catalog.queries.NamedQuery`, which knows of charts itself."""

    @property
    def name(self) -> str:
        """What users call it."""

    @property
    def title(self) -> str:
        """What it answers, in words."""

    @property
    def chart(self) -> ChartHint | None:
        """The picture of its answer."""

    @property
    def says(self) -> str | None:
        """The sentence beside it."""

    def bind(self, values: Mapping[str, object]) -> dict[str, Any]:
        """Return the values of its own parameters."""

    def counting(self, values: Mapping[str, object]) -> dict[str, Any]:
        """Return the values of those of everything that is counted."""

    def statement(self, values: Mapping[str, object]) -> str:
        """Return the SQL that answers for these values."""

    def check_columns(self, columns: Collection[str], keys: Collection[str]) -> None:
        """Refuse a header that names columns there are not."""


class PictureReader(Protocol):
    """What is needed of a :class:`~kandji_queries.reader.Reader`."""

    def named(self, name: str) -> PicturedQuery:
        """Return the query of that name."""

    def query(
        self, name: str, params: Mapping[str, object] | None = None, *, limits: QueryLimits | None = None
    ) -> Result:
        """Run a named query."""

    def now(self) -> datetime:
        """Return the time that ages are told by."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What a page, a report or a file shows of a named query.

    ``params`` are all its parameters with their values, ``rows`` have a cell for each of the ``columns``, ``as_of``
    tells for each table used when it was read (``2026-11-20T12:00:00Z`` or None), ``sql`` is what was run. ``chart``
    is None where the query has no picture.
    """

    name: str
    params: Mapping[str, Any]
    title: str
    sentence: str
    chart: Chart | None
    columns: tuple[ResultColumn, ...]
    rows: Sequence[Row]
    as_of: Mapping[str, str | None]
    notes: Sequence[str]
    sql: str
    truncated: bool = False


def read_picture(
    reader: PictureReader, name: str, params: Mapping[str, object] | None = None, *, limits: QueryLimits | None = None
) -> Picture:
    """Run a named query, ours or one's own, and return all that is shown of it; raises what ``reader.query`` does.

    :class:`ConfigurationError` names file and line of a header whose chart or sentence does not fit the answer.
    """
    query = reader.named(name)
    found = reader.query(name, params, limits=limits)
    return picture_of(query, params or {}, found, found.rows, reader.now())


def picture_of(
    query: PicturedQuery, params: Mapping[str, object], answer: Answer, rows: Sequence[Row], now: datetime
) -> Picture:
    """Return what is shown of an answer that is there; ``now`` is the time that its age is told by."""
    names = tuple(column.name for column in answer.columns)
    query.check_columns(names, ("chart", "says"))
    values = {**query.bind(params), **query.counting(params)}
    said = _said(query, names, rows, values, answer.notes)
    dated = date_line(answer.as_of, now)
    return Picture(
        name=query.name,
        params=values,
        title=query.title,
        sentence=said,
        chart=Chart(query.title, said, query.chart, names, rows, dated) if query.chart else None,
        columns=answer.columns,
        rows=rows,
        as_of=answer.as_of,
        notes=answer.notes,
        sql=query.statement(params),
        truncated=answer.truncated,
    )


def _said(
    query: PicturedQuery, columns: Sequence[str], rows: Sequence[Row], values: Mapping[str, Any], notes: Sequence[str]
) -> str:
    if not rows:
        return nothing(notes)
    if query.says is not None:
        return sentence(query.says, columns, rows, values, notes)
    return f"{query.title}: {counted(len(rows), 'row')}."


def chart_of_rows(title: str, columns: Sequence[str], rows: Sequence[Row], dated: str = "") -> Chart | None:
    """Return the chart that fits any answer by itself: a line where the first column is a date, else bars.

    None where it has no column of numbers beside the first, or no rows.
    """
    numeric = [place for place in range(1, len(columns)) if _is_numeric([row[place] for row in rows])]
    if not numeric or len(set(columns)) < len(columns):
        return None
    first = next((row[0] for row in rows if row[0] is not None), None)
    kind: Kind = "line" if _is_date(first) else "bar"
    hint = ChartHint(kind=kind, x=columns[0], y=(columns[numeric[0]],))
    said = f"{label_of(columns[numeric[0]])} by {columns[0]}: {counted(len(rows), 'row')}."
    return Chart(title, said, hint, tuple(columns), rows, dated)


def _is_numeric(cells: Sequence[Any]) -> bool:
    known = [cell for cell in cells if cell is not None]
    return bool(known) and all(number(cell) is not None for cell in known)


def _is_date(value: Any) -> bool:
    return moment(value) is not None
