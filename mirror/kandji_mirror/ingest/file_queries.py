"""Questions to a table of rows, staged or published: what is one key, what is double, where the newest rows are."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kandji_mirror.ingest.engine import Engine, store_errors
from kandji_schema import history
from kandji_schema.resource import Resource
from kandji_schema.sql import identifier
from kandji_schema.utc import naive_utc

ORDINAL = "ordinal"
"""Key column that numbers the rows of a table with repeats; no answer of the provider has it."""


def key_parts(resource: Resource, of: str = "") -> tuple[str, ...]:
    """Return the parts of the key of the table aliased ``of``, its fallback included."""
    return tuple(history.key_parts(resource.key, resource.key_fallback, of))


def first_key(resource: Resource) -> str:
    """Return the first key column, quoted."""
    return identifier(resource.key[0])


def in_order(resource: Resource) -> str:
    """List the key columns, for ORDER BY."""
    return ", ".join(identifier(k) for k in resource.key)


def older_duplicates(resource: Resource, table: str) -> str:
    """Select the rowids of rows that another one of the same key outdates; of none without a first key."""
    latest = '"updated_at" DESC NULLS LAST, ' if any(c.name == "updated_at" for c in resource.columns) else ""
    number = f"row_number() OVER (PARTITION BY {', '.join(key_parts(resource))} ORDER BY {latest}rowid DESC)"
    numbered = f"SELECT rowid AS row, {number} AS place FROM {table} WHERE {first_key(resource)} IS NOT NULL"
    return f"SELECT row FROM ({numbered}) WHERE place > 1"


def duplicates(resource: Resource, table: str) -> str:
    """Count how many rows there are beyond one a key: cheap, as there are hardly ever any."""
    distinct = f"count(DISTINCT hash({', '.join(key_parts(resource))}))"
    return f"SELECT count(*) - {distinct} FROM {table} WHERE {first_key(resource)} IS NOT NULL"


def repeats_numbered(resource: Resource, table: str, *, also: tuple[str, ...] = ()) -> str:
    """Select the rowids and places of all rows within the rest of their key, and columns that are ``also`` part of it.

    Content decides, then what moves at every collection, never the order of arrival: the same rows get the same places
    each time.
    """
    rest = ", ".join(identifier(k) for k in (*also, *resource.key) if k != ORDINAL)
    columns = sorted((c for c in resource.columns if c.name != ORDINAL), key=lambda c: c.volatile)
    content = ", ".join(identifier(c.name) for c in columns)
    return f"SELECT rowid AS row, row_number() OVER (PARTITION BY {rest} ORDER BY {content}) AS place FROM {table}"


def steps_back(resource: Resource, table: str) -> str:
    """Count how many rows have a smaller first key than the row before them."""
    key = first_key(resource)
    pairs = f"SELECT {key} AS key, lag({key}) OVER (ORDER BY rowid) AS before FROM {table}"
    return f"SELECT count(*) FROM ({pairs}) WHERE before > key"


AHEAD = timedelta(minutes=10)
"""Rows stamped later than the provider's clock by more than this come from a device whose clock is wrong."""

FEW = 0.01
"""Up to this share of all rows may be such; more of them mean that the provider's clock is the wrong one."""


def watermark(
    engine: Engine, path: Path, resource: Resource, provider_now: datetime | None, column: str = "updated_at"
) -> datetime | None:
    """Return where the next increment begins: the newest stamp of a data file, aware UTC; None where no row has one.

    A few rows from the future, by ``provider_now``, are left out: with them increments would see nothing until then.
    :class:`StoreDamaged` where the file cannot be read.
    """
    latest = naive_utc(provider_now) + AHEAD if provider_now else datetime.max  # noqa: DTZ901 - naive, as data files have moments
    newest_of, ahead = f'max("{column}")', f'count(*) FILTER ("{column}" > $1)'
    timely = f'{newest_of} FILTER ("{column}" <= $1)'
    asked = f"SELECT {newest_of}, {timely}, {ahead} <= {FEW} * count(*)"
    with store_errors(str(path)), engine.cursor() as con, engine.attached(con, path) as catalog:
        found = con.execute(f'{asked} FROM {catalog}.main."{resource.name}"', [latest]).fetchall()
    ((newest, newest_timely, few),) = found
    start = newest_timely if few else newest
    return start.replace(tzinfo=UTC) if start else None


def newest_but(
    engine: Engine, path: Path, resource: Resource, column: str, between: tuple[datetime, datetime], rows: int
) -> datetime | None:
    """Return the newest stamp ``between`` two moments, aware UTC, that more than ``rows`` rows there reach, or None.

    At most ``rows`` rows are stamped later than that and not after the second moment.
    """
    within = f'"{column}" BETWEEN $1 AND $2 ORDER BY "{column}" DESC LIMIT 1 OFFSET {rows}'
    with store_errors(str(path)), engine.cursor() as con, engine.attached(con, path) as catalog:
        found = con.execute(
            f'SELECT "{column}" FROM {catalog}.main."{resource.name}" WHERE {within}', [*map(naive_utc, between)]
        ).fetchall()
    return found[0][0].replace(tzinfo=UTC) if found else None


def read_key(engine: Engine, path: Path, table: str, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Return distinct values of some text columns of a data file, in order, rows with an empty one left out."""
    names = ", ".join(identifier(c) for c in columns)
    filled = " AND ".join(f'"{c}" IS NOT NULL' for c in columns)
    return _asked(engine, path, f'SELECT DISTINCT {names} FROM "{table}" WHERE {filled} ORDER BY ALL')


def first_keys(engine: Engine, path: Path, resource: Resource) -> set[str]:
    """Return distinct values of the first key column."""
    key = identifier(resource.key[0])
    found = _asked(engine, path, f'SELECT DISTINCT {key} FROM "{resource.name}" WHERE {key} IS NOT NULL')
    return {str(row[0]) for row in found}


def rows_by(engine: Engine, path: Path, resource: Resource, column: str) -> dict[str, int]:
    """Count the rows of a data file by the texts of a column, NULL as an empty one; without a column by that alone."""
    value = f"coalesce({identifier(column)}, '')" if column else "''"
    found = _asked(engine, path, f'SELECT {value}, count(*) FROM "{resource.name}" GROUP BY 1')
    return {str(text): int(number) for text, number in found}


def filled_keys(engine: Engine, path: Path, resource: Resource, keys: Collection[str]) -> set[str]:
    """Return those of the keys, of the first key column, that have any rows."""
    key = identifier(resource.key[0])
    sql = f'SELECT DISTINCT {key} FROM "{resource.name}" WHERE {key} IN (SELECT unnest($1::VARCHAR[]))'
    return {str(row[0]) for row in _asked(engine, path, sql, list(keys))}


def knows_any(engine: Engine, path: Path, resource: Resource, keys: Collection[str], above: Sequence[str] = ()) -> bool:
    """Return whether a row has one of the keys, below the parent row of the key ``above`` where there is one."""
    own = f'list_contains(?, "{resource.own_key}"::VARCHAR)'
    sql = f'SELECT 1 FROM "{resource.name}" WHERE {own} AND {_below(resource)} LIMIT 1'
    return bool(_asked(engine, path, sql, list(keys), *above))


def own_keys(engine: Engine, path: Path, resource: Resource, parents: Collection[str]) -> dict[str, frozenset[str]]:
    """Return the keys below each of the parents, as text, by parent: of devices, their rows' own keys."""
    parent, own = identifier(resource.key[0]), identifier(resource.own_key)
    sql = f'''SELECT {parent}, list({own}::VARCHAR) FROM "{resource.name}"
        WHERE {own} IS NOT NULL AND {parent} IN (SELECT unnest($1::VARCHAR[])) GROUP BY {parent}'''
    return {str(above): frozenset(map(str, keys)) for above, keys in _asked(engine, path, sql, list(parents))}


def newest(engine: Engine, path: Path, resource: Resource, above: Sequence[str] = ()) -> datetime | None:
    """Return the newest row's moment, UTC without a zone; of those below the parent row of key ``above``, if any."""
    sql = f'SELECT max("{resource.newest_by.name}") FROM "{resource.name}" WHERE {_below(resource)}'
    found = _asked(engine, path, sql, *above)[0][0]
    return found if isinstance(found, datetime) else None


def _below(resource: Resource) -> str:
    return " AND ".join(f'"{column}" = ?' for column in resource.parent_key) or "true"


def _asked(engine: Engine, path: Path, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    with store_errors(str(path)), engine.cursor() as con, engine.attached(con, path) as catalog:
        con.execute(f"USE {catalog}")
        found = con.execute(sql, list(parameters)).fetchall()
        con.execute("USE memory")  # what is in use cannot be detached
        return found
