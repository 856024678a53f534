"""Text as it may be shown to a model: without what a reader cannot see."""

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
