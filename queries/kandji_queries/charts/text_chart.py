"""A chart as text for a terminal: bars and lines of block characters, or of ASCII where that is all there is.

What a part means is told by its pattern; colour, where it is wanted, says the same once more.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kandji_queries.charts.chart import Chart
from kandji_queries.charts.number_text import number_text
from kandji_queries.charts.plot import Category, Panel, Plot, category_text
from kandji_queries.charts.shaping import plot_of
from kandji_queries.charts.text_lines import line_rows
from kandji_queries.charts.words import lines_of, shortened, shortened_names
from kandji_queries.results.text_table import width as columns_of
from kandji_schema.text import escaped

WIDTH = 80
NARROWEST = 30
LABELS = 0.4
"""Most of the width that names take."""

GAP = "  "

_EIGHTHS = "▏▎▍▌▋▊▉█"
_PATTERNS = {"good": "█", "bad": "▒", "warn": "▓", "unknown": "░", "others": "▞"}
_SERIES = "█▓▒▚▞▤"
_ASCII = {"good": "#", "bad": "x", "warn": "!", "unknown": ".", "others": "%"}
_ASCII_SERIES = "#=+o*~"
_CODES = {"good": 32, "bad": 31, "warn": 33, "unknown": 90, "others": 36}
_SERIES_CODES = (34, 33, 35, 32, 95, 37)
_LIKE = {"…": "~", "\u2212": "-"}
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


@dataclass(frozen=True)
class Pen:
    """How something is drawn: by ``plain`` ASCII or blocks, with ``colour`` or without."""

    plain: bool
    colour: bool

    def mark(self, name: str) -> str:
        """Return the character that fills a part of this colour."""
        if name.isdigit():
            return (_ASCII_SERIES if self.plain else _SERIES)[int(name) - 1]
        return (_ASCII if self.plain else _PATTERNS)[name]

    def painted(self, text: str, name: str) -> str:
        """Return a text in a colour, where colours are wanted."""
        if not self.colour or not text:
            return text
        code = _SERIES_CODES[int(name) - 1] if name.isdigit() else _CODES[name]
        return f"\x1b[{code}m{text}\x1b[0m"

    def words(self, text: str) -> str:
        """Return words that are seen everywhere: what is not ASCII becomes as many ``?`` as it has columns."""
        if self.plain:
            return "".join(c if c.isascii() else _LIKE.get(c, "?" * columns_of(c)) for c in text)
        return f"\u2068{text}\u2069" if any(unicodedata.bidirectional(c) in _RIGHT_TO_LEFT for c in text) else text


def text_chart(chart: Chart, width: int = WIDTH, *, plain: bool = False, colour: bool = False) -> str:
    """Return a chart in lines of at most ``width`` columns, with its title and sentence above; ends with a new line.

    ``plain`` takes ASCII alone, ``colour`` adds the colours of a terminal. :class:`ConfigurationError` where a column
    of the hint is not there.
    """
    plot, pen, room = plot_of(chart), Pen(plain, colour), max(width, NARROWEST)
    lines = [
        *lines_of(pen.words(escaped(chart.title)), room),
        *lines_of(pen.words(escaped(chart.sentence)), room),
        "",
        *_drawn(plot, room, pen),
        *(line for remark in plot.told for line in lines_of(pen.words(remark), room)),
    ]
    return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


def _drawn(plot: Plot, room: int, pen: Pen) -> Iterator[str]:
    if not any(panel.categories for panel in plot.panels):
        return
    if plot.hint.kind == "heat":
        yield from _table(plot, room, pen)
    elif plot.hint.kind == "line":
        yield from line_rows(plot, room, plain=pen.plain, painted=pen.painted, words=pen.words)
    else:
        yield from _bars(plot, room, pen)


def _bars(plot: Plot, room: int, pen: Pen) -> Iterator[str]:
    if len(plot.series) > 1:
        named = [f"{pen.painted(pen.mark(s.colour), s.colour)} {pen.words(s.label)}" for s in plot.series]
        yield from (*_flowing(named, [2 + columns_of(s.label) for s in plot.series], room), "")
    categories = [category for panel in plot.panels for category in panel.categories]
    ends = max(columns_of(_end(category, plot)) for category in categories)
    names = min(max(columns_of(c.label) for c in categories), int(room * LABELS))
    field = max(room - names - ends - 2 * len(GAP), 8)
    for panel in plot.panels:
        if panel.label:
            yield pen.words(shortened(panel.label, room))
        shown = shortened_names([category.label for category in panel.categories], names)
        for category, name in zip(panel.categories, shown, strict=True):
            yield _bar_line(plot, panel, category, name, names, field, pen)
        yield from ([""] if panel.label else [])


def _bar_line(plot: Plot, panel: Panel, category: Category, name: str, names: int, field: int, pen: Pen) -> str:
    bar = "".join(_pieces(plot, panel, category, field, pen))
    padding = " " * (names - columns_of(name))
    return f"{padding}{pen.words(name)}{GAP}{bar}{' ' if bar else ''}{pen.words(_end(category, plot))}"


def _end(category: Category, plot: Plot) -> str:
    """Return what stands at the end of a bar: of several parts each one's number."""
    if len(plot.series) < 2 or category.note or all(v is None for v in category.values):
        return category_text(category, plot)
    return " + ".join("?" if v is None else number_text(v, plot.hint.unit) for v in category.values)


def _pieces(plot: Plot, panel: Panel, category: Category, field: int, pen: Pen) -> Iterator[str]:
    """Yield the parts of a bar; their ends are rounded together, so that all bars of a sum are as long."""
    low, high = plot.limits_in(panel)
    scale = field / (high - low) * plot.drawn(category, panel)
    several = len(plot.series) > 1
    drawn = 0.0
    if low < 0:
        yield " " * round((-low + min(0.0, category.total)) * scale)
    for series, value in zip(plot.series, category.values, strict=True):
        if not value:
            continue
        colour = series.colour if several else category.colour or series.colour
        end = drawn + abs(value) * scale
        cells = round(end) - round(drawn)
        if several or pen.plain or category.sort != "known" or value < 0:
            yield pen.painted(pen.mark(colour) * max(cells, 0 if several else 1), colour)
        else:
            yield pen.painted(_exact(end), colour)
        drawn = end


def _exact(length: float) -> str:
    """Return a bar that is as long as eighths of a character allow; what is there at all is seen."""
    eighths = max(round(length * 8), 1)
    whole, rest = divmod(eighths, 8)
    return "█" * whole + (_EIGHTHS[rest - 1] if rest else "")


def _flowing(texts: Sequence[str], sizes: Sequence[int], room: int) -> Iterator[str]:
    """Yield lines of texts side by side; ``sizes`` are their columns, which colours do not change."""
    line, used = "", 0
    for text, size in zip(texts, sizes, strict=True):
        if line and used + 3 + size > room:
            yield line
            line, used = "", 0
        line, used = (f"{line}   {text}", used + 3 + size) if line else (text, size)
    yield line


def _table(plot: Plot, room: int, pen: Pen) -> Iterator[str]:
    """Yield a heat map as numbers in columns; where columns have no room, their names stand numbered below."""
    rows = plot.panels[0].categories
    names = min(max(columns_of(row.label) for row in rows), int(room * LABELS))
    widest = max(columns_of(_cell(value, plot)) for row in rows for value in row.values)
    shown = plot.series[: max((room - names) // (widest + len(GAP)), 1)]
    numbered = max(columns_of(series.label) for series in shown) > (room - names) // len(shown) - len(GAP)
    heads = [str(n) for n, _ in enumerate(shown, 1)] if numbered else [series.label for series in shown]
    each = max(widest, *map(columns_of, heads))
    yield " " * names + "".join(f"{GAP}{' ' * (each - columns_of(head))}{pen.words(head)}" for head in heads)
    for row in rows:
        name = shortened(row.label, names)
        numbers = "".join(f"{GAP}{_cell(value, plot):>{each}}" for value in row.values[: len(shown)])
        yield f"{' ' * (names - columns_of(name))}{pen.words(name)}{pen.words(numbers)}"
    if numbered:
        yield ""
        named = [f"{n} {shortened(series.label, room // 2)}" for n, series in enumerate(shown, 1)]
        yield from _flowing([*map(pen.words, named)], [*map(columns_of, named)], room)
    if len(shown) < len(plot.series):
        yield f"{len(plot.series) - len(shown)} columns more have no room here."


def _cell(value: float | None, plot: Plot) -> str:
    return "?" if value is None else number_text(value, plot.hint.unit)
