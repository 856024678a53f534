"""How well a name fits a search. It compares in Python as the macros ``folded`` and ``folded_id`` do in SQL.

A statement with those macros takes 20 ms to plan for every use of one, a dozen kinds of things would take a second;
folding a name here takes a microsecond.
"""

from functools import cached_property

from kandji_queries.catalog.search.words import Asked
from kandji_schema.text import fold_identifier, fold_text, name_words

EXACT = 1.7
"""The score of a name that is what was asked for."""

SIMILAR = 0.45
"""The score of a name that is only written similarly."""

_CORE = 0.2
"""What is taken off where only the core of what was asked for fits."""


class Fit:
    """Scores of names for one search, to be compared with those of columns and queries."""

    def __init__(self, asked: Asked) -> None:
        """Fold what was asked for once."""
        self._asked = asked
        self._whole, self._core = fold_text(asked.text), fold_text(asked.core)
        self._numbers = {fold_identifier(asked.text), fold_identifier(asked.core)} - {""}
        self._ends = {number[-1] for number in self._numbers}

    def number(self, value: str | None) -> float:
        """Return :data:`EXACT` for an identifier, serial number or asset tag that is what was asked for, else 0."""
        if not value or (value[-1].isalnum() and value.isascii() and value[-1].lower() not in self._ends):
            return 0.0  # nearly all, told at a glance
        return EXACT if fold_identifier(value) in self._numbers else 0.0

    def name(self, value: str | None) -> float:
        """Return the score of a name; 0 where it does not fit."""
        if not value:
            return 0.0
        found = fold_text(value)
        score = _score(self._whole, self._whole_words, found)
        if self._core != self._whole:
            score = max(score, _score(self._core, self._core_words, found) - _CORE)
        return max(score, 0.0)

    @cached_property
    def _whole_words(self) -> tuple[str, ...]:
        return name_words(self._whole)

    @cached_property
    def _core_words(self) -> tuple[str, ...]:
        return name_words(self._core)


def _score(asked: str, words: tuple[str, ...], found: str) -> float:
    if found == asked:
        return EXACT
    if asked in found:
        inside = min(0.4 + 0.05 * len(asked), 0.9)  # a few letters are part of nearly every name
        if _is_whole(asked, found):
            return 1.3 if found.startswith(asked) else 1.2
        return inside + 0.2 if found.startswith(asked) else inside
    return 1.15 if len(words) > 1 and set(words) <= set(name_words(found)) else 0.0


def _is_whole(asked: str, found: str) -> bool:
    """Tell whether a text stands in another as whole words."""
    return f" {asked} " in f" {''.join(c if c.isalnum() else ' ' for c in found)} "
