"""Lines for a page: an axis with round numbers, dates below, gaps where nothing is known, numbers at the ends."""

import math
from collections.abc import Callable, Iterator, Sequence

from kandji_queries.charts.colours import variable
from kandji_queries.charts.number_text import BYTES, PERCENT, number_text, short_number
from kandji_queries.charts.plot import Category, Plot
from kandji_queries.charts.svg import SIZE, SMALL, element, rule, words
from kandji_queries.charts.words import fitted, text_width

HIGH = 170.0
"""Pixels of the field of lines."""

TOP = 12.0

MOST_DOTS = 32
"""A line of no more points has a dot at each."""

Point = tuple[float, float]


def line_parts(plot: Plot, width: float) -> tuple[list[str], float]:
    """Return the elements of a chart of lines, and how high it is."""
    points = plot.panels[0].categories
    low, high = plot.limits
    marks = ticks(low, high)
    low, high = min(low, marks[0]), max(high, marks[-1])
    names = [tick_text(mark, plot.hint.unit) for mark in marks]
    left = max(text_width(name, SMALL) for name in names) + 8
    right = width - max((text_width(text, SIZE) for text in _ends(plot)), default=0.0) - 10
    xs = _xs(points, left, right)

    def y(value: float) -> float:
        return TOP + HIGH * (1 - (value - low) / (high - low))

    made = []
    for mark, name in zip(marks, names, strict=True):
        made += [
            rule(left, y(mark), right, y(mark)),
            words(name, left - 6, y(mark) + 4, colour="soft", size=SMALL, anchor="end"),
        ]
    for place in range(len(plot.series)):
        made += _line(
            plot,
            place,
            [(x, None if (v := c.values[place]) is None else y(v)) for x, c in zip(xs, points, strict=True)],
        )
    made += _end_words(plot, xs, y)
    made += _dates(points, xs, left, right)
    return made, TOP + HIGH + 28


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return round numbers from the one end to the other: 0, 50, 100."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * nice for nice in (1, 2, 2.5, 5, 10) if power * nice >= rough * 0.999)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [step * place for place in range(first, last + 1)]


def tick_text(value: float, unit: str | None) -> str:
    """Write a number of an axis."""
    return number_text(value, unit) if unit in {PERCENT, BYTES} else short_number(value)


def runs(points: Sequence[tuple[float, float | None]]) -> Iterator[list[Point]]:
    """Yield the pieces of a line that have no gap."""
    run: list[Point] = []
    for x, y in points:
        if y is None:
            yield from ([run] if run else [])
            run = []
        else:
            run.append((x, y))
    yield from ([run] if run else [])


def _xs(points: Sequence[Category], left: float, right: float) -> list[float]:
    first, last = points[0].at, points[-1].at
    if first == last:
        return [(left + right) / 2 for _ in points]
    inset = 5.0
    return [left + inset + (right - left - 2 * inset) * (point.at - first) / (last - first) for point in points]


def _line(plot: Plot, place: int, points: Sequence[tuple[float, float | None]]) -> Iterator[str]:
    colour = variable(plot.series[place].colour)
    known = sum(y is not None for _, y in points)
    for run in runs(points):
        if len(run) > 1:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in run)
            yield element(
                "polyline",
                {"points": path, "fill": "none", "stroke": colour, "stroke_width": 2.5, "stroke_linejoin": "round"},
            )
        for x, y in run if len(run) == 1 or known <= MOST_DOTS else run[-1:]:
            yield element("circle", {"cx": x, "cy": y, "r": 3.0, "fill": colour})


def _ends(plot: Plot) -> list[str]:
    return [text for place in range(len(plot.series)) if (text := _end(plot, place)[1])]


def _end(plot: Plot, place: int) -> tuple[int, str]:
    """Return where the last known point of a line is, and its number."""
    points = plot.panels[0].categories
    known = [n for n, point in enumerate(points) if point.values[place] is not None]
    return (known[-1], number_text(points[known[-1]].values[place] or 0.0, plot.hint.unit)) if known else (0, "")


def _end_words(plot: Plot, xs: Sequence[float], y: Callable[[float], float]) -> Iterator[str]:
    """Yield the number at the end of each line, moved apart where they would lie upon each other."""
    points = plot.panels[0].categories
    ends: list[tuple[float, float, str]] = []
    for place in range(len(plot.series)):
        at, text = _end(plot, place)
        if text:
            ends.append((y(points[at].values[place] or 0.0) + 4, xs[at], text))
    lowest = -math.inf
    for wanted, x, text in sorted(ends):
        lowest = max(wanted, lowest + SIZE + 1)
        yield words(text, x + 7, lowest, bold=True)


def _dates(points: Sequence[Category], xs: Sequence[float], left: float, right: float) -> Iterator[str]:
    """Yield the first and the last date, and those between that have room."""
    shown = [(x, point.label) for x, point in zip(xs, points, strict=True) if point.label]
    wide = max(text_width(name, SMALL) for _, name in shown)
    y = TOP + HIGH + 18
    if len(shown) == 1:
        yield words(shown[0][1], shown[0][0], y, colour="soft", size=SMALL, anchor="middle")
        return
    yield words(fitted(shown[0][1], (right - left) / 2, SMALL), left, y, colour="soft", size=SMALL)
    yield words(fitted(shown[-1][1], (right - left) / 2, SMALL), right, y, colour="soft", size=SMALL, anchor="end")
    middle = min(shown, key=lambda pair: abs(pair[0] - (left + right) / 2))
    if left + wide + 12 < middle[0] - wide / 2 and middle[0] + wide / 2 < right - wide - 12:
        yield words(middle[1], middle[0], y, colour="soft", size=SMALL, anchor="middle")
