"""Heat maps for a page: a cell with its number for each row and column, the deeper the more."""

from collections.abc import Iterator

from kandji_queries.charts.number_text import number_text, short_number
from kandji_queries.charts.plot import Category, Plot
from kandji_queries.charts.svg import SIZE, SMALL, box, element, words
from kandji_queries.charts.words import fitted, text_width

ROW = 27.0
LABELS = 0.36
"""Most of the width that names take."""

LEAST, MOST = 0.07, 0.5
"""Opacity of cells: words upon the deepest are read as well as on the ground."""

SLANTED = 96.0
"""Most that names of columns take above, where they are written aslant."""


def heat_parts(plot: Plot, width: float) -> tuple[list[str], float]:
    """Return the elements of a heat map, and how high it is."""
    rows = plot.panels[0].categories
    names = min(max(text_width(row.label, SIZE) for row in rows), width * LABELS) + 8
    each = (width - names) / len(plot.series)
    slanted = any(text_width(series.label, SMALL) > each - 6 for series in plot.series)
    longest = max(text_width(series.label, SMALL) for series in plot.series)
    top = min(longest * 0.72 + 14, SLANTED) if slanted else 22.0
    room = names + each * len(plot.series) - (34 if slanted else 0)
    each = (room - names) / len(plot.series) if slanted else each
    made = [*_heads(plot, names, each, top, slanted)]
    for place, row in enumerate(rows):
        y = top + place * ROW
        colour = "ink" if row.sort == "known" else "soft"
        made.append(words(fitted(row.label, names - 8, SIZE), names - 8, y + 18, colour=colour, anchor="end"))
        made += _cells(plot, row, names, y, each)
    return made, top + len(rows) * ROW + 6


def _heads(plot: Plot, names: float, each: float, top: float, slanted: bool) -> Iterator[str]:
    for place, series in enumerate(plot.series):
        x = names + each * (place + 0.5)
        if slanted:
            text = words(fitted(series.label, (top - 14) / 0.72, SMALL), 0, 0, size=SMALL)
            yield element("g", {"transform": f"translate({x:.1f} {top - 6:.1f}) rotate(-45)"}, text)
        else:
            yield words(fitted(series.label, each - 4, SMALL), x, top - 7, size=SMALL, anchor="middle")


def _cells(plot: Plot, row: Category, names: float, y: float, each: float) -> Iterator[str]:
    low, high = plot.limits
    for place, (series, value) in enumerate(zip(plot.series, row.values, strict=True)):
        x = names + each * place
        text = "unknown" if value is None else number_text(value, plot.hint.unit)
        told = f"{row.label}, {series.label}: {text}"
        deep = LEAST + (MOST - LEAST) * (0.0 if value is None else (value - low) / (high - low))
        colour = "unknown" if value is None else "1"
        yield box(x, y, each - 2, ROW - 2, colour, told=told, opacity=f"{0.3 if value is None else deep:.2f}")
        short = "?" if value is None else text if text_width(text, SMALL) < each - 4 else short_number(value)
        yield words(short, x + each / 2 - 1, y + 17, size=SMALL, anchor="middle")
