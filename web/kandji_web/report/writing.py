"""A report is written as one file that needs nothing else: no script, no request, its style known by its hash."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any

from markupsafe import Markup

from kandji_queries.charts import colours
from kandji_queries.charts.drawing import available
from kandji_queries.charts.specification import remarks_of
from kandji_queries.overview import ComparedLine, ComparedSection, Then
from kandji_web.drawn import markup_of
from kandji_web.report.contents import Report, ReportPicture
from kandji_web.report.table import Table, table_of
from kandji_web.templates import number, percent, render

ASSETS = Path(__file__).parents[1] / "assets"
POLICY = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'"
STYLES = ("site.css", "report.css")


BESIDE = 6
"""Columns of a table that has room beside its picture on paper."""

LONG = 25
"""Rows from which on a table may go over two pages."""


@dataclass(frozen=True)
class Drawn:
    """A picture as the template shows it: ``svg`` is markup, empty where nothing is drawn; ``notes`` stand below."""

    told: ReportPicture
    svg: Markup
    table: Table | None
    notes: Sequence[str] = ()

    @property
    def beside(self) -> bool:
        """Whether picture and table have room beside each other on paper."""
        return bool(self.svg) and self.table is not None and len(self.table.headings) <= BESIDE

    @property
    def long(self) -> bool:
        """Whether it may need more than a page."""
        return self.table is not None and len(self.table.rows) > LONG


Told = tuple[str, ...]
"""A number, and what is said of it in smaller letters, a line each."""


@dataclass(frozen=True)
class ComparedTable:
    """Numbers of one kind at two moments. ``rows`` are what is counted, how it was, how it is, and what changed."""

    title: str
    start: str
    end: str
    notes: tuple[str, ...]
    rows: tuple[tuple[str, Told, Told, Told], ...]


def html(report: Report, *, drawn: bool | None = None) -> str:
    """Return a report as a page; its pictures are ``drawn`` where the extra is there that draws them."""
    draws = available() if drawn is None else drawn
    style = _style()
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    facts: Mapping[str, Any] = {
        "report": report,
        "style": Markup(style),  # noqa: S704  # files of ours
        "policy": f"{POLICY}; style-src 'sha256-{digest}'",
        "draws": draws,
        "sections": [(section, [_drawn(told, draws) for told in section.pictures]) for section in report.sections],
        "compared": [*_compared(report.compared)],
    }
    return render("report.html", facts) + "\n"


@cache
def _style() -> str:
    sheets = [(ASSETS / name).read_text(encoding="utf-8") for name in STYLES]
    return "\n".join(["", sheets[0], colours.css(), sheets[1]]).replace("\r\n", "\n")


def _drawn(told: ReportPicture, draws: bool) -> Drawn:
    picture = told.picture
    if picture is None or not picture.rows:
        return Drawn(told, Markup(), None, told.notes)
    svg = markup_of(picture.chart) if picture.chart and draws else Markup()
    remarks = remarks_of(picture.chart) if svg and picture.chart else ()
    return Drawn(told, svg, table_of(picture), [*remarks, *told.notes])


def _compared(sections: tuple[ComparedSection, ...]) -> Iterator[ComparedTable]:
    for (title, start), same in groupby(sections, key=lambda section: (section.title, section.start)):
        parts = [*same]
        rows = ((line.fact, _then(line.start), _then(line.end), _change(line)) for part in parts for line in part.lines)
        begun, ended = ("" if moment is None else f"{moment:%Y-%m-%d %H:%M}" for moment in (start, parts[0].end))
        notes = tuple(dict.fromkeys(part.note for part in parts if part.note))
        yield ComparedTable(title, begun, ended, notes, tuple(rows))


def _then(then: Then) -> Told:
    share = [] if then.percent is None else [f"{percent(then.percent)} of {number(then.whole)}"]
    return number(then.n), *share, *([f"{number(then.unknown)} unknown"] if then.unknown else [])


def _change(line: ComparedLine) -> Told:
    change = f"{line.change:+,}" if line.change else "0"
    if line.start.percent is None or line.end.percent is None:
        return (change,)
    return change, f"{line.end.percent - line.start.percent:+.1f} points"
