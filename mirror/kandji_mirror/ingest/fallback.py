"""Rows of another endpoint, spelt as the table's own."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kandji_mirror.api.bodies import dump
from kandji_schema.resource import Resource


def reshaped(rows: Iterable[Mapping[str, Any]], resource: Resource) -> str:
    """Page text for the table out of rows of its ``fallback``.

    A column's value is the first of the fallback's fields that is not empty, and goes where the table reads it first.
    Other fields stay as they are; those the table does not know, or knows as something else, are kept in ``extra``.
    """
    return dump({"data": [_row(row, resource) for row in rows]})


def _row(row: Mapping[str, Any], resource: Resource) -> dict[str, Any]:
    there = {name: value for name, value in row.items() if value not in (None, "")}
    taken = dict(_taken(there, resource))
    values = {source: there[name] for source, name in taken.items()}
    rest = {name: value for name, value in there.items() if name not in taken.values()}
    known = {name: value for name, value in rest.items() if name in resource.known_fields - values.keys()}
    extra = {name: value for name, value in rest.items() if name not in known and value not in values.values()}
    plain = {**known, **values}
    misshapen = {name: plain.pop(name) for name in resource.misshapen(plain)}
    return plain | ({"extra": extra | misshapen} if extra or misshapen else {})


def _taken(there: Mapping[str, Any], resource: Resource) -> Iterator[tuple[str, str]]:
    """Where the table reads a column first, and the name of the field that has its value."""
    names = resource.fallback.names if resource.fallback else {}
    for column in resource.columns:
        name = next((name for name in names.get(column.name, ()) if name in there), None)
        if name is not None:
            yield column.sources[0], name
