"""Which way a table is read this time: a decision about facts, without doing anything."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kandji_schema.durations import in_future
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


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the choice depends on.

    ``readable``: there is a data file with the columns of this version. ``whole``: everything is to be read anew.
    ``increments``, ``exports`` and ``prism`` are False where the provider was seen not to honour or allow them.
    """

    now: datetime
    readable: bool
    whole: bool = False
    increments: bool = True
    exports: bool = True
    prism: bool = True


def method(resource: Resource, state: TableState, facts: Facts) -> Method:
    """The way to read ``resource``. FULL_WALK and EXPORT of a Prism table are settled by :func:`whole_method`."""
    if resource.swept:
        return Method.SWEEP
    if resource.newest_first:
        return Method.NEWEST_FIRST
    if resource.paging is not Paging.PRISM:
        return Method.FULL_WALK
    if not facts.prism and resource.fallback and state.method == Method.PER_DEVICE:
        return Method.PER_DEVICE
    if whole_is_due(resource, state, facts):
        return whole_method(state.rows if facts.readable else None, facts)
    return Method.INCREMENT


def whole_is_due(resource: Resource, state: TableState, facts: Facts) -> bool:
    """Whether a Prism table must be read as a whole: increments would not do, or have done for long enough."""
    return (
        facts.whole
        or resource.repeats
        or not facts.readable
        or not facts.increments
        or state.method == Method.PER_DEVICE
        or state.whole_at is None
        or in_future(state.whole_at, facts.now)
        or (resource.full_every is not None and facts.now - state.whole_at >= resource.full_every)
    )


def whole_method(rows: int | None, facts: Facts) -> Method:
    """How to read all of a Prism table of about ``rows`` rows, None where nobody knows how many."""
    few = rows is not None and rows <= FEW_ROWS
    return Method.FULL_WALK if few or not facts.exports else Method.EXPORT


def whole_cost(rows: int, page_size: int, facts: Facts) -> int:
    """Requests a whole read of ``rows`` rows takes, about, the count included."""
    if whole_method(rows, facts) is Method.EXPORT:
        return 1 + EXPORT_REQUESTS
    return 1 + pages_of(rows, page_size)


def most_pages(rows: int, page_size: int, facts: Facts, *, asked: bool) -> int:
    """Pages an increment of a table of ``rows`` rows may take before a whole read is the better way.

    Where someone ``asked`` that is when it costs fewer requests; in the background the budget's plan counts on pages.
    """
    if not asked or rows > MANY_ROWS:
        return MOST_PAGES
    return min(MOST_PAGES, max(SHORT_PAGES, whole_cost(rows, page_size, facts)))


def devices_cost(devices: int, of: int, rows: int, page_size: int) -> int:
    """Requests it takes to ask for all rows of some devices ``of`` all that share ``rows`` rows."""
    return max(pages_of(rows * devices / max(1, of), page_size), pages_of(devices, DEVICES_A_REQUEST))


def pages_of(rows: float, page_size: int) -> int:
    """Pages of ``rows`` rows; an empty list has one."""
    return max(1, -int(-rows // page_size))
