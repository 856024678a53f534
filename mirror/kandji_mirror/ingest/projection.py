"""The statement that turns page texts into typed rows of one table, derived from the table's columns."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from kandji_mirror.ingest.values import Field, fields_of
from kandji_schema.columns import Column
from kandji_schema.resource import Resource


@dataclass(frozen=True)
class Projection:
    """SQL for one resource.

    ``insert`` takes the page texts as one list parameter, then a value for each of ``constants``: columns that come
    from the request's path and not from the rows. The list matters: a single text would be folded into the plan and
    parsed once per column.
    """

    insert: str
    constants: tuple[str, ...]


def projection(resource: Resource, target: str) -> Projection:
    """The projection of a resource into ``target``, an SQL name of a table with its columns."""
    constants = tuple(resource.parent_key)
    columns = tuple(c for c in resource.columns if c.name not in constants and c.name != "extra")
    fields = fields_of(columns)
    page = "SELECT unnest($1::JSON[]) AS page"
    raw = f"SELECT unnest(from_json(page, '{_structure(fields)}').data, max_depth := 2) FROM ({page})"
    read = f"SELECT *, {', '.join(_values(columns, fields))} FROM ({raw})"
    given = {name: f"${i}::VARCHAR" for i, name in enumerate(constants, start=2)} | {"extra": _extra(fields)}
    ordered = ", ".join(given.get(c.name, _alias(c.name)) for c in resource.columns)
    return Projection(f"INSERT INTO {target} SELECT {ordered} FROM ({read})", constants)


def _alias(name: str) -> str:
    """Name of a column's value beside the raw field of the same name."""
    return f'"= {name}"'


def _values(columns: tuple[Column, ...], fields: tuple[Field, ...]) -> Iterator[str]:
    by_name = {f.name: f for f in fields}
    for column in columns:
        values = [by_name[source.partition(".")[0]].value(column, source) for source in column.sources]
        expression = values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"
        yield f"{expression} AS {_alias(column.name)}"


def _structure(fields: tuple[Field, ...]) -> str:
    row = {f.name: f.raw_type for f in fields} | {"extra": "JSON"}
    return json.dumps({"data": [row]}).replace("'", "''")


def _extra(fields: tuple[Field, ...]) -> str:
    """Built only for the rows that need it: most have nothing left over."""
    found = {f.name: f.leftover(_plain_value(f)) for f in fields}
    leftovers = {name: left for name, left in found.items() if left}
    any_left = " OR ".join(["extra IS NOT NULL", *(left.condition for left in leftovers.values())])
    kept = ", ".join(
        f"'{name}', CASE WHEN {left.condition} THEN {left.content} END" for name, left in leftovers.items()
    )
    return f"CASE WHEN {any_left} THEN json_merge_patch(coalesce(extra, '{{}}'), json_object({kept})) END"


def _plain_value(field: Field) -> str:
    """The value of the column read from the field itself, already worked out where that is its only source."""
    column = field.plain
    if column is None:
        return "NULL"
    return _alias(column.name) if column.sources == (field.name,) else field.value(column, field.name)
