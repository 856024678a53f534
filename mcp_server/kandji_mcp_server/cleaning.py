"""Text as it may be shown to a model: without what a reader cannot see."""

from typing import Any

from kandji_schema.text import without_unseen


def cleaned(value: Any) -> Any:
    """A JSON-ready value with every text in it, keys included, stripped of what nobody sees; tabs and lines stay."""
    if isinstance(value, str):
        return without_unseen(value)
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    if isinstance(value, dict):
        return {cleaned(key): cleaned(item) for key, item in value.items()}
    return value
