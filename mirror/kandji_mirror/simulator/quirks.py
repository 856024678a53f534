"""What differs between tenants and is not settled by the provider's documentation, as switches."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Quirks:
    """Each is on; here is what False means.

    ``filters``: they are ignored without a word. ``prism_cursors``: Prism pages bring a total and no cursor.
    ``totals``: neither ``x-total-count`` nor Prism's ``total`` is sent.
    """

    filters: bool = True
    prism_cursors: bool = True
    totals: bool = True
