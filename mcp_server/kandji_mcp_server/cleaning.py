"""Text as it may be shown to a model: without what a reader cannot see."""

import re
from typing import Any

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
"""Control characters but tab and line feed, marks that reorder text, zero-width space, tag characters.

The joiners U+200C and U+200D stay: Persian, Indic scripts and emoji are written with them.
"""


def cleaned(value: Any) -> Any:
    """A JSON-ready value with every text in it, keys included, stripped of unseen characters."""
    if isinstance(value, str):
        return value if value.isascii() and value.isprintable() else _UNSEEN.sub("", value)
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    if isinstance(value, dict):
        return {cleaned(key): cleaned(item) for key, item in value.items()}
    return value
