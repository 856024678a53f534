"""The error of a statement taken apart: what is wrong, at which place, and the statement that would run."""

import re
from dataclasses import dataclass

WOULD_RUN = "This would run: "
WRITE = "Write: "
"""What stands before a statement that is proposed, where the engine or the guard did not take the one that was sent."""

_PLACE = re.compile(r"\n+LINE (?P<line>\d+): (?P<shown>[^\n]*)\n(?P<before> *)(?P<mark>\^+)")
_PROPOSAL = re.compile(rf"\n(?:{WOULD_RUN}|{WRITE})(?P<sql>.*)", re.DOTALL)


@dataclass(frozen=True)
class Told:
    """What an error says: its words, a proposed statement (empty for none), and the place where it is known.

    ``line`` and ``column`` count from 1, ``length`` is in characters; 0 where they are not known.
    """

    words: str
    proposal: str = ""
    line: int = 0
    column: int = 0
    length: int = 0


def read_error(text: str, sql: str) -> Told:
    """Take the error of a statement apart."""
    place = _PLACE.search(text)
    if place:
        text = f"{text[: place.start()]}{text[place.end() :]}"
    proposal = _PROPOSAL.search(text)
    words = (text[: proposal.start()] if proposal else text).strip()
    line, column = _found(place, sql) if place else (0, 0)
    length = len(place["mark"]) if place and line else 0
    return Told(words, proposal["sql"].strip() if proposal else "", line, column, length)


def _found(place: re.Match[str], sql: str) -> tuple[int, int]:
    """Return line and column in the statement; a long line is shown in part, between dots."""
    number = int(place["line"])
    lines = sql.split("\n")
    if not 0 < number <= len(lines):
        return 0, 0
    shown = place["shown"]
    inside = len(place["before"]) - len(f"LINE {number}: ")
    begins = 0
    if shown.strip(". ") not in lines[number - 1]:
        return 0, 0
    if shown.startswith("..."):
        begins, inside = lines[number - 1].find(shown.strip(".")), inside - 3
    return (number, begins + inside + 1) if begins >= 0 and inside >= 0 else (0, 0)
