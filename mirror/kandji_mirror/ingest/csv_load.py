"""An export put into a table: read twice over, by two means, before it is believed."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import duckdb

from kandji_mirror.ingest.csv_file import Layout, Records, count_records, layout_of, read_header, relation
from kandji_mirror.ingest.csv_source import Source
from kandji_mirror.ingest.projection import Projection
from kandji_mirror.privacy.people import People
from kandji_schema.errors import Suspicious


@dataclass(frozen=True)
class Loaded:
    """What a file brought: rows, and the resource's fields it has no column for."""

    rows: int
    absent: frozenset[str]


@dataclass(frozen=True)
class CsvLoad:
    """One file on its way into the table of ``projection``, through a connection that is in no transaction.

    ``people`` become known by it, where the table tells of any.
    """

    con: duckdb.DuckDBPyConnection
    projection: Projection
    source: Source
    people: People | None = None

    def run(self, counted: int | None) -> Loaded:
        """Load it all or nothing; ``counted`` is the number of rows the provider says there are, where it says one.

        Raises :class:`Suspicious` for a file that is no CSV, lacks a key column, or is torn.
        """
        columns = layout_of(self.projection.resource, self.projection.fields, read_header(self.source.start()))
        try:
            rows = self._load(columns, counted)
        except BaseException:
            with suppress(duckdb.Error):  # a full disk may have ended the transaction
                self.con.execute("ROLLBACK")
            raise
        self.con.execute("COMMIT")
        if self.people:
            self._learn_people(self.people, columns)
        fields = {f.name for f in self.projection.fields}
        return Loaded(rows, frozenset(fields - columns.known.keys()))

    def _learn_people(self, people: People, columns: Layout) -> None:
        """Names are seen in clear only here; the file is read once more for it."""
        for number, place in enumerate(self.source.pieces(self.con)):
            raw = relation(place, self.projection.fields, columns, header=number == 0, parallel=False)
            self.con.execute(f"CREATE OR REPLACE TEMP TABLE in_clear AS {self.projection.in_clear(raw)}")
            people.learn(self.con, self.projection.resource, "temp.in_clear")
        self.con.execute("DROP TABLE IF EXISTS temp.in_clear")

    def _load(self, columns: Layout, counted: int | None) -> int:
        with ThreadPoolExecutor(1, thread_name_prefix="count-records") as aside:
            counting = aside.submit(count_records, self.source.chunks())
            rows = self._side_by_side(columns)
            records = counting.result()
        if rows is None or rows != records.number - 1:
            self.con.execute("ROLLBACK")
            rows = self._from_the_start(columns)
        _refuse_torn(rows, records, counted)
        return rows

    def _side_by_side(self, columns: Layout) -> int | None:
        """Load by several threads, fast; each begins in the middle of the file, where quotes can mislead it."""
        try:
            return self._insert(columns, parallel=True)
        except duckdb.InvalidInputException:
            return None

    def _from_the_start(self, columns: Layout) -> int:
        """Load by one thread, which cannot be misled."""
        try:
            return self._insert(columns, parallel=False)
        except duckdb.InvalidInputException as error:
            raise Suspicious(f"The export is no whole CSV file: {_reason(str(error))}.") from None

    def _insert(self, columns: Layout, *, parallel: bool) -> int:
        self.con.execute("BEGIN")
        rows = 0
        for number, place in enumerate(self.source.pieces(self.con)):
            raw = relation(place, self.projection.fields, columns, header=number == 0, parallel=parallel)
            row = self.con.execute(self.projection.insert(raw)).fetchone()
            rows += int(row[0]) if row else 0
        return rows


def _refuse_torn(rows: int, records: Records, counted: int | None) -> None:
    """A last line without an end may have been cut in its last cell; only a fitting count says that it was not."""
    if not records.quotes_closed or not (records.line_ended or rows == counted):
        raise Suspicious(f"The export ends within a line, after {rows} rows: it was cut.")
    if rows not in (records.number - 1, counted):
        raise Suspicious(f"The export has {rows} rows by one reading and {records.number - 1} by another.")


_REASONS = (
    ("expected number of columns", "a line has another number of cells than the first one"),
    ("unterminated quote", "a quoted cell is not closed"),
    ("invalid unicode", "it is not UTF-8"),
    ("maximum line size", "a line is longer than any cell can make it"),
)
"""DuckDB's words, which come with the line itself and the people in it, and ours."""


def _reason(said: str) -> str:
    known = (ours for theirs, ours in _REASONS if theirs in said.lower())
    line = next((text for text in said.split("\n", 1)[0].split(": ")[-1:] if text.isdigit()), None)
    reason = next(known, "it does not follow the rules of quoting")
    return f"{reason} (line {line})" if line else reason
