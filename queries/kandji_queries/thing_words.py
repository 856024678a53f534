"""What rows of history are called, as relations beside the tables, which the view ``changes_by_thing`` reads.

``internal.things`` is one row a table with history: its words. ``internal.facts`` is one row a column whose change has
a meaning of its own, see :class:`kandji_schema.things.Fact`, or whose owner is another table.
``internal.names`` is one row a thing that has a name for people beside its key: the one that is there most often.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import duckdb

from kandji_queries.relations import BEGINS, BETWEEN, BY_THING, ENDS, FACTS, NAMES, THINGS, TRACKED, past_call
from kandji_schema import things
from kandji_schema.sql import identifier, literal
from kandji_schema.utc import whole_second

Columns = Mapping[str, str]
"""Columns of a table with DuckDB's names of their types."""

_THING = {
    "table_name": "VARCHAR",
    "noun": "VARCHAR",
    "plural": "VARCHAR",
    "place": "INTEGER",
    "name_keys": ["VARCHAR"],
    "named": "VARCHAR",
    "named_by": "VARCHAR",
}

_FACT = {
    "table_name": "VARCHAR",
    "column_name": "VARCHAR",
    "label": "VARCHAR",
    "place": "INTEGER",
    "needs": ["VARCHAR"],
    "unless": "VARCHAR",
    "owner": "VARCHAR",
}

_NO_NAME = "SELECT NULL::VARCHAR AS table_name, NULL::VARCHAR AS key, NULL::VARCHAR AS name WHERE false"


_BOUNDS = {"TIMESTAMP '-infinity'": BEGINS, "TIMESTAMP 'infinity'": ENDS}
"""What stands for the beginning and the end of the time in the view."""


def add_between(base: duckdb.DuckDBPyConnection, view: str) -> None:
    """Make the function of the view :data:`BY_THING`, whose text is ``view``: it reads some days, not all."""
    ((since,),) = base.execute(f"SELECT min(since) FROM {TRACKED}").fetchall()
    columns = {name: kind for name, kind, *_ in base.execute(f"DESCRIBE main.{BY_THING}").fetchall()}
    for bound, name in _BOUNDS.items():
        view = view.replace(bound, f"({name})::TIMESTAMPTZ::TIMESTAMP")
    call = f"{BETWEEN}({', '.join(_BOUNDS.values())})"
    base.execute(f"CREATE MACRO main.{call} AS TABLE {view} UNION ALL {_checked(columns, since)}")


def _checked(columns: Columns, since: datetime | None) -> str:
    """Select no row, or an error for a time of which nothing is known or in which nothing can lie.

    Each of its values is the check, so that no filter of the statement around it can make it go unseen. ``since`` is
    the moment at which history begins, naive UTC.
    """
    values = ", ".join(f"checked::{kind} AS {identifier(name)}" for name, kind in columns.items())
    wrong = "".join(f" WHEN {condition} THEN error({literal(message)})" for condition, message in _problems(since))
    return f"SELECT {values} FROM (SELECT CASE{wrong} END AS checked) WHERE checked IS NOT NULL"


def _problems(since: datetime | None) -> Iterator[tuple[str, str]]:
    begin, end = (f"({name})::TIMESTAMPTZ" for name in _BOUNDS.values())
    yield (
        f"{begin} IS NULL OR {end} IS NULL",
        f"{BETWEEN} takes two moments, and one of these is NULL. Write {past_call(BETWEEN)}.",
    )
    yield (
        f"{begin} >= {end}",
        f"The first moment of {BETWEEN} is not before the second one, so that nothing lies between them. A date alone "
        f"is the start of that day, UTC: of one day tells {BETWEEN}('2026-11-20', '2026-11-21').",
    )
    yield f"{begin} > now()", f"The time of {BETWEEN} lies in the future; nothing is known of what will change."
    if since is not None:
        yield (
            f"{end}::TIMESTAMP <= TIMESTAMP '{since:%Y-%m-%d %H:%M:%S.%f}'",
            f"History begins at {since:%Y-%m-%d %H:%M:%S} UTC; what changed earlier is not known. Write "
            f"{BETWEEN}('{whole_second(since):%Y-%m-%d %H:%M:%S}', now()).",
        )


def named_tables() -> frozenset[str]:
    """Return the tables that names are looked up in."""
    return frozenset(table for table, thing in things.THINGS.items() if thing.named)


def add(base: duckdb.DuckDBPyConnection, tables: Collection[str], columns_of: Callable[[str], Columns | None]) -> None:
    """Make the relations. ``tables`` have history, ``columns_of`` knows those that are open."""
    _fill(base, THINGS, _THING, map(_words, tables))
    _fill(base, FACTS, _FACT, (fact for table in tables for fact in _facts(table)))
    arms = [_names(table, columns) for table in sorted(named_tables()) if (columns := columns_of(table))]
    base.execute(f"CREATE VIEW {NAMES} AS {' UNION ALL '.join([_NO_NAME, *filter(None, arms)])}")


def _fill(
    base: duckdb.DuckDBPyConnection, name: str, shape: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]
) -> None:
    unpacked = f"unnest(from_json($1::JSON, '{json.dumps([shape])}'), recursive := true)"
    base.execute(f"CREATE TABLE {name} AS SELECT {unpacked}", [json.dumps([*rows])])


def _words(table: str) -> dict[str, Any]:
    thing = things.thing_of(table)
    return {
        "table_name": table,
        "noun": thing.noun,
        "plural": thing.plural or None,
        "place": things.place_of(table),
        "name_keys": thing.name,
        "named": thing.named or None,
        "named_by": thing.named_by or None,
    }


def _facts(table: str) -> Iterator[dict[str, Any]]:
    """Yield what is known of each column; ``owner`` is the table where its change is told instead."""
    thing = things.thing_of(table)
    owners = dict.fromkeys(thing.blueprint_copies, things.BLUEPRINT) | dict.fromkeys(
        things.copies_in(table), things.DEVICE
    )
    words = {
        column: {
            "label": fact.label or column,
            "place": place * 100 + number,
            "needs": fact.needs or None,
            "unless": fact.unless or None,
        }
        for place, fact in enumerate(thing.facts)
        for number, column in enumerate(fact.columns)
    }
    for column in {**words, **owners}:
        yield {"table_name": table, "column_name": column, "owner": owners.get(column), **words.get(column, {})}


def _names(table: str, columns: Columns) -> str | None:
    """Return the statement that finds the names of one table; None where it was written before there were any."""
    thing = things.thing_of(table)
    if not _has(columns, (thing.named, thing.named_by)):
        return None
    key, name = identifier(thing.named_by), identifier(thing.named)
    return f"""
        SELECT {literal(table)}, key, arg_max(name, (n, name)) FROM (
            SELECT {key}::VARCHAR AS key, {name} AS name, count(*) AS n FROM main.{identifier(table)}
            WHERE {key} IS NOT NULL AND {name} IS NOT NULL GROUP BY ALL
        ) GROUP BY key"""


def _has(columns: Columns, names: Collection[str]) -> bool:
    return all(name in columns for name in names)
