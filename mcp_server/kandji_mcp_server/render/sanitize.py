"""Text as it may be shown to a model: without what a reader cannot see."""

import re
from typing import Any

from kandji_schema.text import without_unseen


def sanitized(value: Any) -> Any:
    """Strip every text of a JSON-ready value, keys included, of what nobody sees; tabs and lines stay."""
    if isinstance(value, str):
        return without_unseen(value)
    if isinstance(value, list):
        return [sanitized(item) for item in value]
    if isinstance(value, dict):
        return {sanitized(key): sanitized(item) for key, item in value.items()}
    return value


_DOUBTFUL = re.compile(r"\\[bfru]|[0-9]{16}")
"""In JSON: how a character that nobody sees may be written, and a number that readers may round."""


def is_plain_json(text: str) -> bool:
    """Tell whether a document has nothing to strip and no number to write as a text, from its JSON alone.

    One look at the text takes a fraction of the time of one at every value. Where it is in doubt, the answer is no.
    """
    return text.isascii() and text.isprintable() and not _DOUBTFUL.search(text)


EXACT = 2**53
"""Whole numbers up to here are the same in every reader of JSON; most round those beyond."""


def exact_numbers(value: Any) -> Any:
    """Return a JSON-ready value with whole numbers that readers would round as texts."""
    if type(value) is int:
        return value if -EXACT <= value <= EXACT else str(value)
    if isinstance(value, list):
        return [exact_numbers(item) for item in value]
    if isinstance(value, dict):
        return {key: exact_numbers(item) for key, item in value.items()}
    return value
