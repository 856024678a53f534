"""How texts are compared where somebody searches: one folding, the same in Python and in SQL.

People type ``Zoe`` for ``Zoë``, a straight apostrophe for the curved one of macOS, ``-`` for a dash, and serial numbers
in groups. Both sides of a search are folded, in this order: blanks of every kind become a space, what nobody sees goes
away, accents go away, letters become small, and each character becomes its plain form by :func:`folds` (Unicode NFKC,
kinds of apostrophe, quotation mark and dash, letters such as ß and ø); then runs of spaces become one, and those around
go away.

The macro ``folded`` in SQL is made from the same tables; DuckDB itself knows no NFKC.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import chain
from types import MappingProxyType
from unicodedata import category, decomposition, normalize

from kandji_schema.text import UNSEEN_ALWAYS

BLANKS = "\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""What counts as a blank, as the inside of a class ``[...]`` of a regular expression."""

UNSEEN = UNSEEN_ALWAYS.replace("\ud800", "\ue000") + "\u180b-\u180d\u180f\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""What is left out, likewise: joiners and variation selectors too, which change the look of a letter only.

Without surrogates: no text of DuckDB has any, and its regular expressions refuse them.
"""

DROPPED = " :.-"
"""What is left out of identifiers besides: serial numbers, asset tags and addresses are written in groups."""

_ALIKE = {
    "'": "`\u00b4\u02b9\u02bb\u02bc\u02bd\u02c8\u2018\u2019\u201a\u201b\u2032\u2035\ua78c",
    '"': "\u00ab\u00bb\u02ba\u201c\u201d\u201e\u201f\u2033\u2036\u275d\u275e\u301d\u301e\u301f",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u207b\u208b\u2212\u2e3a\u2e3b\ufe31\ufe32\ufe58\ufe63\uff0d",
    "/": "\u2044\u2215",
    "d": "đð",
    "h": "ħ",
    "i": "\u0131",
    "l": "ł",
    "n": "ŋ",
    "o": "ø",
    "t": "ŧ",
    "ae": "æ",
    "oe": "œ",
    "ss": "ß",
    "th": "þ",
    "\u03c3": "\u03c2",
}
_OURS = {character: plain for plain, characters in _ALIKE.items() for character in characters}
_BLOCKS = (
    range(0xA0, 0x1000),
    range(0x10FC, 0x10FD),
    range(0x1D00, 0x3400),
    range(0xA690, 0xAC00),
    range(0xF900, 0x10000),
)
_MORE_BLOCKS = (range(0x10780, 0x107C0), range(0x1D400, 0x1F300), range(0x1FBF0, 0x1FC00))
_BLANK = re.compile(f"[{BLANKS}]")
_UNSEEN = re.compile(f"[{UNSEEN}\ud800-\udfff]")
_PLAIN = re.compile(r"[!-_a-~]+(?: [!-_a-~]+)*")


@cache
def folds() -> MappingProxyType[str, str]:
    """What becomes of a character that is small and without accents already: one or several, or nothing.

    Only characters that become another are in it, 3,700 of them, in the order of Unicode.
    """
    found = {}
    for character in _compatibles():
        base = _bare(character)
        if len(base) == 1 and (plain := _compatible(base, character)) != base:
            found[base] = plain
    return MappingProxyType(dict(sorted({**found, **_OURS}.items())))


def common() -> MappingProxyType[str, str]:
    """The part of :func:`folds` that is met every day."""
    return MappingProxyType(_OURS)


def fold_text(text: str) -> str:
    """Return a text as a search compares it: whoever compares two folds both."""
    if _PLAIN.fullmatch(text):
        return text.lower()
    seen = _UNSEEN.sub("", _BLANK.sub(" ", text))
    plain = normalize("NFC", _bare(seen).translate(_table()))
    return " ".join(filter(None, plain.split(" ")))


def fold_identifier(text: str) -> str:
    """Return a serial number, asset tag, IMEI or hardware address likewise, without the marks that group it."""
    return re.sub(f"[{DROPPED}]", "", fold_text(text))


@cache
def _table() -> dict[int, str]:
    return str.maketrans(dict(folds()))


def _bare(text: str) -> str:
    """The text without accents, in small letters; the small sigma at an end is told by :data:`_ALIKE`."""
    if text.isascii():
        return text.lower()
    marked = normalize("NFD", text)
    return normalize("NFC", "".join(c for c in marked if category(c)[0] != "M")).lower()


def _compatibles() -> Iterator[str]:
    """Characters that Unicode calls another look of others; looking through all planes would take ten times as long."""
    codes = chain(*_BLOCKS, *_MORE_BLOCKS)
    return (character for character in map(chr, codes) if decomposition(character).startswith("<"))


def _compatible(base: str, character: str) -> str:
    if base in _OURS:
        return _OURS[base]
    return "".join(_OURS.get(c, c) for c in _bare(normalize("NFKC", character).lower()))
