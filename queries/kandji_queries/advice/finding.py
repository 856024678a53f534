"""What is said of a statement that cannot be run, and how a statement that is proposed is tried."""

from collections.abc import Callable
from dataclasses import dataclass

from kandji_queries.lineage.tree import Node

LONGEST = 2_000
"""Most characters of a statement that is proposed; whoever wrote a longer one finds the place by what is said."""

NAMED = 80
"""Most characters of a name that are repeated."""


@dataclass(frozen=True)
class Tried:
    """A statement that was looked at, not run: its tree, what it reads and what the engine says against it, if any."""

    root: Node
    error: str | None
    tables: tuple[str, ...] = ()


Trial = Callable[[str], Tried | None]
"""Tries a statement; None for one that the guard refuses."""


@dataclass(frozen=True)
class Finding:
    """What is wrong with a statement, in words, and the statement that mends it, where there is one.

    ``otherwise`` is what else helps where no statement can be proposed.
    """

    words: str
    mended: str = ""
    otherwise: str = ""


def shown(name: str) -> str:
    """Return a name in quotes, cut where it is very long."""
    return repr(name if len(name) <= NAMED else f"{name[:NAMED]}…")
