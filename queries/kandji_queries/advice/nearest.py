"""Names like another one: columns by table, and tables."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches

from kandji_schema.sql import fold_name

NEAREST = 3
SURE = 0.85
"""Share of letters from which on two names are nearly the same."""

SHORTEST = 2
"""Fewest letters of a name that stands for a longer one."""

LISTED = 40
"""Most columns of a table that are listed when none is near; the widest have more."""

Columns = Mapping[str, Sequence[str]]
"""Names of columns by table."""

FIRST = ("fleet", "devices", "device_details", "apps", "users")
"""Of several tables with a column of one name those that most questions are about."""


def nearest_columns(name: str, columns: Columns, *, surely: bool = False) -> list[str]:
    """Return columns like a name, as ``table.column``: those that hold it or are held by it, else those spelt alike.

    Only those that are nearly the same where ``surely``.
    """
    name = fold_name(name)
    known = {f"{table}.{column}": column for table, names in columns.items() for column in names}
    holding = [f for f, c in known.items() if len(min(name, c, key=len)) >= SHORTEST and (name in c or c in name)]
    if holding:
        return sorted(holding, key=lambda full: (not known[full].startswith(name), len(known[full])))[:NEAREST]
    same = get_close_matches(name, set(known.values()), n=2, cutoff=SURE)
    if surely or len(same) == 1:
        return [full for full, column in known.items() if column in same]
    words = {full: {column, *column.split("_")} for full, column in known.items()}
    close = get_close_matches(name, set().union(*words.values()), n=NEAREST, cutoff=0.6)
    return list(dict.fromkeys(full for wanted in close for full in known if wanted in words[full]))[:NEAREST]


def elsewhere(name: str, columns: Columns, *, surely: bool = False) -> list[str]:
    """Return columns of a name in other tables, as ``table.column``; where there is none those nearly called so.

    Only those of the very name where ``surely``.
    """
    name = fold_name(name)
    if len(name) < SHORTEST:
        return []
    same = [table for table, names in columns.items() if name in names]
    if same or surely:
        return [f"{table}.{name}" for table in sorted(same, key=_place)][:NEAREST]
    alike = set(get_close_matches(name, {c for names in columns.values() for c in names}, n=NEAREST, cutoff=0.8))
    parts = [(t, c) for t, names in columns.items() for c in names if name in c.split("_") or c in alike]
    parts.sort(key=lambda part: (not part[1].startswith(name), _place(part[0]), len(part[1])))
    return [f"{table}.{column}" for table, column in parts][:NEAREST]


def nearest_tables(name: str, tables: Collection[str]) -> list[str]:
    """Return tables like a name: spelt alike, or with a word of it."""
    name = fold_name(name)
    if len(surely := get_close_matches(name, tables, n=2, cutoff=SURE)) == 1:
        return surely
    if close := get_close_matches(name, tables, n=NEAREST, cutoff=0.7):
        return close
    words = {_singular(word) for word in name.split("_") if len(word) > 2}
    shared = {table: len(words & {_singular(word) for word in table.split("_")}) for table in tables}
    best = sorted((table for table in tables if shared[table]), key=lambda table: (-shared[table], _place(table)))
    return best[:NEAREST]


def either(names: Iterable[str]) -> str:
    """Write ``a or b``."""
    return " or ".join(names)


def listed(names: Sequence[str], most: int = LISTED) -> str:
    """Write the first of some names, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _place(table: str) -> tuple[int, int, str]:
    return (FIRST.index(table) if table in FIRST else len(FIRST), len(table), table)


def _singular(word: str) -> str:
    return word.removesuffix("s")
