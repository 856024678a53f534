"""How a table is asked: statements that answer questions people have, its key, joins, and values that it really has."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kandji_queries.definitions import views
from kandji_schema.errors import StatementError

if TYPE_CHECKING:
    from kandji_queries.catalog.dictionary import ColumnInfo
    from kandji_queries.reader import Reader

Values = Mapping[str, Sequence[str]]
"""Values of one column; the key says whether they are all."""

FrequentValues = Mapping[str, Values]
"""By column."""

ALL = "all"


def examples(table: str) -> list[str]:
    """Return the statements that its definition gives, each with its question; else one that counts its rows."""
    from kandji_schema.registry import resources  # with it comes sqlmodel, which nothing else here needs

    view = views().get(table)
    declared = resources().get(table)
    asked = dict(view.asks) if view else {ask.question: ask.sql for ask in (declared.asks if declared else ())}
    return [f"{sql} -- {question}" for question, sql in asked.items()] or [f"SELECT count(*) AS n FROM {table}"]


def row_key(table: str) -> str:
    """Say which columns tell one row from another; empty for a view, whose description says what a row is."""
    from kandji_schema.registry import resources

    found = resources().get(table)
    if found is None:
        return ""
    fallback = f", and where those but {found.key[0]} are NULL {', '.join(found.key_fallback)}"
    return f" Row key: {', '.join(found.key)}{fallback if found.key_fallback else ''}."


HUBS = ("devices", "users", "blueprints", "apps")
"""Tables that many others join to; joins to all the others would be a long list of the same."""


def joined_columns(table: str, columns: Sequence["ColumnInfo"]) -> dict[str, list[str]]:
    """Find by column where the same identifiers are; of many tables :data:`HUBS` are named, else the first."""
    from kandji_schema.registry import joins

    return {column: _few(column, matches) for column, matches in joins(table, (c.name for c in columns)).items()}


def _few(column: str, matches: list[str]) -> list[str]:
    """Return few of the matches by name; of the others those that are called otherwise too."""
    if len(matches) <= len(HUBS):
        return matches
    named = [match for match in matches if match.split(".")[0] in HUBS] or matches[: len(HUBS)]
    others = [match for match in matches if match not in named]
    alike = [match for match in others if match.endswith(f".{column}")]
    every = [f"and every other table with {column}"] if alike else []
    return [*named, *(match for match in others if match not in alike), *every]


LOOKED_AT = 20_000
"""Rows of a table that are looked at."""

FEW = 12
"""A column with no more values is a kind of something: all are shown."""

SOME = 40
"""Of one with no more, and many rows for each, the most frequent are shown; more say little."""

REPEATED = 5
"""Rows that a value must have in the mean to be a kind of something where there are more than few."""

SHOWN = 8
"""The most frequent that are shown."""

IDENTIFIERS = ("id", "asset_tag", "serial_number")
"""What the names of columns that tell one thing from another end with: their values are no kinds."""

LONGEST = 40
"""Most characters of a value."""


def frequent_values(reader: "Reader", table: str, columns: "Sequence[ColumnInfo]") -> FrequentValues:
    """Find the values, most frequent first, of text columns that have few; none where the table cannot be read now.

    They are under ``all``, or under what says that there are more: ``most frequent 8 of 31``.
    """
    harmless = _not_personal(table)
    texts = [c.name for c in columns if c.type == "VARCHAR" and c.name in harmless]
    names = [name for name in texts if not name.endswith(IDENTIFIERS)]
    if not names:
        return {}
    counted = ", ".join(
        f'approx_top_k("{name}", {SOME + 1}), count(DISTINCT "{name}"), count("{name}")' for name in names
    )
    try:
        (*found, rows) = reader.run(f'SELECT {counted}, count(*) FROM (FROM "{table}" LIMIT {LOOKED_AT})').rows[0]
    except StatementError:
        return {}
    told = {name: _told(*found[3 * n : 3 * n + 3], whole=rows < LOOKED_AT) for n, name in enumerate(names)}
    return {name: values for name, values in told.items() if values}


def _told(frequent: list[str | None] | None, different: int, filled: int, *, whole: bool) -> Values:
    values = [value[:LONGEST] for value in frequent or () if value]
    among = "" if whole else f" among the first {LOOKED_AT:,} rows"
    if 0 < different <= FEW:
        return {f"{ALL}{among}": values}
    if FEW < different <= SOME and filled >= REPEATED * different:
        return {f"most frequent {SHOWN} of {different}{among}": values[:SHOWN]}
    return {}


def _not_personal(table: str) -> frozenset[str]:
    """Return the columns that the table does not mark as personal; of a view, those that no table does."""
    from kandji_schema.registry import resources

    behind = [resources()[table]] if table in resources() else list(resources().values())
    columns = [column for found in behind for column in found.columns]
    return frozenset({c.name for c in columns} - {c.name for c in columns if c.personal or c.name == "extra"})
