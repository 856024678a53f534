"""A text that no row has in a column: said where the answer has nothing in it, with what is written nearly so."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice

from kandji_queries.lineage import tree
from kandji_queries.lineage.tree import Node
from kandji_queries.remarks.asked import Asked, column
from kandji_schema.sql import identifier, literal
from kandji_schema.text import fold_text, one_line

LOOKED_AT = 4
"""Conditions of one statement that are looked at."""

DISTINCT = 20_000
"""Most different values of a column that are looked through."""

COMPARED = 2_000
"""Most of them that are compared letter by letter."""

FEW = 8
"""Of so many values all are told where none is nearly so."""

NAMED = 3
SHORTEST = 3
LONGEST = 60
"""Values that are named; least letters of a part of one; most characters that are repeated."""

LIKES = {"~~": "LIKE", "~~*": "ILIKE"}
"""DuckDB's names of the functions."""


@dataclass(frozen=True)
class Condition:
    """A column, as it is called in the statement, that is to be a text or like one; ``how`` is =, LIKE or ILIKE."""

    parts: tuple[str, ...]
    how: str
    text: str


def remarks(asked: Asked) -> Iterator[str]:
    """Yield of each text that no row has in its column that it is so, and what there is instead."""
    for condition in islice(dict.fromkeys(conditions(asked)), LOOKED_AT):
        tables = asked.tables_with(condition.parts)
        if len(tables) != 1:
            continue  # nothing certain can be said
        if condition.how == "=":
            yield from _equal(asked, tables[0], condition)
        else:
            yield from _like(asked, tables[0], condition)


def corrected(sql: str, asked: Asked) -> str:
    """Return a statement with values as rows have them where only letters, blanks or marks are other ones."""
    for condition in islice(dict.fromkeys(conditions(asked)), LOOKED_AT):
        tables, written = asked.tables_with(condition.parts), literal(condition.text)
        if condition.how == "=" and len(tables) == 1 and sql.count(written) == 1:
            there = _values(asked, tables[0], condition.parts[-1])
            same = [value for value in there if fold_text(value) == fold_text(condition.text)]
            if len(same) == 1 and condition.text not in there:
                sql = sql.replace(written, literal(same[0]))
    return sql


def conditions(asked: Asked) -> Iterator[Condition]:
    """Yield what a statement compares with texts, wherever it does."""
    for node in tree.below(asked.root):
        if tree.kind(node) == "COMPARE_EQUAL":
            yield from _compared(asked, "=", [node["left"], node["right"]])
        elif tree.kind(node) == "COMPARE_IN":
            yield from _compared(asked, "=", node["children"])
        elif node.get("function_name") in LIKES and node.get("is_operator"):
            sides = [argument["expression"] for argument in node["arguments"]]
            yield from _compared(asked, LIKES[str(node["function_name"])], sides[:2])


def nearest(text: str, there: Sequence[str]) -> list[str]:
    """Return the values written most like a text: the same when folded, one of several, a part, nearly the same."""
    wanted = fold_text(text)
    folded = {value: fold_text(value) for value in there}
    if same := [value for value, plain in folded.items() if plain == wanted]:
        return same
    if same := [value for value, plain in folded.items() if plain.removesuffix("s") == wanted.removesuffix("s")]:
        return same
    parts = [
        value
        for value, plain in folded.items()
        if min(len(plain), len(wanted)) >= SHORTEST and (wanted in plain or plain in wanted)
    ]
    if parts:
        return sorted(parts, key=lambda value: (abs(len(value) - len(wanted)), value))
    close = get_close_matches(wanted, folded.values(), n=NAMED, cutoff=0.8) if len(there) <= COMPARED else []
    return [value for near in dict.fromkeys(close) for value, plain in folded.items() if plain == near]


def _compared(asked: Asked, how: str, sides: Sequence[Node]) -> Iterator[Condition]:
    names = [parts for side in sides if (parts := column(side))]
    texts = [text for side in sides if (text := asked.text_of(side))]
    if len(names) == 1:
        yield from (Condition(tuple(names[0]), how, text) for text in texts)


def _equal(asked: Asked, table: str, condition: Condition) -> Iterator[str]:
    there = _values(asked, table, condition.parts[-1])
    if there and condition.text not in there:
        begins = f"No {condition.parts[-1]} is {_shown(condition.text)}"
        near = nearest(condition.text, there) or (there if len(there) <= FEW else [])
        shown = ", ".join(map(_shown, near[: FEW if near is there else NAMED]))
        yield f"{begins}; there {'is' if len(near) == 1 else 'are'} {shown}." if near else f"{begins}."


def _like(asked: Asked, table: str, condition: Condition) -> Iterator[str]:
    name, how = condition.parts[-1], condition.how
    plain = fold_text(condition.text)
    sql = (
        f"SELECT count(*), count(*) FILTER (c {how} $pattern), min(c) FILTER (c ILIKE $pattern), "
        f"min(c) FILTER (folded(c) LIKE $plain) FROM (SELECT DISTINCT {identifier(name)}::VARCHAR AS c "
        f"FROM {identifier(table)} WHERE c IS NOT NULL)"
    )
    found = asked.look(sql, {"pattern": condition.text, "plain": plain})
    ((there, fitting, other_case, folded),) = found or [(0, 0, None, None)]
    if there and not fitting:
        begins = f"No {name} is {how} {_shown(condition.text)}"
        if other_case is not None:
            yield f"{begins}; ILIKE finds {_shown(other_case)}."
        elif folded is not None:
            yield f"{begins}; folded({name}) LIKE {_shown(plain)} finds {_shown(folded)}."
        else:
            yield f"{begins}."


def _values(asked: Asked, table: str, name: str) -> list[str]:
    """Return the different texts of a column; none where there are too many, or it holds no texts."""
    column = identifier(name)
    sql = f"SELECT DISTINCT {column} FROM {identifier(table)} WHERE {column} IS NOT NULL LIMIT {DISTINCT + 1}"
    found = [value for (value,) in asked.look(sql, {}) or ()]
    texts = sorted(value for value in found if isinstance(value, str))
    return texts if len(texts) == len(found) <= DISTINCT else []


def _shown(text: str) -> str:
    line = text if text.isprintable() else one_line(text)
    return literal(line if len(line) <= LONGEST else f"{line[:LONGEST]}…")
