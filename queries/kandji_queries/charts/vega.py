"""What all views of Vega-Lite have in common: names of categories, the legend, the unit, letters."""

import json
from collections.abc import Sequence
from typing import Any

from kandji_queries.charts.colours import Palette
from kandji_queries.charts.layout import SIZE
from kandji_queries.charts.number_text import BYTES, PERCENT
from kandji_queries.charts.plot import Category, Plot
from kandji_queries.charts.words import shortened_names

Json = dict[str, Any]


def label_of(categories: Sequence[Category], columns: int) -> str:
    """Return the expression that has a category's name for its place: names need not differ."""
    return f"{json.dumps(shortened_names([category.label for category in categories], columns))}[datum.value]"


def legend(plot: Plot, palette: Palette, width: int) -> Json:
    """Return the colours of parts, with their names above the picture in the order of the parts."""
    return {
        "field": "part",
        "type": "nominal",
        "scale": {
            "domain": [series.label for series in plot.series],
            "range": [palette.marks[series.colour] for series in plot.series],
        },
        "legend": {"title": None, "orient": "top", "symbolType": "square", "columns": 8 if width > 600 else 4},
    }


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
        "legend": {"labelColor": palette.ink, "labelFontSize": SIZE, "labelLimit": 240},
        "text": {"fontSize": SIZE, "color": palette.ink},
    }
