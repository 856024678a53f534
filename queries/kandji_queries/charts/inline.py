"""A chart as SVG for a page: the specification as it is drawn for files, with the page's colours and letters."""

import re
from hashlib import sha256
from html import escape

from kandji_queries.charts.chart import Chart
from kandji_queries.charts.colours import STANDS_FOR, variable
from kandji_queries.charts.drawing import draw
from kandji_queries.charts.specification import specification
from kandji_schema.text import escaped

WIDTH = 380
"""Pixels of a picture where it is neither made larger nor smaller: about what a card of a page has."""

WIDER = 14
"""Pixels on the left that the letters of a page may be wider than those that names were measured with."""

HIGHER = 12
"""Pixels on top for the same reason, where names of columns stand aslant: those of a heat map."""

_ROOT = re.compile(r'<svg [^>]*?viewBox="0 0 (?P<wide>[0-9.]+) (?P<high>[0-9.]+)"[^>]*>')
_TAG = re.compile("<[a-zA-Z][^<>]*>")
_CODE = re.compile("#0a0b[0-9a-f]{2}")
_CLIP = re.compile('(id="|url\\(#)clip')
_NEEDLESS = re.compile(r' (?:font-family|class|role|aria-[a-z]+|xmlns:xlink)="[^"]*"')
"""Attributes that a page does without: its letters are its own, and one element has a role."""


def inline_svg(chart: Chart, *, width: int = WIDTH) -> str:
    """Return a chart as an element ``svg`` that scales; ``width`` is that for which it is laid out, in pixels.

    Safe to mark as markup: every text in it is escaped, it has no style, script or link, no identifier of another
    picture, and its colours are variables of :func:`kandji_queries.charts.colours.css`. :class:`ConfigurationError`
    where the extra ``charts`` is not installed, or a column of the hint is not there.
    """
    drawn = draw(specification(chart, width=width, theme="page"), "svg").decode()
    own = f"c{sha256(drawn.encode()).hexdigest()[:12]}-"

    def of_page(tag: re.Match[str]) -> str:
        """Return a tag with the page's colours; texts between tags stay as they are."""
        coloured = _CODE.sub(lambda found: variable(STANDS_FOR[found[0]]), _NEEDLESS.sub("", tag[0]))
        return _CLIP.sub(rf"\g<1>{own}", coloured)

    return _ROOT.sub(lambda found: _root(found, width, chart), _TAG.sub(of_page, drawn), count=1)


def _root(found: re.Match[str], width: int, chart: Chart) -> str:
    """Return the first tag: as wide as it was laid out, so that letters have one size in all pictures."""
    said = escape(escaped(chart.sentence), quote=True)
    wide = max(float(found["wide"]), float(width)) + WIDER
    above = HIGHER if chart.hint.kind == "heat" else 0
    box = f"{-WIDER} {-above} {wide:g} {float(found['high']) + above:g}"
    about = f'class="chart" role="img" aria-label="{said}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:g}" viewBox="{box}" overflow="visible" {about}>'
