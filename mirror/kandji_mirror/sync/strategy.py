"""The strategy: what a table needs now, and the numbers that decision rests on. Nothing here does anything.

From the declaration of a table, its published state and what the server was seen to lack follows one :class:`Method`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kandji_schema.durations import in_future
from kandji_schema.feeds import FETCHED, LOADED
from kandji_schema.manifest import TableState
from kandji_schema.resource import Paging, Resource

FEW_ROWS = 600
"""Up to so many rows (two pages) walking the pages costs less than an export."""

EXPORT_REQUESTS = 12
"""What an export costs, about: one to order it, the polls until it is ready."""

MOST_PAGES = 300
"""An increment of more pages is no longer the cheaper way, whatever else holds."""

SHORT_PAGES = 20
"""An increment of so few pages is taken even where an export costs a little less: it is there at once."""

MANY_ROWS = 300_000
"""A table of more rows takes minutes to read as a whole, however few requests that costs."""

DEVICES_A_REQUEST = 100
"""Device ids of one filter: the encoded query must stay below 6 KB (the provider's contract)."""


class Method(StrEnum):
    """The ways of reading a table. The value is what people see in ``status``."""

    FULL_WALK = "full walk"
    EXPORT = "export"
    INCREMENT = "increment"
    NEWEST_FIRST = "newest first"
    SWEEP = "sweep"
    PER_DEVICE = "per device"
    BY_DEVICE = "by device"
    FEED = FETCHED
    FEED_FILE = LOADED


@dataclass(frozen=True, kw_only=True)
class StrategyInputs:
    """What the choice of a method depends on.

    ``readable``: there is a data file with the columns of this version. ``whole``: everything is to be read anew.
    ``increments``, ``exports`` and ``prism`` are False where the provider was seen not to honour or allow them.
    """

    now: datetime
    readable: bool
    whole: bool = False
    increments: bool = True
    exports: bool = True
    prism: bool = True


def choose_method(resource: Resource, state: TableState, inputs: StrategyInputs) -> Method:
    """Return the way to read ``resource``; :func:`full_load_method` settles how to load all of a Prism table."""
    if resource.swept:
        return Method.SWEEP
    if resource.newest_first:
        return Method.NEWEST_FIRST
    if resource.paging is not Paging.PRISM:
        return Method.FULL_WALK
    if not inputs.prism and resource.fallback and state.method == Method.PER_DEVICE:
        return Method.PER_DEVICE
    if full_load_is_due(resource, state, inputs):
        return full_load_method(state.rows if inputs.readable else None, inputs)
    return Method.INCREMENT


def full_load_is_due(resource: Resource, state: TableState, inputs: StrategyInputs) -> bool:
    """Return whether a Prism table must be loaded in full: increments would not do, or have done for long enough."""
    return (
        inputs.whole
        or resource.repeats
        or not inputs.readable
        or not inputs.increments
        or state.method == Method.PER_DEVICE
        or state.whole_at is None
        or in_future(state.whole_at, inputs.now)
        or (resource.full_every is not None and inputs.now - state.whole_at >= resource.full_every)
    )


def full_load_method(rows: int | None, inputs: StrategyInputs) -> Method:
    """Return how to read all of a Prism table of about ``rows`` rows, None where nobody knows how many."""
    few = rows is not None and rows <= FEW_ROWS
    return Method.FULL_WALK if few or not inputs.exports else Method.EXPORT


def full_load_cost(rows: int, page_size: int, inputs: StrategyInputs) -> int:
    """Return the requests a full load of ``rows`` rows takes, about, the count included."""
    if full_load_method(rows, inputs) is Method.EXPORT:
        return 1 + EXPORT_REQUESTS
    return 1 + pages_of(rows, page_size)


def most_pages(rows: int, page_size: int, inputs: StrategyInputs, *, asked: bool) -> int:
    """Return the pages an increment of a table of ``rows`` rows may take before a full load is the better way.

    Where someone ``asked`` that is when it costs fewer requests; in the background the budget's plan counts on pages.
    """
    if not asked or rows > MANY_ROWS:
        return MOST_PAGES
    return min(MOST_PAGES, max(SHORT_PAGES, full_load_cost(rows, page_size, inputs)))


def devices_cost(devices: int, of: int, rows: int, page_size: int) -> int:
    """Return the requests it takes to ask for all rows of some devices ``of`` all that share ``rows`` rows."""
    return max(pages_of(rows * devices / max(1, of), page_size), pages_of(devices, DEVICES_A_REQUEST))


def pages_of(rows: float, page_size: int) -> int:
    """Return how many pages ``rows`` rows take; an empty list has one."""
    return max(1, -int(-rows // page_size))
