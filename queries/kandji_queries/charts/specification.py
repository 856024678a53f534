"""A chart as a specification of Vega-Lite: data inside, added up and bounded, nothing loaded from anywhere.

The same specification makes files (:mod:`kandji_queries.charts.drawing`), pictures of pages, AI clients and notebooks.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from kandji_queries.charts.chart import Chart
from kandji_queries.charts.colours import PALETTES, Palette, Theme
from kandji_queries.charts.hint import Kind
from kandji_queries.charts.plot import Panel, Plot
from kandji_queries.charts.shaping import plot_of
from kandji_queries.charts.vega import Json, config
from kandji_queries.charts.vega_bars import bar_view
from kandji_queries.charts.vega_heat import heat_view
from kandji_queries.charts.vega_lines import line_view
from kandji_queries.charts.words import lines_of
from kandji_schema.text import escaped

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
"""What the language is called; nobody fetches it."""

WIDTH = 760
"""Pixels of a picture in a file, with all that stands beside bars or lines."""

PADDING = 16

VIEWS: Mapping[Kind, Callable[[Plot, Panel, int, Palette], Json]] = MappingProxyType(
    {"bar": bar_view, "stacked": bar_view, "line": line_view, "heat": heat_view}
)


def specification(chart: Chart, *, width: int = WIDTH, theme: Theme = "light") -> Json:
    """Return the specification of a chart. ``width`` is of the whole picture, in pixels.

    Title, sentence and date are in the picture, but for a page, which has them beside it.
    :class:`ConfigurationError` where a column of the hint is not there.
    """
    plot, palette = plot_of(chart), PALETTES[theme]
    view = VIEWS[plot.hint.kind]
    panels = [view(plot, panel, width, palette) for panel in plot.panels if panel.categories]
    one = panels[0] if len(panels) == 1 else {"vconcat": panels, "spacing": 14} if panels else _empty(width, palette)
    of_page = theme == "page"
    return {
        "$schema": SCHEMA,
        "description": escaped(chart.sentence),
        **({} if of_page else {"title": _title(chart, plot, width, palette)}),
        "background": None if of_page else palette.ground,
        "padding": 2 if of_page else PADDING,
        "config": config(palette) | ({"aria": False} if of_page else {}),
        **one,
    }


def remarks_of(chart: Chart) -> Sequence[str]:
    """Return what has to be said beside a picture without title: what was added up or left to the table."""
    return plot_of(chart).told


def _title(chart: Chart, plot: Plot, width: int, palette: Palette) -> Json:
    room = width // 7
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


def _empty(width: int, palette: Palette) -> Json:
    text = {"type": "text", "text": "no rows", "color": palette.soft, "fontSize": 14}
    return {"width": width, "height": 40, "data": {"values": [{}]}, "mark": text}
