"""Questions to a published data file, without reading more of it than they need."""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from kandji_mirror.ingest.staging import store_errors
from kandji_schema import database
from kandji_schema.resource import Resource


def first_keys(path: Path, resource: Resource) -> set[str]:
    """Distinct values of the first key column."""
    key = f'"{resource.key[0]}"'
    return {
        str(row[0]) for row in _asked(path, f'SELECT DISTINCT {key} FROM "{resource.name}" WHERE {key} IS NOT NULL')
    }


def filled_keys(path: Path, resource: Resource, keys: Collection[str]) -> set[str]:
    """Those of the keys, of the first key column, that have any rows."""
    key = f'"{resource.key[0]}"'
    sql = f'SELECT DISTINCT {key} FROM "{resource.name}" WHERE {key} IN (SELECT unnest($1::VARCHAR[]))'
    return {str(row[0]) for row in _asked(path, sql, list(keys))}


def knows_any(path: Path, resource: Resource, keys: Collection[str]) -> bool:
    """Whether a row has one of the keys, in the first key column."""
    sql = f'SELECT 1 FROM "{resource.name}" WHERE list_contains(?, "{resource.key[0]}") LIMIT 1'
    return bool(_asked(path, sql, list(keys)))


def newest(path: Path, resource: Resource, column: str) -> datetime | None:
    """The greatest value of a timestamp column, UTC without a zone."""
    found = _asked(path, f'SELECT max("{column}") FROM "{resource.name}"')[0][0]
    return found if isinstance(found, datetime) else None


def _asked(path: Path, sql: str, *parameters: object) -> list[tuple[object, ...]]:
    with store_errors(str(path)), database.connect(path, read_only=True) as con:
        return con.execute(sql, list(parameters)).fetchall()
