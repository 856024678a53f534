"""Words of people for columns and tables: what they mean of what there is, by the vocabulary that searches use."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from kandji_schema.sql import fold_name
from kandji_schema.vocabulary import ALIKE, GENERIC, TABLES, TERMS

MOST = 3

_UNITS = frozenset(("gb", "mb", "tb", "bytes", "pct", "percent", "percentage", "size", "amount", "total"))
"""Words beside the name of a quantity that tell how it is counted."""


def columns_meant(name: str, columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the columns of some tables that a word of people means, as ``table.column``, the best first."""
    found: dict[str, None] = {}
    for full in _columns(name):
        table, _, column = full.partition(".")
        holders = [table] if column in columns.get(table, ()) else []
        if not holders and column not in GENERIC:
            holders = [other for other, names in columns.items() if column in names]
        found |= {f"{holder}.{column}": None for holder in holders}
    return list(found)[:MOST]


def tables_meant(name: str, tables: Collection[str]) -> list[str]:
    """Return the tables that a word of people means, the best first."""
    folded = _spaced(name)
    for word in dict.fromkeys((folded, _singular(folded), ALIKE.get(_singular(folded), ""))):
        found = [table for table in TABLES.get(word, ()) if table in tables]
        if found or not word:
            return found
    of_columns = dict.fromkeys(full.partition(".")[0] for full in _columns(name))
    return [table for table in of_columns if table in tables][:2]


def _columns(name: str) -> Iterator[str]:
    spaced = _spaced(name)
    bare = " ".join(word for word in spaced.split() if word not in _UNITS)
    wanted = {spaced, _singular(spaced), bare, *(spaced.removesuffix(end) for end in (" on", " enabled", " status"))}
    for term in TERMS:
        if wanted.intersection(term.words) - {""}:
            yield from term.columns


def _spaced(name: str) -> str:
    return " ".join(re.split(r"[\W_]+", fold_name(name))).strip()


def _singular(words: str) -> str:
    if words.endswith("ies"):
        return f"{words[:-3]}y"
    return words[:-1] if words.endswith("s") and not words.endswith("ss") else words
