"""What tells one row of a table from another, as SQL expressions."""

from kandji_schema.resource import Resource

ORDINAL = "ordinal"
"""Key column that numbers the rows of a table with repeats; no answer of the provider has it."""


def key_parts(resource: Resource, of: str = "") -> tuple[str, ...]:
    """The parts of the key of the table aliased ``of``; ``key_fallback`` joins where all but the first are NULL."""
    prefix = f"{of}." if of else ""
    parts = tuple(f'{prefix}"{k}"' for k in resource.key)
    if not resource.key_fallback:
        return parts
    empty = " AND ".join(f"{part} IS NULL" for part in parts[1:])
    return parts + tuple(f'CASE WHEN {empty} THEN {prefix}"{name}" END' for name in resource.key_fallback)


def first_key(resource: Resource) -> str:
    """The first key column."""
    return f'"{resource.key[0]}"'


def in_order(resource: Resource) -> str:
    """The key columns, for ORDER BY."""
    return ", ".join(f'"{k}"' for k in resource.key)


def older_duplicates(resource: Resource, table: str) -> str:
    """Query for the rowids of rows that another one of the same key outdates; of none without a first key."""
    latest = '"updated_at" DESC NULLS LAST, ' if any(c.name == "updated_at" for c in resource.columns) else ""
    number = f"row_number() OVER (PARTITION BY {', '.join(key_parts(resource))} ORDER BY {latest}rowid DESC)"
    numbered = f"SELECT rowid AS row, {number} AS place FROM {table} WHERE {first_key(resource)} IS NOT NULL"
    return f"SELECT row FROM ({numbered}) WHERE place > 1"


def duplicates(resource: Resource, table: str) -> str:
    """Query for how many rows there are beyond one a key: cheap, as there are hardly ever any."""
    distinct = f"count(DISTINCT hash({', '.join(key_parts(resource))}))"
    return f"SELECT count(*) - {distinct} FROM {table} WHERE {first_key(resource)} IS NOT NULL"


def repeats_numbered(resource: Resource, table: str) -> str:
    """Query for the rowids and places of all rows within the rest of their key.

    Content decides, then what moves at every collection, never the order of arrival: the same rows get the same places
    each time.
    """
    rest = ", ".join(f'"{k}"' for k in resource.key if k != ORDINAL)
    columns = sorted((c for c in resource.columns if c.name != ORDINAL), key=lambda c: c.volatile)
    content = ", ".join(f'"{c.name}"' for c in columns)
    return f"SELECT rowid AS row, row_number() OVER (PARTITION BY {rest} ORDER BY {content}) AS place FROM {table}"


def steps_back(resource: Resource, table: str) -> str:
    """Query for how many rows have a smaller first key than the row before them."""
    key = first_key(resource)
    pairs = f"SELECT {key} AS key, lag({key}) OVER (ORDER BY rowid) AS before FROM {table}"
    return f"SELECT count(*) FROM ({pairs}) WHERE before > key"
