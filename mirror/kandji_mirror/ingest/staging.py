"""Rows of one pass over one table, staged in a scratch file: checked, compared with the published file, written out.

It is what stands between pages and a data file: nothing that was read is believed before it was asked here.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from kandji_mirror.ingest.engine import describe_table, new_file, store_errors
from kandji_mirror.ingest.file_queries import (
    ORDINAL,
    duplicates,
    in_order,
    key_parts,
    older_duplicates,
    repeats_numbered,
    steps_back,
)
from kandji_mirror.ingest.merge import Difference, Merge, Merged
from kandji_mirror.ingest.scratch import ScratchTable
from kandji_schema.errors import StoreError
from kandji_schema.sql import identifier

ORDERLY = 20_000
"""Rows from one step back in the order of devices to the next, on average, that are order enough. Threads that take
turns leave some; a reader skips by blocks of 122,880 rows, so that it reads one block more than it had to."""

MissingRows = Mapping[str, frozenset[int]]
"""Rows that are mirrored and did not come: hashes of their keys by their first key."""


class Staging(ScratchTable):
    """Takes pages or an export, then answers questions about the rows and writes them out.

    The scratch file and the files given to :meth:`write` and :meth:`merge` are temporary files in the store's data
    folder; whoever owns the staging removes them.
    """

    _compared: tuple[Path, frozenset[str], int, Merge, Difference] | None = None
    _aside: Mapping[tuple[str | None, str], int] = {}
    """Rows that were set aside, by first key and by the field that was no part of one."""

    def clear(self) -> None:
        """Forget every row taken until now, and every error."""
        self._aside = {}
        super().clear()

    def copy_rows(self, source: Path, where: str, values: Iterable[str]) -> None:
        """Take rows of a published file unchanged: those whose column ``where`` has one of ``values``."""
        self.flush()
        self._changes += 1
        with self._attached(source) as table:
            chosen = f'SELECT * FROM {table} WHERE "{where}" IN (SELECT unnest($1::VARCHAR[]))'
            self._execute(f"INSERT INTO {self._table} BY NAME {chosen}", [list(values)])

    def restore(self, source: Path, keys: Iterable[int]) -> None:
        """Take rows of a published file unchanged: those that are :meth:`missing`, by the hashes of their keys."""
        self._changes += 1
        with self._attached(source) as table:
            chosen = self._unmet(table, "AND key IN (SELECT unnest($1::UBIGINT[]))")
            kept = f"SELECT * FROM {table} WHERE rowid IN (SELECT row FROM ({chosen}))"
            self._execute(f"INSERT INTO {self._table} BY NAME {kept}", [list(keys)])
        self._only_appended = False

    def drop(self, first_keys: Collection[str]) -> None:
        """Drop the staged rows of some first keys."""
        self.flush()
        self._changes += 1
        self._aside = {place: rows for place, rows in self._aside.items() if place[0] not in set(first_keys)}
        gone = f"DELETE FROM {self._table} WHERE {self._first_key} IN (SELECT unnest($1::VARCHAR[]))"
        self._execute(gone, [list(first_keys)])
        self._only_appended = False

    # -- questions ---------------------------------------------------------------------------------------------

    @property
    def rows(self) -> int:
        """Rows taken, duplicates included."""
        self.flush()
        return self._number(f"SELECT count(*) FROM {self._table}")

    def rows_without_key(self) -> int:
        """Count the rows whose first key column is empty."""
        self.flush()
        return self._number(f"SELECT count(*) FROM {self._table} WHERE {self._first_key} IS NULL")

    def first_keys(self) -> list[str]:
        """List distinct values of the first key column, in order, without NULL: the devices of a Prism table."""
        sql = f"SELECT DISTINCT {self._first_key} FROM {self._table} WHERE {self._first_key} IS NOT NULL ORDER BY 1"
        return [str(key) for (key,) in self._ask(sql)]

    def newest(self, column: str = "updated_at") -> datetime | None:
        """Return the greatest value of a timestamp column, aware UTC; None where there is none."""
        ((found,),) = self._ask(f'SELECT max("{column}") FROM {self._table}')
        return found.replace(tzinfo=UTC) if isinstance(found, datetime) else None

    def leftovers(self) -> dict[str, int]:
        """Count how many rows keep something in ``extra``, by the provider's field name."""
        fields = f"SELECT unnest(json_keys(extra)) AS field FROM {self._table} WHERE extra IS NOT NULL"
        sql = f"SELECT field, count(*) FROM ({fields}) GROUP BY field ORDER BY field"
        found = Counter({str(field): int(str(n)) for field, n in self._ask(sql)})
        for (_, field), rows in self._aside.items():
            found[field] += rows
        return dict(found)

    def misread(self) -> set[str]:
        """Return first keys of rows with something in a known field that did not fit, or that were set aside."""
        known = sorted(self.resource.known_fields)
        odd = f"extra IS NOT NULL AND list_has_any(json_keys(extra), $1) AND {self._first_key} IS NOT NULL"
        found = self._ask(f"SELECT DISTINCT {self._first_key} FROM {self._table} WHERE {odd}", [known])
        return {str(key) for (key,) in found} | {first for first, _ in self._aside if first is not None}

    def missing(self, source: Path, among: Collection[str] | None = None) -> MissingRows:
        """Find the rows of a published file of which no staged row has the key: hashes of their keys by first key.

        ``among`` are the first keys that matter; None means all. Rows without a first key are left out.
        """
        self.flush()
        with self._attached(source) as table:
            chosen = self._unmet(table, "AND first IN (SELECT unnest($1::VARCHAR[]))" if among is not None else "")
            sql = f"SELECT first, list(key) FROM ({chosen}) GROUP BY first ORDER BY first"
            found = self._execute(sql, [] if among is None else [list(among)]).fetchall()
        return {str(first): frozenset(keys) for first, keys in found}

    def _unmet(self, table: str, more: str) -> str:
        """Select the rowids and keys of published rows whose key no staged row has."""
        key = f"hash({', '.join(key_parts(self.resource))})"
        rows = f"SELECT rowid AS row, {self._first_key} AS first, {key} AS key FROM {table}"
        staged = f"SELECT {key} AS key FROM {self._table}"
        return f"SELECT * FROM ({rows}) ANTI JOIN ({staged}) USING (key) WHERE first IS NOT NULL {more}"

    def digest(self) -> str:
        """Return an order-independent hash of all rows."""
        self.flush()
        return self._digest_of(self._table)

    def digest_of_file(self, source: Path) -> str | None:
        """Return the same hash over a published file; None where it cannot be read or has other columns."""
        try:
            with self._attached(source) as table:
                return self._digest_of(table)
        except StoreError:
            return None

    def _digest_of(self, table: str) -> str:
        columns = ", ".join(identifier(c.name) for c in self.resource.columns)
        sql = f"SELECT count(*), bit_xor(h), sum(h % 1000000007) FROM (SELECT hash({columns}) AS h FROM {table})"
        return "-".join(str(part) for part in self._execute(sql).fetchall()[0])

    # -- keys --------------------------------------------------------------------------------------------------

    def unify_keys(self) -> None:
        """Make one row a key: number repeats, and drop duplicates."""
        if self.resource.repeats:
            self.number_repeats()
        self.drop_duplicates()

    def drop_duplicates(self) -> int:
        """Keep one row a key, the one updated last; returns how many were dropped.

        Pages shift while a walk is under way, so a row can come twice. Rows without a first key are all kept, and so
        are those of a table with repeats: nothing says that they are the same.
        """
        self.flush()
        self._set_aside()
        if self.resource.repeats or not self.repeated:
            return 0
        older = older_duplicates(self.resource, self._table)
        return self._change(f"DELETE FROM {self._table} WHERE rowid IN ({older})")

    @property
    def repeated(self) -> int:
        """Rows beyond one a key."""
        self.flush()
        return self._number(duplicates(self.resource, self._table))

    def _set_aside(self) -> None:
        """Take out rows of which a part of the key came and could not be read."""
        aside = dict(self._aside)
        for column in self.resource.columns:
            heads = dict.fromkeys(source.partition(".")[0] for source in column.sources) if column.key else ()
            for field in heads:
                damaged = f""""{column.name}" IS NULL AND json_exists(extra, '$."{field}"')"""
                sql = f"SELECT {self._first_key}, count(*) FROM {self._table} WHERE {damaged} GROUP BY 1"
                found = self._execute(sql).fetchall()
                if found:
                    self._change(f"DELETE FROM {self._table} WHERE {damaged}")
                for first, rows in found:
                    place = (None if first is None else str(first), field)
                    aside[place] = max(aside.get(place, 0), int(str(rows)))  # another walk brings it again
        self._aside = aside

    def damaged(self, first_key: str) -> bool:
        """Whether a row that was set aside may be one of this first key."""
        return any(first in (None, first_key) for first, _ in self._aside)

    def number_repeats(self) -> None:
        """Give the rows of a table with repeats numbers within the rest of their key, from 1, in ``ordinal``."""
        self.flush()
        numbered = repeats_numbered(self.resource, self._table)
        self._change(f'UPDATE {self._table} AS t SET "{ORDINAL}" = place FROM ({numbered}) WHERE t.rowid = row')

    # -- output ------------------------------------------------------------------------------------------------

    def write(self, target: Path) -> int:
        """Write the rows into the new data file ``target``, in key order unless they are nearly; returns their number.

        The order lets a question about one device skip nearly all other blocks, so that no index is needed. A scratch
        file that is in order is a data file already: to sort a large one takes as long as to load it.
        """
        rows = self.rows
        with store_errors(self._what):
            if self._is_data_file(rows):
                describe_table(self._con, self._catalog, self.resource)
                self._con.execute(f"CHECKPOINT {self._catalog}")
                shutil.copyfile(self._scratch, target)
            else:
                with new_file(self._engine, self._con, self.resource, target) as table:
                    ordered = f"SELECT * FROM {self._table} ORDER BY {in_order(self.resource)}"
                    self._con.execute(f"INSERT INTO {table} {ordered}")
        return rows

    def _is_data_file(self, rows: int) -> bool:
        if self._masked or not self._only_appended:
            return False
        return self._number(steps_back(self.resource, self._table)) * ORDERLY <= rows

    def rows_after(self, published: Path, whole: Collection[str] = ()) -> int:
        """Count the rows that :meth:`merge` would leave."""
        return self._difference(published, whole)[1].rows

    def rows_since(self, published: Path, column: str, since: datetime, whole: Collection[str] = ()) -> int:
        """Count the rows that :meth:`merge` would leave whose timestamp ``column`` is ``since``, aware, or later."""
        return self._difference(published, whole)[0].rows_since(column, since)

    def incomplete(self, published: Path, column: str, since: datetime | None) -> list[str]:
        """List first keys that have published rows which were not staged, and staged ones, in order.

        Where ``since`` is given one of the latter is stamped then or later in the timestamp ``column``.
        """
        return self._difference(published, ())[0].incomplete(column, since) if self.rows else []

    def merge(self, published: Path, target: Path, *, whole: Collection[str] = (), built_bytes: int = 0) -> Merged:
        """Put the staged rows into the rows of a published file, and write ``target`` where that changes anything.

        A staged row replaces the published row of its key, unless all columns are equal; of first keys in ``whole``
        (devices) every published row that was not staged goes too. ``built_bytes`` is the size of the file when all of
        it was last written. The staged rows have one row a key, see :meth:`unify_keys`.
        """
        merge, found = self._difference(published, whole)
        return merge.write(found, target, built_bytes=built_bytes)

    def _difference(self, published: Path, whole: Collection[str]) -> tuple[Merge, Difference]:
        """Compare with a published file, once for a question and the merge that follows it."""
        self.flush()
        asked = (published, frozenset(whole), self._changes)
        if self._compared and self._compared[:3] == asked:
            return self._compared[3:]
        merge = Merge(self._engine, self._con, self.resource, self._table, published)
        found = merge.compare(whole)
        self._compared = (*asked, merge, found)
        return merge, found
