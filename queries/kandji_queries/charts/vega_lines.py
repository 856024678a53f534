"""Lines as Vega-Lite: gaps stay gaps, and names and numbers stand at the ends of lines."""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from kandji_queries.charts.colours import Palette
from kandji_queries.charts.layout import SIZE, line_layout
from kandji_queries.charts.number_text import BYTES, PERCENT, number_text
from kandji_queries.charts.plot import NO_VALUE, Category, Panel, Plot
from kandji_queries.charts.vega import Json, unit_title
from kandji_queries.charts.words import shortened

HIGH, FLAT = 280, 0.42
"""Pixels that the field is high at most, and what part of its width otherwise."""

NAME = 18
"""Letters of a name at the end of a line."""

MOST_DOTS = 40
"""A line of no more points has a dot at each."""

DAY = 86_400


def line_view(plot: Plot, panel: Panel, whole: int, palette: Palette) -> Json:
    """Return the view of a chart of lines."""
    ends = list(_ends(plot, panel))
    room = line_layout(plot, whole, (f"{text}---" for _, _, text in ends))
    high = min(HIGH, int(whole * FLAT))
    x: Json = {
        "field": "x",
        "type": "ordinal",
        "sort": None,
        "title": None,
        "axis": {"labelAngle": 0, "labelOverlap": True},
    }
    if plot.timed:
        scale = {"type": "utc", "padding": 6}
        x = {"field": "x", "type": "temporal", "title": None, "scale": scale, "axis": _time_axis(panel, room.field)}
    y = {
        "field": "v",
        "type": "quantitative",
        "title": unit_title(plot),
        "scale": {"domain": plot.limits, "nice": plot.hint.unit != PERCENT},
        "axis": _number_axis(plot),
    }
    names = [series.label for series in plot.series]
    scale = {"domain": names, "range": [palette.marks[series.colour] for series in plot.series]}
    tooltip = [{"field": "label"}, {"field": "part"}, {"field": "text"}]
    dots = {"type": "point", "filled": True, "size": 26, "opacity": 1}
    return {
        "width": room.field,
        "height": high,
        "data": {"values": list(_rows(plot, panel))},
        "encoding": {"x": x, "y": y, "color": {"field": "part", "type": "nominal", "scale": scale, "legend": None}},
        "layer": [
            {"mark": {"type": "line", "strokeWidth": 2.5, "invalid": "break-paths-show-path-domains"}},
            {"mark": dots, "transform": [{"filter": "datum.dot"}], "encoding": {"tooltip": tooltip}},
            *_end_marks(plot, panel, ends, high, palette),
        ],
    }


def _rows(plot: Plot, panel: Panel) -> Iterator[Json]:
    points = panel.categories
    for s, series in enumerate(plot.series):
        values = [point.values[s] for point in points]
        known = [place for place, value in enumerate(values) if value is not None]
        for place, (point, value) in enumerate(zip(points, values, strict=True)):
            yield {
                "x": _at(plot, point),
                "v": value,
                "part": series.label,
                "label": point.label,
                "text": NO_VALUE if value is None else number_text(value, plot.hint.unit),
                "dot": value is not None
                and (len(known) <= MOST_DOTS or place == known[-1] or _is_alone(values, place)),
            }


def _at(plot: Plot, point: Category) -> str:
    return f"{datetime.fromtimestamp(point.at, UTC):%Y-%m-%dT%H:%M:%SZ}" if plot.timed else point.label


def _is_alone(values: Sequence[float | None], place: int) -> bool:
    """Tell whether a point has no neighbour, so that no line shows it."""
    return all(v is None for v in (*values[max(place - 1, 0) : place], *values[place + 1 : place + 2]))


def _ends(plot: Plot, panel: Panel) -> Iterator[tuple[int, float, str]]:
    """Yield for each line that has a number its place, its last one, and what stands there."""
    for place, series in enumerate(plot.series):
        known = [value for point in panel.categories if (value := point.values[place]) is not None]
        if known:
            number = number_text(known[-1], plot.hint.unit)
            name = f"{shortened(series.label, NAME)}: {number}" if len(plot.series) > 1 else number
            yield place, known[-1], name


def _end_marks(
    plot: Plot, panel: Panel, ends: Sequence[tuple[int, float, str]], high: int, palette: Palette
) -> Iterator[Json]:
    """Yield a square and words at the end of each line, moved apart where they would lie upon each other."""
    if not ends:
        return
    several = len(plot.series) > 1
    last = [point for point in panel.categories if any(v is not None for v in point.values)][-1]
    rows = [
        {"x": _at(plot, last), "v": value, "part": plot.series[place].label, "text": text}
        for (place, _, text), value in zip(ends, apart([end for _, end, _ in ends], plot.limits, high), strict=True)
    ]
    square = {"type": "point", "shape": "square", "filled": True, "opacity": 1, "size": 64, "xOffset": 12}
    words = {"type": "text", "align": "left", "dx": 20 if several else 8, "fontWeight": "bold", "fontSize": SIZE}
    text = {"text": {"field": "text"}, "color": {"value": palette.ink}}
    yield from ([{"mark": square, "data": {"values": rows}}] if several else [])
    yield {"mark": words, "data": {"values": rows}, "encoding": text}


def apart(values: Sequence[float], limits: tuple[float, float], high: int) -> list[float]:
    """Return places for words beside these values so that none lies upon another, by the axis of numbers."""
    low, top = limits
    least = (SIZE + 3) * (top - low) / high
    order = sorted(range(len(values)), key=lambda place: values[place])
    found = list(values)
    floor = -math.inf
    for place in order:
        found[place] = floor = max(values[place], floor + least)
    ceiling = math.inf
    for place in reversed(order):
        limit = top if ceiling is math.inf else ceiling - least
        found[place] = ceiling = min(found[place], max(limit, low))
    return found


def _time_axis(panel: Panel, field: int) -> Json:
    days = (panel.categories[-1].at - panel.categories[0].at) / DAY if panel.categories else 0
    form = "%H:%M" if 0 < days < 1 else "%-d %b" if days < 200 else "%b %Y"
    daily = {"interval": "day", "step": max(1, round(days / (field / 70)))}
    ticks = daily if 1 <= days < 200 else max(field // 80, 2)
    return {"format": form, "labelOverlap": True, "grid": False, "tickCount": ticks}


def _number_axis(plot: Plot) -> Json:
    axis: Json = {"domain": False, "ticks": False, "tickCount": 5, "titleAngle": 0, "titleAlign": "left"}
    axis |= {"titleAnchor": "end", "titleY": -12, "titleX": -24}
    if plot.hint.unit == PERCENT:
        return axis | {"labelExpr": "datum.label + ' %'"}
    if plot.hint.unit == BYTES:
        return axis | {"format": "~s", "labelExpr": "replace(datum.label, 'G', ' G') + 'B'"}
    return axis | {"format": "~s" if plot.limits[1] >= 1e4 else ",.2~f"}
