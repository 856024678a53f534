"""Pictures in pages: drawn in a thread of their own, and missed by nobody where they cannot be drawn."""

from dataclasses import dataclass, replace
from typing import Any

from anyio import to_thread
from markupsafe import Markup

from kandji_queries.charts.chart import Chart
from kandji_queries.charts.drawing import available
from kandji_queries.charts.inline import inline_svg
from kandji_queries.charts.specification import remarks_of
from kandji_queries.results.values import text
from kandji_schema.errors import MirrorError
from kandji_schema.text import escaped

NOT_DRAWN = "Pictures need the extra `charts`, which this server has not: pip install 'kandji-mirror[charts]'."


@dataclass(frozen=True)
class Drawn:
    """A picture as markup, its sentence and what has to be known of it; ``wrong`` says why there is none.

    All are empty where none is wanted.
    """

    svg: str = ""
    sentence: str = ""
    remarks: tuple[str, ...] = ()
    wrong: str = ""


async def drawn(chart: Chart | None) -> Drawn:
    """Draw a chart as :func:`draw` does, in a thread of its own."""
    return Drawn() if chart is None else await to_thread.run_sync(draw, chart)


def draw(chart: Chart) -> Drawn:
    """Draw a chart; the rows beside it are shown whatever comes of it."""
    if not available():
        return Drawn(wrong=NOT_DRAWN)
    try:
        drawable = replace(chart, rows=[tuple(map(_drawable, row)) for row in chart.rows])
        svg, remarks = markup_of(drawable), tuple(remarks_of(drawable))
    except MirrorError as error:
        return Drawn(wrong=str(error))
    except ValueError:  # the library's, for values that no axis has
        return Drawn(wrong="These values cannot be drawn; choose other columns.")
    return Drawn(svg, chart.sentence, remarks)


def markup_of(chart: Chart) -> Markup:
    """Return a chart as a page has it: a heat map may be wider than a telephone, where it is moved, not made small."""
    svg = Markup(inline_svg(chart))  # noqa: S704  # it escapes every text in it
    if chart.hint.kind != "heat":
        return svg
    frame = Markup('<div class="across" tabindex="0" role="region" aria-label="Picture: {}">{}</div>')
    return frame.format(escaped(chart.title), svg)


def _drawable(value: Any) -> Any:
    """Return a value as a category can be: a list or a document as its text."""
    return text(value) if isinstance(value, list | dict) else value
