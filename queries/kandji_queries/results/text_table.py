"""Rows for eyes: columns that line up, and on a terminal that is too narrow for them a layout that fits.

No text is cut. Where the columns do not fit, the long ones share what the short ones leave, and their texts are broken
over lines: one wide cell takes more lines, the rest of the table stays as it is. Where there are so many columns that
the long ones would have less than :data:`NARROWEST` each, up to :data:`FEW` rows become records with a line a column,
and only between words is a long text broken there: what is copied from it is whole. Of more rows those columns are
shown that say most and fit, and the last line names the others: without a value, of one value, identifiers where there
is a name, then the last ones are left out first.
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

FEW = 3
"""Rows up to which records are read at a glance."""

NAMED = 4
"""Columns that are named of those that are not shown."""

EMPTY = frozenset({"", "NULL"})
"""Cells without a value."""

LEAST = 3
"""Columns that a table has at least; where no more fit its rows are records."""

IDENTIFIER = re.compile(r"(.*_)?(id|uuid|udid)$")
"""Names of columns that say little to people."""

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
    elif len(rows) > FEW and (kept := _kept(heads, rows, right, room)):
        yield from table_lines(*_only(kept, heads, rows, right), room)
        yield from broken_text(_left_out(heads, kept), room, whole_words=True)
    elif rows:
        yield from record_lines(heads, rows, room)


def _kept(heads: Cells, rows: Sequence[Cells], right: Sequence[bool], room: int) -> list[int]:
    """Return the places of the columns that are shown together, in their order; none where records say it better."""
    columns = [*zip(*rows, strict=True)]
    values = [len({*cells}) for cells in columns]

    def worth(place: int) -> tuple[bool, bool, bool, int]:
        empty = values[place] == 1 and columns[place][0] in EMPTY
        return empty, values[place] == 1, bool(IDENTIFIER.fullmatch(heads[place])), place

    kept: list[int] = []
    for place in sorted(range(len(heads)), key=worth):
        tried = sorted([*kept, place])
        names, cells, numbers = _only(tried, heads, rows, right)
        widths = [max(map(width, column)) for column in zip(names, *cells, strict=True)]
        if sum(widths) + _gaps(widths) > room and not _fitted(names, cells, numbers, widths, room - _gaps(widths)):
            break
        kept = tried
    return kept if len(kept) >= LEAST else []


def _only(
    places: Sequence[int], heads: Cells, rows: Sequence[Cells], right: Sequence[bool]
) -> tuple[Cells, Sequence[Cells], Sequence[bool]]:
    return [heads[p] for p in places], [[row[p] for p in places] for row in rows], [right[p] for p in places]


def _left_out(heads: Cells, kept: Sequence[int]) -> str:
    others = [head for place, head in enumerate(heads) if place not in kept]
    named = f"{', '.join(others[:NAMED])}{f' and {len(others) - NAMED} more' if len(others) > NAMED else ''}"
    return f"{len(kept)} of {len(heads)} columns; for want of room not {named}. -f records shows all."


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


def record_lines(heads: Cells, rows: Sequence[Cells], room: int) -> Iterator[str]:
    """Yield each row as a record with a line a column, as wide as ``room``."""
    wide = max(map(width, heads))
    for number, cells in enumerate(rows, 1):
        yield f"─ {number} ".ljust(room, "─")
        for head, cell in zip(heads, cells, strict=True):
            first, *others = broken_text(cell, max(room - wide - len(GAP), NARROWEST), whole_words=True)
            yield f"{_padded(head, wide, right=False)}{GAP}{first}".rstrip()
            yield from (f"{' ' * wide}{GAP}{line}".rstrip() for line in others)
