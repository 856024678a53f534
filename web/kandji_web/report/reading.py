"""A report is read: every picture once, all of one state of the mirror."""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from math import ceil
from typing import Any

from kandji_queries.blueprint_reader import BlueprintReader
from kandji_queries.catalog.counting import of_whole_tenant
from kandji_queries.catalog.queries import NamedQuery
from kandji_queries.charts.picture import Picture, read_picture
from kandji_queries.history.period import read_period
from kandji_queries.overview import Behind, ComparedSection, Line, Overview, compare_fleet, read_overview
from kandji_queries.reader import Reader
from kandji_queries.results.data_notes import DUE
from kandji_queries.results.dates import date_line
from kandji_schema.errors import Interrupted, MirrorError, NotFresh, NothingMirrored
from kandji_schema.manifest import State
from kandji_schema.utc import naive_utc
from kandji_web.report.contents import About, Figure, Report, ReportPicture, ReportSection, Wanted
from kandji_web.report.sections import BUDGET, KEY_NUMBERS, Section, Shown, chosen

ATTEMPTS = 3
"""How often a report is read where each time a sync publishes while it is."""

WHOLE_TENANT = "Of the whole tenant, whatever the blueprint"


def read_report(reader: Reader, wanted: Wanted, about: About, *, masked: bool) -> Report:
    """Read all that is wanted; a picture that cannot be read says so in its sentence.

    Raises :class:`UnknownName` for a section or a blueprint there is not, :class:`UsageError` for a time that is none
    or lies ahead, and :class:`NotFresh` and :class:`NothingMirrored` as the reader does.
    """
    reading = _Reading(reader, wanted, about, masked)
    report = reading.report()
    for _ in range(1, ATTEMPTS):
        if reading.of_one_state:
            return report
        reading = _Reading(reader, wanted, about, masked)
        report = reading.report()
    moved = () if reading.of_one_state else ("A sync published tables while this was read: numbers may differ by it.",)
    return replace(report, notes=[*report.notes, *moved])


class _Reading:
    """One reading of a report; ``of_one_state`` tells whether no table was replaced meanwhile."""

    def __init__(self, reader: Reader, wanted: Wanted, about: About, masked: bool) -> None:
        self._sections = chosen(wanted.sections)
        self._wanted = wanted
        self._about = about
        self._masked = masked
        self._now = reader.now()
        self._since = read_period(wanted.since, None, self._now).since if wanted.since is not None else None
        self._narrowed = None if wanted.blueprint is None else BlueprintReader.of(reader, wanted.blueprint)
        self._reader = self._narrowed or reader
        self._troubled = {table.name for table in reader.tables() if table.state not in {None, State.OK}}
        self._read_at: dict[str, set[str | None]] = {}

    @property
    def of_one_state(self) -> bool:
        return all(len(moments) == 1 for moments in self._read_at.values())

    def report(self) -> Report:
        """Read everything."""
        overview = read_overview(self._reader, blueprint=self._blueprint)
        self._seen(overview.as_of)
        compared = self._compared()
        sections = tuple(map(self._section, self._sections))
        as_of = {table: next(iter(moments)) for table, moments in sorted(self._read_at.items())}
        return Report(
            about=self._about,
            wanted=self._wanted,
            made_at=self._now,
            masked=self._masked,
            blueprint=self._blueprint,
            since=self._since,
            as_of=as_of,
            dated=date_line(as_of, self._now),
            notes=[*self._reader.warnings, *self._reader.data_notes(as_of)],
            overview=overview,
            figures=tuple(self._figures(overview)),
            compared=compared,
            sections=sections,
        )

    @property
    def _blueprint(self) -> str:
        return self._narrowed.blueprint if self._narrowed else ""

    def _seen(self, as_of: Mapping[str, str | None]) -> None:
        for table, moment in as_of.items():
            self._read_at.setdefault(table, set()).add(moment)

    def _compared(self) -> tuple[ComparedSection, ...]:
        if self._since is None:
            return ()
        now = naive_utc(self._now).replace(microsecond=0)
        return compare_fleet(self._reader, self._since, now, blueprint=self._blueprint)

    def _figures(self, overview: Overview) -> Iterator[Figure]:
        known = {(section.name, line.fact): line for section in overview.sections for line in section.lines}
        for number in KEY_NUMBERS:
            line = known.get((number.section, number.fact), Line(number.fact, 0, None, None, None))  # of none at all
            everywhere = bool(self._narrowed) and self._is_everywhere(line.behind)
            yield Figure(number.title, line.n, line.whole, line.unknown, everywhere)

    def _is_everywhere(self, behind: Behind | None) -> bool:
        if behind is None:
            return False
        sql = self._reader.named(behind.query).sql if behind.query else behind.sql
        return not sql or bool(of_whole_tenant(sql))

    def _section(self, section: Section) -> ReportSection:
        if section.needs and not self._reader.was_read(section.needs):
            return ReportSection(section.name, section.title, (), section.otherwise)
        told = self._about.budget if section.name == BUDGET else ""
        return ReportSection(section.name, section.title, tuple(map(self._picture, section.pictures)), told)

    def _picture(self, shown: Shown) -> ReportPicture:
        query = self._reader.named(shown.query)
        title = shown.title or query.title
        try:
            found = read_picture(self._reader, shown.query, {**shown.params, **self._period(query)})
        except (NotFresh, NothingMirrored, Interrupted):
            raise
        except MirrorError as error:
            return ReportPicture(title=title, sentence=f"This could not be shown: {error}")
        self._seen(found.as_of)
        if found.chart:
            found = replace(found, title=title, chart=replace(found.chart, title=title))
        return ReportPicture(
            title=title,
            sentence=found.sentence,
            picture=found,
            dated=f"{date_line(found.as_of, self._now)}{' Over all devices:' if self._is_narrowed(query) else ''}",
            notes=[*self._scope(query), *self._notes(found)],
            source=_source(query, found.params),
        )

    def _period(self, query: NamedQuery) -> dict[str, Any]:
        """Return the days that a query of the past looks back where a time is compared."""
        days = next((param for param in query.params if param.name == "days"), None)
        if self._since is None or days is None or query.since is None:
            return {}
        wanted = ceil((naive_utc(self._now) - self._since).total_seconds() / 86_400)
        return {"days": int(min(max(wanted, days.low or 1), days.high or wanted))}

    def _is_narrowed(self, query: NamedQuery) -> bool:
        return self._narrowed is not None and self._narrowed.narrows(query.name)

    def _scope(self, query: NamedQuery) -> Iterable[str]:
        """Say what of a picture is not about the blueprint."""
        if self._narrowed is None:
            return
        if not self._is_narrowed(query):
            yield f"{WHOLE_TENANT}."
        elif tables := of_whole_tenant(query.sql):
            yield f"{WHOLE_TENANT}: {', '.join(tables)}."

    def _notes(self, picture: Picture) -> Iterator[str]:
        """Return the notes of this picture alone, and what is wrong with its tables but their age."""
        common = {*self._reader.data_notes(picture.as_of), *self._reader.warnings}
        own = (note for note in picture.notes if note not in common and DUE not in note)
        for note in (*self._reader.data_notes(self._troubled.intersection(picture.as_of)), *own):
            if note.rstrip(".") not in picture.sentence:
                yield note


def _source(query: NamedQuery, values: Mapping[str, Any]) -> str:
    """Return the command that gives the whole answer: its parameters where they are not what they are by default."""
    usual = {param.name: param.default for param in query.params}
    given = (f"-p {shlex.quote(f'{name}={_word(value)}')}" for name, value in values.items() if value != usual[name])
    return " ".join(["kandji-mirror query", query.name, *given])


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
