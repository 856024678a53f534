"""Ways in which the provider's rows may change their shape, for faults and for :meth:`Tenant.reshape`.

Each takes the decoded body of an answer and gives another one. Identifiers are left alone, except by ``keyless``.
"""

from collections.abc import Callable, Mapping
from typing import Any

from kandji_simulator.world.time import parse

Change = Callable[[Any], Any]
Row = dict[str, Any]

LISTS = ("data", "results", "apps", "library_items", "parameters")
"""Members of an answer's object that hold its rows."""
LONG = 2_000_000
_IDENTIFYING = ("id", "name", "path", "identifier", "number", "label", "service", "application", "client_type", "user")
"""Ends of the names of fields that may be part of a key."""


def each_row(change: Callable[[Row], Row]) -> Change:
    """Make a change of a body that changes each of its rows; an object without a list of rows is one row."""

    def reshape(body: Any) -> Any:
        if isinstance(body, list):
            return [change(row) if isinstance(row, dict) else row for row in body]
        if not isinstance(body, dict):
            return body
        lists = [name for name in LISTS if isinstance(body.get(name), list)]
        return {**body, **{name: reshape(body[name]) for name in lists}} if lists else change(body)

    return reshape


def first_row(change: Callable[[Row], Row]) -> Change:
    """Make a change of a body that changes only the first of its rows."""

    def reshape(body: Any) -> Any:
        changes = iter([change])
        return each_row(lambda row: next(changes, dict)(row))(body)

    return reshape


def with_value(name: str, value: Any) -> Callable[[Row], Row]:
    """Put this value into a field of the row, where it has the field."""
    return lambda row: {**row, name: value} if name in row else row


def without(name: str) -> Callable[[Row], Row]:
    """Leave a field out of the row."""
    return lambda row: {field: value for field, value in row.items() if field != name}


def unknown_field(row: Row) -> Row:
    """Add a field nobody has heard of, with an object in it."""
    return {**row, "brand_new_field": {"since": 2026, "notes": ["új", None]}}


def missing_field(row: Row) -> Row:
    """Leave the first text field out."""
    return _replaced(row, _is_text, lambda row, name: without(name)(row))


def mistyped(row: Row) -> Row:
    """Make the first boolean a word and the first text an object."""
    worded = _replaced(row, lambda value: isinstance(value, bool), _setting("maybe"))
    return _replaced(worded, _is_text, _setting({"value": [1, 2]}))


def long_text(row: Row) -> Row:
    """Fill the first text field with two megabytes."""
    return _replaced(row, _is_text, _setting("ä" * (LONG // 2)))


def control_characters(row: Row) -> Row:
    """Fill the first text field with NUL, an escape, a line separator, a non-character and an emoji."""
    return _replaced(row, _is_text, _setting("a\x00b\x1b[31mc\u2028d\ufffe\U0001f600"))


def invalid_date(row: Row) -> Row:
    """Let the first time field, if the row has one, name the 31st of February."""
    return _replaced(row, _is_moment, _setting("2026-02-31T25:61:00Z"))


def keyless(row: Row) -> Row:
    """Leave the identifiers out."""
    return {name: value for name, value in row.items() if name not in {"id", "device_id", "cve_id"}}


def _replaced(row: Row, wanted: Callable[[Any], bool], change: Callable[[Row, str], Row]) -> Row:
    """Change the row's first field of that sort, if it has one that cannot be part of a key."""
    found = next((n for n, v in row.items() if wanted(v) and not n.endswith(_IDENTIFYING)), None)
    return row if found is None else change(row, found)


def _setting(value: Any) -> Callable[[Row, str], Row]:
    return lambda row, name: {**row, name: value}


def _is_moment(value: Any) -> bool:
    return isinstance(value, str) and len(value) > len("2026-01-12") and parse(value) is not None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and not _is_moment(value)


CHANGES: Mapping[str, Change] = {
    "unknown field": each_row(unknown_field),
    "missing field": each_row(missing_field),
    "mistyped": each_row(mistyped),
    "long text": first_row(long_text),
    "control characters": each_row(control_characters),
    "invalid date": each_row(invalid_date),
    "keyless": first_row(keyless),
}
"""All of them by name."""
