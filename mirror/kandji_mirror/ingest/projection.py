"""The statement that turns the provider's rows into typed rows of one table, derived from the table's columns."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kandji_mirror.api.lenient_json import dump
from kandji_mirror.ingest.fields import Field, fields_of
from kandji_mirror.privacy.masking import masked
from kandji_schema.columns import Column
from kandji_schema.resource import Resource
from kandji_schema.sql import literal


@dataclass(frozen=True)
class Projection:
    """SQL for one resource. ``target`` is the SQL name of a table with its columns.

    ``masked`` puts pseudonyms in place of personal data, before any row is written; the engine must have a key.
    """

    resource: Resource
    target: str
    masked: bool = False

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The fields read from the provider's rows."""
        return fields_of(self._columns)

    @cached_property
    def insert_pages(self) -> str:
        """Takes page texts as one list, then a list as long for each column whose values come from the request's path.

        Lists matter: a single text would be folded into the plan and parsed once per column. As JSON they would be
        parsed once more, to see that they are JSON.
        """
        return self.insert(self._pages)

    @cached_property
    def read_pages(self) -> str:
        """Takes the same; gives the rows in clear, with the columns' own names."""
        return self.in_clear(self._pages)

    @property
    def _pages(self) -> str:
        lists = ["unnest($1::VARCHAR[]) AS page"]
        lists += [f"unnest(${i}::VARCHAR[]) AS {_alias(c)}" for i, c in enumerate(self.resource.parent_key, start=2)]
        given = "".join(f"{_alias(name)}, " for name in self.resource.parent_key)
        rows = f"unnest(from_json(page, {self._structure}).data, max_depth := 2)"
        return f"SELECT {given}{rows} FROM (SELECT {', '.join(lists)})"

    def insert(self, raw: str) -> str:
        """Return the statement for rows of ``raw``: a query with every field as its raw type, and ``extra`` as JSON.

        The columns of the request's path have their values in it already.
        """
        ordered = (self._shown(c, value) for c, (_, value) in zip(self.resource.columns, self._read, strict=True))
        return f"INSERT INTO {self.target} SELECT {', '.join(ordered)} FROM ({self._typed(raw)})"

    def in_clear(self, raw: str) -> str:
        """Select the rows of ``raw`` with the columns' own names and nothing masked."""
        named = (f'{value} AS "{name}"' for name, value in self._read)
        return f"SELECT {', '.join(named)} FROM ({self._typed(raw)})"

    @property
    def _read(self) -> list[tuple[str, str]]:
        """Every column and its value in :meth:`_typed` rows."""
        return [(c.name, self._extra if c.name == "extra" else _alias(c.name)) for c in self.resource.columns]

    def _typed(self, raw: str) -> str:
        for level in (Field.extracted, Field.moments):
            raw = f"SELECT {', '.join(['*', *(sql for f in self.fields for sql in level(f))])} FROM ({raw})"
        return f"SELECT *, {', '.join(self._values())} FROM ({raw})"

    def _shown(self, column: Column, value: str) -> str:
        return masked(column, value) if self.masked else value

    @property
    def _columns(self) -> tuple[Column, ...]:
        given = {*self.resource.parent_key, "extra"}
        return tuple(c for c in self.resource.columns if c.name not in given)

    @property
    def _structure(self) -> str:
        row = {f.name: f.raw_type for f in self.fields} | {"extra": "JSON"}
        return literal(json.dumps({"data": [row]}))

    def _values(self) -> Iterator[str]:
        for column in self._columns:
            values = [self._value(column, source) for source in column.sources]
            expression = values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"
            yield f"{expression} AS {_alias(column.name)}"

    def _value(self, column: Column, source: str) -> str:
        return self._by_name[source.partition(".")[0]].value(column, source)

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {f.name: f for f in self.fields}

    @property
    def _extra(self) -> str:
        """What the page has in ``extra``, and what did not fit."""
        found = ((f.name, f.leftover(self._known_value)) for f in self.fields)
        members = [member(name, left) for name, left in found if left]
        return json_object_of(["nullif((extra::VARCHAR)[2:-2], '')", *members])

    def _known_value(self, column: Column, source: str) -> str:
        """Return the column's value from that source, already worked out where that is its only one."""
        return _alias(column.name) if column.sources == (source,) else self._value(column, source)


def member(name: str, content: str) -> str:
    """Text of one member of a JSON object, NULL where ``content`` is; ``content`` is JSON."""
    return f"{literal(json.dumps(name, ensure_ascii=False) + ':')} || ({content})::VARCHAR"


def json_object_of(members: list[str]) -> str:
    """JSON object of the members that are there; NULL where there are none. As text: a merge would lose nulls."""
    return f"nullif('{{' || concat_ws(',', {', '.join(members)}) || '}}', '{{}}')::JSON"


def _alias(name: str) -> str:
    """Name of a column's value beside the raw field of the same name."""
    return f'"= {name}"'


# -- rows of another endpoint, reshaped to the table's own ---------------------------------------------------------


def reshape_per_device(rows: Iterable[Mapping[str, Any]], resource: Resource) -> str:
    """Return page text for the table out of rows that were read per device, from its ``fallback``.

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
