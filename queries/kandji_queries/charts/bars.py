"""Bars and stacked bars of an answer: a category for each x, a small chart for each value of ``by``."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from kandji_queries.charts.chart import Chart
from kandji_queries.charts.colours import SERIES
from kandji_queries.charts.hint import ChartHint
from kandji_queries.charts.meanings import is_verdict, label_of, meaning_of
from kandji_queries.charts.number_text import number
from kandji_queries.charts.plot import (
    NO_VALUE,
    Category,
    Numbers,
    Panel,
    Plot,
    Series,
    added,
    bounded,
    cells,
    is_unknown,
    label,
    makes_sum,
    ordered,
)

MOST_PANELS = 8
"""Small charts of one picture."""

MOST_BARS = 60
"""Bars of all its small charts together, about."""

FEWEST_BARS = 6
"""Bars that a small chart may have however many there are."""

Item = tuple[Any, Any, Numbers]
"""What a row gives: the small chart, the category, the numbers."""


def bar_plot(chart: Chart) -> Plot:
    """Return the bars of a chart whose columns are all there."""
    hint = chart.hint
    numbers = zip(*(map(number, cells(chart, name)) for name in hint.y), strict=True)
    by = cells(chart, hint.by) if hint.by else [None] * len(chart.rows)
    items = list(zip(by, cells(chart, hint.x), numbers, strict=True))
    groups, remarks = _groups(items, hint)
    most = min(hint.top, max(FEWEST_BARS, MOST_BARS // max(len(groups), 1)))
    panels = tuple(Panel(name, tuple(_categories(found, most, hint))) for name, found in groups.items())
    return Plot(hint, tuple(series_of(hint.y)), panels, tuple(remarks))


def series_of(names: Sequence[str], *, judge: bool = True) -> Iterable[Series]:
    """Yield the parts of these columns or values: by meaning where they ``judge``, or the next colour without one."""
    free = iter(SERIES * (len(names) // len(SERIES) + 1))
    for name in names:
        meaning = meaning_of(name) if judge or is_unknown(name) else None
        yield Series(label_of(name), meaning or next(free))


def _groups(items: Sequence[Item], hint: ChartHint) -> tuple[dict[str | None, list[Item]], list[str]]:
    """Return the rows of each small chart by its label, and what is to be told of those that are none."""
    found: dict[str | None, list[Item]] = {}
    for item in items:
        found.setdefault(label(item[0]) if hint.by else None, []).append(item)
    if len(found) <= MOST_PANELS or not hint.by:
        return found, []
    names = list(found)
    if makes_sum(hint):
        names.sort(key=lambda name: -sum(v for item in found[name] for v in item[2] if v is not None))
    shown = {name: found[name] for name in found if name in names[: MOST_PANELS - 1]}
    left = [name for name in found if name not in shown]
    words = f"{len(left):,} others"
    if not makes_sum(hint):
        return shown, [f"{words} ({label_of(hint.by).lower()}) are in the table only."]
    return {**shown, words: [item for name in left for item in found[name]]}, []


def _categories(items: Sequence[Item], most: int, hint: ChartHint) -> Iterable[Category]:
    judge = is_verdict(hint.x)
    categories = [_category(value, numbers, judge) for _, value, numbers in items]
    merged = _merged(categories) if makes_sum(hint) else _one_unknown(categories)
    shown = bounded(ordered(merged, hint), most, hint)
    return shown if hint.order == "rows" else sorted(shown, key=lambda c: ("known", "others", "unknown").index(c.sort))


def _category(value: Any, numbers: Numbers, judge: bool) -> Category:
    if is_unknown(value):
        return Category(NO_VALUE, numbers, "unknown", "unknown")
    name = label(value)
    return Category(name, numbers, colour=meaning_of(name) if judge else None)


def _merged(categories: Sequence[Category]) -> list[Category]:
    """Add up categories of one name."""
    found: dict[tuple[str, str], Category] = {}
    for one in categories:
        key = (one.sort, one.label)
        found[key] = replace(found[key], values=added(found[key].values, one.values)) if key in found else one
    return list(found.values())


def _one_unknown(categories: Sequence[Category]) -> list[Category]:
    """Leave every category where numbers make no sum; of several unknown ones draw the mean."""
    unknown = [c for c in categories if c.sort == "unknown"]
    if len(unknown) < 2:
        return list(categories)
    means = tuple(_mean(numbers) for numbers in zip(*(c.values for c in unknown), strict=True))
    one = Category(f"{NO_VALUE} (mean of {len(unknown):,})", means, "unknown", "unknown")
    return [*(c for c in categories if c.sort != "unknown"), one]


def _mean(numbers: Numbers) -> float | None:
    known = [value for value in numbers if value is not None]
    return sum(known) / len(known) if known else None
