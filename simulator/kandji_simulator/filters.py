"""The ``filter`` parameter of Prism: ``{column: {operator: value}}``, all of them together."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kandji_simulator.moments import parse


class BadFilter(Exception):
    """The filter is not what the provider takes; the text is the provider's ``detail``."""


@dataclass(frozen=True)
class Filter:
    """``device_ids``, ``since`` and ``collected`` are what needs no look at the row's text.

    Rows written before the moment ``since`` are out, and those of devices collected before ``collected``.
    """

    device_ids: frozenset[str] | None
    since: int
    collected: int
    conditions: tuple[Callable[[dict[str, Any]], bool], ...]

    @property
    def everything(self) -> bool:
        """Whether no row can fail."""
        return self.device_ids is None and not (self.since or self.collected or self.conditions)

    def passes(self, row: dict[str, Any]) -> bool:
        """Whether a row meets the conditions on its columns."""
        return all(condition(row) for condition in self.conditions)


ALL = Filter(None, 0, 0, ())


def read_filter(text: str) -> Filter:
    """The filter of a query parameter; :class:`BadFilter` where it cannot be one."""
    try:
        return filter_of(json.loads(text))
    except ValueError as error:
        raise BadFilter("Invalid filter.") from error


def filter_of(columns: Any) -> Filter:
    """The filter that was sent as an object; :class:`BadFilter` where it cannot be one."""
    try:
        asked = [(c, operator, value) for c, tests in columns.items() for operator, value in tests.items()]
    except AttributeError as error:
        raise BadFilter("Invalid filter.") from error
    since, collected = (
        max((parse(v) or 0 for c, o, v in asked if (c, o) == (column, "gte") and isinstance(v, str)), default=0)
        for column in ("updated_at", "last_collected_at")
    )
    ids = [_ids(o, v) for c, o, v in asked if c == "device_id" and o in {"in", "eq"}]
    cheap = {("updated_at", "gte"), ("last_collected_at", "gte"), ("device_id", "in"), ("device_id", "eq")}
    rest = tuple(_condition(c, o, v) for c, o, v in asked if (c, o) not in cheap)
    return Filter(frozenset.intersection(*ids) if ids else None, since, collected, rest)


def _ids(operator: str, value: Any) -> frozenset[str]:
    return frozenset([value] if operator == "eq" else value)


def _condition(column: str, operator: str, wanted: Any) -> Callable[[dict[str, Any]], bool]:
    if operator not in _OPERATORS:
        raise BadFilter(f"Invalid operator: {operator}")
    return lambda row: _OPERATORS[operator](row.get(column), wanted)


def _comparable(one: Any, other: Any) -> tuple[Any, Any]:
    """Two moments where both are, else two texts."""
    moments = parse(str(one)), parse(str(other))
    return (str(one), str(other)) if None in moments else moments


def _compare(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda value, wanted: value is not None and test(*_comparable(value, wanted))


def _like(value: Any, wanted: Any) -> bool:
    parts = [wanted] if isinstance(wanted, str) else wanted
    return value is not None and any(str(part).lower() in str(value).lower() for part in parts)


_COMPARISONS = {
    "lt": _compare(lambda a, b: a < b),
    "gt": _compare(lambda a, b: a > b),
    "lte": _compare(lambda a, b: a <= b),
    "gte": _compare(lambda a, b: a >= b),
}
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, wanted: value == wanted,
    "in": lambda value, wanted: value in wanted,
    "not_in": lambda value, wanted: value not in wanted,
    "like": _like,
    "not_like": lambda value, wanted: not _like(value, wanted),
    "is_null": lambda value, wanted: (value is None) is bool(wanted),
    "or": lambda value, tests: any(_COMPARISONS[o](value, w) for o, w in tests.items() if o in _COMPARISONS),
    **_COMPARISONS,
}
