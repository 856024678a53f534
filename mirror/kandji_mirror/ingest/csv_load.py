"""A Prism export loaded into a table: which column is which field, and two ways of reading before it is believed.

Nothing published names the columns of an export, so that they are matched by what is left of a name without case and
punctuation: ``Device Name``, ``device_name`` and ``device__name`` meet.
"""

import csv
import re
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from itertools import islice

import duckdb

from kandji_mirror.ingest.csv_source import ExportSource
from kandji_mirror.ingest.engine import planned_by_size
from kandji_mirror.ingest.fields import Field, as_json, may_be_composed
from kandji_mirror.ingest.file_queries import ORDINAL
from kandji_mirror.ingest.projection import Projection, json_object_of, member
from kandji_mirror.privacy.people import People
from kandji_schema.errors import Suspicious
from kandji_schema.resource import Resource

LONGEST_LINE = 16_000_000
"""Bytes of the longest row; cells of 2 MB are known."""

_BEGINNING = r"""'^(\{|\[\s*([\[{"'']|\]$))'"""
_COMPOSED = '"~ composed"'

_NO_WORD = re.compile("[^a-z0-9]+")


@dataclass(frozen=True)
class Layout:
    """Where the fields of a resource are in a file: numbers of columns, from 0. ``unknown`` have no field."""

    width: int
    known: dict[str, int]
    unknown: dict[str, int]


@dataclass(frozen=True)
class Records:
    """How many records a file has, the header included, and how it ends: after a line, and outside of quotes."""

    number: int
    line_ended: bool
    quotes_closed: bool


def read_header(start: bytes) -> list[str]:
    """Names in the first record of a file that begins so; :class:`Suspicious` where there is none."""
    try:
        text = start.decode("utf-8-sig", errors="replace")
        names = next(csv.reader(StringIO(text, newline=""), strict=True), [])
    except csv.Error as error:
        raise Suspicious(f"The export is no CSV file: its first line cannot be read ({error}).") from None
    if not names:
        raise Suspicious("The export is empty: it has not even a line with the names of its columns.")
    return names


def layout_of(resource: Resource, fields: Iterable[Field], header: list[str]) -> Layout:
    """Which column is which field. :class:`Suspicious` where a part of the key has no column."""
    free = {name: number for number, name in enumerate(header)}
    known = {f.name: free.pop(f.name) for f in fields if f.name in free}
    known |= _found_loosely((f.name for f in fields if f.name not in known), free)
    _refuse_keyless(resource, known, header)
    ignored = {_normalised(name) for name in resource.ignored}
    unknown = {name: number for name, number in free.items() if _normalised(name) not in ignored}
    return Layout(len(header), known, unknown)


def _found_loosely(names: Iterable[str], free: dict[str, int]) -> dict[str, int]:
    """Columns for fields of another spelling, taken out of the ``free`` ones."""
    found = {}
    for name in names:
        spelt = next((other for other in free if _normalised(other) == _normalised(name)), None)
        if spelt is not None:
            found[name] = free.pop(spelt)
    return found


def _normalised(name: str) -> str:
    return _NO_WORD.sub("_", name.lower()).strip("_")


def _refuse_keyless(resource: Resource, known: Collection[str], header: list[str]) -> None:
    missing = [
        column.name
        for column in resource.columns
        if column.key
        and not (resource.repeats and column.name == ORDINAL)
        and not any(source.partition(".")[0] in known for source in column.sources)
    ]
    if missing:
        there = ", ".join(repr(name[:40]) for name in header[:5])
        raise Suspicious(f"The export has no column for {' and '.join(missing)}; its first ones are {there}.")


def relation(place: str, fields: Iterable[Field], columns: Layout, *, header: bool, parallel: bool) -> str:
    """Query for the rows of the file at ``place`` with every field as its raw type, and ``extra``.

    ``header`` tells whether its first line has the names of the columns.
    """
    fields = list(fields)
    plain = {f.name: f"c{columns.known[f.name]}" for f in fields if f.raw_type == "VARCHAR" and f.name in columns.known}
    places = {name: f"{_COMPOSED}[{place}]" for place, name in enumerate(plain, start=1)}
    values = [f"{_raw_value(f, columns.known.get(f.name), places.get(f.name))} AS {f.raw}" for f in fields]
    kept = [member(name, _kept_value(number)) for name, number in columns.unknown.items()]
    extra = json_object_of(kept) if kept else "NULL::JSON"
    if plain:
        misshapen = [member(name, composed) for name, composed in places.items()]
        extra = f"CASE WHEN {_COMPOSED} IS NULL THEN {extra} ELSE {json_object_of([*kept, *misshapen])} END"
    read = _read_csv(place, columns.width, header=header, parallel=parallel)
    return f"SELECT {', '.join(values)}, {extra} AS extra FROM (SELECT *, {_composed(plain.values())} FROM {read})"


def _raw_value(field: Field, number: int | None, composed: str | None) -> str:
    if number is None:
        return f"NULL::{field.raw_type}"
    return f"CASE WHEN {composed} IS NULL THEN c{number} END" if composed else as_json(f"c{number}")


def _composed(cells: Collection[str]) -> str:
    """Of cells that should be one value each the objects and lists, NULL for the others; NULL for a row without any.

    What a page tells apart by its quotes looks alike here: a list counts where it has texts, lists or objects in it, or
    nothing, so that the version ``[1.0]`` stays a text. All cells in one expression, as each takes long to prepare.
    """
    may_be = " OR ".join(map(may_be_composed, cells)) or "false"
    spelt = f"CASE WHEN regexp_matches(cell, {_BEGINNING}) THEN {as_json('cell')} END"
    read = f"list_transform([{', '.join(cells)}]::VARCHAR[], lambda cell: {spelt})"
    checked = f"list_transform({read}, lambda one: CASE WHEN json_type(one) IN ('OBJECT', 'ARRAY') THEN one END)"
    return f"CASE WHEN {may_be} THEN {checked} END AS {_COMPOSED}"


def _kept_value(number: int) -> str:
    """JSON of a cell of an unknown column: a flag, list or object where it is one. Digits may be no number: text."""
    cell = f"c{number}"
    return (
        f"CASE WHEN {cell} IS NULL THEN NULL WHEN lower({cell}) IN ('true', 'false') THEN lower({cell})::JSON "
        f"WHEN {cell}[1] IN ('[', '{{') THEN {as_json(cell)} ELSE to_json({cell}) END"
    )


def _read_csv(place: str, width: int, *, header: bool, parallel: bool) -> str:
    """Strict: a record of another width, a quote that is not closed and bytes that are no UTF-8 are errors."""
    columns = ", ".join(f"'c{number}': 'VARCHAR'" for number in range(width))
    options = (
        f"columns := {{{columns}}}, header := {header}, auto_detect := false, strict_mode := true, "
        "delim := ',', quote := '\"', escape := '\"', nullstr := '', "
        "compression := 'none', hive_partitioning := false, "
        f"max_line_size := {LONGEST_LINE}, buffer_size := {LONGEST_LINE}, parallel := {parallel}"
    )
    return f"read_csv({place}, {options})"


def count_records(chunks: Iterable[bytes]) -> Records:
    """Count line ends outside of quotes: a second opinion on the rows that were read, at a tenth of the cost."""
    number, inside, last = 0, 0, b""
    for chunk in chunks:
        parts = chunk.split(b'"')
        number += b"".join(islice(parts, inside, None, 2)).count(b"\n")
        inside ^= (len(parts) - 1) & 1
        last = chunk[-1:]
    line_ended = last in (b"\n", b"\r") and not inside
    return Records(number + (not line_ended and bool(last)), line_ended, not inside)


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
    source: ExportSource
    people: People | None = None

    def load(self, counted: int | None) -> Loaded:
        """Load it all or nothing; ``counted`` is the number of rows the provider says there are, where it says one.

        Raises :class:`Suspicious` for a file that is no CSV, lacks a key column, or is torn.
        """
        columns = layout_of(self.projection.resource, self.projection.fields, read_header(self.source.start()))
        with planned_by_size(self.con, self.source.size):
            rows = self._committed(columns, counted)
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

    def _committed(self, columns: Layout, counted: int | None) -> int:
        try:
            rows = self._checked(columns, counted)
        except BaseException:
            with suppress(duckdb.Error):  # a full disk may have ended the transaction
                self.con.execute("ROLLBACK")
            raise
        self.con.execute("COMMIT")
        return rows

    def _checked(self, columns: Layout, counted: int | None) -> int:
        with ThreadPoolExecutor(1, thread_name_prefix="count-records") as aside:
            counting = aside.submit(count_records, self.source.chunks())
            rows = self._in_parallel(columns)
            records = counting.result()
        if rows is None or rows != records.number - 1:
            self.con.execute("ROLLBACK")
            rows = self._from_the_start(columns)
        _refuse_torn(rows, records, counted)
        return rows

    def _in_parallel(self, columns: Layout) -> int | None:
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
    """Refuse a torn file. A last line without an end may have been cut: only a fitting count says that it was not."""
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
