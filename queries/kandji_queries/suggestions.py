"""What was probably meant by a column that is not there."""

import re
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches

import duckdb

from kandji_queries.engine import Engine
from kandji_schema.errors import Failed
from kandji_schema.sql import fold_name

_MISSING = re.compile(
    r'Binder Error: (?:Referenced column "(?P<a>[^"\n]+)" not found'
    r'|(?:Table|Values list) "[^"\n]+" does not have a column named "(?P<b>[^"\n]+)"'
    r'|Column "(?P<c>[^"\n]+)" (?:in \w+ list not found|does not exist))'
)
_PLACE = re.compile(r"\nLINE \d+:([^\n]*)\n[^\n]*")
NEAREST = 3
MOST = 40
"""Most columns of a table that are listed when none is near; the widest have more."""

Columns = Mapping[str, Sequence[str]]
"""Names of columns by table."""


def missing_column(error: duckdb.BinderException, engine: Engine, tables: Collection[str], sql: str) -> Failed | None:
    """The error about a column that none of ``tables`` has, with the nearest; None where it is about something else."""
    text = str(error)
    found = _MISSING.match(text)
    columns = {table: columns for table in sorted(tables) if (columns := _columns(engine, table))}
    if found is None or not columns:
        return None
    name = found["a"] or found["b"] or found["c"]
    if any(fold_name(name) in names for names in columns.values()):
        return None  # it is there, but not where it was looked for: the engine's words say more
    return Failed(f"There is no column {name!r} in {' or '.join(columns)}. {_hint(name, columns)}{_place(text, sql)}")


def nearest(name: str, columns: Columns) -> list[str]:
    """Columns like a name, as ``table.column``: those that hold it or are held by it, else those spelt alike."""
    name = fold_name(name)
    known = {f"{table}.{column}": column for table, names in columns.items() for column in names}
    holding = [full for full, column in known.items() if name in column or (len(column) > 2 and column in name)]
    words = {full: {column, *column.split("_")} for full, column in known.items()}
    close = get_close_matches(name, set().union(*words.values()), n=NEAREST, cutoff=0.6)
    alike = list(dict.fromkeys(full for wanted in close for full in known if wanted in words[full]))[:NEAREST]
    return sorted(holding, key=lambda full: (not known[full].startswith(name), len(known[full])))[:NEAREST] or alike


def _place(text: str, sql: str) -> str:
    """The line with the mark, if it is the caller's: the steps of a PIVOT are statements of the engine's own."""
    place = _PLACE.search(text)
    return f"\n{place[0]}" if place and place[1].strip(". ") in sql else ""


def _hint(name: str, columns: Columns) -> str:
    if near := nearest(name, columns):
        return f"Did you mean {' or '.join(near)}?"
    return " ".join(f"{table} has {_listed(names)}." for table, names in columns.items())


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST]) + (f" and {len(names) - MOST} more" if len(names) > MOST else "")


def _columns(engine: Engine, table: str) -> list[str]:
    with engine.cursor() as cursor:
        try:
            return [name for name, *_ in cursor.execute(f'DESCRIBE main."{table}"').fetchall()]
        except duckdb.Error:
            return []  # EVENTS, or a view that cannot be made
