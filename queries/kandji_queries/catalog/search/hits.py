"""One line of what a search found."""

import re
from dataclasses import dataclass

LONGEST_ABOUT = 220
"""Most characters that are told of one hit."""

_ONE = re.compile(r"(?<![\d,.])1 (device|blueprint|library item)s\b")


@dataclass(frozen=True)
class Hit:
    """Something that fits: ``kind`` and ``name``, what there is to know ``about`` it, and how well it fits.

    Of those that fit alike the one with most ``weight`` comes first. ``also`` is another name it has.
    """

    kind: str
    name: str
    about: str
    score: float
    weight: float = 0.0
    also: str = ""

    @property
    def shown(self) -> str:
        """What is told about it, not too long."""
        text = _ONE.sub(r"1 \1", self.about)
        return text if len(text) <= LONGEST_ABOUT else f"{text[: LONGEST_ABOUT - 1].rstrip()}…"


def best_first(hits: "list[Hit]") -> "list[Hit]":
    """Sort hits: the ones that fit best first, of those that fit alike what there is most of, then by name."""
    return sorted(hits, key=lambda hit: (-hit.score, -hit.weight, len(hit.name), hit.name))
