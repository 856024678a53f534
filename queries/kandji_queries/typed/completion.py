"""What may come next where somebody types SQL: keywords, tables, columns of the tables that are named, functions."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kandji_queries.typed.statements import open_text

_KEYWORDS = """
SELECT FROM WHERE GROUP BY ORDER LIMIT OFFSET HAVING QUALIFY JOIN LEFT RIGHT FULL INNER CROSS ANTI SEMI ON USING AS AND
OR NOT IN IS NULL LIKE ILIKE BETWEEN EXISTS CASE WHEN THEN ELSE END CAST DISTINCT ALL UNION EXCEPT INTERSECT WITH
RECURSIVE ASC DESC NULLS FIRST LAST TRUE FALSE INTERVAL EXPLAIN DESCRIBE SUMMARIZE FILTER OVER PARTITION EXCLUDE REPLACE
VALUES UNNEST count sum avg min max median any_value list string_agg coalesce
"""
KEYWORDS = tuple(_KEYWORDS.split())
"""Words of SQL and the functions that are typed most."""

TELLING = 3
"""Letters from which on functions are offered, of which there are a thousand."""

MOST = 200
"""Candidates that are offered at once."""

LONGEST = 20_000
"""Letters of a statement up to which there is help; the guard refuses longer ones."""

LONGEST_NAME = 200
"""Letters before the cursor among which the word is looked for, with the alias before it."""

_TAIL = re.compile(r'(?:(?P<qualifier>\w+|"[^"]+")\.)?(?P<word>\w*)$')
_RELATION = re.compile(
    r"""\b(?:from|join|,)\s+(?P<table>\w+)(?:\s*\([^)]*\))?(?:\s+(?:as\s+)?(?P<alias>[A-Za-z_]\w*))?""", re.I
)
_AFTER_RELATION = re.compile(r"\b(?:from|join|describe|summarize)\s+\w*$|\bfrom\s[^()]*,\s*\w*$", re.I)
_NO_ALIAS = frozenset(word.lower() for word in KEYWORDS)


class Candidate(NamedTuple):
    """A word that may come next; ``meta`` says what it is."""

    word: str
    meta: str


@dataclass(frozen=True, kw_only=True)
class Names:
    """What there is to name.

    ``columns`` are those of each table or view, with their types; ``functions`` are tables as they were, each with its
    table; ``calls`` are functions of expressions.
    """

    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)
    calls: Sequence[str] = ()

    def of(self, table: str) -> Mapping[str, str]:
        """Return the columns of a table, view or table function; none of what there is not."""
        name = table.lower()
        return self.columns.get(self.functions.get(name, name), {})


def candidates(before: str, after: str, names: Names) -> tuple[int, list[Candidate]]:
    """Return how many letters before the cursor are replaced, and what may stand in their place, the likeliest first.

    ``before`` and ``after`` are the parts of the statement at both sides of the cursor.
    """
    if len(before) + len(after) > LONGEST:
        return 0, []
    found = _TAIL.search(before[-LONGEST_NAME:])
    if found is None or open_text(before):
        return 0, []
    word, qualifier = found["word"], found["qualifier"]
    if qualifier is None and not word and not before.endswith((" ", "\n", "(", ",")):
        return len(word), []
    told = _offered(before, after, word, qualifier, names)
    fitting = [one for one in _once(told) if one.word.lower().startswith(word.lower()) and one.word != word]
    return len(word), fitting[:MOST]


def _offered(before: str, after: str, word: str, qualifier: str | None, names: Names) -> Iterator[Candidate]:
    named = _named(f"{before} {after}", names)
    if qualifier is not None:
        table = named.get(qualifier.strip('"').lower(), qualifier)
        yield from (Candidate(name, kind) for name, kind in names.of(table).items())
        return
    if _AFTER_RELATION.search(before):
        yield from _relations(names)
        return
    for table in dict.fromkeys(named.values()):
        yield from (Candidate(name, f"{table}: {kind}") for name, kind in names.of(table).items())
    yield from (Candidate(alias, table) for alias, table in named.items() if alias != table)
    yield from (Candidate(keyword, "") for keyword in KEYWORDS)
    yield from _relations(names)
    if len(word) >= TELLING:
        yield from (Candidate(f"{name}(", "function") for name in names.calls)


def _relations(names: Names) -> Iterator[Candidate]:
    yield from (Candidate(name, "table") for name in sorted(names.columns, key=len))
    yield from (Candidate(f"{name}(", f"{table} as it was") for name, table in names.functions.items())


def _named(statement: str, names: Names) -> dict[str, str]:
    """Return the tables of a statement by how they are called in it: alias or name."""
    found: dict[str, str] = {}
    for relation in _RELATION.finditer(statement):
        table, alias = relation["table"].lower(), (relation["alias"] or "").lower()
        if not names.of(table):
            continue
        found[alias if alias and alias not in _NO_ALIAS else table] = table
    return found


def _once(told: Iterable[Candidate]) -> Iterator[Candidate]:
    seen: set[str] = set()
    for one in told:
        if one.word.lower() not in seen:
            seen.add(one.word.lower())
            yield one
