"""The folding of a search for the macro ``folded``: the tables of :mod:`kandji_schema.text` as texts of SQL.

DuckDB has no NFKC. What is met every day (kinds of apostrophe, dash and a few letters) is told by ``translate``; the
thousands of other looks of characters (full width, mathematical, circled, ligatures) are looked up one by one, and only
in texts that have any, because that takes ten times as long.
"""

from collections.abc import Iterable
from functools import cache

from kandji_schema.text import BLANKS, DROPPED, UNSEEN, common, folds

SEPARATOR = "\n"
"""Stands between the plain forms of the rare characters; no folded text has it."""


@cache
def marks() -> dict[str, str]:
    """What stands for ``{{name}}`` in the text of a macro, inside of quotes."""
    singles = {character: plain for character, plain in common().items() if len(plain) == 1}
    rare = {character: plain for character, plain in sorted(folds().items(), key=_place) if character not in common()}
    return {
        "blanks": _escaped(BLANKS.replace("\x20", "\x1f")),
        "unseen": _escaped(UNSEEN),
        "dropped": DROPPED,
        "any_common": _escaped("".join(common())),
        "common": _quoted("".join(singles)),
        "common_plain": _quoted("".join(singles.values())),
        "rare": " ".join(str(ord(character)) for character in rare),
        "rare_plain": _quoted(SEPARATOR.join(rare.values())),
        "any_rare": "".join(_ranges(map(ord, rare))),
    }


def filled(sql: str) -> str:
    """Return the text of a macro with its tables in it."""
    for name, text in marks().items() if "{{" in sql else ():
        sql = sql.replace(f"{{{{{name}}}}}", text)
    return sql


def _place(fold: tuple[str, str]) -> tuple[bool, str]:
    """Full and half width first: of the rare ones they are met most, and the first are found soonest."""
    return not "\uff00" <= fold[0] <= "\uffef", fold[0]


def _escaped(characters: str) -> str:
    """The inside of a class of a regular expression, in ASCII."""
    return "".join(c if c == "-" else f"\\x{{{ord(c):x}}}" for c in characters)


def _ranges(codes: Iterable[int]) -> list[str]:
    spans: list[list[int]] = []
    for code in sorted(codes):
        if spans and spans[-1][1] == code - 1:
            spans[-1][1] = code
        else:
            spans.append([code, code])
    return [f"{chr(first)}-{chr(last)}" if first < last else chr(first) for first, last in spans]


def _quoted(text: str) -> str:
    return text.replace("'", "''")
