"""Pages for people: headed sections, labels that line up, texts that fit the terminal."""

import shutil
from collections.abc import Iterator, Sequence

from kandji_queries.results.text_table import broken_text, table_lines, width

WIDEST = 100
"""Most columns of a page; a line that is longer is hard to read."""

INDENT = GAP = "  "

CELL = 30
"""Most columns of a cell that is not the last one."""


def page_width() -> int:
    """Return the columns of a page: those of the terminal within reason, 80 where there is none."""
    return max(40, min(WIDEST, shutil.get_terminal_size((80, 24)).columns))


def heading(title: str, rest: str = "") -> str:
    """Return the head of a section, with what there is to say of it at once."""
    return f"\n{title.upper()}" + (f"  {rest}" if rest else "")


def facts(told: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield labels with their values, two on a line where both are short; a long value goes over several lines."""
    label = max((width(label) for label, _ in told), default=0) + len(GAP)
    half = (page_width() - len(INDENT) - len(GAP)) // 2
    waiting = ""
    for name, value in told:
        entry = f"{name}{' ' * (label - width(name))}{value}"
        if width(entry) <= half and waiting:
            yield f"{INDENT}{waiting}{' ' * (half - width(waiting))}{GAP}{entry}".rstrip()
            waiting = ""
            continue
        if waiting:
            yield f"{INDENT}{waiting}"
        waiting = entry if width(entry) <= half else ""
        if not waiting:
            first, *others = broken_text(value, page_width() - len(INDENT) - label)
            yield f"{INDENT}{name}{' ' * (label - width(name))}{first}".rstrip()
            yield from (f"{INDENT}{' ' * label}{line}" for line in others)
    if waiting:
        yield f"{INDENT}{waiting}"


def paragraph(text: str, indent: str = INDENT) -> Iterator[str]:
    """Yield a text in lines that fit."""
    yield from (f"{indent}{line}" for line in broken_text(text, page_width() - len(indent)))


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows as a table whose last column is broken over lines; other cells are cut where they are long."""
    fitted = [[*(_cut(cell) for cell in row[:-1]), row[-1]] for row in rows]
    room = page_width() - len(INDENT)
    yield from (f"{INDENT}{line}" for line in table_lines(heads, fitted, [False] * len(heads), room))


def _cut(cell: str) -> str:
    if width(cell) <= CELL:
        return cell
    return f"{broken_text(cell, CELL - 1)[0].rstrip()}…"
