"""How the width of a picture is shared: names on the left, bars or lines between, numbers on the right.

All pictures of one width have letters of one size, whatever their names are. The width of letters is that of the common
ones without serifs; the library, which knows its own, corrects the rest.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kandji_queries.charts.number_text import tick_text
from kandji_queries.charts.plot import Plot, category_text
from kandji_queries.charts.words import shortened
from kandji_queries.results.text_table import width

LETTER = 6.6
"""Pixels of a letter of :data:`SIZE`, about."""

SIZE = 12

NAMES = 0.36
"""Most of the width that names take, but in narrow pictures."""

LETTERS, HALF = 27, 0.48
"""Letters that a name may have in a narrow picture, which leave it about half of its width: names are read first."""

NARROWEST = 60


@dataclass(frozen=True)
class Layout:
    """Pixels of a picture: ``whole``, its ``field``; ``columns`` are the letters that a name on the left may have."""

    whole: int
    field: int
    columns: int


def bar_layout(plot: Plot, whole: int) -> Layout:
    """Return the room of bars: what names and the numbers at their ends leave."""
    categories = [category for panel in plot.panels for category in panel.categories]
    return _layout(whole, (c.label for c in categories), (category_text(c, plot) for c in categories))


def grid_layout(plot: Plot, whole: int) -> Layout:
    """Return the room of a heat map; names of its columns lean over those of its rows."""
    return _layout(whole, (c.label for panel in plot.panels for c in panel.categories), ())


def line_layout(plot: Plot, whole: int, ends: Iterable[str]) -> Layout:
    """Return the room of lines, with what stands at their ends; numbers of the axis take little."""
    return _layout(whole, (tick_text(end, plot.hint.unit) for end in plot.limits), ends)


def _layout(whole: int, names: Iterable[str], ends: Iterable[str]) -> Layout:
    columns = max(int(whole * NAMES / LETTER), min(int(whole * HALF / LETTER), LETTERS), 8)
    left = max((width(shortened(name, columns)) for name in names), default=0) * LETTER + 8
    right = max((width(end) for end in ends), default=0) * LETTER + 10
    return Layout(whole, max(int(whole - left - right), NARROWEST), columns)
