"""The line ``leads`` of a query's header: which rows its numbers count.

::

    -- leads: devices to fleet(blueprint_id=blueprint_id)
    -- leads: failed to rule_results(rule=rule, result='fail')
    -- leads: unknown to fleet(platform='Mac', filevault_on=?)

A number of the columns on the left counts the rows of a table or view whose columns have these values, or those that a
named query lists for these parameters: each a column of the same row (``blueprint_id|blueprint``: the first that is
known), a text in quotes, or ``?``, not known.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kandji_queries.sql_files import Entry, SqlFile

_WRITTEN = re.compile(r"(?P<columns>\w+(?:, *\w+)*) to (?P<name>\w+)\((?P<fills>[^()]*)\)")
_FILL = re.compile(r"(?P<there>\w+)=(?P<value>\w+(?:\|\w+)?|'[^',]*'|\?)")

NONE = (None, "unknown")
"""What stands in an answer for rows that have no value."""

RULE = "numbers lead to rows as in `-- leads: devices to fleet(blueprint_id=blueprint_id, platform='Mac')`"


@dataclass(frozen=True)
class NumberLead:
    """What the numbers of some ``columns`` count: rows of ``name`` where each of ``fills`` is so, as it is written."""

    columns: tuple[str, ...]
    name: str
    fills: Mapping[str, str]

    @property
    def needs(self) -> tuple[str, ...]:
        """The columns of the answer that it names."""
        named = (value.split("|") for value in self.fills.values() if value[0] not in "'?")
        return (*self.columns, *(name for names in named for name in names))

    def values(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is asked for of a row, by the names there; None for what is not known."""
        return {there: _value(written, row) for there, written in self.fills.items()}


def read_lead(words: str) -> NumberLead:
    """Read what stands behind ``-- leads:``; :class:`ValueError` with the rule where it is none."""
    match = _WRITTEN.fullmatch(words.strip())
    fills = [_FILL.fullmatch(part.strip()) for part in match["fills"].split(",")] if match else []
    if match is None or None in fills:
        raise ValueError(f"{RULE}, not {words[:80]!r}")
    columns = tuple(column.strip() for column in match["columns"].split(","))
    return NumberLead(columns, match["name"], {fill["there"]: fill["value"] for fill in fills if fill})


def leads_of(file: SqlFile) -> tuple[NumberLead, ...]:
    """Return the leads of a header; :class:`ConfigurationError` names file and line of one that is none."""
    return tuple(_lead(file, entry) for entry in file.all("leads"))


def _lead(file: SqlFile, entry: Entry) -> NumberLead:
    try:
        return read_lead(entry.value)
    except ValueError as error:
        raise file.wrong(entry.line, str(error)) from error


def lead_of(leads: Sequence[NumberLead], column: str) -> NumberLead | None:
    """Return the lead of a column, None where its numbers have none."""
    return next((lead for lead in leads if column in lead.columns), None)


def _value(written: str, row: Mapping[str, Any]) -> Any:
    if written == "?":
        return None
    if written.startswith("'"):
        return written.strip("'")
    return next((row[name] for name in written.split("|") if row[name] not in NONE), None)
