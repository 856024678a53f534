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

BOM = "\ufeff"
"""Without it Excel takes a CSV for one in the letters of the machine's own region."""

_CONTROL = r"'[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x{9F}]'"
_UNSEEN = r"\p{Z}\p{C}\x{34F}\x{115F}\x{1160}\x{17B4}\x{17B5}\x{180B}-\x{180F}\x{2800}\x{3164}\x{FE00}-\x{FE0F}\x{FFA0}"
_SIGNS = r"=+\-@\x{FE62}\x{FE63}\x{FE66}\x{FE6B}\x{FF0B}\x{FF0D}\x{FF1D}\x{FF20}"
_RUNS = rf"'^(?:[\t\r\n]|[{_UNSEEN}]*[{_SIGNS}])'"
"""Spreadsheets run a cell that begins like this, some of them after taking away what nobody sees before the sign, or
after making a full-width sign a plain one. The list is that of OWASP, and what looks like it."""

_TEXTS = re.compile(r"VARCHAR|JSON|ENUM\(.*|.*\]|(STRUCT|MAP|UNION)\(.*")


def projected(columns: Sequence[Column], rules: Sequence[Rule]) -> str:
    """The select list of these columns; ``*`` where every one is written as it is."""
    return _listed(columns, lambda column: _written(column, rules))


def harmless(columns: Sequence[Column], rules: Sequence[Rule]) -> str:
    """As :func:`projected`, with texts of which a spreadsheet runs none.

    They are without control characters, and have an apostrophe before what would be taken for a formula.
    """

    def safe(column: Column) -> str:
        written = _written(column, rules)
        return _text_only(f"({written})::VARCHAR") if _TEXTS.fullmatch(column.type) else written

    return _listed(columns, safe)


def marked(sql: str, first: str) -> str:
    """The query with a byte order mark before the name of its column ``first``, which comes first."""
    return f"SELECT {quoted(first)} AS {quoted(BOM + first)}, * EXCLUDE ({quoted(first)}) FROM ({sql})"


def _text_only(text: str) -> str:
    seen = f"regexp_replace({text}, {_CONTROL}, '', 'g')"
    return f"CASE WHEN regexp_matches({seen}, {_RUNS}) THEN '''' || {seen} ELSE {seen} END"


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
