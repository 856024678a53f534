"""What a compliance rule may ask of a column: a fixed list, each operator with the SQL it stands for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any

from kandji_schema import sql
from kandji_schema.durations import parse_duration
from kandji_schema.utc import naive_utc

Kinds = frozenset[str]

BOOLEANS: Kinds = frozenset({"BOOLEAN"})
TEXTS: Kinds = frozenset({"VARCHAR"})
NUMBERS: Kinds = frozenset({"BIGINT", "DOUBLE"})
TIMES: Kinds = frozenset({"TIMESTAMP"})
EVERY: Kinds = BOOLEANS | TEXTS | NUMBERS | TIMES | {"VARCHAR[]", "JSON"}
"""Types of columns, by DuckDB's names."""

NUL = "\x00"
LARGEST = 1e18
"""Greater numbers are no values of ours."""


def duration(value: object) -> timedelta | None:
    """Return ``36h`` or ``7d`` (s, m, h, d) as a length of time; None where it is none."""
    return parse_duration(value, units="smhd") if isinstance(value, str) else None


def sql_value(value: object) -> str:
    """Return a value of a rule as SQL. A text cannot leave its quotes; a time becomes UTC, as all our times are."""
    match value:
        case None:
            return "NULL"
        case bool() | int() | float():
            return repr(value)
        case datetime():
            return f"TIMESTAMP '{naive_utc(value)}'"
        case date():
            return f"TIMESTAMP '{value} 00:00:00'"
        case list() | tuple():
            return f"[{', '.join(map(sql_value, value))}]"
        case _:
            return sql.literal(value)


def kinds_of(value: object) -> Kinds:
    """Return the types of columns a value can be compared with; none for what is no value."""
    match value:
        case bool():
            return BOOLEANS
        case str() if NUL not in value:
            return TEXTS
        case int() | float() if abs(value) <= LARGEST:  # not so of NaN
            return NUMBERS
        case date():  # a datetime is one too
            return TIMES
        case list() if value:
            return frozenset.intersection(*map(kinds_of, value))
        case _:
            return frozenset()


def _nothing(value: object) -> bool:
    return value is None


def _one(value: object) -> bool:
    return not isinstance(value, list) and bool(kinds_of(value))


def _several(value: object) -> bool:
    return isinstance(value, list) and bool(kinds_of(value))


def _size(value: object) -> bool:
    return _one(value) and bool(kinds_of(value) & (NUMBERS | TIMES))


def _version(value: object) -> bool:
    return kinds_of(value) == TEXTS and str(value)[:1].isdigit()


def _age(value: object) -> bool:
    return duration(value) is not None


@dataclass(frozen=True)
class Operator:
    """``sql`` makes the condition from a column and a value: true, false, or NULL where that is not known.

    ``takes`` tells whether a value will do, ``needs`` says which ones. ``kinds`` are the types of columns it is for;
    None means those of the value.
    """

    sql: Callable[[str, Any], str]
    takes: Callable[[object], bool]
    needs: str
    phrase: str
    kinds: Kinds | None = None

    def fits(self, kind: str, value: object) -> bool:
        """Tell whether it can be asked of a column of that type."""
        return kind in (kinds_of(value) if self.kinds is None else self.kinds)

    def words(self, value: object) -> str:
        """Say what it asks, for people."""
        return self.phrase if value is None else f"{self.phrase} {value}"


OPERATORS: Mapping[str, Operator] = MappingProxyType(
    {
        "is_true": Operator(lambda column, _: column, _nothing, "left out", "is true", BOOLEANS),
        "is_false": Operator(lambda column, _: f"NOT {column}", _nothing, "left out", "is false", BOOLEANS),
        "not_null": Operator(lambda column, _: f"{column} IS NOT NULL", _nothing, "left out", "is known", EVERY),
        "equals": Operator(
            lambda column, value: f"{column} = {sql_value(value)}", _one, "a text, number, time, true or false", "is"
        ),
        "not_equals": Operator(
            lambda column, value: f"{column} <> {sql_value(value)}",
            _one,
            "a text, number, time, true or false",
            "is not",
        ),
        "in": Operator(
            lambda column, value: f"list_contains({sql_value(value)}, {column})",
            _several,
            "a list of texts, numbers or times, at least one, all alike",
            "is one of",
        ),
        "at_least": Operator(
            lambda column, value: f"{column} >= {sql_value(value)}", _size, "a number or a time", "is at least"
        ),
        "at_most": Operator(
            lambda column, value: f"{column} <= {sql_value(value)}", _size, "a number or a time", "is at most"
        ),
        "at_least_version": Operator(
            lambda column, value: f"NOT version_below({column}, {sql_value(value)})",
            _version,
            'a version as text, such as "14.6"',
            "is at least version",
            TEXTS,
        ),
        "within": Operator(
            lambda column, value: f"{column} >= (now() AT TIME ZONE 'UTC') - {interval(value)}",
            _age,
            'a time such as "36h" or "14d" (s, m, h, d)',
            "is within",
            TIMES,
        ),
    }
)
"""Every operator by name. All but ``not_null`` are NULL for a column that is NULL."""


def interval(value: object) -> str:
    """Return a length of time as SQL."""
    length = duration(value) or timedelta()
    return f"INTERVAL {int(length.total_seconds())} SECOND"
