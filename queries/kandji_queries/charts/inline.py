"""A chart as SVG for a page: it takes its colours from variables and its letters from the page.

What :func:`inline_svg` returns is safe to mark as markup. Colours come with :func:`kandji_queries.charts.colours.css`.
It is drawn here and not by the extra, so that pages have pictures without it and in a millisecond.
"""

from collections.abc import Iterator

from kandji_queries.charts.chart import Chart
from kandji_queries.charts.inline_heat import heat_parts
from kandji_queries.charts.inline_lines import line_parts
from kandji_queries.charts.number_text import number_text
from kandji_queries.charts.plot import NO_VALUE, Category, Panel, Plot
from kandji_queries.charts.shaping import plot_of
from kandji_queries.charts.svg import SIZE, SMALL, box, picture, rule, words
from kandji_queries.charts.words import fitted, lines_of, text_width
from kandji_schema.text import escaped

WIDTH = 440
"""Pixels of a picture where it is neither made larger nor smaller: cards of pages have about so many."""

ROW = 25.0
"""From a bar to the next."""

BAR = 17.0

GAP = 7.0

LABELS = 0.4
"""Most of the width that names take."""

Parts = tuple[list[str], float]
"""Elements, and how high they are together."""


def inline_svg(chart: Chart, *, width: int = WIDTH) -> str:
    """Return a chart as an element ``svg`` that scales; ``width`` says for how many pixels it is laid out.

    :class:`ConfigurationError` where a column of the hint is not there.
    """
    plot = plot_of(chart)
    parts: list[str] = []
    height = 0.0
    for made, high in _pieces(plot, float(width)):
        parts.append(f'<g transform="translate(0 {height:.1f})">{"".join(made)}</g>' if height else "".join(made))
        height += high
    return picture(float(width), max(height, 24.0), escaped(chart.sentence), parts)


def _pieces(plot: Plot, width: float) -> Iterator[Parts]:
    if not any(panel.categories for panel in plot.panels):
        yield [words("Nothing to show.", 0, 17, colour="soft")], 24.0
    elif plot.hint.kind == "line":
        yield from ([_legend(plot, width)] if len(plot.series) > 1 else [])
        yield line_parts(plot, width)
    elif plot.hint.kind == "heat":
        yield heat_parts(plot, width)
    else:
        yield from ([_legend(plot, width)] if len(plot.series) > 1 else [])
        names = _names_room(plot, width)
        for panel in plot.panels:
            if panel.label:
                yield [words(fitted(panel.label, width, SIZE), 0, 20, bold=True)], 28.0
            yield _bars(plot, panel, width, names)
    for remark in plot.remarks:
        for line in lines_of(remark, int(width / 6)):
            yield [words(line, 0, 14, colour="soft", size=SMALL)], 18.0


def _legend(plot: Plot, width: float) -> Parts:
    """Return squares with the names of parts or lines, in their order, in as many rows as they need."""
    made, x, y = [], 0.0, 0.0
    for series in plot.series:
        name = fitted(series.label, width - 20, SMALL)
        wide = 17 + text_width(name, SMALL) + 14
        if x and x + wide > width:
            x, y = 0.0, y + 20
        made += [box(x, y + 3, 11, 11, series.colour), words(name, x + 16, y + 13, size=SMALL)]
        x += wide
    return made, y + 28


def _names_room(plot: Plot, width: float) -> float:
    """Return how wide the names are in all small charts, so that their bars begin below each other."""
    longest = max(text_width(c.label, SIZE) for panel in plot.panels for c in panel.categories)
    return min(longest, width * LABELS) + GAP


def _bars(plot: Plot, panel: Panel, width: float, names: float) -> Parts:
    ends = [end_text(category, plot) for p in plot.panels for category in p.categories]
    low, high = plot.limits
    room = width - names - max(text_width(end, SIZE) for end in ends) - GAP
    each = max(room, 40.0) / (high - low)
    zero = names - low * each
    made: list[str] = []
    for place, category in enumerate(panel.categories):
        y = place * ROW
        made += _bar(plot, category, zero, y + (ROW - BAR) / 2, each)
        made.append(_name(category, names, y))
        right = zero + each * sum(v for v in category.values if v is not None and v > 0)
        soft = all(v is None for v in category.values)
        made.append(words(end_text(category, plot), right + GAP - 1, y + 17, colour="soft" if soft else "ink"))
    made.append(rule(zero, 0, zero, len(panel.categories) * ROW, "soft"))
    return made, len(panel.categories) * ROW + 8


def _name(category: Category, names: float, y: float) -> str:
    colour = "ink" if category.sort == "known" else "soft"
    return words(fitted(category.label, names - GAP, SIZE), names - GAP, y + 17, colour=colour, anchor="end")


def _bar(plot: Plot, category: Category, zero: float, y: float, each: float) -> Iterator[str]:
    stacked = len(plot.series) > 1
    right, left = zero, zero
    for series, value in zip(plot.series, category.values, strict=True):
        if not value:
            continue
        colour = series.colour if stacked else category.colour or series.colour
        wide = abs(value) * each
        x = right if value > 0 else left - wide
        right, left = (right + wide, left) if value > 0 else (right, left - wide)
        text = number_text(value, plot.hint.unit)
        told = f"{category.label}: {series.label}, {text}" if stacked else f"{category.label}: {text}"
        yield box(x, y, wide - (1 if stacked and wide > 3 else 0), BAR, colour, told=told)
        if stacked and text_width(text, SMALL) + 8 < wide:
            yield words(text, x + wide / 2, y + 13, colour=f"on-{colour}", anchor="middle", size=SMALL)


def end_text(category: Category, plot: Plot) -> str:
    """Return what stands at the end of a bar: its number, what its parts are together, or why there is none."""
    if category.note:
        return category.note
    if all(value is None for value in category.values):
        return NO_VALUE
    return number_text(category.total, plot.hint.unit)
