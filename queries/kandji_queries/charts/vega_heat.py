"""Heat maps as Vega-Lite: the deeper a cell the more, with its number in it."""

import json
import math
from collections.abc import Iterator, Sequence

from kandji_queries.charts.colours import Palette
from kandji_queries.charts.layout import LETTER, SIZE, grid_layout
from kandji_queries.charts.number_text import number_text, short_number
from kandji_queries.charts.plot import NO_VALUE, Panel, Plot
from kandji_queries.charts.vega import Json, label_of
from kandji_queries.charts.words import shortened_names
from kandji_queries.results.text_table import width

STEP = 27

DEPTHS = (0.07, 0.5)
"""How much colour the least and the most of a heat map have: words upon both are read as on the ground."""

UNKNOWN_DEPTH = 0.3

NARROW = 34
"""Pixels of a cell that has wide seams."""

LEAST = 26
"""Pixels of the narrowest cell: three digits have room, in letters as large as elsewhere."""

DIGIT = 7.6
"""Pixels of a digit in wide letters: those of two cells must not run together."""

HEAD = 28
"""Letters of the name of a column."""


def heat_view(plot: Plot, panel: Panel, whole: int, palette: Palette) -> Json:
    """Return the view of a heat map."""
    room = grid_layout(plot, whole)
    each = max(room.field // len(plot.series), LEAST)
    names = shortened_names([series.label for series in plot.series], HEAD)
    fits = all(width(name) * LETTER < each - 4 for name in names)
    axis = {"ticks": False, "domain": False, "labelPadding": 6}
    place = {"type": "ordinal", "title": None}
    angle = {"labelAngle": 0} if fits else {"labelAngle": 40, "labelAlign": "right", "labelPadding": 4}
    columns = {**axis, **angle, "orient": "top", "labelExpr": f"{json.dumps(names)}[datum.value]"}
    unknown = {"test": "datum.v === null"}
    colour = {"condition": {**unknown, "value": palette.marks["unknown"]}, "value": palette.marks["1"]}
    depth = {
        "condition": {**unknown, "value": UNKNOWN_DEPTH},
        "field": "v",
        "type": "quantitative",
        "scale": {"domain": plot.limits, "range": DEPTHS, "clamp": True},
        "legend": None,
    }
    cell = {"type": "rect", "stroke": palette.ground, "invalid": "show"}
    return {
        "width": {"step": each},
        "height": {"step": STEP},
        "data": {"values": list(_rows(plot, panel, each))},
        "encoding": {
            "x": {"field": "s", **place, "axis": columns},
            "y": {"field": "c", **place, "axis": {**axis, "labelExpr": label_of(panel.categories, room.columns)}},
            "tooltip": [{"field": "name"}, {"field": "part"}, {"field": "text"}],
        },
        "layer": [
            {
                "mark": {**cell, "strokeWidth": 2 if each >= NARROW else 1},
                "encoding": {"color": colour, "fillOpacity": depth},
            },
            {
                "mark": {"type": "text", "fontSize": SIZE},
                "encoding": {"text": {"field": "short"}, "color": {"value": palette.ink}},
            },
        ],
    }


def _rows(plot: Plot, panel: Panel, each: int) -> Iterator[Json]:
    values = [value for category in panel.categories for value in category.values]
    texts = iter(_short(values, plot.hint.unit, each))
    for place, category in enumerate(panel.categories):
        for s, (series, value) in enumerate(zip(plot.series, category.values, strict=True)):
            yield {
                "c": place,
                "s": s,
                "name": category.label,
                "part": series.label,
                "v": value,
                "text": NO_VALUE if value is None else number_text(value, plot.hint.unit),
                "short": next(texts),
            }


def _short(values: Sequence[float | None], unit: str | None, each: int) -> list[str]:
    """Return what all cells have room for: everything, or no blank, no sign, or whole numbers: 99.9 is not yet 100."""
    whole = [NO_VALUE if value is None else number_text(value, unit) for value in values]
    for form in (
        whole,
        [text.replace(" %", "%").replace(NO_VALUE, "?") for text in whole],
        [text.replace(" %", "").replace(NO_VALUE, "?") for text in whole],
        ["?" if value is None else number_text(float(math.trunc(value))) for value in values],
    ):
        if all(len(text) * DIGIT < each - 2 for text in form):
            return form
    return ["?" if value is None else short_number(float(math.trunc(value))) for value in values]
