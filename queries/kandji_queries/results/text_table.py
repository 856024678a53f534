"""Rows for eyes: columns that line up, and on a terminal that is too narrow for them a layout that fits.

Nothing is cut. Where the columns do not fit, the long ones share what the short ones leave, and their texts are broken
over lines: one wide cell takes more lines, the rest of the table stays as it is. Only where there are so many columns
that the long ones would have less than :data:`NARROWEST` each, every row becomes a record with a line a column, and
only between words is a long text broken there: what is copied from it is whole.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import zip_longest

GAP = "  "

PADDED = 80
"""Most columns of the terminal a column is padded to: a longer cell moves the rest of its own line and no other."""

NARROWEST = 16
"""Room a column must have for its texts to be broken there."""

WORDS = (48, 24, NARROWEST)
"""Longest words that are kept in one piece, the first length that fits; names of columns have up to 43 letters."""

SHORT = 19
"""Cells up to here are never broken: a moment has so many."""

Cells = Sequence[str]


def table_lines(heads: Cells, rows: Sequence[Cells], right: Sequence[bool], room: int | None) -> Iterator[str]:
    """Yield the lines of a table. ``right`` says which columns are aligned to the right, and never broken.

    ``room`` is the width of the terminal, None where the lines go elsewhere. No cell has a line break. Of a table
    without rows that does not fit there is nothing to show.
    """
    widths = [max(map(width, cells)) for cells in zip(heads, *rows, strict=True)]
    if room is None or sum(widths) + _gaps(widths) <= room:
        yield from _columns(heads, rows, right, [min(wide, PADDED) for wide in widths])
    elif fitted := _fitted(heads, rows, right, widths, room - _gaps(widths)):
        yield from _columns(heads, _broken(rows, fitted), right, fitted)
    else:
        yield from _records(heads, rows, room)


def _gaps(widths: Sequence[int]) -> int:
    return len(GAP) * (len(widths) - 1)


def _fitted(
    heads: Cells, rows: Sequence[Cells], right: Sequence[bool], widths: Sequence[int], room: int
) -> list[int] | None:
    """Return widths that fit together, the long columns as even as may be; None where there are none."""
    words = [
        max((len(word) for cell in cells for word in cell.split()), default=0) for cells in zip(*rows, strict=True)
    ]
    for longest in WORDS if rows else ():
        least = [
            wide if number or wide <= SHORT else min(wide, max(width(head), NARROWEST, min(word, longest)))
            for head, word, wide, number in zip(heads, words, widths, right, strict=True)
        ]
        if sum(least) <= room:
            return _shared(least, widths, room)
    return None


def _shared(least: Sequence[int], widths: Sequence[int], room: int) -> list[int]:
    """Give each column what it wants up to one level, the highest that fits; what is left over goes to the right."""
    both = [*zip(least, widths, strict=True)]
    levels = ([max(low, min(wide, level)) for low, wide in both] for level in range(room, 0, -1))
    found = next((level for level in levels if sum(level) <= room), [*least])
    for place in reversed(range(len(found))):
        found[place] += min(room - sum(found), widths[place] - found[place])
    return found


def width(text: str) -> int:
    """Count the terminal columns the text takes: wide East Asian letters and emoji two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(map(_width, text))


def _width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _columns(heads: Cells, rows: Sequence[Cells], right: Sequence[bool], widths: Sequence[int]) -> Iterator[str]:
    for cells in (heads, ["─" * wide for wide in widths], *rows):
        yield GAP.join(_padded(*cell) for cell in zip(cells, widths, right, strict=True)).rstrip()


def _padded(cell: str, wide: int, right: bool) -> str:
    gap = " " * (wide - width(cell))
    return gap + cell if right else cell + gap


def _broken(rows: Sequence[Cells], rooms: Sequence[int]) -> list[Cells]:
    """Return the rows, each followed by lines that hold what does not fit into the rooms of its columns."""
    return [
        line
        for cells in rows
        for line in zip_longest(*(_pieces(cell, room) for cell, room in zip(cells, rooms, strict=True)), fillvalue="")
    ]


def _pieces(cell: str, room: int) -> list[str]:
    return [cell] if width(cell) <= room else broken_text(cell, room)


def broken_text(text: str, room: int, *, whole_words: bool = False) -> list[str]:
    """Return the text in lines of at most ``room``, broken between words where there are any.

    With ``whole_words`` a word that is longer stays whole, so that an address can be copied.
    """
    pieces = [""]
    for word in re.findall(r"\s*\S+|\s+", text):
        if width(pieces[-1] + word) > room and pieces[-1]:
            pieces.append("")
            word = word.lstrip()
        for character in [word] if whole_words else word:
            if not whole_words and width(pieces[-1]) + _width(character) > room:
                pieces.append("")
            pieces[-1] += character
    return pieces


def _records(heads: Cells, rows: Sequence[Cells], room: int) -> Iterator[str]:
    wide = max(map(width, heads))
    for number, cells in enumerate(rows, 1):
        yield f"─ {number} ".ljust(room, "─")
        for head, cell in zip(heads, cells, strict=True):
            first, *others = broken_text(cell, max(room - wide - len(GAP), NARROWEST), whole_words=True)
            yield f"{_padded(head, wide, right=False)}{GAP}{first}".rstrip()
            yield from (f"{' ' * wide}{GAP}{line}".rstrip() for line in others)
