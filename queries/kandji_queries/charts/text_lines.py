"""Lines as text: a field of columns for one line, a row of columns for each of several; gaps stay empty."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from kandji_queries.charts.number_text import number_text, tick_text
from kandji_queries.charts.plot import NO_VALUE, Category, Plot
from kandji_queries.charts.words import shortened
from kandji_queries.results.text_table import width as columns_of

HIGH = 8
"""Rows of the field of one line."""

LABELS = 0.3

_LEVELS = " ▁▂▃▄▅▆▇█"
_PLAIN = " .:#"

Painted = Callable[[str, str], str]
Words = Callable[[str], str]


def line_rows(plot: Plot, room: int, *, plain: bool, painted: Painted, words: Words) -> Iterator[str]:
    """Yield the rows of a chart of lines. ``painted`` gives a text a colour, ``words`` has it be seen everywhere."""
    points = plot.panels[0].categories
    named = [point.label for point in points if point.label]
    if len(plot.series) == 1:
        *field, foot = _field(plot, points, room, plain, painted)
        yield from (*field, foot)
        margin = max(map(len, _marks(plot))) + 2
        yield words(" " * margin + _ends(named, len(foot) - margin))
        return
    names = min(max(columns_of(series.label) for series in plot.series), int(room * LABELS))
    told = [_first_to_last(plot, place) for place in range(len(plot.series))]
    wide = max(room - names - max(map(columns_of, told)) - 4, 8)
    for place, series in enumerate(plot.series):
        name = shortened(series.label, names)
        cells = sampled(points, place, wide)
        (row,) = _columns(cells, plot.limits, 1, plain)
        gap = " " * (names - columns_of(name))
        yield f"{gap}{words(name)}  {painted(row, series.colour)}{' ' * (wide - len(row))}  {words(told[place])}"
    yield words(" " * (names + 2) + _ends(named, wide))


def sampled(points: Sequence[Category], place: int, wide: int) -> list[float | None]:
    """Return what a line is at so many places from its first to its last moment; None within a gap."""
    first, last = points[0].at, points[-1].at
    if first == last:
        return [points[-1].values[place]]
    cells: list[float | None] = [None] * wide
    for one, other in pairwise(points):
        start, end = (int((p.at - first) / (last - first) * (wide - 1) + 0.5) for p in (one, other))
        a, b = one.values[place], other.values[place]
        if a is not None:
            cells[start] = a
        if b is not None:
            cells[end] = b
        if a is not None and b is not None and end > start:
            cells[start : end + 1] = [a + (b - a) * n / (end - start) for n in range(end - start + 1)]
    return cells


def _field(plot: Plot, points: Sequence[Category], room: int, plain: bool, painted: Painted) -> Iterator[str]:
    top, bottom = _marks(plot)
    margin = max(len(top), len(bottom))
    known = [value for point in points if (value := point.values[0]) is not None]
    told = number_text(known[-1], plot.hint.unit) if known else NO_VALUE
    wide = max(room - margin - 4 - columns_of(told), 8)
    rows = _columns(sampled(points, 0, wide), plot.limits, HIGH, plain)
    beside = next((place for place, row in enumerate(rows) if not row[-1:].isspace()), 0)
    bar, corner = ("|", "+") if plain else ("│", "└")
    for place, row in enumerate(rows):
        name = top if place == 0 else bottom if place == HIGH - 1 else ""
        end = f" {told}" if place == beside else ""
        yield f"{name:>{margin}} {bar}{painted(row, plot.series[0].colour)}{end}"
    yield f"{' ' * margin} {corner}{('-' if plain else '─') * wide}"


def _marks(plot: Plot) -> tuple[str, str]:
    """Return what the upper and the lower end of the field are."""
    low, high = plot.limits
    return tick_text(high, plot.hint.unit), tick_text(low, plot.hint.unit)


def _columns(cells: Sequence[float | None], limits: tuple[float, float], rows: int, plain: bool) -> list[str]:
    """Return rows of characters, the highest first: each cell is a column as high as its number."""
    low, high = limits
    levels = _PLAIN if plain else _LEVELS
    most = len(levels) - 1
    heights = [0 if v is None else max(round((v - low) / (high - low) * rows * most), 1) for v in cells]
    return [
        "".join(levels[min(max(height - most * below, 0), most)] for height in heights)
        for below in reversed(range(rows))
    ]


def _first_to_last(plot: Plot, place: int) -> str:
    known = [v for point in plot.panels[0].categories if (v := point.values[place]) is not None]
    if not known:
        return NO_VALUE
    unit = plot.hint.unit
    return (
        f"{number_text(known[0], unit)} to {number_text(known[-1], unit)}"
        if len(known) > 1
        else number_text(known[0], unit)
    )


def _ends(named: Sequence[str], room: int) -> str:
    """Return the first and the last date below the ends of the field."""
    if len(named) < 2:
        return "".join(named)
    between = room - columns_of(named[0]) - columns_of(named[-1])
    return f"{named[0]}{' ' * max(between, 1)}{named[-1]}"
