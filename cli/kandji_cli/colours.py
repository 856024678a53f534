"""Colours, where there is a terminal that shows them: states of things, warnings and errors; the words stay the same.

NO_COLOR switches them off and FORCE_COLOR on, whatever their value, as in other tools; a ``dumb`` terminal has none.
"""

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

GREEN, YELLOW, RED = "32", "33", "31"

STATES: Mapping[str, str] = {
    **dict.fromkeys(("ok", "green", "sent", "completed", "done", "GREEN"), GREEN),
    **dict.fromkeys(("partial", "warning", "no permission", "not offered", "never synced", "never"), YELLOW),
    **dict.fromkeys(("unknown", "undelivered", "overdue"), YELLOW),
    **dict.fromkeys(("failed", "error", "refused", "red", "RED"), RED),
}
"""Cells of our own lists that say how something is, with their colours."""

HEADS: Mapping[str, str] = {"warning:": YELLOW, "kandji-mirror:": RED, "GREEN:": GREEN, "RED:": RED}
"""Beginnings of lines likewise."""

_CELL = re.compile(rf"(?<=  )({'|'.join(map(re.escape, STATES))})(?=  |$)")


def wanted(stream: TextIO) -> bool:
    """Tell whether what is written there may have colours."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def painted(text: str, colour: str) -> str:
    """Return the text in a colour."""
    return f"\x1b[{colour}m{text}\x1b[0m"


def with_head(line: str) -> str:
    """Return a line with the word that it begins with in its colour."""
    head = next((head for head in HEADS if line.startswith(head)), "")
    return painted(head, HEADS[head]) + line[len(head) :] if head else line


class Painting:
    """A stream on which cells of a table that are states have their colours."""

    def __init__(self, out: TextIO) -> None:
        """``out`` shows colours."""
        self._out = out

    def write(self, text: str) -> int:
        """Write lines, each with all its cells."""
        return self._out.write("\n".join(_CELL.sub(_in_colour, line) for line in text.split("\n")))

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._out, name)


def _in_colour(found: re.Match[str]) -> str:
    return painted(found[0], STATES[found[0]])
