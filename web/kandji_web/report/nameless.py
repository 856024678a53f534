"""A report without names: of people and devices nothing is left, neither in tables nor in any text.

Two things see to it. Of the columns with text only those stay that are known to hold none; and every text that stays is
searched for the names, addresses and numbers which the mirror has of people and devices.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kandji_queries.charts.picture import Picture
from kandji_queries.overview import ComparedSection, Line, Overview, Section
from kandji_queries.reader import Reader
from kandji_schema.privacy import NOT_PEOPLE
from kandji_web.report.contents import Figure, Report, ReportPicture, ReportSection

_WITHOUT_NAMES = """
    platform platforms os os_version os_versions model value rule control severity result state status kind change
    thing table_name app bundle_id version newest_version second_version third_version developer blueprint
    default_blueprint item type category parameter plan_type organisation token what cve_id software behind method
    day month step expires source os_marketing_name subcategory blueprint_id item_id token_id cve_link
"""

WITHOUT_NAMES = frozenset(_WITHOUT_NAMES.split())
"""Columns with text that may stay: what they hold names neither people nor devices."""

GONE = "(name)"
"""What stands where a name was."""

NAMES = """
    SELECT DISTINCT trim(name) AS name
    FROM (
        SELECT unnest([device_name, serial_number, asset_tag, user_name, user_email]) AS name FROM devices
        UNION ALL
        SELECT unnest([name, email]) FROM users
    )
    WHERE length(trim(name)) >= 3
"""

PRODUCTS = """
    SELECT DISTINCT lower(trim(name)) AS name
    FROM (
        SELECT unnest([platform, model]) AS name FROM devices
        UNION ALL
        SELECT model_name FROM prism_device_information
    )
    WHERE name IS NOT NULL
"""
"""What a device is called ex works names none."""

_WORD = re.compile(r"\w+")
_TEXT = re.compile(r"VARCHAR|JSON|STRUCT|MAP|BLOB|UUID|ENUM")


class Nameless:
    """Takes names out of texts. ``names`` are those of people and devices, ``products`` in small letters none."""

    def __init__(self, names: Iterable[str], products: Iterable[str] = ()) -> None:
        self._known: dict[str, list[tuple[int, str]]] = {}
        self._whole: set[str] = set()
        plain = NOT_PEOPLE | set(products)
        for name in names:
            folded = name.strip().lower()
            if folded in plain or (folded.isdigit() and len(folded) < 6):
                continue
            self._whole.add(folded)
            if word := _WORD.search(folded):
                self._known.setdefault(word[0], []).append((word.start(), folded))

    @classmethod
    def of(cls, reader: Reader) -> "Nameless":
        """Read the names that the mirror has."""
        every = replace(reader.limits, rows=10_000_000, bytes=None)
        names, products = (reader.run(sql, limits=every).rows for sql in (NAMES, PRODUCTS))
        return cls((name for (name,) in names), (name for (name,) in products))

    def text(self, text: str) -> str:
        """Return a text without names, in whatever letter case they are."""
        folded = text.lower()
        if folded.strip() in self._whole:
            return GONE
        found = sorted(span for word in _WORD.finditer(folded) for span in self._at(folded, word))
        if not found:
            return text
        if len(folded) != len(text):
            return GONE  # letters that become several: places in the one are none in the other
        kept, end = [], 0
        for begins, ends in found:
            if begins >= end:
                kept += [text[end:begins], GONE]
            end = max(end, ends)
        return "".join([*kept, text[end:]])

    def _at(self, folded: str, word: re.Match[str]) -> Iterable[tuple[int, int]]:
        for offset, name in self._known.get(word[0], ()):
            begins = word.start() - offset
            ends = begins + len(name)
            if begins >= 0 and folded.startswith(name, begins) and not folded[ends : ends + 1].isalnum():
                yield begins, ends

    def cell(self, value: Any) -> Any:
        """Return a cell without names; in lists, too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            return [self.cell(part) for part in value]
        return value

    def report(self, report: Report) -> Report:
        """Return a whole report without names."""
        return replace(
            report,
            blueprint=self.text(report.blueprint),
            notes=self._texts(report.notes),
            overview=self._overview(report.overview),
            figures=tuple(self._figure(figure) for figure in report.figures),
            compared=tuple(map(self._compared, report.compared)),
            sections=tuple(map(self._section, report.sections)),
        )

    def _texts(self, texts: Sequence[str]) -> list[str]:
        return [self.text(text) for text in texts]

    def _figure(self, figure: Figure) -> Figure:
        return replace(figure, title=self.text(figure.title))

    def _overview(self, overview: Overview) -> Overview:
        def line(told: Line) -> Line:
            return replace(told, fact=self.text(told.fact))

        def section(told: Section) -> Section:
            return replace(told, lines=tuple(map(line, told.lines)))

        return replace(overview, sections=tuple(map(section, overview.sections)), notes=self._texts(overview.notes))

    def _compared(self, section: ComparedSection) -> ComparedSection:
        lines = tuple(replace(line, fact=self.text(line.fact)) for line in section.lines)
        return replace(section, lines=lines, note=self.text(section.note))

    def _section(self, section: ReportSection) -> ReportSection:
        return replace(section, pictures=tuple(map(self._picture, section.pictures)))

    def _picture(self, shown: ReportPicture) -> ReportPicture:
        picture = shown.picture
        hidden = [c.name for c in picture.columns if _names_somebody(c.name, c.type)] if picture else []
        return replace(
            shown,
            title=self.text(shown.title),
            sentence=self.text(shown.sentence),
            notes=self._texts(shown.notes),
            picture=self._answer(picture, hidden) if picture else None,
            hidden=hidden,
        )

    def _answer(self, picture: Picture, hidden: Sequence[str]) -> Picture:
        places = [place for place, column in enumerate(picture.columns) if column.name not in hidden]
        rows = [tuple(self.cell(row[place]) for place in places) for row in picture.rows]
        columns = tuple(picture.columns[place] for place in places)
        sentence, chart = self.text(picture.sentence), picture.chart
        if chart and chart.hint.missing([column.name for column in columns]):
            chart = None
        if chart:
            names = tuple(column.name for column in columns)
            chart = replace(chart, title=self.text(chart.title), sentence=sentence, columns=names, rows=rows)
        params: Mapping[str, Any] = {name: self.cell(value) for name, value in picture.params.items()}
        notes = self._texts(picture.notes)
        return replace(picture, sentence=sentence, chart=chart, columns=columns, rows=rows, params=params, notes=notes)


def _names_somebody(column: str, kind: str) -> bool:
    """Tell whether a column may hold names: of texts all but the known ones."""
    return bool(_TEXT.search(kind)) and column not in WITHOUT_NAMES
