"""A statement in pieces: texts, quoted names, comments, words, blanks and signs, so that edits leave texts alone.

Nothing here decides anything: what is written anew goes through the guard and the engine before it is proposed.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_PIECE = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|[^\W\d]\w*|\d[\w.]*|\s+|&&|\|\||<>|[<>!=]=|.", re.DOTALL
)
_AFTER_WHERE = ("group", "having", "window", "qualify", "order", "limit", "offset", "union", "intersect", "except", ";")
CLAUSES = ("where", *_AFTER_WHERE)
"""Words that begin a clause after FROM, in their order."""


@dataclass(frozen=True)
class Call:
    """A call of a function in a statement: where it begins and ends, its name in small letters and its arguments."""

    begin: int
    end: int
    name: str
    arguments: tuple[str, ...]


def pieces(sql: str) -> list[str]:
    """Return a statement in pieces; joined they are the statement again."""
    return _PIECE.findall(sql)


def without_texts(sql: str, edit: Callable[[str], str]) -> str:
    """Return a statement with what stands between its texts, quoted names and comments edited."""
    kept = re.compile(r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/)", re.DOTALL)
    return "".join(part if number % 2 else edit(part) for number, part in enumerate(kept.split(sql)))


def calls(sql: str) -> Iterator[Call]:
    """Yield the calls of functions, from left to right; those inside others as well."""
    found = pieces(sql)
    starts = _starts(found)
    for number, piece in enumerate(found):
        opening = _next(found, number)
        if (piece[0].isalpha() or piece[0] == "_") and opening < len(found) and found[opening] == "(":
            inside, close = _arguments(found, opening)
            if close < len(found):
                yield Call(starts[number], starts[close] + 1, piece.lower(), inside)


def clauses(sql: str) -> list[tuple[str, str]]:
    """Return the clauses of a query, each with the word it begins with; the first is all before WHERE, without one.

    Words in brackets begin none; a semicolon at the end is a clause too.
    """
    found: list[tuple[str, list[str]]] = [("", [])]
    depth = 0
    for piece in pieces(sql):
        depth += (piece == "(") - (piece == ")")
        if depth == 0 and piece.lower() in CLAUSES:
            found.append((piece.lower(), []))
        found[-1][1].append(piece)
    return [(word, "".join(parts)) for word, parts in found]


def conjuncts(condition: str) -> list[str]:
    """Return the parts of a condition that AND holds together; the whole where OR stands between them."""
    parts: list[list[str]] = [[]]
    depth, between = 0, False
    for piece in pieces(condition):
        depth += (piece == "(") - (piece == ")")
        word = piece.lower() if depth == 0 else ""
        if word == "or":
            return [condition.strip()]
        between |= word == "between"
        if word == "and" and not between:
            parts.append([])
            continue
        between &= word != "and"
        parts[-1].append(piece)
    return ["".join(part).strip() for part in parts]


def _arguments(found: Sequence[str], opening: int) -> tuple[tuple[str, ...], int]:
    """Return the arguments after an opening bracket and the number of the closing one, beyond the end if none is."""
    arguments: list[list[str]] = [[]]
    depth = 0
    for number in range(opening, len(found)):
        piece = found[number]
        depth += (piece == "(") - (piece == ")")
        if depth == 0:
            texts = ["".join(argument).strip() for argument in arguments]
            return tuple(texts if texts != [""] else ()), number
        if piece == "," and depth == 1:
            arguments.append([])
        elif number > opening:
            arguments[-1].append(piece)
    return (), len(found)


def _next(found: Sequence[str], number: int) -> int:
    """Return the number of the next piece that is no blank."""
    number += 1
    return number + 1 if number < len(found) and found[number].isspace() else number


def _starts(found: Sequence[str]) -> list[int]:
    starts, place = [], 0
    for piece in found:
        starts.append(place)
        place += len(piece)
    return starts
