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
from kandji_queries.charts.plot import NO_VALUE, Category, Panel, Plot, category_text
from kandji_queries.charts.shaping import plot_of
from kandji_queries.charts.words import lines_of, shortened, shortened_names
from kandji_schema.text import escaped

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
"""What the language is called; nobody fetches it."""

WIDTH = 640
DEPTHS = (0.07, 0.5)
"""How much colour the least and the most of a heat map have: words upon both are read as on the ground."""

UNKNOWN_DEPTH = 0.3

STEP = 26
"""Pixels of a bar and the space to the next."""

HEIGHT = 260
"""Pixels of a chart of lines."""

LABEL = 34
"""Characters of a category in the axis; the whole name is in the data."""

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
    return plot_of(chart).told


def _title(chart: Chart, plot: Plot, width: int, palette: Palette) -> Json:
    room = (width + 200) // 7
    below = [*lines_of(escaped(chart.sentence), room), *plot.told, *([escaped(chart.dated)] if chart.dated else [])]
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
    low, high = plot.limits
    y = {
        "field": "c",
        "type": "ordinal",
        "sort": None,
        "title": None,
        "axis": {"labelExpr": _label_of(panel.categories), "ticks": False, "domain": False, "labelPadding": 6},
    }
    unit = {"labels": False, "grid": False, "ticks": False, "domain": False}
    x = {
        "field": "v",
        "type": "quantitative",
        "title": _unit_title(plot) if panel is plot.panels[-1] else None,
        "scale": {"domain": [low, high], "nice": False},
        "axis": unit,
    }
    return {
        **({"title": _panel_title(panel, palette)} if panel.label else {}),
        "width": width,
        "height": {"step": STEP},
        "data": {"values": list(_bar_rows(plot, panel, width, palette))},
        "encoding": {"y": y, "order": {"field": "s", "type": "quantitative"}},
        "layer": [*_bar_marks(plot, x, palette), _bar_ends(x, palette)],
    }


def _bar_marks(plot: Plot, x: Json, palette: Palette) -> Iterator[Json]:
    """Yield the bars, and of parts the numbers within them."""
    stacked = len(plot.series) > 1
    stack = {**x, "stack": "zero" if stacked else None}
    fill = {"field": "fill", "type": "nominal", "scale": None}
    yield {
        "mark": {"type": "bar", "clip": True, "stroke": palette.ground, "strokeWidth": 1 if stacked else 0},
        "encoding": {
            "x": stack,
            "color": _colours(plot, palette) if stacked else fill,
            "tooltip": [{"field": "name"}, {"field": "part"}, {"field": "text"}],
        },
    }
    if stacked:
        yield {
            "mark": {"type": "text", "align": "center", "fontSize": 11},
            "encoding": {
                "x": {**stack, "bandPosition": 0.5},
                "text": {"field": "inside"},
                "color": {"field": "on", "type": "nominal", "scale": None},
            },
        }


def _bar_ends(x: Json, palette: Palette) -> Json:
    return {
        "mark": {"type": "text", "align": "left", "dx": 5, "color": palette.ink},
        "transform": [{"filter": "datum.end !== null"}],
        "encoding": {"x": {**x, "field": "end"}, "text": {"field": "total"}},
    }


def _bar_rows(plot: Plot, panel: Panel, width: int, palette: Palette) -> Iterator[Json]:
    low, high = plot.limits
    for place, category in enumerate(panel.categories):
        for s, (series, value) in enumerate(zip(plot.series, category.values, strict=True)):
            mark = category.colour or series.colour if len(plot.series) == 1 else series.colour
            text = NO_VALUE if value is None else number_text(value, plot.hint.unit)
            has_room = value is not None and abs(value) / (high - low) * width > 7 * len(text) + 6
            yield {
                "c": place,
                "s": s,
                "name": category.label,
                "part": series.label,
                "v": value,
                "text": text,
                "inside": text if has_room else "",
                "on": palette.on(mark),
                "fill": palette.marks[mark],
                "end": min(max(0.0, category.total), high) if s == 0 else None,
                "total": category_text(category, plot),
            }


def _lines(plot: Plot, panel: Panel, width: int, palette: Palette) -> Json:
    low, high = plot.limits
    several = len(plot.series) > 1
    x: Json = {"field": "x", "type": "ordinal", "sort": None, "title": None}
    if plot.timed:
        x = {"field": "x", "type": "temporal", "title": None, "scale": {"type": "utc"}, "axis": _time_axis(panel)}
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
                "encoding": {"text": {"field": "text"}, "color": {"value": palette.ink}},
            },
        ],
    }


def _time_axis(panel: Panel) -> Json:
    days = (panel.categories[-1].at - panel.categories[0].at) / 86_400 if panel.categories else 0
    form = "%H:%M" if 0 < days < 2 else "%-d %b" if days < 200 else "%b %Y"
    return {"format": form, "labelOverlap": True, "grid": False, "tickCount": min(max(len(panel.categories), 1), 8)}


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
    names = shortened_names([series.label for series in plot.series], LABEL // 2)
    axis = {"ticks": False, "domain": False, "labelPadding": 6}
    place = {"type": "ordinal", "title": None}
    columns = {**axis, "orient": "top", "labelAngle": -35, "labelExpr": f"{json.dumps(names)}[datum.value]"}
    unknown = {"test": "datum.v === null"}
    colour = {"condition": {**unknown, "value": palette.marks["unknown"]}, "value": palette.marks["1"]}
    depth = {
        "condition": {**unknown, "value": UNKNOWN_DEPTH},
        "field": "v",
        "type": "quantitative",
        "scale": {"domain": [low, high], "range": DEPTHS},
        "legend": None,
    }
    return {
        "width": {"step": max(width // max(len(names), 1), 44)},
        "height": {"step": STEP},
        "data": {"values": list(_heat_rows(plot, panel))},
        "encoding": {
            "x": {"field": "s", **place, "axis": columns},
            "y": {"field": "c", **place, "axis": {**axis, "labelExpr": _label_of(panel.categories)}},
            "tooltip": [{"field": "name"}, {"field": "part"}, {"field": "text"}],
        },
        "layer": [
            {
                "mark": {"type": "rect", "stroke": palette.ground, "strokeWidth": 2, "invalid": "show"},
                "encoding": {"color": colour, "fillOpacity": depth},
            },
            {"mark": {"type": "text"}, "encoding": {"text": {"field": "text"}}},
        ],
    }


def _heat_rows(plot: Plot, panel: Panel) -> Iterator[Json]:
    for place, category in enumerate(panel.categories):
        for s, (series, value) in enumerate(zip(plot.series, category.values, strict=True)):
            text = NO_VALUE if value is None else number_text(value, plot.hint.unit)
            yield {"c": place, "s": s, "name": category.label, "part": series.label, "v": value, "text": text}


def _empty(width: int, palette: Palette) -> Json:
    text = {"type": "text", "text": "no rows", "color": palette.soft, "fontSize": 14}
    return {"width": width, "height": 60, "data": {"values": [{}]}, "mark": text}


def _label_of(categories: Sequence[Category]) -> str:
    """Return the expression that has a category's name for its place: names need not differ."""
    return f"{json.dumps(shortened_names([category.label for category in categories], LABEL))}[datum.value]"


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
