"""Names that are near to one that does not exist, and how they are told."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

LISTED = 12
"""Most names that are all listed where none is near."""

LEAST_UNLIKE = 6
"""How many are listed of more."""

LONGEST = 200
"""Most characters of a name that a message repeats."""


def near(name: str, known: Iterable[str]) -> tuple[list[str], str]:
    """Return the names that may be meant, the nearest first, and what is said: the name, and those or what there is."""
    all_names, asked = [*known], name[:LONGEST]
    nearest = get_close_matches(asked.lower(), all_names, n=3, cutoff=0.5)
    shown = repr(asked) + (f"... ({len(name):,} characters)" if len(name) > LONGEST else "")
    hint = f"Did you mean {' or '.join(nearest)}?" if nearest else _there_are(asked, all_names)
    return nearest, f"{shown}. {hint}"


def _there_are(asked: str, known: Sequence[str]) -> str:
    """List all names, or those that are least unlike where there are many."""
    if len(known) <= LISTED:
        return f"There are: {', '.join(known)}."
    nearest = get_close_matches(asked.lower(), known, n=LEAST_UNLIKE, cutoff=0.0)
    return f"There are {len(known)}, the nearest of them: {', '.join(nearest)}."
