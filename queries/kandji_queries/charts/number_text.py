"""Numbers of charts and their sentences, as people write them."""

from decimal import Decimal
from typing import Any

from kandji_schema.text import size

PERCENT = "percent"
BYTES = "bytes"

TOO_LARGE = 1e100
"""Numbers from here on measure nothing, and their sums would have no end."""

NOT_ADDED = frozenset({PERCENT, "days", "hours", "minutes", "seconds", "years", "version", "score"})
"""Units whose numbers make no sum: two devices of 10 days have no 20."""


def number(value: Any) -> float | None:
    """Return a cell as a number: None where it has none, booleans as 1 and 0."""
    if isinstance(value, (bool, int, float, Decimal)):
        try:
            found = float(value)
        except OverflowError:
            return None
        return found if abs(found) < TOO_LARGE else None  # nor is one that is no number
    return None


def number_text(value: float, unit: str | None = None) -> str:
    """Write a number with its thousands apart and one digit behind the point where it has any: ``1,234``, ``99.5``.

    Bytes are written by their own units, percent with the sign.
    """
    if unit == BYTES and value >= 0:
        return size(round(value))
    if abs(value) >= 1e15:
        return f"{value:.3g}"
    digits = 1 if abs(value) >= 0.05 or not value else 3
    written = f"{value:,.{digits}f}"
    written = written.rstrip("0").rstrip(".") if "." in written else written
    written = "0" if written == "-0" else written.replace("-", "\u2212")
    return f"{written} %" if unit == PERCENT else written


def short_number(value: float) -> str:
    """Write a number for an axis: ``1,500``, ``20k``, ``3.5M``."""
    for each, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= each:
            return f"{number_text(value / (1e3 if letter == 'k' else each))}{letter}"
    return number_text(value)


def tick_text(value: float, unit: str | None) -> str:
    """Write a number of an axis, percent and bytes with their units."""
    return number_text(value, unit) if unit in {PERCENT, BYTES} else short_number(value)
