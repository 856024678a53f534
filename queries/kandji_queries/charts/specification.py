"""A chart as a specification of Vega-Lite: data inside, added up and bounded, nothing loaded from anywhere.

The same specification makes files (:mod:`kandji_queries.charts.drawing`), pictures of AI clients and of notebooks.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from kandji_queries.charts.chart import Chart
from kandji_queries.charts.colours import PALETTES, Palette, Theme
from kandji_queries.charts.number_text import BYTES, PERCENT, number_text
from kandji_queries.charts.plot import NO_VALUE, Category, Panel, Plot
from kandji_queries.charts.shaping import plot_of
from kandji_queries.charts.words import lines_of, shortened
from kandji_schema.text import escaped

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
"""What the language is called; nobody fetches it."""

WIDTH = 640
STEP = 26
"""Pixels of a bar and the space to the next."""

HEIGHT = 260
"""Pixels of a chart of lines."""

LABEL = 34
"""Characters of a category in the axis; the whole name is in the data."""

FAINT_TO_FULL = (0.08, 1.0)
"""How much of the colour a cell of a heat map has: a share of it on any ground, so that dark pages have it too."""

Json = dict[str, Any]


def specification(chart: Chart, *, width: int = WIDTH, theme: Theme = "light") -> Json:
    """Return the specification of a chart. ``width`` is of the field of bars or lines, in pixels.

    Title, sentence and date are in the picture, but for a page, which has them beside it.
    :class:`ConfigurationError` where a column of the hint is not there.
    """
    plot, palette = plot_of(chart), PALETTES[theme]
    make = {"line": _lines, "heat": _heat}.get(plot.hint.kind, _bars)
    panels = [make(plot, panel, width, palette) for panel in plot.panels]
    one = panels[0] if len(panels) == 1 else {"vconcat": panels, "spacing": 18} if panels else _empty(width, palette)
    of_page = theme == "page"
    return {
        "$schema": SCHEMA,
        "description": escaped(chart.sentence),
        **({} if of_page else {"title": _title(chart, plot, width, palette)}),
        "background": None if of_page else palette.ground,
        "padding": {"left": 16, "right": 16, "top": 4, "bottom": 4} if of_page else 16,
        "config": _config(palette) | ({"aria": False} if of_page else {}),
        **one,
    }


def remarks_of(chart: Chart) -> Sequence[str]:
    """Return what has to be said beside a picture without title: what was added up or left to the table."""
    return plot_of(chart).remarks


def _title(chart: Chart, plot: Plot, width: int, palette: Palette) -> Json:
    room = (width + 200) // 7
    below = [*lines_of(escaped(chart.sentence), room), *plot.remarks, *([escaped(chart.dated)] if chart.dated else [])]
    return {
        "text": lines_of(escaped(chart.title), room * 3 // 4),
        "subtitle": below,
        "anchor": "start",
        "frame": "bounds",
        "offset": 14,
        "color": palette.ink,
        "subtitleColor": palette.soft,
        "fontSize": 17,
        "subtitleFontSize": 12.5,
        "subtitlePadding": 6,
        "subtitleLineHeight": 17,
    }


def _bars(plot: Plot, panel: Panel, width: int, palette: Palette) -> Json:
    stacked = len(plot.series) > 1
    low, high = plot.limits
    y = {
        "field": "c",
        "type": "ordinal",
        "sort": None,
        "title": None,
        "axis": {"labelExpr": _label_of("datum.value", panel.categories), "ticks": False, "domain": False},
    }
    last = panel is plot.panels[-1]
    title = _unit_title(plot) if last else None
    x = {"field": "v", "type": "quantitative", "title": title, "scale": {"domain": [low, high]}}
    layers: list[Json] = [
        {
            "mark": {"type": "bar", "stroke": palette.ground, "strokeWidth": 1 if stacked else 0},
            "encoding": {
                "x": {**x, "stack": "zero" if stacked else None, "axis": _number_axis(plot) if stacked else None},
                "color": _colours(plot, palette) if stacked else {"field": "fill", "type": "nominal", "scale": None},
                "order": {"field": "s", "type": "quantitative"},
                "tooltip": [{"field": "name"}, {"field": "part"}, {"field": "text"}],
            },
        },
        {
            "mark": {"type": "text", "align": "left", "dx": 5, "color": palette.ink, "clip": False},
            "transform": [{"filter": "datum.end !== null"}],
            "encoding": {"x": {**x, "field": "end", **({} if stacked else {"axis": None})}, "text": {"field": "total"}},
        },
    ]
    return {
        **({"title": _panel_title(panel, palette)} if panel.label else {}),
        "width": width,
        "height": {"step": STEP},
        "data": {"values": list(_bar_rows(plot, panel, palette))},
        "encoding": {"y": y},
        "layer": layers,
    }


def _bar_rows(plot: Plot, panel: Panel, palette: Palette) -> Iterator[Json]:
    for place, category in enumerate(panel.categories):
        total = category_text(category, plot)
        for s, (series, value) in enumerate(zip(plot.series, category.values, strict=True)):
            mark = category.colour or series.colour
            yield {
                "c": place,
                "s": s,
                "name": category.label,
                "part": series.label,
                "v": value,
                "text": NO_VALUE if value is None else number_text(value, plot.hint.unit),
                "fill": palette.marks[mark],
                "end": max(0.0, category.total) if s == 0 else None,
                "total": total,
            }


def category_text(category: Category, plot: Plot) -> str:
    """Return what stands at the end of a bar: its number, what all its parts are together, or why there is none."""
    if category.note:
        return category.note
    if all(value is None for value in category.values):
        return NO_VALUE
    return number_text(category.total, plot.hint.unit)


def _lines(plot: Plot, panel: Panel, width: int, palette: Palette) -> Json:
    low, high = plot.limits
    several = len(plot.series) > 1
    x: Json = {"field": "x", "type": "ordinal", "sort": None, "title": None}
    if plot.timed:
        x = {"field": "x", "type": "temporal", "title": None, "scale": {"type": "utc"}, "axis": {"labelOverlap": True}}
    colour = _colours(plot, palette) if several else {"value": palette.marks[plot.series[0].colour]}
    y = {"field": "v", "type": "quantitative", "title": _unit_title(plot), "scale": {"domain": [low, high]}}
    tooltip = [{"field": "label"}, {"field": "part"}, {"field": "text"}]
    point = {"type": "point", "filled": True, "size": 28, "opacity": 1}
    return {
        "width": width,
        "height": HEIGHT,
        "data": {"values": list(_line_rows(plot, panel))},
        "encoding": {"x": x, "y": {**y, "axis": _number_axis(plot)}, "color": colour},
        "layer": [
            {"mark": {"type": "line", "strokeWidth": 2.5, "invalid": "break-paths-show-path-domains"}},
            {"mark": point, "transform": [{"filter": "datum.dot"}], "encoding": {"tooltip": tooltip}},
            {
                "mark": {"type": "text", "align": "left", "dx": 7, "fontWeight": "bold"},
                "transform": [{"filter": "datum.last"}],
                "encoding": {"text": {"field": "text"}},
            },
        ],
    }


def _line_rows(plot: Plot, panel: Panel) -> Iterator[Json]:
    points = panel.categories
    for s, series in enumerate(plot.series):
        values = [point.values[s] for point in points]
        known = [place for place, value in enumerate(values) if value is not None]
        for place, (point, value) in enumerate(zip(points, values, strict=True)):
            alone = value is not None and place - 1 not in known[-1:] and _alone(values, place)
            yield {
                "x": f"{datetime.fromtimestamp(point.at, UTC):%Y-%m-%dT%H:%M:%SZ}" if plot.timed else point.label,
                "v": value,
                "part": series.label,
                "label": point.label,
                "text": NO_VALUE if value is None else number_text(value, plot.hint.unit),
                "dot": value is not None and (alone or len(known) <= 40 or place == known[-1]),
                "last": bool(known) and place == known[-1],
            }


def _alone(values: Sequence[float | None], place: int) -> bool:
    """Tell whether a point has no neighbour, so that no line shows it."""
    return all(v is None for v in (*values[max(place - 1, 0) : place], *values[place + 1 : place + 2]))


def _heat(plot: Plot, panel: Panel, width: int, palette: Palette) -> Json:
    low, high = plot.limits
    names = [shortened(series.label, LABEL // 2) for series in plot.series]
    rows = [
        {
            "c": place,
            "s": s,
            "name": category.label,
            "part": series.label,
            "v": value,
            "text": NO_VALUE if value is None else number_text(value, plot.hint.unit),
            "light": value is not None and (value - low) / (high - low) > 0.6,
        }
        for place, category in enumerate(panel.categories)
        for s, (series, value) in enumerate(zip(plot.series, category.values, strict=True))
    ]
    columns = json.dumps(names)
    axis = {"ticks": False, "domain": False}
    return {
        "width": {"step": max(width // max(len(names), 1), 44)},
        "height": {"step": STEP},
        "data": {"values": rows},
        "encoding": {
            "x": {
                "field": "s",
                "type": "ordinal",
                "title": None,
                "axis": {**axis, "orient": "top", "labelAngle": -35, "labelExpr": f"{columns}[datum.value]"},
            },
            "y": {
                "field": "c",
                "type": "ordinal",
                "title": None,
                "axis": {**axis, "labelExpr": _label_of("datum.value", panel.categories)},
            },
            "tooltip": [{"field": "name"}, {"field": "part"}, {"field": "text"}],
        },
        "layer": [
            {
                "mark": {"type": "rect", "stroke": palette.line, "strokeWidth": 1},
                "encoding": {
                    "color": {
                        "condition": {"test": "datum.v === null", "value": palette.marks["unknown"]},
                        "value": palette.marks["1"],
                    },
                    "fillOpacity": {
                        "condition": {"test": "datum.v === null", "value": 1},
                        "field": "v",
                        "type": "quantitative",
                        "scale": {"domain": [low, high], "range": FAINT_TO_FULL},
                        "legend": None,
                    },
                },
            },
            {
                "mark": {"type": "text"},
                "encoding": {
                    "text": {"field": "text"},
                    "color": {
                        "condition": {"test": "datum.light || datum.v === null", "value": palette.on("1")},
                        "value": palette.ink,
                    },
                },
            },
        ],
    }


def _empty(width: int, palette: Palette) -> Json:
    text = {"type": "text", "text": "no rows", "color": palette.soft, "fontSize": 14}
    return {"width": width, "height": 60, "data": {"values": [{}]}, "mark": text}


def _label_of(value: str, categories: Sequence[Category]) -> str:
    """Return the expression that has a category's name for its place: names need not differ."""
    return f"{json.dumps([shortened(category.label, LABEL) for category in categories])}[{value}]"


def _colours(plot: Plot, palette: Palette) -> Json:
    domain = [series.label for series in plot.series]
    return {
        "field": "part",
        "type": "nominal",
        "scale": {"domain": domain, "range": [palette.marks[series.colour] for series in plot.series]},
        "legend": {"title": None, "orient": "top", "symbolType": "square", "columns": 4},
    }


def _number_axis(plot: Plot) -> Json:
    return {
        "grid": True,
        "domain": False,
        "ticks": False,
        "tickCount": 5,
        "format": "~s" if plot.limits[1] >= 1e4 else ",.2~f",
    }


def _unit_title(plot: Plot) -> str | None:
    unit = plot.hint.unit
    return {PERCENT: "%", BYTES: BYTES}.get(unit, unit) if unit else None


def _panel_title(panel: Panel, palette: Palette) -> Json:
    text = shortened(panel.label or "", LABEL * 2)
    return {"text": text, "anchor": "start", "fontSize": 13, "color": palette.ink, "frame": "group"}


def _config(palette: Palette) -> Json:
    words = {"labelColor": palette.ink, "titleColor": palette.soft, "titleFontWeight": "normal"}
    return {
        "view": {"stroke": None},
        "font": "sans-serif",
        "axis": {**words, "gridColor": palette.line, "labelFontSize": 12, "titleFontSize": 12, "labelLimit": 280},
        "legend": {"labelColor": palette.ink, "labelFontSize": 12, "labelLimit": 240},
        "text": {"fontSize": 12, "color": palette.ink},
        "bar": {"cornerRadius": 0},
    }
