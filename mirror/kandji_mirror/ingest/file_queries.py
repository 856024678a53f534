"""Queries to a published data file, which read no more of it than they need."""

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

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
    """Return those of the keys, of the first key column, that have any rows."""
    key = f'"{resource.key[0]}"'
    sql = f'SELECT DISTINCT {key} FROM "{resource.name}" WHERE {key} IN (SELECT unnest($1::VARCHAR[]))'
    return {str(row[0]) for row in _asked(path, sql, list(keys))}


def knows_any(path: Path, resource: Resource, keys: Collection[str], above: Sequence[str] = ()) -> bool:
    """Return whether a row has one of the keys, below the parent row of the key ``above`` where there is one."""
    own = f'list_contains(?, "{resource.own_key}"::VARCHAR)'
    sql = f'SELECT 1 FROM "{resource.name}" WHERE {own} AND {_below(resource)} LIMIT 1'
    return bool(_asked(path, sql, list(keys), *above))


def own_keys(path: Path, resource: Resource, parents: Collection[str]) -> dict[str, frozenset[str]]:
    """Return the keys below each of the parents, as text, by parent: of devices, their rows' own keys."""
    parent, own = f'"{resource.key[0]}"', f'"{resource.own_key}"'
    sql = f'''SELECT {parent}, list({own}::VARCHAR) FROM "{resource.name}"
        WHERE {own} IS NOT NULL AND {parent} IN (SELECT unnest($1::VARCHAR[])) GROUP BY {parent}'''
    return {str(above): frozenset(map(str, keys)) for above, keys in _asked(path, sql, list(parents))}


def newest(path: Path, resource: Resource, above: Sequence[str] = ()) -> datetime | None:
    """Return the newest row's moment, UTC without a zone; of those below the parent row of key ``above``, if any."""
    sql = f'SELECT max("{resource.newest_by.name}") FROM "{resource.name}" WHERE {_below(resource)}'
    found = _asked(path, sql, *above)[0][0]
    return found if isinstance(found, datetime) else None


def _below(resource: Resource) -> str:
    return " AND ".join(f'"{column}" = ?' for column in resource.parent_key) or "true"


def _asked(path: Path, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    with store_errors(str(path)), database.connect(path, read_only=True) as con:
        return con.execute(sql, list(parameters)).fetchall()
