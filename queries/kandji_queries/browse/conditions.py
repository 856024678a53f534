"""What can be asked of a column: an operator and values as they were typed, read into SQL with bound parameters."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kandji_queries.browse.relation import Field, Values
from kandji_queries.times import read_moment
from kandji_schema.errors import UsageError
from kandji_schema.sql import identifier
from kandji_schema.text import fold_text

LONGEST = 1_000
"""Most characters of a value."""

MOST_VALUES = 100
"""Most values of one condition."""

SHOWN = 60
"""Most characters of a wrong value that an error repeats."""

RANGE = ".."
"""Stands between the two ends of a range."""

_EVERY = frozenset(Values)
_TEXTUAL = frozenset({Values.TEXT, Values.VERSION, Values.TEXTS, Values.DOCUMENT})
_ORDERED = frozenset({Values.NUMBER, Values.MOMENT})
_EQUAL = _EVERY - {Values.DOCUMENT}


@dataclass(frozen=True, slots=True)
class Operator:
    """``code`` in addresses, ``words`` for people, of which kinds of ``values``; ``takes`` how many typed values.

    Of a ``several`` operator any one of its values may fit.
    """

    code: str
    words: str
    values: frozenset[Values]
    takes: int = 1
    several: bool = False
    moment_words: str = ""

    def words_for(self, field: Field) -> str:
        """Return what it is called for a column: numbers are greater, moments are later."""
        return self.moment_words if self.moment_words and field.values is Values.MOMENT else self.words


OPERATORS: Mapping[str, Operator] = {
    operator.code: operator
    for operator in (
        Operator("is", "is", _EQUAL, several=True),
        Operator("not", "is not", _EQUAL, several=True),
        Operator("contains", "contains", _TEXTUAL, several=True),
        Operator("lacks", "does not contain", _TEXTUAL),
        Operator("gt", "is greater than", _ORDERED, moment_words="is after"),
        Operator("ge", "is at least", _ORDERED, moment_words="is at or after"),
        Operator("lt", "is less than", _ORDERED, moment_words="is before"),
        Operator("le", "is at most", _ORDERED, moment_words="is at or before"),
        Operator("between", "is between", _ORDERED, takes=2),
        Operator("below", "is a version below", frozenset({Values.VERSION})),
        Operator("from", "is a version from", frozenset({Values.VERSION})),
        Operator("unknown", "is not known", _EVERY, takes=0),
        Operator("known", "is known", _EVERY, takes=0),
    )
}
"""All operators by code."""

AMONG = Operator("among", "is among", frozenset({Values.TEXT, Values.VERSION}), several=True)
"""What a condition becomes whose values were looked up; nobody types it."""

SLOW = frozenset({"contains", "below", "from"})
"""Codes of operators that are asked of each different value once, where these are stored."""

IS = OPERATORS["is"]
UNKNOWN = OPERATORS["unknown"]


def operators_of(field: Field) -> list[Operator]:
    """Return the operators that a column has."""
    return [operator for operator in OPERATORS.values() if field.values in operator.values]


@dataclass(frozen=True, slots=True)
class Condition:
    """An operator of a column with the values as they were typed; it has been read once, so they can be."""

    field: Field
    operator: Operator
    texts: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Say it to people: ``os_version is a version below 14.6``."""
        wanted = " or ".join(_ends(text) if self.operator.takes == 2 else text for text in self.texts)
        return f"{self.field.name} {self.operator.words_for(self.field)} {wanted}".strip()


def _ends(text: str) -> str:
    return " and ".join(part.strip() for part in text.split(RANGE, 1))


ROWS = "t"
"""What a relation is called in a statement."""


def column_of(name: str) -> str:
    """Return a column of the relation: by its mere name one that is called ``user`` would be a function."""
    return f"{ROWS}.{identifier(name)}"


@dataclass(frozen=True, slots=True)
class Clause:
    """Part of a WHERE, with what is bound to it."""

    sql: str
    params: Mapping[str, Any]


def clause_of(condition: Condition, number: int, now: datetime, source: str = "") -> Clause:
    """Return the SQL of a condition; its parameters are called after ``number``.

    ``source`` is the relation that is looked at: with it a text is looked for among the different values once, not in
    every row. :class:`UsageError` where a value is not what the column holds: the value, the rule, an example.
    """
    column, field = column_of(condition.field.name), condition.field
    if condition.operator == AMONG:
        return Clause(f"{column} IN (SELECT unnest($v{number}))", {f"v{number}": [*condition.texts]})
    values = [_read(field, condition.operator, text, now) for text in condition.texts]
    bound = {f"v{number}_{place}": value for place, value in enumerate(_flat(values))}
    names = [f"${name}" for name in bound]
    made = _SQL[condition.operator.code](column, field, names, source)
    return Clause(made, bound)


def _flat(values: Iterable[Any]) -> Iterable[Any]:
    for value in values:
        yield from value if isinstance(value, tuple) else (value,)


def _read(field: Field, operator: Operator, text: str, now: datetime) -> Any:
    if len(text) > LONGEST:
        raise UsageError(f"This is {len(text):,} characters long; a value has at most {LONGEST:,}.")
    if "\0" in text:
        raise UsageError("A value cannot have the character U+0000.")
    if operator.code in {"contains", "lacks"} and not fold_text(text):
        raise UsageError("Type something that can be seen: every text contains nothing.")
    if operator.takes == 2:
        return _range(field, text, now)
    if operator.code in {"below", "from"} and not _VERSION.match(text):
        raise UsageError(f"{shown(text)} is no version. Type one such as 14.6 or 130.0.6723.")
    return _one(field, operator, text, now)


def _one(field: Field, operator: Operator, text: str, now: datetime) -> Any:
    if field.values is Values.NUMBER:
        return _number(text)
    if field.values is Values.BOOLEAN:
        return _boolean(text)
    if field.values is Values.MOMENT:
        begin, end = _day(text, now)
        return {"is": (begin, end), "not": (begin, end), "gt": end, "le": end}.get(operator.code, begin)
    return text


def _range(field: Field, text: str, now: datetime) -> tuple[Any, Any]:
    parts = [part.strip() for part in text.split(RANGE, 1)]
    if len(parts) != 2 or not all(parts):
        raise UsageError(f"Type both ends, as in {'2026-11-01..2026-11-20' if _is_moment(field) else '10..20'}.")
    low: Any
    high: Any
    if not _is_moment(field):
        low, high = _number(parts[0]), _number(parts[1])
    else:
        low, high = _day(parts[0], now)[0], _day(parts[1], now)[1]
    if low > high:
        raise UsageError(f"{shown(parts[0])} is not before {shown(parts[1])}, so nothing lies between them.")
    return low, high


def _is_moment(field: Field) -> bool:
    return field.values is Values.MOMENT


def _number(text: str) -> int | float:
    plain = text.strip().replace("\u2212", "-")
    if re.fullmatch(r"[-+]?\d{1,18}", plain, re.ASCII):
        return int(plain)
    if re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", plain, re.ASCII | re.IGNORECASE) and math.isfinite(
        found := float(plain)
    ):
        return found
    raise UsageError(f"{shown(text)} is no number. Type one such as 42 or 3.5, without spaces, commas and units.")


def _boolean(text: str) -> bool:
    plain = text.strip().lower()
    if plain not in _BOOLEANS:
        raise UsageError(f"{shown(text)} is neither yes nor no.")
    return _BOOLEANS[plain]


def _day(text: str, now: datetime) -> tuple[datetime, datetime]:
    """Return where a moment begins and ends: a date alone is a whole day, a time to the minute a whole minute."""
    begin = read_moment(text, now)
    plain = text.strip()
    length = next((length for form, length in _LENGTHS if form.fullmatch(plain)), timedelta(microseconds=1))
    try:
        return begin, begin + length
    except OverflowError as error:
        raise UsageError(f"{shown(text)} is too far away. Type a date such as 2026-11-20.") from error


_LENGTHS = (
    (re.compile(r"\d{4}-\d{2}-\d{2}|today|yesterday", re.IGNORECASE), timedelta(days=1)),
    (re.compile(r"[^T ]+[T ]\d{2}:\d{2}(Z|[-+]\d{2}:?\d{2})?"), timedelta(minutes=1)),
    (re.compile(r"[^T ]+[T ]\d{2}:\d{2}:\d{2}(Z|[-+]\d{2}:?\d{2})?"), timedelta(seconds=1)),
)
_VERSION = re.compile(r"\s*(?:version|v)?[. ]*\d{1,30}(?:\.\d{1,30})*(?!\d)", re.IGNORECASE)
_BOOLEANS = {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False, "off": False}


def shown(text: str) -> str:
    """Return a typed value as an error repeats it."""
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")


Make = Callable[[str, Field, list[str], str], str]


def _is(column: str, field: Field, names: list[str], _: str) -> str:
    if field.values is Values.TEXTS:
        return f"list_has_any({column}, [{', '.join(names)}])"
    if field.values is Values.MOMENT:
        pairs = zip(names[::2], names[1::2], strict=True)
        return "(" + " OR ".join(f"({column} >= {begin} AND {column} < {end})" for begin, end in pairs) + ")"
    return f"{column} IN ({', '.join(names)})"


def _contains(column: str, field: Field, names: list[str], source: str) -> str:
    if field.values is Values.TEXTS:
        found = " OR ".join(f"contains(folded(part), folded({name}))" for name in names)
        return f"length(list_filter({column}, lambda part: {found})) > 0"
    if field.values is Values.DOCUMENT:
        return "(" + " OR ".join(f"contains(lower({column}::VARCHAR), lower({name}))" for name in names) + ")"
    return _among(column, " OR ".join(f"contains(folded({{0}}), folded({name}))" for name in names), source)


def _among(column: str, fits: str, source: str) -> str:
    """Ask what takes long once of each different value; ``{0}`` in ``fits`` is the value.

    The values are results of an aggregate, below which the engine cannot push the question.
    """
    if not source:
        return f"({fits.format(column)})"
    different = f"SELECT min({column}) AS _value {source} GROUP BY {column}"
    return f"{column} IN (SELECT _value FROM ({different}) WHERE {fits.format('_value')})"


def _unless(make: Make) -> Make:
    return lambda *given: f"NOT coalesce({make(*given)}, false)"


def _compared(sign: str, moment_sign: str = "") -> Make:
    """Compare with a value; the end of a day or minute is not in it any more, so moments may need another sign."""
    return lambda column, field, names, _: f"{column} {moment_sign if _is_moment(field) else sign} {names[0]}"


def _between(column: str, field: Field, names: list[str], _: str) -> str:
    return f"({column} >= {names[0]} AND {column} {'<' if _is_moment(field) else '<='} {names[1]})"


def _unknown(column: str, field: Field, _names: list[str], _: str) -> str:
    return f"coalesce(length({column}), 0) = 0" if field.values is Values.TEXTS else f"{column} IS NULL"


_SQL: Mapping[str, Make] = {
    "is": _is,
    "not": _unless(_is),
    "contains": _contains,
    "lacks": _unless(_contains),
    "gt": _compared(">", ">="),
    "ge": _compared(">=", ">="),
    "lt": _compared("<", "<"),
    "le": _compared("<=", "<"),
    "between": _between,
    "below": lambda column, _field, names, source: _among(column, f"version_below({{0}}, {names[0]})", source),
    "from": lambda column, _field, names, source: _among(column, f"NOT version_below({{0}}, {names[0]})", source),
    "unknown": _unknown,
    "known": lambda column, field, names, source: f"NOT ({_unknown(column, field, names, source)})",
}
