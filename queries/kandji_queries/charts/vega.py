"""What all views of Vega-Lite have in common: names of categories, the legend, the unit, letters."""

import json
from collections.abc import Sequence
from typing import Any

from kandji_queries.charts.colours import Palette
from kandji_queries.charts.layout import LETTER, SIZE
from kandji_queries.charts.number_text import BYTES, PERCENT
from kandji_queries.charts.plot import Category, Plot
from kandji_queries.charts.words import shortened_names
from kandji_queries.results.text_table import width

Json = dict[str, Any]

SYMBOL = 30
"""Pixels of the colour beside a name of the legend, and of the space to the next."""


def label_of(categories: Sequence[Category], columns: int) -> str:
    """Return the expression that has a category's name for its place: names need not differ."""
    return f"{json.dumps(shortened_names([category.label for category in categories], columns))}[datum.value]"


def legend(plot: Plot, palette: Palette, whole: int) -> Json:
    """Return the colours of parts, with their names above the picture in the order of the parts."""
    return {
        "field": "part",
        "type": "nominal",
        "scale": {
            "domain": [series.label for series in plot.series],
            "range": [palette.marks[series.colour] for series in plot.series],
        },
        "legend": {"title": None, "orient": "top", "symbolType": "square", "columns": _columns(plot, whole)},
    }


def _columns(plot: Plot, whole: int) -> int:
    """Return how many names of parts stand beside each other, so that a picture is not made smaller for them."""
    names = [width(series.label) * LETTER + SYMBOL for series in plot.series]
    fitting = (n for n in range(len(names), 1, -1) if sum(max(names[place::n]) for place in range(n)) <= whole)
    return next(fitting, 1)


def unit_title(plot: Plot) -> str | None:
    """Return the word behind the numbers; None where each number has its sign."""
    return None if plot.hint.unit in {PERCENT, BYTES} else plot.hint.unit


def config(palette: Palette) -> Json:
    """Return how letters, rules and legends look."""
    words = {"labelColor": palette.ink, "titleColor": palette.soft, "titleFontWeight": "normal"}
    return {
        "view": {"stroke": None},
        "font": "sans-serif",
        "axis": {
            **words,
            "gridColor": palette.line,
            "domainColor": palette.soft,
            "tickColor": palette.line,
            "labelFontSize": SIZE,
            "titleFontSize": SIZE,
            "labelLimit": 400,
        },
        "legend": {
            "labelColor": palette.ink,
            "labelFontSize": SIZE,
            "labelLimit": 240,
            "layout": {"top": {"anchor": "end"}},  # over the names, which leave it more room than bars do
        },
        "text": {"fontSize": SIZE, "color": palette.ink},
    }
