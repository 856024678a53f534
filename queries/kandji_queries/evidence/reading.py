"""Evidence is read: a statement for the fleet and one for each rule, and the numbers that follow from them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from kandji_queries.compliance.rule_set import Rule, RuleSet
from kandji_queries.evidence import own_statement
from kandji_queries.evidence.contents import ControlEvidence, Days, Evidence, Gap, RuleTold
from kandji_queries.evidence.coverage import LACKING, Coverage, read_coverage, with_controls
from kandji_queries.evidence.exceptions import Exemption
from kandji_queries.evidence.exemptions import matched, uses
from kandji_queries.evidence.framework import Control, Framework
from kandji_queries.evidence.judging import FLEET_COLUMNS, Fleet, Judged, count_days, device_lines, judge, rule_days
from kandji_queries.evidence.rule_days import RuleDays, fleet_statement
from kandji_queries.history.period import KNOWN_SINCE
from kandji_queries.reader import Reader
from kandji_queries.results.data_notes import DUE
from kandji_queries.results.result import Result
from kandji_queries.times import read_moment
from kandji_schema.durations import exactly_in_words
from kandji_schema.errors import Failed, Refused, UnknownName, UsageError
from kandji_schema.registry import resource
from kandji_schema.utc import naive_utc

DEVICES = "devices"

OWN = "own statement"
"""What stands in the place of a rule's name where a control has a statement."""

LONGEST = 1_100
"""Most days of a period."""

ATTEMPTS = 3
"""How often it is read where each time a sync publishes while it is."""

SECONDS = 600.0
"""How long one statement may take: a large fleet's history of a year."""

LIMITS = (
    "The rules of compliance of today are applied to the data of then. What a rule was on an earlier day is not kept.",
    "A change counts for the day on which the mirror saw it; what came and was undone between two syncs is not seen.",
    "A day ends at midnight, UTC. Where the last day is today, its end is the moment at which this was made.",
    "How old a device's own report was on a past day is not kept. Where the newest report that is known was already "
    "too old on that day, the device is unknown; otherwise the value that the mirror held counts.",
    "What moves at every collection, such as the last check-in, is not kept: a rule about it is unknown on a past day, "
    "unless the newest time that is known decides it.",
    "A control here is measured by what devices report. It is a part of what the framework asks, never the whole.",
)
"""What cannot be known, said in every evidence."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a person asks for: two times as people write them, a framework, and exceptions."""

    first: str
    last: str
    framework: Framework
    exemptions: tuple[Exemption, ...] = ()


def read_period(first: str, last: str, now: datetime) -> tuple[Days, list[str]]:
    """Return the period, and what was cut off; :class:`UsageError` where it is reversed, too long or to come."""
    begins, ends = read_moment(first, now).date(), read_moment(last, now).date()
    moment = naive_utc(now)
    if begins > moment.date():
        raise UsageError(f"--from {first!r} lies in the future; of days to come nothing is known.")
    if ends < begins:
        raise UsageError(f"The period ends on {ends}, before it begins on {begins}. Turn the two round.")
    notes = []
    if ends > moment.date():
        notes.append(f"The period was to end on {ends}; days after today, {moment.date()}, are left out.")
        ends = moment.date()
    if (ends - begins).days >= LONGEST:
        raise UsageError(f"The period has {(ends - begins).days + 1:,} days; at most {LONGEST:,} can be shown at once.")
    if ends == moment.date():
        notes.append(f"The last day, {ends}, is not over: its end is the moment at which this was made.")
    return Days(begins, ends, moment), notes


def read_evidence(reader: Reader, rules: RuleSet, wanted: Wanted, *, version: str, masked: bool) -> Evidence:
    """Read all of it, of one state of the mirror where a sync lets us.

    Raises :class:`ConfigurationError` for a rule that a framework of one's own names and nobody has, and what the
    reader raises.
    """
    wanted.framework.refuse_unknown_rules(rule.name for rule in rules.rules)
    for _ in range(ATTEMPTS):
        generation = reader.manifest.generation
        found = _Reading(reader, rules, wanted).evidence(version=version, masked=masked)
        if reader.manifest.generation == generation:
            return found
    return replace(found, notes=[*found.notes, "A sync published tables while this was read: parts may differ by it."])


class _Reading:
    """One reading."""

    def __init__(self, reader: Reader, rules: RuleSet, wanted: Wanted) -> None:
        self._reader = reader
        self._wanted = wanted
        self._rules = {rule.name: rule for rule in rules.rules}
        self._file = rules.path
        self._now = reader.now()
        self._manifest = reader.manifest
        self._period, self._notes = read_period(wanted.first, wanted.last, self._now)
        self._statements: dict[str, str] = {}
        self._as_of: dict[str, str | None] = {}
        self._tables: dict[str, tuple[str, ...]] = {}
        self._lacking: dict[str, str] = {}
        self._shapes: dict[str, Mapping[str, str]] = {}

    def evidence(self, *, version: str, masked: bool) -> Evidence:
        wanted, period = self._wanted, self._period
        fleet = Fleet(period, self._run("fleet", self._fleet_statement()).rows)
        used = {name: self._rules[name] for c in wanted.framework.controls for name in c.rules if name in self._rules}
        states = {name: rule_days(fleet, rule, self._spans(rule)) for name, rule in used.items()}
        own = {control.id: self._own(fleet, control) for control in wanted.framework.controls if control.sql}
        devices = fleet.devices
        covered = self._coverage()
        controls: list[ControlEvidence] = []
        applied: dict[Exemption, int] = {}
        for control in wanted.framework.controls:
            by_rule = {name: states[name] for name in control.rules if name in states}
            told, judged = self._control(control, {OWN: own[control.id]} if control.sql else by_rule, covered, fleet)
            controls.append(told)
            applied |= judged.used
        tables = dict.fromkeys(table for told in controls for table in told.tables)
        needed = {table: tuple(told.control.id for told in controls if table in told.tables) for table in tables}
        gaps = [gap for table in needed for gap in self._gaps(table, covered)]
        return Evidence(
            tenant=self._manifest.tenant,
            version=version,
            made_at=self._now,
            generation=self._manifest.generation,
            published_at=self._manifest.published_at,
            period=period,
            framework=wanted.framework,
            rules_file=self._file.name,
            rules=tuple(_told(rule) for rule in used.values()),
            controls=tuple(controls),
            devices=len(devices),
            gaps=with_controls(gaps, needed),
            exemptions=uses(wanted.exemptions, controls, applied, devices, period),
            as_of=dict(sorted(self._as_of.items())),
            limits=LIMITS,
            notes=[*self._notes, *self._reader.warnings, *self._troubles()],
            statements=dict(self._statements),
            masked=masked,
        )

    def _run(self, name: str, sql: str, **more: Any) -> Result:
        """Run a statement of this evidence and remember it. It may have as many rows as there are."""
        period, limits = self._period, self._reader.limits
        values = {"first_day": period.first, "last_day": period.last, "moment": period.moment, **more}
        asked = {key: value for key, value in values.items() if f"${key}" in sql}
        every = replace(limits, rows=100_000_000, bytes=None, seconds=max(limits.seconds, SECONDS))
        found = self._reader.run(sql, asked, limits=every)
        self._statements[name] = sql
        self._as_of.update(found.as_of)
        return found

    def _shape(self, table: str) -> Mapping[str, str]:
        if table not in self._shapes:
            self._shapes[table] = {column.name: column.type for column in self._reader.describe(table).columns}
        return self._shapes[table]

    def _fleet_statement(self) -> str:
        return fleet_statement(resource(DEVICES), self._shape(DEVICES), FLEET_COLUMNS)

    def _spans(self, rule: Rule) -> Iterable[Any]:
        """Return the spans of a rule; none where the mirror lacks what it asks about, which is a gap of all days."""
        self._tables[rule.name] = tuple(dict.fromkeys((DEVICES, rule.table)))
        known = self._manifest.tables
        if rule.table not in known or not known[rule.table].file:
            self._lacking[rule.table] = f"{rule.table} was never read from the tenant"
            return ()
        shape = self._shape(rule.table)
        if missing := [column for column in ("device_id", *rule.columns) if column not in shape]:
            self._lacking[rule.table] = f"{rule.table}.{missing[0]} is not mirrored yet"
            return ()
        return self._run(f"rule-{rule.name}", RuleDays(rule, resource(rule.table), shape).statement).rows

    def _own(self, fleet: Fleet, control: Control) -> Mapping[str, bytes]:
        name = own_statement.file_name(control)
        try:
            found = self._run(name, control.sql)
        except (Failed, Refused, UnknownName) as error:
            raise own_statement.wrong(self._wanted.framework.path, control, str(error).rstrip(".")) from error
        self._tables[name] = tuple(dict.fromkeys((DEVICES, *sorted(found.as_of))))
        return own_statement.states(fleet, control, found, self._wanted.framework.path)

    def _coverage(self) -> Coverage:
        since: dict[str, datetime] = dict(self._reader.run(KNOWN_SINCE).rows)
        return read_coverage(self._reader.home, self._manifest.tables, since)

    def _troubles(self) -> Iterator[str]:
        """Give what is wrong with the tables but their age: of which days nothing is known, the gaps tell."""
        yield from (note for note in self._reader.data_notes(self._as_of) if DUE not in note)

    def _control(
        self, control: Control, by_rule: Mapping[str, Mapping[str, bytes]], covered: Coverage, fleet: Fleet
    ) -> tuple[ControlEvidence, Judged]:
        if absent := [name for name in control.rules if name not in self._rules]:
            why = f"Not measured: the rule {absent[0]} is not in force here, {self._file.name} has other ones."
            return ControlEvidence(control=control, tables=(), not_measured=why), _NONE
        names = control.rules or (own_statement.file_name(control),)
        tables = tuple(dict.fromkeys(table for name in names for table in self._tables[name]))
        if lacking := [self._lacking[table] for table in tables if table in self._lacking]:
            return ControlEvidence(control=control, tables=tables, not_measured=f"Not measured: {lacking[0]}."), _NONE
        period = self._period
        gaps = frozenset(_places(period, (gap for table in tables for gap in self._gaps(table, covered))))
        excepted = matched(self._wanted.exemptions, control, fleet.devices.values())
        judged = judge(period, by_rule, gaps, excepted)
        told = ControlEvidence(
            control=control,
            tables=tables,
            days=count_days(period, judged.days.values(), gaps),
            lines=device_lines(period, judged, fleet.devices),
            gap_days=len(gaps),
        )
        return told, judged

    def _gaps(self, table: str, covered: Coverage) -> Iterator[Gap]:
        if why := self._lacking.get(table):
            yield Gap(table, self._period.first, self._period.last, LACKING, why)
        else:
            yield from covered.gaps(table, self._period)


_NONE = Judged({}, {})


def _places(period: Days, gaps: Iterable[Gap]) -> Iterator[int]:
    for gap in gaps:
        yield from range(period.place(gap.first), period.place(gap.last) + 1)


def _told(rule: Rule) -> RuleTold:
    return RuleTold(
        name=rule.name,
        title=rule.title,
        table=rule.table,
        platforms=rule.platforms,
        conditions=" and ".join(map(str, rule.conditions)),
        max_age=exactly_in_words(rule.max_age) if rule.max_age else "",
    )
