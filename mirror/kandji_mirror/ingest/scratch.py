"""The scratch file of one pass: pages and exports are parsed into one table, by threads side by side, before any check.

:class:`~kandji_mirror.ingest.staging.Staging` is made of it: it asks about the rows, merges them and writes them out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Self

import duckdb

from kandji_mirror.ingest.csv_load import CsvLoad, Loaded
from kandji_mirror.ingest.csv_source import FileSource, MemorySource
from kandji_mirror.ingest.engine import MEMORY_MB, WRITABLE, Engine, Writers, create_table, sealed, store_errors
from kandji_mirror.ingest.file_queries import first_key
from kandji_mirror.ingest.projection import Projection
from kandji_mirror.privacy.people import tells_of_people
from kandji_mirror.privacy.scrubbing import scrubbed_columns, scrubbing
from kandji_schema.resource import Resource

BATCH_PAGES = 30
"""Pages handed to DuckDB at once: to set a statement up takes as long as 5 pages, by measurement."""

BATCH_CHARACTERS = 16 * 1024 * 1024
"""So many characters are handed over however few pages they are: some pages are a hundred times as large as others."""


class ScratchTable:
    """A table that rows are put into. One thread uses it at a time.

    Every error is one of ours: :class:`StoreFull` and :class:`StoreDamaged` for files; after one in :meth:`add` or
    :meth:`flush` the rows are lost, and all but :meth:`clear` raises it again.
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
        """Open the file ``scratch``; ``writers`` threads parse pages. Without an ``engine`` it opens one of its own.

        Of ``masked`` rows nothing personal is ever written or spilled; the engine must have a key. Their scratch file
        is sealed: until all rows are there, people stand in texts that are not personal as such.
        """
        self.resource = resource
        self._scratch = scratch
        self._what = f"Table {resource.name}"
        self._batch: list[tuple[str, Sequence[str]]] = []
        self._batched = 0
        self._changes = 0  # grows with whatever changes the rows
        self._only_appended = True
        self._masked = masked
        self._unscrubbed = False
        self._first_key = first_key(resource)
        with ExitStack() as open_things, store_errors(self._what):
            own = engine or Engine(scratch.with_suffix(".spill"), memory_mb=memory_mb)
            if engine is None:
                open_things.enter_context(own)
            self._engine = own
            self._con = own.cursor()
            open_things.callback(self._con.close)
            options = sealed() if masked else WRITABLE
            self._catalog = own.attach(self._con, scratch, writable=True, options=options)
            open_things.callback(own.let_go, self._con, self._catalog)
            self._table = create_table(self._con, self._catalog, resource)
            self._projection = Projection(resource, self._table, masked)
            self._writers = Writers(own, self._what, writers)
            open_things.callback(self._writers.close)
            self._open_things = open_things.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._open_things.close()

    def add(self, page: str, constants: Sequence[str] = ()) -> None:
        """Take one page text, ``{"data": [...]}``. ``constants`` are the values of the request's path, in key order.

        A row's unknown fields are in its member ``extra``, an object; other unknown ones are not seen. The character
        NUL and any other within texts is kept as it is.
        """
        self._changes += 1
        self._batch.append((page, constants))
        self._batched += len(page)
        if len(self._batch) >= BATCH_PAGES or self._batched >= BATCH_CHARACTERS:
            self._hand_over()

    def add_csv(self, export: Path | MemorySource, *, counted: int | None = None) -> Loaded:
        """Take a Prism export as a whole, or nothing of it.

        Columns meet fields by name without case and punctuation; the others are kept in ``extra``. An empty cell is
        NULL, lists and objects may be JSON or as Python prints them. :class:`Suspicious` where the file is no CSV, is
        torn, or has no column for a part of the key. A file whose last line has no end is taken only where its rows are
        as many as ``counted``, the provider's own exact number.
        """
        self.flush()
        self._changes += 1
        self._unscrubbed = self._masked
        with store_errors(self._what):
            source = FileSource(export) if isinstance(export, Path) else export
            people = self._engine.people if self._masked and tells_of_people(self.resource) else None
            return CsvLoad(self._con, self._projection, source, people).load(counted)

    def flush(self) -> None:
        """Wait until every page taken is in the scratch file, without people where they are masked."""
        self._hand_over()
        self._writers.commit()
        if self._unscrubbed:
            self._unscrubbed = False
            self._scrub()

    def clear(self) -> None:
        """Forget every row taken until now, and every error."""
        self._batch, self._batched = [], 0
        self._writers.rollback()
        self._change(f"DELETE FROM {self._table}")

    @property
    def keys_are_masked(self) -> bool:
        """Whether the first key is a pseudonym, which the provider does not know."""
        column = next(c for c in self.resource.columns if c.name == self.resource.key[0])
        return self._masked and column.personal is not None

    def _hand_over(self) -> None:
        if not self._batch:
            return
        pages, constants = zip(*self._batch, strict=True)
        size, self._batch, self._batched = self._batched, [], 0
        lists = [list(pages), *map(list, zip(*constants, strict=True))]
        if self._masked:
            self._unscrubbed = True
            self._learn_people(lists)
        self._writers.submit(self._projection.insert_pages, lists, size)

    def _learn_people(self, lists: Sequence[Sequence[str]]) -> None:
        """Remember the people in pages: names are seen in clear only now."""
        if self._engine.people and tells_of_people(self.resource):
            with store_errors(self._what), closing(self._engine.cursor()) as con:
                con.execute(f"CREATE TEMP TABLE in_clear AS {self._projection.read_pages}", lists)
                self._engine.people.learn(con, self.resource, "temp.in_clear")

    def _scrub(self) -> None:
        with store_errors(self._what):
            columns = scrubbed_columns(self.resource)
            scrubbing(self._con, columns, self._table, already_masked=True).update(self._con, self._table)

    # -- SQL -----------------------------------------------------------------------------------------------------------

    def _execute(self, sql: str, parameters: Sequence[object] = ()) -> duckdb.DuckDBPyConnection:
        with store_errors(self._what):
            return self._con.execute(sql, list(parameters))

    def _ask(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """Flush, then fetch all rows of a question."""
        self.flush()
        return self._execute(sql, parameters).fetchall()

    def _number(self, sql: str) -> int:
        return int(str(self._execute(sql).fetchall()[0][0]))

    def _change(self, sql: str) -> int:
        """Run a DELETE or UPDATE; returns the number of rows it concerned."""
        self._changes += 1
        rows = self._number(sql)
        self._only_appended = self._only_appended and not rows
        return rows

    @contextmanager
    def _attached(self, source: Path) -> Iterator[str]:
        """Attach a published file for the time of the block; gives its table's SQL name."""
        with self._engine.attached(self._con, source) as catalog:
            yield f'{catalog}.main."{self.resource.name}"'
