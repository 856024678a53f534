"""Heat maps of an answer: a cell for each x and y."""

from kandji_queries.charts.chart import Chart
from kandji_queries.charts.number_text import number
from kandji_queries.charts.plot import (
    Category,
    Numbers,
    Panel,
    Plot,
    Series,
    Sort,
    bounded,
    cells,
    is_unknown,
    label,
    makes_sum,
    ordered,
    sum_of,
)

MOST_COLUMNS = 16
"""Columns of a heat map that fit beside each other."""


def heat_plot(chart: Chart) -> Plot:
    """Return the cells of a chart whose columns are all there: a category for each y, a series for each x."""
    hint = chart.hint
    numbers = [*map(number, cells(chart, str(hint.value)))]
    rows, columns = cells(chart, hint.y[0]), cells(chart, hint.x)
    names = list(dict.fromkeys(map(label, columns)))
    found: dict[str, dict[str, float | None]] = {}
    for row, column, value in zip(map(label, rows), map(label, columns), numbers, strict=True):
        cell = found.setdefault(row, {})
        cell[column] = sum_of((cell.get(column), value)) if makes_sum(hint) else value
    kept, left = names[:MOST_COLUMNS], names[MOST_COLUMNS:]
    series = [Series(name, "unknown" if is_unknown(name) else "1") for name in kept]
    remarks: tuple[str, ...] = ()
    if left and makes_sum(hint):
        series.append(Series(f"{len(left):,} others", "others"))
    elif left:
        remarks = (f"{len(left):,} others ({hint.x}) are in the table only.",)
    categories = [
        Category(name, _numbers(cell, kept, left if makes_sum(hint) else []), _sort(name))
        for name, cell in found.items()
    ]
    shown = bounded(ordered(categories, hint), hint.top, hint)
    return Plot(hint, tuple(series), (Panel(None, tuple(shown)),), remarks)


def _sort(name: str) -> Sort:
    return "unknown" if is_unknown(name) else "known"


def _numbers(cell: dict[str, float | None], kept: list[str], left: list[str]) -> Numbers:
    shown = tuple(cell.get(name) for name in kept)
    return (*shown, sum_of(cell.get(name) for name in left)) if left else shown
