"""Sample values of columns, so that whoever finds one sees what is in it; never of personal columns."""

import re
from collections import defaultdict
from collections.abc import Mapping

from kandji_queries.results.result import StatementRunner
from kandji_schema.errors import NothingMirrored, StatementError
from kandji_schema.sql import identifier
from kandji_schema.text import one_line

LOOKED_AT = 2_000
"""Rows of a table that are looked at."""

SHOWN = 3
"""Values that are shown."""

LONGEST = 30
"""Most characters of a value."""


def samples(reader: StatementRunner, columns: Mapping[str, str]) -> dict[str, str]:
    """Return by ``table.column`` what is in the first rows: the span of numbers and moments, frequent values of texts.

    ``columns`` are types by ``table.column``. Nothing is told of what is personal, of texts that hardly repeat, such as
    identifiers, and of tables that cannot be read now.
    """
    by_table: Mapping[str, dict[str, str]] = defaultdict(dict)
    for path, kind in columns.items():
        table, _, column = path.partition(".")
        if kind in _SHOWN_AS and _may_be_shown(table, column, kind):
            by_table[table][column] = _SHOWN_AS[kind].format(column=identifier(column), most=SHOWN)
    found: dict[str, str] = {}
    for table, shown in by_table.items():
        found.update(_of_table(reader, table, shown))
    return found


_SPAN = "CASE WHEN count({column}) > 0 THEN [min({column})::VARCHAR, max({column})::VARCHAR] END"
_FREQUENT = (
    "CASE WHEN approx_count_distinct({column}) * 2 <= count({column}) "
    "THEN approx_top_k({column}, {most})::VARCHAR[] END"
)
_NUMBERS = frozenset({"BIGINT", "DOUBLE"})
_SHOWN_AS = {"VARCHAR": _FREQUENT, "BIGINT": _SPAN, "DOUBLE": _SPAN, "TIMESTAMP": _SPAN}


def _of_table(reader: StatementRunner, table: str, shown: Mapping[str, str]) -> dict[str, str]:
    sql = f"SELECT {', '.join(shown.values())} FROM (FROM {identifier(table)} LIMIT {LOOKED_AT})"
    try:
        values = reader.run(sql).rows[0]
    except (NothingMirrored, StatementError):
        return {}
    spans = {column for column, wanted in shown.items() if wanted.startswith("CASE WHEN count")}
    return {
        f"{table}.{column}": (" to " if column in spans else ", ").join(dict.fromkeys(map(_short, found)))
        for column, found in zip(shown, values, strict=True)
        if found
    }


def _short(value: str) -> str:
    """Return a value on one line and not too long; a moment without its seconds, a number without needless digits."""
    text = one_line(value)
    text = text[:16] if _MOMENT.match(text) else text
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")


def _may_be_shown(table: str, column: str, kind: str) -> bool:
    """Tell whether a column is not personal; of a view, whether no table calls one of that name so.

    Texts that a view makes itself are not shown: nobody has declared of them that they name nobody.
    """
    from kandji_schema.registry import resources  # with it comes sqlmodel: only where samples are shown

    behind = [resources()[table]] if table in resources() else list(resources().values())
    declared = [found for one in behind for found in one.columns if found.name == column]
    known = bool(declared) or kind in _NUMBERS
    return known and column != "extra" and not any(found.personal for found in declared)
