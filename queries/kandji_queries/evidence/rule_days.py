"""A rule of compliance on every day of a period, as one statement: who met it from which day to which.

The verdict is that of the view ``compliance``: the worst row of a device decides, and what was reported longer ago than
the rule takes proves nothing. History keeps no time that moves at every collection (``volatile`` columns). So:

- ``max_age`` takes the newest report that is known to the mirror. Where even that was too old on a day, the result of
  that day is unknown; where it came later, nobody knows how old the report of that day was, and the value that was held
  counts.
- ``within`` of such a column is true or false where the newest time that is known lies before the day's end, and
  unknown where it lies after it. Any other condition on it is known of today alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kandji_queries.compliance.operators import interval
from kandji_queries.compliance.relations import REPORTED_AT
from kandji_queries.compliance.rule_set import Condition, Rule
from kandji_queries.evidence.versions import FIRST, LAST, NOW, Versions
from kandji_schema.resource import Resource
from kandji_schema.sql import identifier

TODAY = f"{NOW}::DATE"

AT_END = f"least((begins + 1)::TIMESTAMP, {NOW})"
"""The moment that ends the day a version begins on: what is asked of a version is asked of that day."""


class Verdict(StrEnum):
    """What a rule says of a device on a day."""

    PASS = "pass"  # noqa: S105  # no password
    FAIL = "fail"
    OLD = "reported too long ago"
    NULL = "value not known"


@dataclass(frozen=True)
class RuleDays:
    """The statement of a rule. ``resource`` declares its table, ``shape`` is how that looks in this mirror."""

    rule: Rule
    resource: Resource
    shape: Mapping[str, str]

    @property
    def statement(self) -> str:
        """Columns are ``device_id``, ``first_day``, ``last_day`` and ``result``, a :class:`Verdict`.

        A device without a row in the rule's table has none on its days.
        """
        steps = {**self._rows.steps, "cut": self._cut, "judged": self._judged, **_COUNTED}
        listed = ",\n".join(f"{name} AS ({sql})" for name, sql in steps.items())
        return f"WITH {listed}\n{_RESULT}"

    @property
    def _reported(self) -> str | None:
        """The column that says when a device reported a row, where that counts and there is one."""
        return next((c for c in REPORTED_AT if c in self.shape), None) if self.rule.max_age else None

    @property
    def _rows(self) -> Versions:
        wanted = ["device_id", *self.rule.columns, *([self._reported] if self._reported else [])]
        return Versions(self.rule.table, self.resource.key, self.resource.key_fallback, self.shape, wanted)

    @property
    def _cut(self) -> str:
        """The versions, cut into parts in which every day has the same answer."""
        inner = "".join(f", {day}" for day in self._turns())
        return f"""
            SELECT * EXCLUDE (cuts), unnest(cuts) AS begins, unnest(list_append(cuts[2:], last_day + 1)) AS next
            FROM (
                SELECT *, list_sort(list_distinct(list_filter(
                    [first_day{inner}], lambda day: day >= first_day AND day <= last_day
                ))) AS cuts
                FROM versions
            )"""

    def _turns(self) -> Iterator[str]:
        """Give the days on which an answer may turn though the row stays what it is."""
        if self._reported and self.rule.max_age:
            yield from _turn_of_age(f"{identifier(self._reported)} + {_seconds(self.rule.max_age.total_seconds())}")
        for condition in self.rule.conditions:
            column = identifier(condition.column)
            if _is_within(condition):
                yield from _turn_of_age(f"{column} + {interval(condition.value)}")
                yield f"({column} - INTERVAL 1 MICROSECOND)::DATE"
            if self._is_volatile(condition.column):
                yield TODAY

    @property
    def _judged(self) -> str:
        holds = " AND ".join(f"({self._holds(condition)})" for condition in self.rule.conditions)
        old = "false"
        if self._reported and self.rule.max_age:
            age = f"({AT_END} - {identifier(self._reported)})"
            old = f"coalesce({age} > {_seconds(self.rule.max_age.total_seconds())}, true)"
        return f"""
            SELECT device_id, begins, next, {old} AS is_old, {holds} AS holds
            FROM cut
            WHERE device_id IS NOT NULL"""

    def _holds(self, condition: Condition) -> str:
        column, volatile = identifier(condition.column), self._is_volatile(condition.column)
        if _is_within(condition):
            held = f"{column} >= {AT_END} - {interval(condition.value)}"
            return f"CASE WHEN {column} <= {AT_END} THEN {held} END" if volatile else held
        held = condition.operator.sql(column, condition.value)
        return f"CASE WHEN begins = {TODAY} THEN {held} END" if volatile else held

    def _is_volatile(self, name: str) -> bool:
        return any(column.name == name and column.volatile for column in self.resource.columns)


def _is_within(condition: Condition) -> bool:
    return condition.operator.phrase == "is within"


def _seconds(seconds: float) -> str:
    return f"INTERVAL {int(seconds)} SECOND"


def _turn_of_age(end: str) -> Iterator[str]:
    """Give the first day at whose end something that lasts until a moment is over; of today it may not be yet."""
    yield f"CASE WHEN ({end})::DATE = {TODAY} AND {end} >= {NOW} THEN {TODAY} + 1 ELSE ({end})::DATE END"


_COUNTED: Mapping[str, str] = {
    "steps": """
            SELECT device_id, begins AS day, 1 AS rows, is_old::INT AS old, (holds IS FALSE)::INT AS failing,
                (holds IS NULL)::INT AS unknown
            FROM judged
            UNION ALL
            SELECT device_id, next, -1, -is_old::INT, -(holds IS FALSE)::INT, -(holds IS NULL)::INT
            FROM judged""",
    "daily": """
            SELECT device_id, day, sum(rows) AS rows, sum(old) AS old, sum(failing) AS failing, sum(unknown) AS unknown
            FROM steps
            GROUP BY ALL""",
    "running": f"""
            SELECT
                device_id, day, lead(day, 1, {LAST} + 1) OVER days AS next, sum(rows) OVER days AS rows,
                sum(old) OVER days AS old, sum(failing) OVER days AS failing, sum(unknown) OVER days AS unknown
            FROM daily
            WINDOW days AS (PARTITION BY device_id ORDER BY day)""",
}
"""Rows of a device that come, go and turn on each day, and how many there are from then on."""

_RESULT = f"""
    SELECT
        device_id, day AS first_day, next - 1 AS last_day,
        CASE
            WHEN old > 0 THEN '{Verdict.OLD}'
            WHEN failing > 0 THEN '{Verdict.FAIL}'
            WHEN unknown > 0 THEN '{Verdict.NULL}'
            ELSE '{Verdict.PASS}'
        END AS result
    FROM running
    WHERE rows > 0 AND day <= {LAST} AND {FIRST} <= {LAST}
    ORDER BY device_id, first_day"""


def fleet_statement(resource: Resource, shape: Mapping[str, str], columns: Sequence[str]) -> str:
    """Return the statement of the devices that were listed: ``columns`` with ``first_day`` and ``last_day``."""
    rows = Versions(resource.name, resource.key, resource.key_fallback, shape, columns)
    listed = ",\n".join(f"{name} AS ({sql})" for name, sql in rows.steps.items())
    shown = ", ".join(map(identifier, columns))
    return f"WITH {listed}\nSELECT {shown}, first_day, last_day FROM versions ORDER BY device_id, first_day"
