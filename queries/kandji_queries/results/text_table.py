"""Rows for eyes: columns that line up, and on a terminal that is too narrow for them a layout that fits.

Nothing is cut. Where only the last column is too long its texts are broken over lines; where more is, every row becomes
a record with a line a column.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

GAP = "  "

PADDED = 80
"""Most columns of the terminal a column is padded to: a longer cell moves the rest of its own line and no other."""

NARROWEST = 24
"""Room the last column must have left for its texts to be broken there."""

Cells = Sequence[str]


def table_lines(heads: Cells, rows: Sequence[Cells], right: Sequence[bool], room: int | None) -> Iterator[str]:
    """Yield the lines of a table. ``right`` says which columns are aligned to the right.

    ``room`` is the width of the terminal, None where the lines go elsewhere. No cell has a line break.
    """
    widths = [max(map(width, cells)) for cells in zip(heads, *rows, strict=True)]
    rest = None if room is None else room - sum(widths[:-1]) - len(GAP) * (len(widths) - 1)
    if rest is None or rest >= widths[-1]:
        yield from _columns(heads, rows, right, [min(wide, PADDED) for wide in widths])
    elif rest >= NARROWEST:
        yield from _columns(heads, _broken(rows, rest), right, [*widths[:-1], rest])
    else:
        yield from _records(heads, rows, room or 0)


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


def _broken(rows: Sequence[Cells], room: int) -> list[Cells]:
    """Return the rows, each followed by lines that hold what does not fit into the room of the last column."""
    found: list[Cells] = []
    for *cells, last in rows:
        first, *others = broken_text(last, room)
        found.append([*cells, first])
        found.extend([*("" for _ in cells), piece] for piece in others)
    return found


def broken_text(text: str, room: int) -> list[str]:
    """Return the text in lines of at most ``room``, broken between words where there are any."""
    pieces = [""]
    for word in re.findall(r"\s*\S+|\s+", text):
        if width(pieces[-1] + word) > room and pieces[-1]:
            pieces.append("")
            word = word.lstrip()
        for character in word:
            if width(pieces[-1]) + _width(character) > room:
                pieces.append("")
            pieces[-1] += character
    return pieces


def _records(heads: Cells, rows: Sequence[Cells], room: int) -> Iterator[str]:
    wide = max(map(width, heads))
    if not rows:
        yield from heads
    for number, cells in enumerate(rows, 1):
        yield f"─ {number} ".ljust(room, "─")
        for head, cell in zip(heads, cells, strict=True):
            yield f"{_padded(head, wide, right=False)}{GAP}{cell}".rstrip()
