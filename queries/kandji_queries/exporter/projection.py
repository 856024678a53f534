"""How a column is written where the form has no word for its type.

CSV and JSON Lines follow :mod:`kandji_queries.values`: times are ISO 8601 in UTC, blobs hexadecimal, NaN and infinities
null in JSON; lists and structs are JSON in CSV. Parquet has no whole numbers of 128 bits: a double would lose digits,
so they become DECIMAL(38,0).
"""

import re
from collections.abc import Callable, Sequence

from kandji_queries.result import Column

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

FORMULA = "CASE WHEN {c}[1] IN ('=', '+', '-', '@', chr(9), chr(13)) THEN '''' || {c} ELSE {c} END"
"""Spreadsheets run a cell that begins like this; the apostrophe makes it text."""

_TEXTS = re.compile(r"VARCHAR|JSON|ENUM\(.*|.*\]|(STRUCT|MAP|UNION)\(.*")


def projected(columns: Sequence[Column], rules: Sequence[Rule]) -> str:
    """The select list of these columns; ``*`` where every one is written as it is."""
    return _listed(columns, lambda column: _written(column, rules))


def harmless(columns: Sequence[Column], rules: Sequence[Rule]) -> str:
    """As :func:`projected`, with an apostrophe before every text that a spreadsheet would take for a formula."""

    def safe(column: Column) -> str:
        written = _written(column, rules)
        return FORMULA.format(c=f"(({written})::VARCHAR)") if _TEXTS.fullmatch(column.type) else written

    return _listed(columns, safe)


def _listed(columns: Sequence[Column], written: Callable[[Column], str]) -> str:
    cells = [(written(column), quoted(column.name)) for column in columns]
    if all(cell == name for cell, name in cells):
        return "*"
    return ", ".join(cell if cell == name else f"{cell} AS {name}" for cell, name in cells)


def _written(column: Column, rules: Sequence[Rule]) -> str:
    rule = next((expression for kind, expression in rules if kind.fullmatch(column.type)), "{c}")
    return rule.format(c=quoted(column.name))


def quoted(name: str) -> str:
    """An identifier of DuckDB."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text of DuckDB."""
    return "'" + text.replace("'", "''") + "'"
