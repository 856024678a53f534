"""The forms of an export, and those with files of their own for each item, written by DuckDB's COPY.

How a column is written where the form has no word for its type: CSV and JSON Lines follow
:mod:`kandji_queries.results.values`: times are ISO 8601 in UTC, blobs hexadecimal, NaN and infinities null in JSON;
lists and structs are JSON in CSV. Parquet has no whole numbers of 128 bits: a double would lose digits, so they become
DECIMAL(38,0).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kandji_queries.export import folder, watch
from kandji_queries.export.report import StoredItem
from kandji_queries.export.source import ExportItem, OpenSource
from kandji_queries.results.values import ResultColumn
from kandji_schema.errors import UnknownName
from kandji_schema.sql import identifier, literal

Rule = tuple[re.Pattern[str], str]
"""A type, and the expression of a column ``{c}`` of that type."""

_MOMENT = "replace({c}::TIMESTAMP::VARCHAR, ' ', 'T') || 'Z'"

PARQUET: tuple[Rule, ...] = ((re.compile(r"U?HUGEINT"), "{c}::DECIMAL(38,0)"),)

JSONL: tuple[Rule, ...] = (
    (re.compile(r"TIMESTAMP.*(?<!\])"), _MOMENT),
    (re.compile(r"FLOAT|DOUBLE"), "CASE WHEN isfinite({c}) THEN {c} END"),
    (re.compile(r"BLOB"), "lower(hex({c}))"),
)

CSV_MOMENT = "%Y-%m-%dT%H:%M:%S.%fZ"
"""COPY's own spelling of times costs no more than none, where an expression a row costs a fifth of the time."""

CSV: tuple[Rule, ...] = (
    (re.compile(r"TIMESTAMP_(S|MS|NS)"), "{c}::TIMESTAMP"),  # COPY spells only the usual kind
    (re.compile(r"BLOB"), "lower(hex({c}))"),
    (re.compile(r".*\]|(STRUCT|MAP|UNION)\(.*"), "to_json({c})::VARCHAR"),
)

LONE_CSV: tuple[Rule, ...] = tuple(
    (kind, f"coalesce(({expression})::VARCHAR, '')")
    for kind, expression in ((re.compile(r"TIMESTAMP.*(?<!\])"), _MOMENT), *CSV, (re.compile(r".*"), "{c}"))
)
"""Many readers pass over an empty line, so the NULL of an only column has quotes as an empty text has."""

BOM = "\ufeff"
"""Without it Excel takes a CSV for one in the letters of the machine's own region."""

_CONTROL = r"'[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x{9F}]'"
_UNSEEN = r"\p{Z}\p{C}\x{34F}\x{115F}\x{1160}\x{17B4}\x{17B5}\x{180B}-\x{180F}\x{2800}\x{3164}\x{FE00}-\x{FE0F}\x{FFA0}"
_SIGNS = r"=+\-@\x{FE62}\x{FE63}\x{FE66}\x{FE6B}\x{FF0B}\x{FF0D}\x{FF1D}\x{FF20}"
_RUNS = rf"'^(?:[\t\r\n]|[{_UNSEEN}]*[{_SIGNS}])'"
"""Spreadsheets run a cell that begins like this, some of them after taking away what nobody sees before the sign, or
after making a full-width sign a plain one. The list is that of OWASP, and what looks like it."""

_TEXTS = re.compile(r"VARCHAR|JSON|ENUM\(.*|.*\]|(STRUCT|MAP|UNION)\(.*")


@dataclass(frozen=True, kw_only=True)
class Form:
    """One form with a file an export. ``copy`` are the options of DuckDB's COPY, ``rules`` how columns are written.

    ``lone`` are the rules where there is only one column, if they are others.
    ``counts_files`` says that COPY reports the rows of each file, not only their sum.
    """

    name: str
    suffix: str
    copy: str
    rules: Sequence[Rule]
    lone: Sequence[Rule] = ()
    counts_files: bool = False

    def statement(self, sql: str, columns: Sequence[ResultColumn], path: str, shape: "FormOptions") -> str:
        """Return the COPY of a query with these columns to a file, or with a partition to a folder."""
        rules = self.rules if len(columns) > 1 else self.lone or self.rules
        if shape.spreadsheet_safe:
            safe = f"SELECT {_harmless(columns, rules)} FROM (\n{sql}\n)"
            rows = _marked(safe, next(c.name for c in columns if c.name != shape.partition_by))
        else:
            rows = f"SELECT {_projected(columns, rules)} FROM (\n{sql}\n)"
        partition = f", PARTITION_BY ({identifier(shape.partition_by)})" if shape.partition_by else ""
        extension = f", FILE_EXTENSION {literal(self.suffix)}" if partition else ""
        return f"COPY ({rows}) TO {literal(path)} ({self.copy}{partition}{extension})"


@dataclass(frozen=True)
class FormOptions:
    """What may differ in a form: a column to divide the rows by, and whether it is for spreadsheets."""

    partition_by: str | None = None
    spreadsheet_safe: bool = False


FILES: tuple[Form, ...] = (
    # Row groups of the usual size: larger ones save 13 % of the file for 2.5 times the time and memory.
    Form(
        name="parquet",
        suffix="parquet",
        copy="FORMAT parquet, COMPRESSION zstd, RETURN_STATS",
        rules=PARQUET,
        counts_files=True,
    ),
    Form(
        name="csv",
        suffix="csv",
        copy=f"FORMAT csv, HEADER true, TIMESTAMPFORMAT {literal(CSV_MOMENT)}",
        rules=CSV,
        lone=LONE_CSV,
    ),
    Form(name="jsonl", suffix="jsonl", copy="FORMAT json", rules=JSONL),
)

DATABASE = "duckdb"
"""The form that is one database file for everything, see :mod:`kandji_queries.export.database`."""

WORKBOOK = "xlsx"
"""The form that is one workbook for everything, see :mod:`kandji_queries.export.workbook`."""

FORMS: tuple[str, ...] = (*(form.name for form in FILES), DATABASE, WORKBOOK)
"""Names of the forms."""


def file_form(name: str) -> Form | None:
    """Return the form of that name; None for those that are one file for everything."""
    return next((form for form in FILES if form.name == name), None)


def name_of(item: ExportItem, form: Form, shape: FormOptions) -> str:
    """Return the name of an item's file, or of the folder of its partitions."""
    return item.name if shape.partition_by else f"{item.name}.{form.suffix}"


def refuse_without_column(columns: Mapping[str, Sequence[ResultColumn]], wanted: str | None) -> None:
    """:class:`UnknownName` where an item does not have the column to partition by."""
    for name, found in columns.items():
        known = [column.name for column in found]
        if wanted is not None and wanted not in known:
            raise UnknownName(f"column of {name} to partition by", wanted, known)


def write(
    opened: OpenSource,
    form: Form,
    shape: FormOptions,
    columns: Mapping[str, Sequence[ResultColumn]],
    whole: Path,
    progress: watch.Progress,
) -> dict[str, StoredItem]:
    """Write every item into the folder ``whole``; return what became of each by name."""
    stored = {}
    for item in opened.items:
        path = whole / name_of(item, form, shape)
        statement = form.statement(item.sql, columns[item.name], str(path), shape)
        with opened.session(*watch.WATCHED) as session:
            found = watch.execute(session, statement, item.params, watch.progress_of(progress, item.name))
        rows = {Path(file): count for file, count, *_ in found} if form.counts_files else {path: found[0][0]}
        files = folder.divided(path, form.suffix) if shape.partition_by else [path]
        if not files:
            path.rmdir()  # no rows, so no partition
        measured = (replace(folder.measured(file, whole), rows=rows.get(file)) for file in files)
        stored[item.name] = StoredItem(sum(rows.values()), tuple(measured))
    return stored


def _projected(columns: Sequence[ResultColumn], rules: Sequence[Rule]) -> str:
    """Return the select list of these columns; ``*`` where every one is written as it is."""
    return _listed(columns, lambda column: _written(column, rules))


def _harmless(columns: Sequence[ResultColumn], rules: Sequence[Rule]) -> str:
    """Return the select list as :func:`_projected` does, with texts of which a spreadsheet runs none.

    They are without control characters, and have an apostrophe before what would be taken for a formula.
    """

    def safe(column: ResultColumn) -> str:
        written = _written(column, rules)
        return _text_only(f"({written})::VARCHAR") if _TEXTS.fullmatch(column.type) else written

    return _listed(columns, safe)


def _marked(sql: str, first: str) -> str:
    """Return the query with a byte order mark before the name of its column ``first``, which comes first."""
    return f"SELECT {identifier(first)} AS {identifier(BOM + first)}, * EXCLUDE ({identifier(first)}) FROM ({sql})"


def _text_only(text: str) -> str:
    seen = f"regexp_replace({text}, {_CONTROL}, '', 'g')"
    return f"CASE WHEN regexp_matches({seen}, {_RUNS}) THEN '''' || {seen} ELSE {seen} END"


def _listed(columns: Sequence[ResultColumn], written: Callable[[ResultColumn], str]) -> str:
    cells = [(written(column), identifier(column.name)) for column in columns]
    if all(cell == name for cell, name in cells):
        return "*"
    return ", ".join(cell if cell == name else f"{cell} AS {name}" for cell, name in cells)


def _written(column: ResultColumn, rules: Sequence[Rule]) -> str:
    rule = next((expression for kind, expression in rules if kind.fullmatch(column.type)), "{c}")
    return rule.format(c=identifier(column.name))
