"""Words in pictures: shortened to a room, broken to lines, and how wide they will be.

Nobody knows the font of a page, so that widths are those of the common ones without serifs, rather more than less.
"""

import unicodedata

from kandji_queries.results.text_table import broken_text, width

_NARROW = frozenset(" ijlrtfI.,:;'|!()[]-/")
_WIDE = frozenset("mwMW@%&")

ELLIPSIS = "…"


def shortened(text: str, most: int) -> str:
    """Return a text in so many columns at most, an ellipsis for what does not fit; letters keep their marks."""
    if width(text) <= most:
        return text
    kept, room = "", most - 1
    for character in text:
        room -= width(character)
        if room < 0:
            break
        kept += character
    return kept.rstrip() + ELLIPSIS


def fitted(text: str, room: float, size: float) -> str:
    """Return a text shortened to so many pixels in letters of a size."""
    if text_width(text, size) <= room:
        return text
    kept = text
    while kept and text_width(kept + ELLIPSIS, size) > room:
        kept = kept[:-1]
    return kept.rstrip() + ELLIPSIS


def text_width(text: str, size: float) -> float:
    """Return about how many pixels a text takes in letters of a size."""
    return size * sum(map(_ems, text))


def lines_of(text: str, room: int) -> list[str]:
    """Return a text in lines of so many columns, broken between words."""
    return [line.strip() for line in broken_text(text, room)] if text else []


def _ems(character: str) -> float:
    if character in _NARROW:
        return 0.32
    if character in _WIDE:
        return 0.9
    columns = width(character)
    if columns != 1:
        return float(columns) / 2 * 1.05
    if character.isdigit():
        return 0.57
    return 0.69 if unicodedata.category(character) == "Lu" else 0.56
