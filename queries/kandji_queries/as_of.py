"""The past: the segments of history as two relations, and ``<table>_as_of(moment)``, a table as it was.

A statement that asks for neither opens no segment; what one holds says :mod:`kandji_schema.history`. A table as it was
is made of its live rows and the events since. To a row that has events after the moment they are undone, the
earliest one of a column winning; a row added since is left out, one removed since comes from its event; all other rows
are the live ones. Two limits of that: a volatile column, such as ``updated_at``, has the value of the nearest row that
was kept, and a column that came with a newer version of the mirror has its oldest known value before that. Rows without
a first key are those of now.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path

import duckdb

from kandji_queries import currency, definitions
from kandji_queries.relations import AS_OF, BETWEEN, BY_THING, CURRENCY, EVENTS, TRACKED, create_schema
from kandji_schema.database import is_readable
from kandji_schema.derived import derivations, derived_columns, with_derived
from kandji_schema.errors import StoreDamaged
from kandji_schema.files import has_size
from kandji_schema.history import EVENTS as STORED_EVENTS
from kandji_schema.history import TABLES, ChangeKind, identity
from kandji_schema.history import TRACKED as STORED_TRACKED
from kandji_schema.manifest import Manifest, Segment
from kandji_schema.sql import identifier, literal
from kandji_schema.utc import whole_second

ASKED = "(moment)::TIMESTAMPTZ::TIMESTAMP"
"""The macro's argument, a text, a date or a timestamp with or without a zone, in UTC."""

Columns = Mapping[str, str]
"""Columns of the live table with DuckDB's names of their types."""


class HistoryDamaged(StoreDamaged):
    """A segment of history cannot be read; the tables themselves can."""

    def __init__(self, file: str) -> None:
        """``file`` is the segment's name."""
        super().__init__(
            f"The history file {file} is missing, cut or altered, so that what changed cannot be told; the tables "
            "themselves are whole. Remove that file from the folder store/history of the data directory: from the next "
            "change on the history begins after it."
        )


def tracked_tables(manifest: Manifest) -> list[str]:
    """Return the tables with history."""
    newest = manifest.history[-1].tables if manifest.history else ()
    return [table for table in newest if table in manifest.tables]


def functions(manifest: Manifest) -> Mapping[str, str]:
    """Return our table functions, with the table or view behind each: ``<table>_as_of`` and ``changes_between``."""
    tables = tracked_tables(manifest)
    views = [CURRENCY] if currency.DEVICES in tables else []
    return {**{f"{name}{AS_OF}": name for name in (*tables, *views)}, BETWEEN: BY_THING}


@cache
def history_views() -> frozenset[str]:
    """Return the names of our views that read history."""
    return frozenset(v.name for v in definitions.views().values() if EVENTS in v.sql or TRACKED in v.sql)


def add_empty(base: duckdb.DuckDBPyConnection) -> None:
    """Make the two relations without rows: enough to know what the view ``changes`` looks like."""
    create_schema(base)
    for statement in TABLES:
        base.execute(statement.format(place="internal"))


def add(base: duckdb.DuckDBPyConnection, segments: Sequence[Segment], folder: Path) -> None:
    """Attach the segments of ``folder`` and make the two relations; :class:`HistoryDamaged` names a lost one."""
    create_schema(base)
    for number, segment in enumerate(segments):
        _attach(base, folder / segment.file, segment, f"history_{number}")
    events = " UNION ALL ".join(f"FROM history_{number}.main.{STORED_EVENTS}" for number in range(len(segments)))
    base.execute(f"CREATE VIEW {EVENTS} AS {events}")
    since = f"greatest(since, TIMESTAMP '{segments[0].since:%Y-%m-%d %H:%M:%S.%f}') AS since"
    newest = f"history_{len(segments) - 1}.main.{STORED_TRACKED}"
    base.execute(f"CREATE VIEW {TRACKED} AS SELECT * REPLACE ({since}) FROM {newest}")


def _attach(base: duckdb.DuckDBPyConnection, path: Path, segment: Segment, name: str) -> None:
    if not has_size(path, segment.bytes):
        raise HistoryDamaged(segment.file)
    try:
        base.execute(f"ATTACH {literal(path)} AS {name} (READ_ONLY)")
    except duckdb.Error as error:
        raise HistoryDamaged(segment.file) from error


def refuse_damaged(segments: Sequence[Segment], folder: Path, error: StoreDamaged) -> None:
    """Raise :class:`HistoryDamaged` if a segment is to blame for ``error``; reads every block of them."""
    for segment in segments:
        if not is_readable(folder / segment.file, (STORED_EVENTS, STORED_TRACKED)):
            raise HistoryDamaged(segment.file) from error


@dataclass(frozen=True)
class TableHistory:
    """One table's history: whole since a moment (UTC); ``keys`` and ``fallbacks`` tell its rows apart."""

    table: str
    since: datetime
    keys: Sequence[str]
    fallbacks: Sequence[str]
    columns: Columns

    @property
    def function(self) -> str:
        """The statement that makes the table function; what is derived is derived of the columns as they were."""
        as_it_was = with_derived(f"({self._rows})", derivations(self.table))
        return f"CREATE MACRO main.{identifier(f'{self.table}{AS_OF}')}(moment) AS TABLE {as_it_was}"

    @property
    def _rows(self) -> str:
        live = ", ".join(f"live.{identifier(name)}" for name in self.columns)
        return f"""
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
                WHERE event.table_name = {literal(self.table)} AND event.changed_at > {ASKED}
                GROUP BY event.first_key, event.other_keys
                UNION ALL
                {self._checked}
            )"""

    @property
    def _checked(self) -> str:
        """A row that matches nothing, or an error before history begins and for what is to come.

        Each of its values is the check, so that no filter of the statement around it can make it go unseen.
        """
        first = whole_second(self.since)
        problem = (
            f"The history of {self.table} begins at {self.since:%Y-%m-%d %H:%M:%S} UTC; how it was at an earlier "
            f"moment, or at none, is not known. Write {self.table}{AS_OF}(''{first:%Y-%m-%d %H:%M:%S}'') or later."
        )
        future = (
            f"That moment lies in the future; how {self.table} will be then is not known. FROM {self.table} is now."
        )
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
        return f"main.{identifier(self.table)} AS live"

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
            f"CASE WHEN past.old.{c} IS NULL THEN live.{c} ELSE {_kept(name, kind)} END AS {c}"
            for c, name, kind in ((identifier(name), name, kind) for name, kind in self.columns.items())
        )

    @property
    def _restored(self) -> str:
        return ", ".join(f"{_kept(name, kind)} AS {identifier(name)}" for name, kind in self.columns.items())


def _kept(name: str, kind: str) -> str:
    """Return a kept text in the column's type of now; NULL where an older version kept what does not fit it."""
    text = f"past.old.{identifier(name)}[1]"
    return f"TRY_CAST({text}::JSON AS {kind})" if kind.endswith("[]") else f"TRY_CAST({text} AS {kind})"


def table_histories(base: duckdb.DuckDBPyConnection, columns_of: Callable[[str], Columns | None]) -> list[TableHistory]:
    """Return the tables with history that ``columns_of`` knows; derived ones among them are left out."""
    found = base.execute(f"SELECT table_name, since, keys, fallbacks FROM {TRACKED} ORDER BY table_name").fetchall()
    known = ((row, columns_of(row[0])) for row in found)
    return [
        TableHistory(table, since, keys, fallbacks, _stored(table, columns))
        for (table, since, keys, fallbacks), columns in known
        if columns
    ]


def _stored(table: str, columns: Columns) -> Columns:
    derived = {column.name for column in derived_columns(table)}
    return {name: kind for name, kind in columns.items() if name not in derived}
