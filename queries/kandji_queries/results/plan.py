"""What EXPLAIN answers, for a terminal that is narrower than its picture: the same boxes as an outline.

The engine draws boxes side by side, hundreds of columns wide where tables are joined. Read are the frames and the lines
between them; what does not read as such a picture stays as it is.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from kandji_queries.results.text_table import broken_text, width

MARK = "• "
"""What stands before each part of a join; what follows it is as far in."""

DEEPEST = 20
"""Levels from which on no more is put before: the texts need room too."""

NARROWEST = 24
"""Room that texts have at least."""

JOINTS = frozenset("┬├╮│")
"""What stands above a box that another takes rows from; the joint in its own frame gives way to a long name."""

_BEGINS = re.compile(r"~[\d,.]+ rows?$|[A-Z][\w ]*:(\s|$)")
"""What a line begins with that does not go on with the one before."""


@dataclass(kw_only=True)
class _Box:
    """A step of the plan: its name, its texts, the steps it takes rows from, and the columns of its frame."""

    name: str
    texts: list[str]
    left: int
    right: int
    bottom: int
    parts: list["_Box"] = field(default_factory=list)


def plan_lines(picture: Sequence[str], room: int) -> Iterator[str]:
    """Yield the lines of the picture where it fits, else those of the outline."""
    grid = [_cells(line) for line in picture]
    if all(len(cells) <= room for cells in grid) or not (roots := _tree(grid)):
        yield from picture
        return
    for root in roots:
        yield from _outline(root, room, 0)


def _cells(line: str) -> list[str]:
    """Return a line by the columns of the terminal; the second of a wide letter is empty."""
    cells: list[str] = []
    for letter in line.rstrip():
        wide = width(letter)
        if wide or not cells:
            cells += [letter, *[""] * (wide - 1)]
        else:
            cells[-1] += letter
    return cells


def _tree(grid: Sequence[Sequence[str]]) -> list[_Box]:
    """Return the boxes that no other takes rows from; none where there is a line that ends nowhere."""
    roots, ends = [], dict[tuple[int, int], _Box]()
    for row, cells in enumerate(grid):
        for left in (
            place for place, cell in enumerate(cells) if cell == "╭" and cells[place + 1 : place + 2] == ["─"]
        ):
            box = _box(grid, row, left)
            if box is None:
                continue
            above = next((place for place in range(left, box.right) if _at(grid, row - 1, place) in JOINTS), None)
            if above is None:
                roots.append(box)
            elif parent := ends.get(_followed(grid, row - 1, above)):
                parent.parts.append(box)
            else:
                return []
            below = grid[box.bottom]
            ends |= {(box.bottom, place): box for place in range(box.left, box.right) if below[place] == "┬"}
    return roots


def _box(grid: Sequence[Sequence[str]], top: int, left: int) -> _Box | None:
    """Return the box whose upper left corner is here; None where it has no name or no lower edge."""
    head = grid[top]
    right = next((place for place in range(left, len(head)) if head[place] == "╮"), None)
    bottom = next((row for row in range(top + 1, len(grid)) if _at(grid, row, left) != "│"), top)
    if right is None or _at(grid, bottom, left) != "╰" or head[left + 1 : left + 3] != ["─", " "]:
        return None
    name = "".join(head[left + 1 : right]).strip("─┴ ")
    inside = ("".join(grid[row][left + 1 : right]).rstrip()[1:] for row in range(top + 1, bottom))
    return _Box(name=name, texts=_texts(inside), left=left, right=right, bottom=bottom)


def _texts(lines: Iterator[str]) -> list[str]:
    """Return what a box says, a text each: the engine breaks long ones."""
    texts: list[str] = []
    for line in lines:
        if texts and not _BEGINS.match(line):
            texts[-1] += f" {line.strip()}"
        elif line.strip():
            texts.append(line.strip())
    return texts


def _followed(grid: Sequence[Sequence[str]], row: int, place: int) -> tuple[int, int]:
    """Return where the line begins that ends here: in the lower edge of a box."""
    while _at(grid, row, place) == "│":
        row -= 1
    if _at(grid, row, place) == "├":
        row -= 1
    elif _at(grid, row, place) in {"╮", "┬"} and "├" in grid[row][:place] and not _is_edge(grid[row], place):
        while place and _at(grid, row, place) != "├":
            place -= 1
        row -= 1
    while _at(grid, row, place) == "│":
        row -= 1
    return row, place


def _is_edge(cells: Sequence[str], place: int) -> bool:
    """Tell whether this is the lower edge of a box, not a line between boxes."""
    before = next((cell for cell in reversed(cells[:place]) if cell not in {"─", "┬"}), "")
    return before == "╰"


def _at(grid: Sequence[Sequence[str]], row: int, place: int) -> str:
    return grid[row][place] if 0 <= row < len(grid) and place < len(grid[row]) else ""


def _outline(box: _Box, room: int, level: int) -> Iterator[str]:
    """Yield a step and those it takes rows from: one stands below it, several a level further in, each with a mark."""
    margin = " " * len(MARK) * min(level, DEEPEST)
    begin = f"{margin[: -len(MARK)]}{MARK}" if level else ""
    while True:
        yield f"{begin}{box.name}"
        for text in box.texts:
            first, *others = broken_text(text, max(room - len(margin) - 6, NARROWEST))
            yield f"{margin}    {first}"
            yield from (f"{margin}      {line}" for line in others)
        if len(box.parts) != 1:
            break
        (box,), begin = box.parts, margin
    for part in box.parts:
        yield from _outline(part, room, level + 1)
