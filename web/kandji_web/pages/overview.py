"""``/``: the fleet in numbers and pictures, each leading to the rows behind it.

The page begins at once; what is still to be asked follows as it is answered.
"""

from collections.abc import AsyncIterator, Hashable
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from kandji_queries.charts.drawing import available
from kandji_queries.overview import Behind, Line, Overview, read_overview
from kandji_queries.results.dates import date_line
from kandji_web.asking import in_turn, mirror_of
from kandji_web.drawn import NOT_DRAWN
from kandji_web.kept import KeptAnswers, Question
from kandji_web.pictures import show_picture
from kandji_web.rendering import common_facts
from kandji_web.report.sections import KEY_NUMBERS, SECTIONS, Section
from kandji_web.templates import render

PAGE = "/"

HERE = "<!-- the rest -->"
"""Where the template of the page is cut: for the pictures, and for all numbers."""


@dataclass(frozen=True)
class Number:
    """A number under its title; ``link`` leads to what it counts."""

    title: str
    line: Line
    link: str


async def overview(request: Request) -> Response:
    """Show how the fleet stands."""
    mirror = mirror_of(request)
    kept: KeptAnswers = request.app.state.kept
    state = await mirror.state()
    found = await kept.get(Question(mirror, PAGE, "numbers", read_overview), state)
    return StreamingResponse(_parts(request, found, state), media_type="text/html; charset=utf-8")


async def _parts(request: Request, found: Overview, state: Hashable) -> AsyncIterator[str]:
    facts = common_facts(request, "Overview") | {
        "numbers": _key_numbers(found),
        "sections": SECTIONS,
        "dated": date_line(found.as_of, mirror_of(request).clock()),
        "notes": found.notes,
        "not_drawn": "" if available() else NOT_DRAWN,
    }
    begin, wall, end = render("overview.html", facts).split(HERE)
    yield begin
    for section in SECTIONS:
        told = "" if await _has_what_it_needs(request, section) else section.otherwise
        pictures = () if told else section.pictures
        shown = [await show_picture(request, each, page=PAGE, state=state) for each in pictures]
        more = {"section": section, "pictures": shown, "told": told, "not_drawn": facts["not_drawn"]}
        yield render("pictures.html", more)
    yield wall
    yield render("overview_numbers.html", {"sections": _all_numbers(found)}) + end


async def _has_what_it_needs(request: Request, section: Section) -> bool:
    return not section.needs or await in_turn(request, lambda reader: reader.was_read(section.needs))


def _key_numbers(found: Overview) -> list[Number]:
    sections = {section.name: section for section in found.sections}
    return [
        Number(key.title, line, _link(line.behind))
        for key in KEY_NUMBERS
        for line in (sections[key.section].lines if key.section in sections else ())
        if line.fact == key.fact
    ]


def _all_numbers(found: Overview) -> list[tuple[str, list[Number]]]:
    return [
        (s.title, [Number(line.fact, line, _link(line.behind)) for line in s.lines]) for s in found.sections if s.lines
    ]


def _link(behind: Behind | None) -> str:
    """Return the page that lists what a number counts."""
    if behind is None:
        return ""
    if behind.query:
        return f"/queries/{behind.query}{f'?{urlencode(behind.params)}' if behind.params else ''}"
    return f"/sql?{urlencode({'sql': behind.sql})}" if behind.sql else "/status"


ROUTES = [Route(PAGE, overview)]
