"""Rows of one pass over one resource, collected in a scratch file, checked, and written as the next data file."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import duckdb

from kandji_mirror.ingest.csv_load import CsvLoad, Loaded
from kandji_mirror.ingest.csv_source import DiskSource, HeldSource
from kandji_mirror.ingest.engine import (
    MEMORY_MB,
    WRITABLE,
    Engine,
    create_table,
    describe_table,
    new_file,
    sealed,
    store_errors,
)
from kandji_mirror.ingest.keys import (
    ORDINAL,
    duplicates,
    first_key,
    in_order,
    key_parts,
    older_duplicates,
    repeats_numbered,
    steps_back,
)
from kandji_mirror.ingest.merging import Difference, Merge, Merged
from kandji_mirror.ingest.projection import Projection
from kandji_mirror.ingest.writers import Writers
from kandji_mirror.privacy.people import tells_of_people
from kandji_mirror.privacy.scrubbing import scrubbed_columns, scrubbing
from kandji_schema import database
from kandji_schema.errors import StoreError
from kandji_schema.resource import Resource

__all__ = ["Lost", "Merged", "Staging", "read_key", "store_errors"]

BATCH_PAGES = 30
"""Pages handed to DuckDB at once: to set a statement up takes as long as 5 pages, by measurement."""

BATCH_CHARACTERS = 16 * 1024 * 1024
"""So many characters are handed over however few pages they are: some pages are a hundred times as large as others."""

ORDERLY = 20_000
"""Rows from one step back in the order of devices to the next, on average, that are order enough. Threads that take
turns leave some; a reader skips by blocks of 122,880 rows, so that it reads one block more than it had to."""


Lost = Mapping[str, frozenset[int]]
"""Rows that are mirrored and did not come: hashes of their keys by their first key."""


class Staging:
    """Takes pages or an export, then answers questions about the rows and writes them out.

    ``scratch`` and the files given to :meth:`write` and :meth:`merge` are temporary files in the store's data folder;
    whoever owns the staging removes them. One thread uses a staging at a time. Every error is one of ours:
    :class:`StoreFull` and :class:`StoreDamaged` for files; after one in :meth:`add` or :meth:`flush` the rows are lost,
    and all but :meth:`clear` raises it again.
    """

    def __init__(
        self,
        resource: Resource,
        scratch: Path,
        *,
        engine: Engine | None = None,
        memory_mb: int = MEMORY_MB,
        writers: int = 2,
        masked: bool = False,
    ) -> None:
        """``writers`` threads parse pages side by side. Without an ``engine`` to share it opens one of its own.

        Of ``masked`` rows nothing personal is ever written or spilled; the engine must have a key. Their scratch file
        is sealed: until all rows are there, people stand in texts that are not personal as such.
        """
        self.resource = resource
        self._scratch = scratch
        self._what = f"Table {resource.name}"
        self._batch: list[tuple[str, Sequence[str]]] = []
        self._batched = 0
        self._untouched = True
        self._aside: dict[
            tuple[str | None, str], int
        ] = {}  # rows by first key and by the field that was no part of one
        self._compared: tuple[Path, frozenset[str], Merge, Difference] | None = None
        with ExitStack() as open_things, store_errors(self._what):
            self._engine = engine or open_things.enter_context(
                Engine(scratch.with_suffix(".spill"), memory_mb=memory_mb)
            )
            self._con = self._engine.cursor()
            open_things.callback(self._con.close)
            self._masked = masked
            self._unscrubbed = False
            options = sealed() if masked else WRITABLE
            self._catalog = self._engine.attach(self._con, scratch, writable=True, options=options)
            open_things.callback(self._engine.let_go, self._con, self._catalog)
            self._table = create_table(self._con, self._catalog, resource)
            self._projection = Projection(resource, self._table, masked)
            self._writers = Writers(self._engine, self._what, writers)
            open_things.callback(self._writers.close)
            self._open_things = open_things.pop_all()

    def __enter__(self) -> Staging:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open_things.close()

    # -- taking rows -------------------------------------------------------------------------------------------

    def add(self, page: str, constants: Sequence[str] = ()) -> None:
        """Take one page text, ``{"data": [...]}``. ``constants`` are the values of the request's path, in key order.

        A row's unknown fields are in its member ``extra``, an object; other unknown ones are not seen. The character
        NUL and any other within texts is kept as it is.
        """
        self._compared = None
        self._batch.append((page, constants))
        self._batched += len(page)
        if len(self._batch) >= BATCH_PAGES or self._batched >= BATCH_CHARACTERS:
            self._hand_over()

    def add_csv(self, export: Path | HeldSource, *, counted: int | None = None) -> Loaded:
        """Take a Prism export as a whole, or nothing of it.

        Columns meet fields by name without case and punctuation; the others are kept in ``extra``. An empty cell is
        NULL, lists and objects may be JSON or as Python prints them. :class:`Suspicious` where the file is no CSV, is
        torn, or has no column for a part of the key. A file whose last line has no end is taken only where its rows are
        as many as ``counted``, the provider's own exact number.
        """
        self.flush()
        self._compared = None
        self._unscrubbed = self._masked
        with store_errors(self._what):
            source = DiskSource(export) if isinstance(export, Path) else export
            people = self._engine.people if self._masked and tells_of_people(self.resource) else None
            return CsvLoad(self._con, self._projection, source, people).run(counted)

    def flush(self) -> None:
        """Wait until every page taken is in the scratch file, without people where they are masked."""
        self._hand_over()
        self._writers.settle()
        if self._unscrubbed:
            self._unscrubbed = False
            self._scrub()

    def _scrub(self) -> None:
        with store_errors(self._what):
            columns = scrubbed_columns(self.resource)
            scrubbing(self._con, columns, self._table, already_masked=True).update(self._con, self._table)

    def _hand_over(self) -> None:
        if not self._batch:
            return
        pages, constants = zip(*self._batch, strict=True)
        self._batch, self._batched = [], 0
        if self._masked:
            self._unscrubbed = True
            self._learn_people(list(pages), constants)
        self._writers.submit(self._projection.insert_pages, [list(pages), *map(list, zip(*constants, strict=True))])

    def _learn_people(self, pages: list[str], constants: Sequence[Sequence[str]]) -> None:
        """Names are seen in clear only now."""
        if self._engine.people and tells_of_people(self.resource):
            with store_errors(self._what), closing(self._engine.cursor()) as con:
                lists = [pages, *map(list, zip(*constants, strict=True))]
                con.execute(f"CREATE TEMP TABLE in_clear AS {self._projection.read_pages}", lists)
                self._engine.people.learn(con, self.resource, "temp.in_clear")

    def clear(self) -> None:
        """Forget every row taken until now, and every error."""
        self._batch, self._batched = [], 0
        self._aside.clear()
        self._writers.forget()
        self._changed(f"DELETE FROM {self._table}")

    def copy_rows(self, source: Path, where: str, values: Iterable[str]) -> None:
        """Take rows of a published file unchanged: those whose column ``where`` has one of ``values``."""
        self.flush()
        self._compared = None
        with self._attached(source) as live:
            chosen = f'SELECT * FROM {live} WHERE "{where}" IN (SELECT unnest($1::VARCHAR[]))'
            self._execute(f"INSERT INTO {self._table} BY NAME {chosen}", [list(values)])

    def _execute(self, sql: str, parameters: Sequence[object] = ()) -> duckdb.DuckDBPyConnection:
        with store_errors(self._what):
            return self._con.execute(sql, list(parameters))

    def _changed(self, sql: str) -> int:
        """Run a DELETE or UPDATE; returns the number of rows it concerned."""
        self._compared = None
        rows = self._number(sql)
        self._untouched = self._untouched and not rows
        return rows

    # -- questions ---------------------------------------------------------------------------------------------

    def _ask(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        self.flush()
        return self._execute(sql, parameters).fetchall()

    def _number(self, sql: str) -> int:
        return int(str(self._execute(sql).fetchall()[0][0]))

    @property
    def rows(self) -> int:
        """Rows taken, duplicates included."""
        self.flush()
        return self._number(f"SELECT count(*) FROM {self._table}")

    def rows_without_key(self) -> int:
        """Rows whose first key column is empty."""
        self.flush()
        return self._number(f"SELECT count(*) FROM {self._table} WHERE {self._first_key} IS NULL")

    def keys(self) -> Iterator[str]:
        """Values of the first key column."""
        yield from (str(key) for (key,) in self._ask(f"SELECT {self._first_key} FROM {self._table}"))

    def first_keys(self) -> list[str]:
        """Distinct values of the first key column, in order, without NULL: the devices of a Prism table."""
        sql = f"SELECT DISTINCT {self._first_key} FROM {self._table} WHERE {self._first_key} IS NOT NULL ORDER BY 1"
        return [str(key) for (key,) in self._ask(sql)]

    def newest(self, column: str = "updated_at") -> datetime | None:
        """Greatest value of a timestamp column, aware UTC; None where there is none."""
        ((found,),) = self._ask(f'SELECT max("{column}") FROM {self._table}')
        return found.replace(tzinfo=UTC) if isinstance(found, datetime) else None

    def leftovers(self) -> dict[str, int]:
        """How many rows keep something in ``extra``, by the provider's field name."""
        fields = f"SELECT unnest(json_keys(extra)) AS field FROM {self._table} WHERE extra IS NOT NULL"
        sql = f"SELECT field, count(*) FROM ({fields}) GROUP BY field ORDER BY field"
        found = Counter({str(field): int(str(n)) for field, n in self._ask(sql)})
        for (_, field), rows in self._aside.items():
            found[field] += rows
        return dict(found)

    def misread(self) -> set[str]:
        """First keys of rows with something in a known field that did not fit, or that were set aside."""
        known = sorted(self.resource.known_fields)
        odd = f"extra IS NOT NULL AND list_has_any(json_keys(extra), $1) AND {self._first_key} IS NOT NULL"
        found = self._ask(f"SELECT DISTINCT {self._first_key} FROM {self._table} WHERE {odd}", [known])
        return {str(key) for (key,) in found} | {first for first, _ in self._aside if first is not None}

    def vanished(self, source: Path) -> list[str]:
        """First-key values of a published file that no staged row has, in order."""
        self.flush()
        key = self._first_key
        staged = f"SELECT {key} FROM {self._table} WHERE {key} IS NOT NULL"
        with self._attached(source) as live:
            gone = f"SELECT DISTINCT {key} FROM {live} WHERE {key} IS NOT NULL AND {key} NOT IN ({staged}) ORDER BY 1"
            return [str(value) for (value,) in self._ask(gone)]

    def lost(self, source: Path, among: Collection[str] | None = None) -> Lost:
        """Rows of a published file of which no staged row has the key: hashes of their keys by first key.

        ``among`` are the first keys that matter; None means all. Rows without a first key are left out.
        """
        self.flush()
        with self._attached(source) as live:
            chosen = self._unmet(live, "AND first IN (SELECT unnest($1::VARCHAR[]))" if among is not None else "")
            sql = f"SELECT first, list(key) FROM ({chosen}) GROUP BY first ORDER BY first"
            found = self._execute(sql, [] if among is None else [list(among)]).fetchall()
        return {str(first): frozenset(keys) for first, keys in found}

    def _unmet(self, live: str, more: str) -> str:
        """Query for the rowids and keys of published rows whose key no staged row has."""
        key = f"hash({', '.join(key_parts(self.resource))})"
        rows = f"SELECT rowid AS row, {self._first_key} AS first, {key} AS key FROM {live}"
        staged = f"SELECT {key} AS key FROM {self._table}"
        return f"SELECT * FROM ({rows}) ANTI JOIN ({staged}) USING (key) WHERE first IS NOT NULL {more}"

    def keep(self, source: Path, keys: Iterable[int]) -> None:
        """Take rows of a published file unchanged: those that are :meth:`lost`, by the hashes of their keys."""
        self._compared = None
        with self._attached(source) as live:
            chosen = self._unmet(live, "AND key IN (SELECT unnest($1::UBIGINT[]))")
            kept = f"SELECT * FROM {live} WHERE rowid IN (SELECT row FROM ({chosen}))"
            self._execute(f"INSERT INTO {self._table} BY NAME {kept}", [list(keys)])
        self._untouched = False

    def forget(self, first_keys: Collection[str]) -> None:
        """Drop the staged rows of some first keys."""
        self.flush()
        self._compared = None
        self._aside = {place: rows for place, rows in self._aside.items() if place[0] not in set(first_keys)}
        gone = f"DELETE FROM {self._table} WHERE {self._first_key} IN (SELECT unnest($1::VARCHAR[]))"
        self._execute(gone, [list(first_keys)])
        self._untouched = False

    @property
    def keys_are_masked(self) -> bool:
        """Whether the first key is a pseudonym, which the provider does not know."""
        column = next(c for c in self.resource.columns if c.name == self.resource.key[0])
        return self._projection.masked and column.personal is not None

    @property
    def _first_key(self) -> str:
        return first_key(self.resource)

    # -- keys --------------------------------------------------------------------------------------------------

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
        return self._changed(f"DELETE FROM {self._table} WHERE rowid IN ({older})")

    @property
    def repeated(self) -> int:
        """Rows beyond one a key."""
        self.flush()
        return self._number(duplicates(self.resource, self._table))

    def settle(self) -> None:
        """Number repeats, and drop duplicates."""
        if self.resource.repeats:
            self.number_repeats()
        self.drop_duplicates()

    def _set_aside(self) -> None:
        """Take out rows of which a part of the key came and could not be read."""
        for column in self.resource.columns:
            heads = dict.fromkeys(source.partition(".")[0] for source in column.sources) if column.key else ()
            for field in heads:
                damaged = f""""{column.name}" IS NULL AND json_exists(extra, '$."{field}"')"""
                sql = f"SELECT {self._first_key}, count(*) FROM {self._table} WHERE {damaged} GROUP BY 1"
                found = self._execute(sql).fetchall()
                if found:
                    self._changed(f"DELETE FROM {self._table} WHERE {damaged}")
                for first, rows in found:
                    place = (None if first is None else str(first), field)
                    self._aside[place] = max(self._aside.get(place, 0), int(str(rows)))  # another walk brings it again

    def damaged(self, first_key: str) -> bool:
        """Whether a row that was set aside may be one of this first key."""
        return any(first in (None, first_key) for first, _ in self._aside)

    def number_repeats(self) -> None:
        """Number the rows of a table with repeats within the rest of their key, from 1, in its column ``ordinal``."""
        self.flush()
        numbered = repeats_numbered(self.resource, self._table)
        self._changed(f'UPDATE {self._table} AS t SET "{ORDINAL}" = place FROM ({numbered}) WHERE t.rowid = row')

    # -- output ------------------------------------------------------------------------------------------------

    def digest(self) -> str:
        """Order-independent hash of all rows."""
        self.flush()
        return self._digest_of(self._table)

    def digest_of_file(self, source: Path) -> str | None:
        """The same hash over a published file; None where it cannot be read or has other columns."""
        try:
            with self._attached(source) as live:
                return self._digest_of(live)
        except StoreError:
            return None

    def _digest_of(self, table: str) -> str:
        columns = ", ".join(f'"{c.name}"' for c in self.resource.columns)
        sql = f"SELECT count(*), bit_xor(h), sum(h % 1000000007) FROM (SELECT hash({columns}) AS h FROM {table})"
        return "-".join(str(part) for part in self._execute(sql).fetchall()[0])

    def write(self, target: Path) -> int:
        """Write the rows into the new data file ``target``, in key order unless they are nearly; returns their number.

        The order lets a question about one device skip nearly all other blocks, so that no index is needed.
        """
        rows = self.rows
        with store_errors(self._what):
            if (
                not self._masked
                and self._untouched
                and self._number(steps_back(self.resource, self._table)) * ORDERLY <= rows
            ):
                self._copy_scratch(target)
            else:
                self._write_sorted(target)
        return rows

    def _copy_scratch(self, target: Path) -> None:
        """The scratch file is a data file already; to sort a large one takes as long as to load it."""
        describe_table(self._con, self._catalog, self.resource)
        self._con.execute(f"CHECKPOINT {self._catalog}")
        shutil.copyfile(self._scratch, target)

    def _write_sorted(self, target: Path) -> None:
        with new_file(self._engine, self._con, self.resource, target) as table:
            self._con.execute(f"INSERT INTO {table} SELECT * FROM {self._table} ORDER BY {in_order(self.resource)}")

    def rows_after(self, live: Path, whole: Collection[str] = ()) -> int:
        """Rows that :meth:`merge` would leave."""
        return self._difference(live, whole)[1].rows

    def rows_since(self, live: Path, column: str, since: datetime, whole: Collection[str] = ()) -> int:
        """Rows that :meth:`merge` would leave whose timestamp ``column`` is ``since``, aware, or later."""
        return self._difference(live, whole)[0].rows_since(column, since)

    def incomplete(self, live: Path, column: str, since: datetime | None) -> list[str]:
        """First keys that have live rows which were not staged, and staged ones, in order.

        Where ``since`` is given one of the latter is stamped then or later in the timestamp ``column``.
        """
        return self._difference(live, ())[0].incomplete(column, since) if self.rows else []

    def merge(self, live: Path, target: Path, *, whole: Collection[str] = (), built_bytes: int = 0) -> Merged:
        """Put the staged rows into the rows of a published file, and write ``target`` where that changes anything.

        A staged row replaces the live row of its key, unless all columns are equal; of first keys in ``whole``
        (devices) every live row that was not staged goes too. ``built_bytes`` is the size of the file when all of it
        was last written. The staged rows have one row a key, see :meth:`drop_duplicates` and :meth:`number_repeats`.
        """
        merge, found = self._difference(live, whole)
        return merge.write(found, target, built_bytes=built_bytes)

    def _difference(self, live: Path, whole: Collection[str]) -> tuple[Merge, Difference]:
        """Worked out once for a question and the merge that follows it."""
        self.flush()
        if self._compared and self._compared[:2] == (live, frozenset(whole)):
            return self._compared[2:]
        merge = Merge(self._engine, self._con, self.resource, self._table, live)
        found = merge.compare(whole)
        self._compared = (live, frozenset(whole), merge, found)
        return merge, found

    @contextmanager
    def _attached(self, source: Path) -> Iterator[str]:
        """The table of a published file, for the time of the block."""
        with self._engine.attached(self._con, source) as catalog:
            yield f'{catalog}.main."{self.resource.name}"'


def read_key(source: Path, table: str, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Distinct values of some text columns of a data file, in order, rows with an empty one left out."""
    names = ", ".join(f'"{c}"' for c in columns)
    filled = " AND ".join(f'"{c}" IS NOT NULL' for c in columns)
    with store_errors(str(source)), database.connect(source, read_only=True) as con:
        return con.execute(f'SELECT DISTINCT {names} FROM "{table}" WHERE {filled} ORDER BY ALL').fetchall()
