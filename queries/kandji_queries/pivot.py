"""PIVOT whose columns come from the data, made into one that DuckDB shows the tree of.

DuckDB runs such a statement in two steps and serialises neither. With values named after each of its ON columns the
same text is an ordinary query, and that query's tree is what the guard checks; the original is what runs. ``platform``
becomes ``(platform) IN ('')``: this is only added between tokens, so whatever the original reads or calls the checked
text reads or calls too.
"""

from collections.abc import Iterator

from kandji_queries import tree
from kandji_schema.sql import plain_blanks

BEFORE, AFTER = " (", ") IN ('') "

PIVOTS = frozenset({"pivot", "pivot_wider"})
CLOSERS = frozenset({")", "]", "}", ";"})
ENDS = CLOSERS | {"using", "group", "order", "limit", "offset"}
"""What follows the last ON column."""


def with_values(sql: str) -> str:
    """The statement with values after each ON column that has none; unchanged where there is no such column."""
    sql = plain_blanks(sql)
    encoded = sql.encode()
    done, parts = 0, []
    for offset, added in sorted(_additions(list(tree.tokens(sql)))):
        parts += [encoded[done:offset].decode(), added]
        done = offset
    return "".join([*parts, encoded[done:].decode()])


def _additions(tokens: list[tree.Token]) -> Iterator[tuple[int, str]]:
    """What to add at which offset."""
    for number, (_, _, text) in enumerate(tokens):
        if text in PIVOTS:
            for begin, end in _unnamed(tokens[number + 1 :]):
                yield begin, BEFORE
                yield end, AFTER


def _unnamed(tokens: list[tree.Token]) -> Iterator[tuple[int, int]]:
    """Where the ON columns without values of one PIVOT begin and end, given what follows the word."""
    begin: int | None = None
    named, last, depth = False, 0, 0
    for _, end, text in tokens:
        begun = begin is not None
        if depth == 0 and text in (ENDS if begun else CLOSERS):
            break
        if depth == 0 and (text == "on" or (text == "," and begun)):
            if begin is not None and not named:
                yield begin, last
            begin, named = end, False
        depth += (text in {"(", "[", "{"}) - (text in {")", "]", "}"})
        named |= depth == 0 and text == "in"
        last = end if text else last
    if begin is not None and not named:
        yield begin, last
