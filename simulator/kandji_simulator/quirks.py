"""What differs between tenants and is not settled by the provider's documentation, as switches."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Quirks:
    """The first four are on; here is what False means.

    ``filters``: they are ignored without a word. ``prism_cursors``: Prism pages bring a total and no cursor.
    ``totals``: no list says how long it is. ``dates``: no answer has a ``Date`` header.
    ``clock`` is what the provider's clock, as seen in ``Date``, is ahead of the one it stamps rows with (the world's).
    Prism counts from ``approximate_counts_from`` on are approximate: rounded to two digits and marked so.
    """

    filters: bool = True
    prism_cursors: bool = True
    totals: bool = True
    dates: bool = True
    clock: timedelta = timedelta(0)
    approximate_counts_from: int = 100_000
