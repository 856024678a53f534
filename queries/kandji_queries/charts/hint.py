"""The line ``chart`` of a query's header: which picture fits its answer.

::

    -- chart: KIND x=COLUMN y=COLUMN[,COLUMN...] [by=COLUMN] [value=COLUMN] [unit=UNIT] [top=N] [order=rows|value]

``bar`` draws a bar for each x, ``stacked`` a bar for each x made of the parts y, ``line`` a line for each y over the
days or moments x, ``heat`` a cell for each x and y, coloured by ``value``. ``by`` makes a small chart of each of its
values, or a line of each. ``unit`` is the word behind numbers. At most ``top`` categories are drawn; what is left is
drawn as one more, "12 others".
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["bar", "stacked", "line", "heat"]
Order = Literal["rows", "value"]

KINDS: tuple[Kind, ...] = get_args(Kind)
ORDERS: tuple[Order, ...] = get_args(Order)
KEYS = ("x", "y", "by", "value", "unit", "top", "order")

TOP = 20
"""Categories that are drawn where a hint does not say how many."""

MOST = 50
"""Categories that a picture has at most."""

MOST_Y = 8
"""Parts or lines of one chart; more cannot be told apart."""

GRAMMAR = "KIND x=COLUMN y=COLUMN[,COLUMN...] [by=COLUMN] [value=COLUMN] [unit=UNIT] [top=N] [order=rows|value]"

_COLUMN = re.compile(r"[A-Za-z_]\w{0,99}")
_UNIT = re.compile(r"[^\W\d_]{1,30}")


@dataclass(frozen=True, kw_only=True)
class ChartHint:
    """Which picture fits an answer; every name is that of a column of it. ``value`` is of heat maps alone."""

    kind: Kind
    x: str
    y: tuple[str, ...]
    by: str | None = None
    value: str | None = None
    unit: str | None = None
    top: int = TOP
    order: Order = "rows"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are named, each once."""
        return tuple(dict.fromkeys(name for name in (self.x, *self.y, self.by, self.value) if name))

    def missing(self, columns: Collection[str]) -> tuple[str, ...]:
        """Return the columns that are named and that an answer with these has not."""
        return tuple(name for name in self.columns if name not in columns)


def read_hint(text: str) -> ChartHint:
    """Read what stands behind ``-- chart:``. :class:`ValueError` says what is wrong with it and what is right."""
    kind, *words = text.split() or [""]
    if kind not in KINDS:
        raise ValueError(f"a chart is {', '.join(KINDS)}, not {kind[:40]!r}; it is written as {GRAMMAR}")
    given = _pairs(words)
    hint = ChartHint(
        kind=kind,
        x=_column("x", given),
        y=_columns(given),
        by=_column("by", given) if "by" in given else None,
        value=_column("value", given) if "value" in given else None,
        unit=_unit(given),
        top=_top(given),
        order=_order(given),
    )
    _refuse_misfits(hint)
    return hint


def _pairs(words: list[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or key not in KEYS or not value:
            raise ValueError(f"{word[:40]!r} is none of {', '.join(f'{name}=' for name in KEYS)}")
        if key in found:
            raise ValueError(f"{key}= is there twice")
        found[key] = value
    return found


def _column(key: str, given: Mapping[str, str]) -> str:
    name = given.get(key)
    if name is None:
        raise ValueError(f"{key}= is missing; a chart is written as {GRAMMAR}")
    if not _COLUMN.fullmatch(name):
        raise ValueError(f"{key}={name[:40]} is no name of a column: letters, digits and _")
    return name


def _columns(given: Mapping[str, str]) -> tuple[str, ...]:
    names = given.get("y", "").split(",") if "y" in given else [_column("y", given)]
    found = tuple(_column("y", {"y": name}) for name in names)
    if len(set(found)) < len(found):
        raise ValueError("y= names a column twice")
    if len(found) > MOST_Y:
        raise ValueError(f"y= names {len(found)} columns; {MOST_Y} at most can be told apart")
    return found


def _unit(given: Mapping[str, str]) -> str | None:
    unit = given.get("unit")
    if unit is not None and not _UNIT.fullmatch(unit):
        raise ValueError(f"unit={unit[:40]} is no word: letters only")
    return unit


def _top(given: Mapping[str, str]) -> int:
    top = given.get("top", str(TOP))
    if not (top.isascii() and top.isdigit() and 1 <= int(top[:9]) <= MOST):
        raise ValueError(f"top={top[:40]} is no number from 1 to {MOST}")
    return int(top)


def _order(given: Mapping[str, str]) -> Order:
    order = given.get("order", "rows")
    if order not in ORDERS:
        raise ValueError(f"order={order[:40]} is none of {', '.join(ORDERS)}")
    return order


def _refuse_misfits(hint: ChartHint) -> None:
    if hint.kind == "heat":
        if hint.value is None or len(hint.y) != 1 or hint.by:
            raise ValueError("a heat map has one y=, value= for the colour, and no by=")
    elif hint.value:
        raise ValueError(f"value= is of heat maps; a {hint.kind} chart has its numbers in y=")
    if hint.kind == "bar" and len(hint.y) != 1:
        raise ValueError("a bar chart has one y=; stacked has several")
    if hint.kind == "line" and hint.by and len(hint.y) != 1:
        raise ValueError("a line for each value of by= has one y=")
    if hint.kind == "line" and hint.order != "rows":
        raise ValueError("order= is not for lines: they go by time")
