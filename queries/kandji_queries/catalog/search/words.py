"""What was typed into a search: its words without endings, the phrases in it, and its core."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

from kandji_schema.errors import UsageError
from kandji_schema.not_mirrored import NOT_MIRRORED
from kandji_schema.text import fold_text, one_line
from kandji_schema.vocabulary import ALIKE, GENERIC, ONE_WORD, STOP_WORDS, TERMS

LONGEST = 200
"""Most characters of a search; Apple's own limit for device names is 255 bytes."""

LONGEST_PHRASE = 5
"""Most words of a phrase that means one thing."""

GENERIC_WEIGHT = 0.35
"""What a word counts that stands in half of all names, where others tell more."""

Tokens = tuple[str, ...]

_ENDS = " ?!,;"

_MARKS = re.compile(r"[\W_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")


@dataclass(frozen=True)
class Asked:
    """A search. ``text`` is what was typed, on one line."""

    text: str

    @cached_property
    def tokens(self) -> Tokens:
        """The words that tell something, each once; all of them where none does."""
        plain = tokens(self.text)
        return tuple(dict.fromkeys(plain)) or tuple(fold_text(self.text).split())

    @cached_property
    def phrases(self) -> tuple[Tokens, ...]:
        """The words that stand side by side, the longest phrases first."""
        words = tokens(self.text)
        return tuple(
            words[begin : begin + length]
            for length in range(min(LONGEST_PHRASE, len(words)), 0, -1)
            for begin in range(len(words) - length + 1)
        )

    @cached_property
    def core(self) -> str:
        """The text without words that are in no name of a thing: ``Chrome`` of ``the version of Chrome?``."""
        kept = [word for word in self.text.split() if not _is_generic(word)]
        return " ".join(kept).strip(_ENDS) or self.text

    def weight(self, token: str) -> float:
        """Return how much a word tells, 1 at most."""
        return GENERIC_WEIGHT if token in GENERIC and len(self.tokens) > 1 else 1.0


def read_words(words: str) -> Asked:
    """Read a search; :class:`UsageError` where there is nothing to look for, or too much."""
    text = one_line(words)
    if not 0 < len(text) <= LONGEST:
        raise UsageError(
            f"The search is a text of {len(text):,} characters; give 1 to {LONGEST}: a few words such as uptime, the "
            "name of an app, a person or a device, an IMEI, a CVE."
        )
    return Asked(text)


@lru_cache(maxsize=8_192)
def tokens(text: str) -> Tokens:
    """Return the words of a text or a name as they are compared: folded, without endings, one word for alike ones.

    Remembered, as the same few thousand names and descriptions are compared in every search.
    """
    joined = f" {' '.join(_MARKS.sub(' ', fold_text(_CAMEL.sub(' ', text))).split())} "
    for apart, together in ONE_WORD.items():
        joined = joined.replace(f" {apart} ", f" {together} ")
    return tuple(_told(joined))


def _told(text: str) -> Iterator[str]:
    for word in text.split():
        if word not in STOP_WORDS:
            bare = _without_ending(word)
            yield ALIKE.get(bare, bare)


def _without_ending(word: str) -> str:
    """Return a word without the ending of a plural."""
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is", "as", "os")):
        return word[:-1]
    return word


def _is_generic(word: str) -> bool:
    """Tell whether a word asks for a kind of thing or a column, so that it is hardly the name of a thing."""
    found = tokens(word)
    return not found or found in _column_words() or all(token in GENERIC for token in found)


@cache
def _column_words() -> frozenset[Tokens]:
    phrases = (phrase for entry in (*TERMS, *NOT_MIRRORED) for phrase in entry.words)
    return frozenset(found for found in map(tokens, phrases) if len(found) == 1)
