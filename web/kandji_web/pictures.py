"""Pictures of a page: each the answer of a named query, drawn once for all who read the same state."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from kandji_queries.charts.picture import Picture, read_picture
from kandji_queries.engine.limits import QueryLimits
from kandji_queries.reader import Reader
from kandji_queries.results.data_notes import DUE
from kandji_queries.results.dates import date_line
from kandji_queries.results.result import Result
from kandji_schema.errors import MirrorError
from kandji_web.answer_rows import ShownRows, shown_rows
from kandji_web.asking import limits_of, mirror_of
from kandji_web.drawn import Drawn, draw
from kandji_web.kept import KeptAnswers, Question
from kandji_web.report.sections import Shown

MOST_ROWS = 10_000
"""Rows that a picture is drawn of; more are told."""

ROWS = 100
"""Rows of the table behind a picture; its query has all."""


@dataclass(frozen=True)
class ShownPicture:
    """A picture as a page has it; ``wrong`` says why nothing was answered.

    ``notes`` are what has to be known of this picture alone, ``left`` how many rows its query has beside those of
    ``rows``.
    """

    title: str
    link: str
    sentence: str = ""
    drawn: Drawn = Drawn()  # noqa: RUF009  # frozen
    notes: tuple[str, ...] = ()
    rows: ShownRows | None = None
    left: int = 0
    dated: str = ""
    wrong: str = ""


@dataclass(frozen=True)
class _Kept:
    picture: Picture
    drawn: Drawn
    notes: tuple[str, ...]


async def show_picture(request: Request, shown: Shown, *, page: str, state: Hashable) -> ShownPicture:
    """Return a picture of a ``page``; what goes wrong is told in its place.

    ``state`` is that of the mirror: the picture may be of a former one, as its date tells.
    """
    mirror, limits = mirror_of(request), replace(limits_of(request), rows=MOST_ROWS)
    kept: KeptAnswers = request.app.state.kept
    link = f"/queries/{shown.query}{f'?{urlencode(shown.params)}' if shown.params else ''}"
    key = (shown.query, tuple(sorted(shown.params.items())))
    asked = Question(mirror, page, key, lambda reader: _read(reader, shown.query, shown.params, limits))
    try:
        found = await kept.get(asked, state)
    except MirrorError as error:
        return ShownPicture(shown.title or shown.query, link, wrong=str(error))
    picture = found.picture
    return ShownPicture(
        title=shown.title or picture.title,
        link=link,
        sentence=picture.sentence,
        drawn=found.drawn,
        notes=found.notes,
        rows=shown_rows(Result(columns=picture.columns, rows=[*picture.rows], as_of={}), picture.rows[:ROWS]),
        left=max(0, len(picture.rows) - ROWS),
        dated=date_line(picture.as_of, mirror.clock()),
    )


def _read(reader: Reader, query: str, params: Mapping[str, Any], limits: QueryLimits) -> _Kept:
    picture = read_picture(reader, query, params, limits=limits)
    of_the_data = {*reader.data_notes(picture.as_of), *reader.warnings}  # the page tells them once, for all pictures
    own = [note for note in picture.notes if note not in of_the_data and DUE not in note]
    if picture.truncated:
        own.append(f"Only the first {MOST_ROWS:,} rows are drawn; its query has all.")
    return _Kept(picture, draw(picture.chart) if picture.chart and picture.rows else Drawn(), tuple(own))
