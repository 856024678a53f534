"""Staged rows put into a copy of a published file, and nothing else of that file read than it takes."""

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb

from kandji_mirror.ingest.engine import Engine, new_file, store_errors
from kandji_mirror.ingest.file_queries import first_key, in_order, key_parts
from kandji_schema.resource import Resource
from kandji_schema.utc import naive_utc

REBUILD_SHARE = 0.2
"""Above this share of the rows, a new file costs less than deletes and inserts, and is in order again."""

REBUILD_GROWTH = 1.5
"""A file that grew by more than this since it was built is written anew: space of deleted rows, rows out of order."""


@dataclass(frozen=True)
class Merged:
    """What a merge did. ``rows`` are in the table afterwards; ``rebuilt`` tells that all were written, in key order.

    ``touched`` are the first keys whose rows are not as they were; None where they may be any.
    """

    rows: int
    added: int
    changed: int
    removed: int
    rebuilt: bool
    touched: frozenset[str] | None = field(default=None, compare=False)  # where to look, not what was done


@dataclass(frozen=True)
class Difference:
    """Staged rows against published ones: how many of the latter go, how many of the former come, and in all."""

    published: int
    deleted: int
    inserted: int
    added: int

    @property
    def rows(self) -> int:
        """Rows after the merge."""
        return self.published - self.deleted + self.inserted

    def merged(self, *, rebuilt: bool, touched: frozenset[str] | None = None) -> Merged:
        """Return the same as the account of a merge."""
        changed = self.inserted - self.added
        return Merged(self.rows, self.added, changed, self.deleted - changed, rebuilt, touched)


@dataclass(frozen=True)
class Merge:
    """One merge of the table ``staged``, through the connection it lives in, onto the data file ``published``.

    The keys are compared first and whole rows only where they meet, so that of a large file little more than the key
    columns is read.
    """

    engine: Engine
    con: duckdb.DuckDBPyConnection
    resource: Resource
    staged: str
    published: Path

    def compare(self, whole: Collection[str]) -> Difference:
        """Find the rows that go and come; they stay in temporary tables for what is asked and done afterwards."""
        with self._attached() as published:
            there, staged = self._counts(published, self.staged)
            if not staged and not whole:
                for table in ("matched", "deleted", "inserted"):
                    self._keep(table, "SELECT 0 AS published, 0 AS staged, true AS same WHERE false")
                return Difference(there, 0, 0, 0)
            self._pair(published)
            self._part(published, whole)
        deleted, inserted, met = self._counts(
            "temp.deleted", "temp.inserted", "(SELECT DISTINCT staged FROM temp.matched)"
        )
        return Difference(there, deleted, inserted, added=staged - met)

    def incomplete(self, column: str, since: datetime | None) -> list[str]:
        """List first keys of staged rows of which published rows were not staged, as :meth:`compare` found it.

        Of the staged rows one at least is of ``since`` or later, in the timestamp ``column``, where that is given.
        """
        key = first_key(self.resource)
        late = f'SELECT {key} FROM {self.staged} WHERE $1::TIMESTAMP IS NULL OR "{column}" >= $1'
        with self._attached() as published:
            unmet = f"SELECT {key} FROM {published} WHERE rowid NOT IN (SELECT published FROM temp.matched)"
            sql = f"SELECT DISTINCT {key} FROM ({unmet}) WHERE {key} IN ({late}) ORDER BY 1"
            return [str(value) for (value,) in self.con.execute(sql, [since and naive_utc(since)]).fetchall()]

    def rows_since(self, column: str, since: datetime) -> int:
        """Count rows after the merge, as :meth:`compare` found it, whose timestamp ``column`` is ``since`` or later."""
        with self._attached() as published:
            stay = f"SELECT * FROM {published} WHERE rowid NOT IN (SELECT published FROM temp.deleted)"
            counts = (f'(SELECT count(*) FROM ({rows}) WHERE "{column}" >= $1)' for rows in (stay, self._inserted))
            ((found,),) = self.con.execute(f"SELECT {' + '.join(counts)}", [naive_utc(since)]).fetchall()
            return int(found)

    @contextmanager
    def _attached(self) -> Iterator[str]:
        """Attach the published file for the time of the block; gives its table's SQL name."""
        with store_errors(str(self.published)), self.engine.attached(self.con, self.published) as catalog:
            yield f'{catalog}.main."{self.resource.name}"'

    def _counts(self, *tables: str) -> tuple[int, ...]:
        counted = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)
        return self.con.execute(f"SELECT {counted}").fetchall()[0]

    def _pair(self, published: str) -> None:
        """Pair rows of one key, then tell whether they are the same in every column.

        As a column, not as a condition: DuckDB would look for equal rows in all of the file.
        """
        both = f"{published} AS l JOIN {self.staged} AS s"
        pairs = (f"SELECT l.rowid AS published, s.rowid AS staged FROM {both} ON {met}" for met in self._meetings())
        self._keep("keys_met", " UNION ALL ".join(pairs))
        same = " AND ".join(f'l."{c.name}" IS NOT DISTINCT FROM s."{c.name}"' for c in self.resource.columns)
        joined = f"JOIN {published} AS l ON l.rowid = m.published JOIN {self.staged} AS s ON s.rowid = m.staged"
        self._keep("matched", f"SELECT m.published, m.staged, {same} AS same FROM temp.keys_met AS m {joined}")

    def _meetings(self) -> Iterator[str]:
        """Give the conditions of rows with one key. Plain equality of its first part skips devices, not NULL."""
        (left, right), *others = zip(key_parts(self.resource, "l"), key_parts(self.resource, "s"), strict=True)
        rest = [f"{a} IS NOT DISTINCT FROM {b}" for a, b in others]
        yield " AND ".join([f"{left} = {right}", *rest])
        (keyless,) = self._counts(f"{self.staged} WHERE {first_key(self.resource)} IS NULL")
        if keyless:
            yield " AND ".join([f"{left} IS NULL AND {right} IS NULL", *rest])

    def _part(self, published: str, whole: Collection[str]) -> None:
        """Find rows that go: of a key that was staged otherwise, or of a first key all of whose rows were staged."""
        stay = "SELECT min(published) FROM temp.matched WHERE same GROUP BY staged"
        replaced = f"SELECT DISTINCT published FROM temp.matched WHERE published NOT IN ({stay})"
        of_whole = f"{first_key(self.resource)} IN (SELECT unnest($1::VARCHAR[]))"
        gone = f"SELECT rowid FROM {published} WHERE {of_whole} AND rowid NOT IN (SELECT published FROM temp.matched)"
        self._keep("deleted", f"{replaced} UNION ALL {gone}", list(whole))
        known = "SELECT staged FROM temp.matched WHERE same"
        self._keep("inserted", f"SELECT rowid AS staged FROM {self.staged} WHERE rowid NOT IN ({known})")

    def _keep(self, table: str, query: str, *parameters: object) -> None:
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {query}", list(parameters))

    def write(self, found: Difference, target: Path, *, built_bytes: int) -> Merged:
        """Write the merged rows into the new file ``target``, where there is any difference at all."""
        if not found.deleted + found.inserted:
            return found.merged(rebuilt=False)
        rebuilt = max(found.deleted, found.inserted) > REBUILD_SHARE * found.published or self._outgrown(built_bytes)
        with store_errors(f"Table {self.resource.name}"):
            if not rebuilt:
                return found.merged(rebuilt=False, touched=self._patch(target))
            self._rebuild(target)
        return found.merged(rebuilt=True)

    def _outgrown(self, built_bytes: int) -> bool:
        return 0 < REBUILD_GROWTH * built_bytes < self.published.stat().st_size

    def _patch(self, target: Path) -> frozenset[str] | None:
        """Copy the file, then take out and put in; returns the first keys that were concerned."""
        shutil.copyfile(self.published, target)
        with self.engine.attached(self.con, target, writable=True) as catalog:
            table = f'{catalog}.main."{self.resource.name}"'
            touched = self._touched(table)
            self.con.execute("BEGIN")
            self.con.execute(f"DELETE FROM {table} WHERE rowid IN (SELECT published FROM temp.deleted)")
            self.con.execute(f"INSERT INTO {table} BY NAME {self._inserted} ORDER BY {in_order(self.resource)}")
            self.con.execute(f"COMMIT; CHECKPOINT {catalog}")
        return touched

    def _touched(self, table: str) -> frozenset[str] | None:
        """List first keys of the rows that go from ``table`` and of those that come; None where one has none."""
        key = first_key(self.resource)
        gone = f"SELECT {key} FROM {table} WHERE rowid IN (SELECT published FROM temp.deleted)"
        keys = self.con.execute(f"{gone} UNION SELECT {key} FROM ({self._inserted})").fetchall()
        return None if (None,) in keys else frozenset(str(found) for (found,) in keys)

    def _rebuild(self, target: Path) -> None:
        """Write all rows anew, in key order."""
        with (
            self.engine.attached(self.con, self.published) as old,
            new_file(self.engine, self.con, self.resource, target) as table,
        ):
            stay = "rowid NOT IN (SELECT published FROM temp.deleted)"
            kept = f'SELECT * FROM {old}.main."{self.resource.name}" WHERE {stay}'
            rows = f"SELECT * FROM ({kept} UNION ALL BY NAME {self._inserted}) ORDER BY {in_order(self.resource)}"
            self.con.execute(f"INSERT INTO {table} BY NAME {rows}")

    @property
    def _inserted(self) -> str:
        return f"SELECT * FROM {self.staged} WHERE rowid IN (SELECT staged FROM temp.inserted)"
