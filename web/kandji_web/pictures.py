"""Pictures of a page: each the answer of a named query, drawn once for all who read the same state."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.requests import Request

from kandji_queries.charts.drawing import available
from kandji_queries.charts.inline import inline_svg
from kandji_queries.charts.picture import Picture, read_picture
from kandji_queries.charts.specification import remarks_of
from kandji_queries.engine.limits import QueryLimits
from kandji_queries.reader import Reader
from kandji_queries.results.dates import date_line
from kandji_queries.results.result import Result
from kandji_schema.errors import MirrorError
from kandji_web.answer_rows import ShownRows, shown_rows
from kandji_web.asking import in_turn, limits_of, mirror_of
from kandji_web.kept import KeptAnswers

ROWS = 500
"""Rows of the table behind a picture; its query has all."""

NOT_DRAWN = "Pictures need the extra `charts`, which this server has not: pip install 'kandji-mirror[charts]'."


@dataclass(frozen=True)
class ShownPicture:
    """A picture as a page has it; ``svg`` is None where there is none, ``wrong`` says why nothing was answered."""

    title: str
    link: str
    sentence: str = ""
    svg: Markup | None = None
    remarks: tuple[str, ...] = ()
    rows: ShownRows | None = None
    dated: str = ""
    wrong: str = ""


@dataclass(frozen=True)
class _Drawn:
    picture: Picture
    svg: Markup | None
    remarks: tuple[str, ...]


async def show_picture(
    request: Request, query: str, params: Mapping[str, Any] | None = None, title: str = ""
) -> ShownPicture:
    """Return the picture of a named query; what goes wrong is told in its place."""
    mirror, limits = mirror_of(request), replace(limits_of(request), rows=ROWS)
    kept: KeptAnswers = request.app.state.kept
    asked = params or {}
    link = f"/queries/{query}{f'?{urlencode(asked)}' if asked else ''}"
    key = ("picture", query, tuple(sorted(asked.items())))

    def drawn(reader: Reader) -> _Drawn:
        return kept.get(mirror, reader, key, lambda: _draw(reader, query, asked, limits))

    try:
        found = await in_turn(request, drawn)
    except MirrorError as error:
        return ShownPicture(title or query, link, wrong=str(error))
    picture = found.picture
    return ShownPicture(
        title=title or picture.title,
        link=link,
        sentence=picture.sentence,
        svg=found.svg,
        remarks=found.remarks,
        rows=shown_rows(Result(columns=picture.columns, rows=[*picture.rows], as_of={}), picture.rows),
        dated=date_line(picture.as_of, mirror.clock()),
    )


def _draw(reader: Reader, query: str, params: Mapping[str, Any], limits: QueryLimits) -> _Drawn:
    picture = read_picture(reader, query, params, limits=limits)
    chart = picture.chart
    if chart is None or not picture.rows or not available():
        return _Drawn(picture, None, ())
    return _Drawn(picture, Markup(inline_svg(chart)), tuple(remarks_of(chart)))  # noqa: S704  # escaped where it is drawn
