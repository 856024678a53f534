"""Bars as Vega-Lite: numbers stand at their ends and in their parts, so that they need no axis of numbers."""

from collections.abc import Iterator

from kandji_queries.charts.colours import Palette
from kandji_queries.charts.layout import SIZE, bar_layout
from kandji_queries.charts.number_text import number_text
from kandji_queries.charts.plot import NO_VALUE, Panel, Plot, category_text
from kandji_queries.charts.vega import Json, label_of, legend, unit_title
from kandji_queries.charts.words import shortened

STEP = 25
"""Pixels of a bar and the space to the next."""

DIGIT = 6.7
"""Pixels of a letter of a number within a bar."""


def bar_view(plot: Plot, panel: Panel, whole: int, palette: Palette) -> Json:
    """Return the view of one small chart, or of the only one."""
    room = bar_layout(plot, whole)
    y = {
        "field": "c",
        "type": "ordinal",
        "sort": None,
        "title": None,
        "scale": {"paddingInner": 0.28, "paddingOuter": 0.14},
        "axis": {
            "labelExpr": label_of(panel.categories, room.columns),
            "ticks": False,
            "labelPadding": 6,
            "domain": plot.limits_in(panel)[0] >= 0,
            "zindex": 1,
        },
    }
    x = {
        "field": "v",
        "type": "quantitative",
        "title": unit_title(plot) if panel is plot.panels[-1] else None,
        "scale": {"domain": plot.limits_in(panel), "nice": False},
        "axis": {"labels": False, "grid": False, "ticks": False, "domain": False, "titleAnchor": "start"},
    }
    title = {"text": shortened(panel.label or "", whole // 8), "anchor": "start", "fontSize": 13, "frame": "group"}
    return {
        **({"title": {**title, "color": palette.ink, "offset": 6}} if panel.label else {}),
        "width": room.field,
        "height": {"step": STEP},
        "data": {"values": list(_rows(plot, panel, room.field, palette))},
        "encoding": {"y": y, "order": {"field": "s", "type": "quantitative"}},
        "layer": [*_marks(plot, x, whole, palette), *_ends(plot, panel, x, palette)],
    }


def _marks(plot: Plot, x: Json, whole: int, palette: Palette) -> Iterator[Json]:
    """Yield the bars, and of parts the numbers within them."""
    stacked = len(plot.series) > 1
    stack = {**x, "stack": "zero" if stacked else None}
    fill = {"field": "fill", "type": "nominal", "scale": None}
    yield {
        "mark": {"type": "bar", "stroke": palette.ground, "strokeWidth": 1 if stacked else 0},
        "encoding": {
            "x": stack,
            "color": legend(plot, palette, whole) if stacked else fill,
            "tooltip": [{"field": "name"}, {"field": "part"}, {"field": "text"}],
        },
    }
    if stacked:
        yield {
            "mark": {"type": "text", "align": "center", "fontSize": SIZE - 1},
            "encoding": {
                "x": {**stack, "bandPosition": 0.5},
                "text": {"field": "inside"},
                "color": {"field": "on", "type": "nominal", "scale": None},
            },
        }


def _ends(plot: Plot, panel: Panel, x: Json, palette: Palette) -> Iterator[Json]:
    """Yield what stands at the ends of bars, and strokes across one that is longer than the picture."""
    yield {
        "mark": {"type": "text", "align": "left", "dx": 5, "color": palette.ink},
        "transform": [{"filter": "datum.end !== null"}],
        "encoding": {"x": {**x, "field": "end"}, "text": {"field": "total"}},
    }
    if plot.limits_in(panel)[0] < 0:
        yield {"mark": {"type": "rule", "color": palette.soft}, "encoding": {"x": {"datum": 0}, "y": None}}
    if len(plot.series) == 1 and any(plot.drawn(category, panel) < 1 for category in panel.categories):
        yield {
            "mark": {"type": "text", "text": "//", "dx": -14, "fontSize": 20, "fontWeight": "bold"},
            "transform": [{"filter": "datum.cut && datum.s === 0"}],
            "encoding": {"x": {**x, "field": "end"}, "color": {"value": palette.ground}},
        }


def _rows(plot: Plot, panel: Panel, field: int, palette: Palette) -> Iterator[Json]:
    low, high = plot.limits_in(panel)
    for place, category in enumerate(panel.categories):
        drawn = plot.drawn(category, panel)
        for s, (series, value) in enumerate(zip(plot.series, category.values, strict=True)):
            mark = category.colour or series.colour if len(plot.series) == 1 else series.colour
            text = NO_VALUE if value is None else number_text(value, plot.hint.unit)
            has_room = value is not None and abs(value) * drawn / (high - low) * field > DIGIT * len(text) + 4
            yield {
                "c": place,
                "s": s,
                "name": category.label,
                "part": series.label,
                "v": None if value is None else value * drawn,
                "text": text,
                "inside": text if has_room and value else "",
                "on": palette.on(mark),
                "fill": palette.marks[mark],
                "end": min(max(0.0, category.total), high) if s == 0 else None,
                "total": category_text(category, plot),
                "cut": drawn < 1,
            }
