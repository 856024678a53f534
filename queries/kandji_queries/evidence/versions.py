"""Rows of a table as they were at the end of each day of a period: SQL over the table and the view ``changes``.

A version is a row with the first and the last day at whose end it was so. To the row of now the changes after a day are
undone, as ``<table>_as_of`` does it for one moment: what a column was before a change says the next change that tells
of it, else the row that was removed, else the row of now. So the whole period costs one look at the changes since its
first day, whatever its length, and a version is as long as nothing changed.

A day ends at midnight, UTC, and a change at that very moment belongs to the day that ends; the end of today is now.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from kandji_schema.derived import EXTRA, DerivedColumn, derivations, with_derived
from kandji_schema.sql import identifier, literal

Shape = Mapping[str, str]
"""Columns of a table with DuckDB's names of their types."""

_WORD = re.compile(r"[a-z_][a-z0-9_]*")

FIRST, LAST, NOW = "$first_day::DATE", "$last_day::DATE", "$moment::TIMESTAMP"
"""What a statement is given: the first and the last day of the period, and now."""


@dataclass(frozen=True)
class Versions:
    """The versions of one table's rows. ``shape`` is the table in this mirror, ``keys`` and ``fallbacks`` its key.

    ``wanted`` are the columns that are needed; derived ones are made of the columns as they were.
    """

    table: str
    keys: Sequence[str]
    fallbacks: Sequence[str]
    shape: Shape
    wanted: Sequence[str]

    @property
    def steps(self) -> Mapping[str, str]:
        """The common table expressions, in order; the last one, ``versions``, has ``first_day`` and ``last_day``."""
        return {
            "told": self._told,
            "gone": self._gone,
            "happened": self._happened,
            "undone": self._undone,
            "live": self._live,
            "versions": self._versions,
        }

    @cached_property
    def _derived(self) -> tuple[DerivedColumn, ...]:
        """The derived columns that are needed, with the steps and columns below them, in their order."""
        every = {found.name: found for found in derivations(self.table)}
        needed, asked = set[str](), [name for name in self.wanted if name in every]
        while asked:
            needed.add(name := asked.pop())
            asked += [word for word in _WORD.findall(every[name].sql) if word in every and word not in needed]
        return tuple(found for found in every.values() if found.name in needed)

    @cached_property
    def _columns(self) -> list[str]:
        """The stored columns that are needed."""
        made = {found.name for found in self._derived}
        below = {word for found in self._derived for word in _WORD.findall(found.sql)} | ({EXTRA} if made else set())
        below = {name for name in below if name in self.shape}
        return [name for name in dict.fromkeys((*self.wanted, *sorted(below))) if name not in made]

    @property
    def _told(self) -> str:
        """One row a row of the table and moment at which it changed; a list of one for each column that it tells of."""
        names = ", ".join(map(literal, self._columns))
        cells = ", ".join(
            f"any_value([c.old_value]) FILTER (c.column_name = {literal(name)}) AS {identifier(name)}"
            for name in self._columns
        )
        return f"""
            SELECT c.row_key::VARCHAR AS row_key, c.changed_at, c.change, {cells}
            FROM changes AS c
            WHERE
                c.table_name = {literal(self.table)} AND c.changed_at > {FIRST} + INTERVAL 1 DAY
                AND (c.change <> 'changed' OR c.column_name IN ({names}))
            GROUP BY ALL"""

    @property
    def _gone(self) -> str:
        """The rows that were removed since, as they were."""
        cells = ", ".join(f"[r.old_row ->> {_path(name)}] AS {identifier(name)}" for name in self._columns)
        keys = ", ".join(f"r.old_row ->> {_path(name)} AS {identifier(_key(name))}" for name in self._every_key)
        return f"""
            SELECT r.removed_at, {keys}, {cells}
            FROM removed_rows AS r
            WHERE r.table_name = {literal(self.table)} AND r.removed_at > {FIRST} + INTERVAL 1 DAY"""

    @property
    def _happened(self) -> str:
        """The changes with what was in the row before, as far as each tells, and the last day that ended before it."""
        cells = ", ".join(
            f"coalesce(t.{name}, g.{name}) AS {name}" for name in (identifier(name) for name in self._columns)
        )
        return f"""
            SELECT
                t.row_key, t.changed_at, t.change, {cells},
                CASE
                    WHEN t.changed_at > {NOW} THEN {NOW}::DATE
                    ELSE (t.changed_at - INTERVAL 1 MICROSECOND)::DATE - 1
                END AS until_day
            FROM told AS t
            LEFT JOIN gone AS g ON t.change = 'removed' AND g.removed_at = t.changed_at AND {self._same("g", "t")}"""

    @property
    def _undone(self) -> str:
        """What each row was before each change, and from which day to which."""
        cells = ", ".join(
            f"first_value({name} IGNORE NULLS) OVER following AS {name}" for name in map(identifier, self._columns)
        )
        return f"""
            SELECT
                row_key, change <> 'added' AS was_there, until_day, {cells},
                lag(until_day) OVER moments + 1 AS from_day,
                max(until_day) OVER (PARTITION BY row_key) + 1 AS live_from
            FROM happened
            WINDOW
                moments AS (PARTITION BY row_key ORDER BY changed_at),
                following AS (
                    PARTITION BY row_key ORDER BY changed_at ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
                )"""

    @property
    def _live(self) -> str:
        cells = ", ".join(identifier(name) for name in dict.fromkeys((*self._every_key, *self._columns)))
        return f"SELECT {cells} FROM {identifier(self.table)} WHERE {identifier(self.keys[0])} IS NOT NULL"

    @property
    def _versions(self) -> str:
        now = ", ".join(f"l.{name}" for name in map(identifier, self._columns))
        was = ", ".join(
            f"CASE WHEN u.{identifier(name)} IS NULL THEN l.{identifier(name)} "
            f"ELSE {_typed(name, self.shape[name])} END AS {identifier(name)}"
            for name in self._columns
        )
        return with_derived(
            f"""(
                SELECT {now}, greatest(coalesce(u.live_from, {FIRST}), {FIRST}) AS first_day, {LAST} AS last_day
                FROM live AS l
                LEFT JOIN (SELECT DISTINCT row_key, live_from FROM undone) AS u ON {self._same("l", "u", "")}
                WHERE coalesce(u.live_from, {FIRST}) <= {LAST}
                UNION ALL BY NAME
                SELECT {was}, coalesce(u.from_day, {FIRST}) AS first_day, least(u.until_day, {LAST}) AS last_day
                FROM undone AS u
                LEFT JOIN live AS l ON {self._same("l", "u", "")}
                WHERE u.was_there AND coalesce(u.from_day, {FIRST}) <= least(u.until_day, {LAST})
            )""",
            self._derived,
        )

    @property
    def _every_key(self) -> list[str]:
        return [*self.keys, *self.fallbacks]

    def _same(self, row: str, keyed: str, prefix: str = "key of ") -> str:
        """Return the condition that two are about one row: by the columns of its key, and the JSON of ``row_key``."""
        pairs = [
            f"{row}.{identifier(f'{prefix}{name}')}::VARCHAR IS NOT DISTINCT FROM {keyed}.row_key ->> {_path(name)}"
            for name in self.keys[1:]
        ]
        first = f"{row}.{identifier(f'{prefix}{self.keys[0]}')}::VARCHAR = {keyed}.row_key ->> {_path(self.keys[0])}"
        spare = [
            f"({keyed}.row_key ->> {_path(name)} IS NULL"
            f" OR {row}.{identifier(f'{prefix}{name}')}::VARCHAR = {keyed}.row_key ->> {_path(name)})"
            for name in self.fallbacks
        ]
        return " AND ".join([first, *pairs, *spare])


def _key(name: str) -> str:
    return f"key of {name}"


def _path(name: str) -> str:
    return literal(f"$.{identifier(name)}")


def _typed(name: str, kind: str) -> str:
    """Return a kept text in the column's type of now; NULL where it does not fit."""
    text = f"u.{identifier(name)}[1]"
    return f"TRY_CAST({text}::JSON AS {kind})" if kind.endswith("[]") else f"TRY_CAST({text} AS {kind})"
