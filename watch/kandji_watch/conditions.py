"""Conditions: what an answer must be like for somebody to be told, as records, and how they are written.

- ``any``: every row of an answer is a finding.
- ``new``: likewise, but what is there at the first look is only counted.
- ``above``, ``below``: a number, of rows or in a column of the only row.
- ``older``: a table is older than so many times its time to live.
- ``silent``: nothing was heard from the process that syncs for so long; this one asks no table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from kandji_schema.registry import resources
from kandji_watch.place import Place, Table

WHEN = ("any", "new", "above", "below", "older", "silent")
CONDITION_KEYS = ("query", "sql", "params", "when", "value", "number", "tables", "times", "after")
ROWS = "rows"
"""What ``number`` is called that is how many rows there are."""

_OF = {
    "any": ("query", "sql", "params"),
    "new": ("query", "sql", "params"),
    "above": ("query", "sql", "params", "value", "number"),
    "below": ("query", "sql", "params", "value", "number"),
    "older": ("tables", "times"),
    "silent": ("after",),
}
"""The keys that each kind has."""


@dataclass(frozen=True)
class Question:
    """A named query with its parameters, or a statement; the other one is empty."""

    query: str
    sql: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rows:
    """Each row is a finding; with ``baseline`` those of the first look are not."""

    question: Question
    baseline: bool


@dataclass(frozen=True)
class Number:
    """A number is above or below a value: how many rows, or what the only row has in a column."""

    question: Question
    above: bool
    value: float
    number: str


@dataclass(frozen=True)
class Older:
    """A table is older than so many times its time to live; no names are all tables that were ever read."""

    tables: tuple[str, ...]
    times: float


@dataclass(frozen=True)
class Silent:
    """Nothing was heard from whoever syncs for longer than this."""

    after: timedelta


Condition = Rows | Number | Older | Silent


def read_condition(place: Place, table: Table) -> Condition:
    """Read the condition of a check; :class:`ConfigurationError` names file, check, key, value and rule."""
    when = place.choice(table, "when", WHEN, "any")
    for key in CONDITION_KEYS:
        if key in table and key != "when" and key not in _OF[when]:
            raise place.wrong(key, table[key], f'left out with when = "{when}"')
    if when == "silent":
        return Silent(place.duration(table, "after", "2h", timedelta(minutes=1)))
    if when == "older":
        return Older(read_tables(place, table, "tables"), _times(place, table))
    question = _question(place, table)
    if when in {"any", "new"}:
        return Rows(question, baseline=when == "new")
    if "value" not in table:
        raise place.missing("value", f"the number that is told when it is {when}")
    return Number(question, when == "above", place.number(table, "value"), place.text(table, "number", ROWS))


def _question(place: Place, table: Table) -> Question:
    if "query" in table and "sql" in table:
        raise place.wrong("sql", table["sql"], "left out where there is `query`: a check asks one of the two")
    if not {"query", "sql"} & table.keys():
        raise place.missing("query", "the name of a query; or sql, a statement: one of the two")
    params = place.table(table, "params")
    if "query" in table:
        return Question(place.text(table, "query"), "", params)
    return Question("", place.text(table, "sql"), params)


def read_tables(place: Place, table: Table, key: str) -> tuple[str, ...]:
    """Return the tables that a key names."""
    names = place.texts(table, key)
    for name in names:
        if name not in resources():
            raise place.unknown(key, name, resources())
    return names


def _times(place: Place, table: Table) -> float:
    times = place.number(table, "times", 3)
    if not 1 <= times <= 1_000_000:
        raise place.wrong("times", times, "1 or more")
    return times
