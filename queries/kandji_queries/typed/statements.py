"""Where a statement ends: at a semicolon that stands neither in a text, a quoted name nor a comment."""

import re
from collections.abc import Iterator

_PIECE = re.compile(
    r"""
      (?P<end>;)
    | '(?:[^']|'')*(?P<text>'?)
    | "(?:[^"]|"")*(?P<name>"?)
    | --[^\n]*
    | /\*(?:[^*]|\*(?!/))*(?P<comment>\*/)?
    | \$(?P<tag>[A-Za-z_]\w*|)\$ (?:.*?(?P<dollar>\$(?P=tag)\$)|.*)
    | [^;'"\-/$]+ | .
    """,
    re.X | re.S,
)
_BEFORE = re.compile(r"(?:\s|--[^\n]*+|/\*.*?\*/)*+", re.S)
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.S)


def first(text: str) -> tuple[str, str, bool]:
    """Return the first statement of a text without its semicolon, what follows, and whether there was a semicolon."""
    for found in _PIECE.finditer(text):
        if found["end"]:
            return text[: found.start()].strip(), text[found.end() :], True
    return text.strip(), "", False


def begun(text: str) -> str:
    """Return the text from where it says something: without the blanks and comments before."""
    found = _BEFORE.match(text)
    return text[found.end() :] if found else text


def pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the statements of a text as they are written, each with whether a semicolon ends it.

    A piece of blanks and comments alone is left out.
    """
    while text:
        statement, text, ended = first(text)
        if not is_empty(statement):
            yield statement, ended


def is_empty(statement: str) -> bool:
    """Tell whether there is nothing but blanks and comments."""
    return not _COMMENT.sub("", statement).strip()


def open_text(text: str) -> bool:
    """Tell whether a text or a comment is open at the end: names are nothing to complete there."""
    found = [*_PIECE.finditer(text)]
    if not found:
        return False
    last, piece = found[-1], found[-1][0]
    if piece.startswith("'"):
        return not last["text"]
    if piece.startswith("/*"):
        return not last["comment"]
    return piece.startswith("--")
