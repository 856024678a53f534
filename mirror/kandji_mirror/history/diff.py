"""The SQL that turns two data files of a table, the one before and the one after a sync, into events of history."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from kandji_schema.history import EVENTS, ChangeKind, identity
from kandji_schema.resource import Resource
from kandji_schema.sql import identifier

WAS, NOW = "was", "now_live"
"""Names under which the file before and the file after are attached."""

Types = Mapping[str, str]
"""Columns of a file with DuckDB's names of their types."""

DIFFERING = "differing"
"""Temporary table of the rows that differ: ``was_place`` and ``now_place``, either NULL, are their rowids."""


@dataclass(frozen=True)
class Comparison:
    """How the rows of one table are compared. ``before`` and ``after`` are the columns of the two files.

    Only columns that both files have can change; one that a new version brings does not make every row a change. Rows
    without a first key are left out: nothing says which of them is which.
    """

    resource: Resource
    before: Types
    after: Types

    def find(self) -> str:
        """Return the statement that makes :data:`DIFFERING`.

        Whole rows are compared by 64-bit hashes, which are small enough to join a million of them in memory; only the
        rows that differ are looked at column by column.
        """
        return f"""
            CREATE OR REPLACE TEMP TABLE {DIFFERING} AS
            SELECT was.place AS was_place, now.place AS now_place
            FROM ({self._hashes(WAS)}) AS was FULL JOIN ({self._hashes(NOW)}) AS now USING (h)
            WHERE was.h IS NULL OR now.h IS NULL"""

    def insert(self, place: str) -> str:
        """Return the statement that makes events of them in ``place``; it takes ``$at`` and ``$generation``."""
        both = (self._rows(WAS, self._differing("was_place")), self._rows(NOW, self._differing("now_place")))
        return self._insert(place, both, at="$at")

    def insert_dated(self, place: str, moment: str) -> str:
        """Return the same for tables of rows of many moments, named by the column ``moment``; takes ``$generation``.

        Nothing else is to be in them than rows that came, went or changed at their moment.
        """
        also = f'"{moment}" AS changed_at, '
        return self._insert(
            place, (self._rows(WAS, "", also), self._rows(NOW, "", also)), at="changed_at", shared="changed_at, "
        )

    def _insert(self, place: str, rows: tuple[str, str], *, at: str, shared: str = "") -> str:
        """``rows`` are those before and after, joined by their key and what else they have in common."""
        return f"""
            INSERT INTO {place}.{EVENTS}
            SELECT {at}, $generation, '{self.resource.name}', change, first_key, other_keys,
                CASE WHEN change <> '{ChangeKind.ADDED}' THEN {_object(2)} END,
                CASE change WHEN '{ChangeKind.CHANGED}' THEN {_object(3)} END
            FROM (
                SELECT {shared}first_key, other_keys,
                    CASE WHEN was.tracked IS NULL THEN '{ChangeKind.ADDED}' WHEN now.tracked IS NULL
                        THEN '{ChangeKind.REMOVED}' ELSE '{ChangeKind.CHANGED}' END AS change,
                    list_filter(
                        list_zip(
                            {_names([*self._tracked, *self._rest])},
                            was.tracked || was.rest,
                            CASE WHEN now.tracked IS NOT NULL THEN now.tracked || was.rest END
                        ),
                        lambda cell: cell[2] IS DISTINCT FROM cell[3]
                    ) AS cells
                FROM ({rows[0]}) AS was
                FULL JOIN ({rows[1]}) AS now USING ({shared}first_key, other_keys)
                WHERE was.tracked IS DISTINCT FROM now.tracked
            )
            ORDER BY first_key, other_keys"""

    @cached_property
    def _rest(self) -> list[str]:
        return [name for name in self.before if name not in self._tracked]

    @cached_property
    def _tracked(self) -> list[str]:
        volatile = {column.name for column in self.resource.columns if column.volatile}
        return [name for name in self.before if name in self.after and name not in volatile]

    def _table(self, side: str) -> str:
        return f'{side}.main."{self.resource.name}"'

    def _hashes(self, side: str) -> str:
        values = ", ".join(map(self._comparable, self._tracked))
        filled = f'"{self.resource.key[0]}" IS NOT NULL'
        return f"SELECT rowid AS place, hash({values}) AS h FROM {self._table(side)} WHERE {filled}"

    def _comparable(self, name: str) -> str:
        """Return the value in a form that is equal on both sides also where a new version reads it as another type."""
        return identifier(name) if self.before[name] == self.after[name] else f'"{name}"::VARCHAR'

    def _differing(self, place: str) -> str:
        return f"WHERE rowid IN (SELECT {place} FROM {DIFFERING})"

    def _rows(self, side: str, where: str, also: str = "") -> str:
        """Select rows, their values as lists of texts; ``tracked`` has the same columns on both sides."""
        types, rest = (self.before, self._rest) if side == WAS else (self.after, ())
        first, others = identity(self.resource.key, self.resource.key_fallback, row=identifier(self.resource.name))
        return (
            f"SELECT {also}{first} AS first_key, to_json([{', '.join(others)}]::VARCHAR[])::VARCHAR AS other_keys, "
            f"{_texts(self._tracked, types)} AS tracked, {_texts(rest, types)} AS rest "
            f"FROM {self._table(side)} {where}"
        )


def _texts(names: Iterable[str], types: Types) -> str:
    values = (f'to_json("{n}")::VARCHAR' if types[n].endswith("[]") else f'"{n}"::VARCHAR' for n in names)
    return f"[{', '.join(values)}]::VARCHAR[]"


def _names(names: Iterable[str]) -> str:
    quoted = ", ".join(f"'{name}'" for name in names)
    return f"[{quoted}]::VARCHAR[]"


def _object(value: int) -> str:
    """Return the JSON object of ``cells``, which are (name, old, new): ``{"os_version":["15.1"],"user_id":[]}``."""
    member = f"to_json(cell[1])::VARCHAR || ':[' || coalesce(to_json(cell[{value}])::VARCHAR, '') || ']'"
    return f"'{{' || array_to_string(list_transform(cells, lambda cell: {member}), ',') || '}}'"
