"""``<table>_as_of(moment)``: a table as it was, from its live rows and the events since.

What events hold says :mod:`kandji_schema.history`. To a row that has events after the moment they are undone, the
earliest one of a column winning; a row added since is left out, one removed since comes from its event; all other rows
are the live ones. Two limits of that: a volatile column, such as ``updated_at``, has the value of the nearest row that
was kept, and a column that came with a newer version of the mirror has its oldest known value before that. Rows without
a first key are those of now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from kandji_schema.history import ChangeKind, identity

EVENTS = "internal.events"
"""All events; an engine that has it among its names has the segments open."""

SUFFIX = "_as_of"

ASKED = "(moment)::TIMESTAMPTZ::TIMESTAMP"
"""The macro's argument, a text, a date or a timestamp with or without a zone, in UTC."""

Columns = Mapping[str, str]
"""Columns of the live table with DuckDB's names of their types."""


@dataclass(frozen=True)
class Past:
    """One table's history: whole since a moment (UTC); ``keys`` and ``fallbacks`` tell its rows apart."""

    table: str
    since: datetime
    keys: Sequence[str]
    fallbacks: Sequence[str]
    columns: Columns

    @property
    def macro(self) -> str:
        """The statement that makes the table function."""
        live = ", ".join(f'live."{name}"' for name in self.columns)
        return f"""
            CREATE MACRO main."{self.table}{SUFFIX}"(moment) AS TABLE
            WITH undone AS MATERIALIZED ({self._undone}), known AS MATERIALIZED ({self._known})
            SELECT {live} FROM {self._live} ANTI JOIN undone AS past ON {self._same_row}
            UNION ALL
            SELECT {self._patched} FROM {self._live} JOIN known AS past ON {self._same_row} WHERE NOT past.was_removed
            UNION ALL
            SELECT {self._restored} FROM known AS past WHERE past.was_removed"""

    @property
    def _undone(self) -> str:
        """One row a key that has events after the moment, with their kinds and old values in order of time."""
        in_order = "ORDER BY event.changed_at, event.generation"
        others = "".join(
            f", json_extract_string(other_keys, '$[{place}]') AS {name}" for place, name in enumerate(self._others)
        )
        return f"""
            SELECT first_key, kinds, olds{others}
            FROM (
                SELECT event.first_key, event.other_keys, list(event.change {in_order}) AS kinds,
                    list(event.old::JSON {in_order}) AS olds
                FROM {EVENTS} AS event
                WHERE event.table_name = '{self.table}' AND event.changed_at > {ASKED}
                GROUP BY event.first_key, event.other_keys
                UNION ALL
                {self._checked}
            )"""

    @property
    def _checked(self) -> str:
        """A row that matches nothing, or an error before history begins and for what is to come.

        Each of its values is the check, so that no filter of the statement around it can make it go unseen.
        """
        problem = (
            f"The history of {self.table} begins at {self.since:%Y-%m-%d %H:%M:%S} UTC; how it was at an earlier "
            "moment, or at none, is not known."
        )
        future = f"That moment lies in the future; how {self.table} will be then is not known."
        begins = f"TIMESTAMP '{self.since:%Y-%m-%d %H:%M:%S.%f}'"
        return f"""
            SELECT checked, checked, [checked], [checked::JSON]
            FROM (
                SELECT CASE
                    WHEN (moment)::TIMESTAMPTZ > now() THEN error('{future}')
                    WHEN {ASKED} >= {begins} THEN NULL
                    ELSE error('{problem}')
                END AS checked
            )"""

    @property
    def _known(self) -> str:
        """The rows of those keys that were there at the moment: ``old`` has a list for each column that is known."""
        removed = f"list_position(kinds, '{ChangeKind.REMOVED}')"
        structure = ", ".join(f'"{name}": ["VARCHAR"]' for name in self.columns)
        return f"""
            SELECT * EXCLUDE (kinds, olds), {removed} IS NOT NULL AS was_removed, from_json(
                list_reduce(
                    list_reverse(olds[1:coalesce({removed}, len(olds))]),
                    lambda later, earlier: json_merge_patch(later, earlier)
                ),
                '{{{structure}}}'
            ) AS old
            FROM undone
            WHERE kinds[1] <> '{ChangeKind.ADDED}'"""

    @property
    def _live(self) -> str:
        return f'main."{self.table}" AS live'

    @cached_property
    def _identity(self) -> tuple[str, list[str]]:
        return identity(self.keys, self.fallbacks, row="live")

    @property
    def _others(self) -> list[str]:
        return [f"other_{place}" for place in range(len(self._identity[1]))]

    @property
    def _same_row(self) -> str:
        first, others = self._identity
        pairs = zip(others, self._others, strict=True)
        return " AND ".join([f"{first} = past.first_key", *(f"{v} IS NOT DISTINCT FROM past.{n}" for v, n in pairs)])

    @property
    def _patched(self) -> str:
        return ", ".join(
            f'CASE WHEN past.old."{name}" IS NULL THEN live."{name}" ELSE {_value(name, kind)} END AS "{name}"'
            for name, kind in self.columns.items()
        )

    @property
    def _restored(self) -> str:
        return ", ".join(f'{_value(name, kind)} AS "{name}"' for name, kind in self.columns.items())


def _value(name: str, kind: str) -> str:
    """A kept text in the column's type of now; NULL where an older version kept what does not fit it."""
    text = f'past.old."{name}"[1]'
    return f"TRY_CAST({text}::JSON AS {kind})" if kind.endswith("[]") else f"TRY_CAST({text} AS {kind})"
