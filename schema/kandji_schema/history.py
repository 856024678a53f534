"""What a segment of history holds: the layout that its writer and its readers share.

A segment is an immutable DuckDB file with the two tables of :data:`TABLES`. History runs backwards: the live table is
the newest state, and undoing the events after a moment, the earliest one of a key winning, gives the state then.

``events`` has one row a key and change. ``changed_at`` is when the mirror took the change in, UTC; ``generation``
orders events of one moment. ``first_key`` and ``other_keys`` tell the row: the value of its first key column as text,
and a JSON list of the others' (with the table's fallback, see :class:`kandji_schema.resource.Resource`), as text or
null. ``old`` and ``new`` are JSON objects with one list a column: ``["15.1"]`` is a value as text, ``[]`` is NULL;
lists and documents are their JSON. A changed row has its changed columns in both, a removed one every column that was
not NULL in ``old``, an added one neither.

``tracked`` has one row for each table with history, as far as it was known when the segment was written, so that the
newest segment's is valid: its history is whole from ``since`` on, its newest event is of ``until``; ``keys`` and
``fallbacks`` name the columns that tell its rows apart.
"""

from collections.abc import Sequence
from enum import StrEnum

EVENTS = "events"
TRACKED = "tracked"

TABLES: tuple[str, ...] = (
    # zstd: rows of one table resemble each other so much that it halves what DuckDB would choose by itself
    f"""CREATE TABLE {{place}}.{EVENTS} (
        changed_at TIMESTAMP, generation BIGINT, table_name VARCHAR, change VARCHAR, first_key VARCHAR,
        other_keys VARCHAR USING COMPRESSION zstd,
        old VARCHAR USING COMPRESSION zstd,
        new VARCHAR USING COMPRESSION zstd)""",
    f"""CREATE TABLE {{place}}.{TRACKED} (
        table_name VARCHAR, since TIMESTAMP, until TIMESTAMP, keys VARCHAR[], fallbacks VARCHAR[])""",
)
"""The statements that make the tables; ``place`` is the schema to make them in."""


class ChangeKind(StrEnum):
    """What happened to a row."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


def key_parts(keys: Sequence[str], fallbacks: Sequence[str], row: str = "") -> list[str]:
    """Return SQL of the parts of the key of a row, in a table that is called ``row`` there.

    A fallback counts only where all keys but the first are NULL.
    """
    prefix = f"{row}." if row else ""
    parts = [f'{prefix}"{name}"' for name in keys]
    empty = " AND ".join(f"{part} IS NULL" for part in parts[1:]) or "false"
    return parts + [f'CASE WHEN {empty} THEN {prefix}"{name}" END' for name in fallbacks]


def identity(keys: Sequence[str], fallbacks: Sequence[str], row: str) -> tuple[str, list[str]]:
    """Return SQL of ``first_key`` and of each of ``other_keys``, for the rows of a table that is called ``row``."""
    first, *others = (f"({part})::VARCHAR" for part in key_parts(keys, fallbacks, row))
    return first, others
