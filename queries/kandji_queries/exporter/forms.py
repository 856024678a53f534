"""The forms of an export. A new one is one record here."""

from collections.abc import Sequence
from dataclasses import dataclass

from kandji_queries.exporter import projection
from kandji_queries.exporter.projection import literal, quoted
from kandji_queries.result import Column


@dataclass(frozen=True, kw_only=True)
class Form:
    """One form with a file an export. ``copy`` are the options of DuckDB's COPY, ``rules`` how columns are written.

    ``lone`` are the rules where there is only one column, if they are others.
    ``counts_files`` says that COPY reports the rows of each file, not only their sum.
    """

    name: str
    suffix: str
    copy: str
    rules: Sequence[projection.Rule]
    lone: Sequence[projection.Rule] = ()
    counts_files: bool = False

    def statement(self, sql: str, columns: Sequence[Column], path: str, shape: "Shape") -> str:
        """The COPY of a query with these columns to a file, or with a partition to a folder."""
        rules = self.rules if len(columns) > 1 else self.lone or self.rules
        if shape.spreadsheet_safe:
            safe = f"SELECT {projection.harmless(columns, rules)} FROM (\n{sql}\n)"
            rows = projection.marked(safe, next(c.name for c in columns if c.name != shape.partition_by))
        else:
            rows = f"SELECT {projection.projected(columns, rules)} FROM (\n{sql}\n)"
        partition = f", PARTITION_BY ({quoted(shape.partition_by)})" if shape.partition_by else ""
        extension = f", FILE_EXTENSION {literal(self.suffix)}" if partition else ""
        return f"COPY ({rows}) TO {literal(path)} ({self.copy}{partition}{extension})"


@dataclass(frozen=True)
class Shape:
    """What may differ in a form: a column to divide the rows by, and whether it is for spreadsheets."""

    partition_by: str | None = None
    spreadsheet_safe: bool = False


FILES: tuple[Form, ...] = (
    # Row groups of the usual size: larger ones save 13 % of the file for 2.5 times the time and memory.
    Form(
        name="parquet",
        suffix="parquet",
        copy="FORMAT parquet, COMPRESSION zstd, RETURN_STATS",
        rules=projection.PARQUET,
        counts_files=True,
    ),
    Form(
        name="csv",
        suffix="csv",
        copy=f"FORMAT csv, HEADER true, TIMESTAMPFORMAT {literal(projection.CSV_MOMENT)}",
        rules=projection.CSV,
        lone=projection.LONE_CSV,
    ),
    Form(name="jsonl", suffix="jsonl", copy="FORMAT json", rules=projection.JSONL),
)

DATABASE = "duckdb"
"""The form that is one database file for everything, see :mod:`kandji_queries.exporter.database`."""

WORKBOOK = "xlsx"
"""The form that is one workbook for everything, see :mod:`kandji_queries.exporter.workbook`."""

FORMS: tuple[str, ...] = (*(form.name for form in FILES), DATABASE, WORKBOOK)
"""Names of the forms."""


def file_form(name: str) -> Form | None:
    """The form of that name; None for those that are one file for everything."""
    return next((form for form in FILES if form.name == name), None)
