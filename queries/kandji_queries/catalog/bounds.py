"""The bound of a query that leaves rows out: the 30 days of a list, the number that is few.

A header names the parameter, the value with which most rows come, and the column that says how far a row is off:

::

    -- beyond: days=3650 detection_date
    -- beyond: age_by=either model_year
    -- nearest: fewer_than=10000 items

What is said of them is in :mod:`kandji_queries.catalog.left_out`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kandji_queries.catalog.params import Param

LEFT_OUT = frozenset({"beyond", "nearest"})
"""The keys of a header that tell of it."""

_WRITTEN = re.compile(r"(?P<param>[a-z_]+)=(?P<widest>\w+) (?P<column>[a-z_]+)")


@dataclass(frozen=True)
class Bound:
    """The parameter that leaves rows out, its value that leaves out fewest, and the column that it bounds."""

    param: str
    widest: int | float | str
    column: str


def read_bound(words: str, params: Sequence[Param]) -> Bound:
    """Read ``days=3650 detection_date``; :class:`ValueError` where it is of no number or choice that is declared."""
    match = _WRITTEN.fullmatch(words)
    named = {param.name: param for param in params if param.kind in {"int", "float", "enum"}}
    if match is None or match["param"] not in named:
        raise ValueError(
            f"a bound is written as `days=3650 detected_at`, of a number or choice that is declared, not {words!r}"
        )
    return Bound(match["param"], named[match["param"]].value(match["widest"]), match["column"])
