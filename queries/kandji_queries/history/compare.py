"""Two moments of a table compared: rows only then, rows only now, and rows that are other, by key.

What happened in between and was undone is no difference; the view ``changes`` tells that. Values that move at every
collection are not compared, nor copies of what another table says.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kandji_queries.catalog import device_lookup
from kandji_queries.history import period
from kandji_schema.errors import UsageError
from kandji_schema.history import key_parts
from kandji_schema.sql import identifier, literal
from kandji_schema.things import copies_in, thing_of
from kandji_schema.utc import whole_second

if TYPE_CHECKING:
    from kandji_queries.results.result import StatementRunner
    from kandji_schema.resource import Resource

ONLY_THEN, ONLY_NOW, OTHER = "only then", "only now", "other"

LONGEST = 60
"""Most characters of a value that is written out in words; ``columns`` has all of it."""

_DATE = re.compile(r"\s*\d{4}-\d\d-\d\d\s*")


@dataclass(frozen=True)
class Comparison:
    """A table at two moments, naive UTC; ``columns`` are those that are compared, ``dates`` moments without a time."""

    resource: "Resource"
    then: datetime
    now: datetime
    columns: Sequence[str]
    dates: Sequence[str] = ()
    device_id: str | None = None

    @property
    def values(self) -> dict[str, Any]:
        """What is bound to :attr:`statement`."""
        return {"then": self.then, "now": self.now, "device": self.device_id}

    def notes(self) -> Iterator[str]:
        """Say which moments are compared."""
        dated = f"; {' and '.join(self.dates)} is the start of the day, UTC" if self.dates else ""
        yield f"{self.resource.name} at {self.then:%Y-%m-%dT%H:%M:%SZ} and at {self.now:%Y-%m-%dT%H:%M:%SZ}{dated}."

    @property
    def statement(self) -> str:
        """The query: one row a key that differs.

        Columns are ``difference``, ``name``, ``device_name``, ``serial_number``, ``what`` (the differences in words),
        ``row_key``, ``columns`` (name, then, now of each column that is other) and ``rows`` (how many of its kind).
        """
        name = thing_of(self.resource.name).named
        named = f"coalesce(now_row.{identifier(name)}, then_row.{identifier(name)})" if name else "NULL::VARCHAR"
        return f"""
            WITH touched AS (
                SELECT row_key, any_value(device_name) AS device_name, any_value(serial_number) AS serial_number
                FROM changes
                WHERE
                    table_name = {literal(self.resource.name)} AND changed_at > $then AND changed_at <= $now
                    AND ($device IS NULL OR device_id = $device)
                GROUP BY row_key
            ),
            then_row AS ({self._state("$then")}),
            now_row AS ({self._state("$now")}),
            compared AS (
                SELECT
                    CASE WHEN now_row.row_key IS NULL THEN '{ONLY_THEN}' WHEN then_row.row_key IS NULL
                        THEN '{ONLY_NOW}' ELSE '{OTHER}' END AS difference,
                    {named} AS name,
                    coalesce(now_row.of_device, then_row.of_device) AS device_name,
                    coalesce(now_row.of_serial, then_row.of_serial) AS serial_number,
                    coalesce(now_row.row_key, then_row.row_key) AS row_key,
                    list_filter([{self._cells}], lambda cell: cell.then_value IS DISTINCT FROM cell.now_value) AS cells
                FROM then_row FULL JOIN now_row USING (row_key)
            )
            SELECT
                difference, name, device_name, serial_number,
                CASE difference WHEN '{OTHER}' THEN array_to_string(list_transform(cells, lambda cell: {_WORDS}), ', ')
                    END AS what,
                row_key,
                CASE difference WHEN '{OTHER}' THEN cells ELSE [] END AS columns,
                count(*) OVER (PARTITION BY difference) AS rows
            FROM compared
            WHERE difference <> '{OTHER}' OR length(cells) > 0
            ORDER BY difference DESC, device_name, name, row_key::VARCHAR"""

    def _state(self, moment: str) -> str:
        """Select the rows that may differ as they were; those of other keys are not even read to their end."""
        parts = key_parts(self.resource.key, self.resource.key_fallback, row="t")
        keys = [*self.resource.key, *self.resource.key_fallback]
        same = " AND ".join(
            f"({part})::VARCHAR IS NOT DISTINCT FROM (k.row_key ->> {literal(f'$.{identifier(key)}')})"
            for part, key in zip(parts, keys, strict=True)
        )
        named = filter(None, [thing_of(self.resource.name).named])
        columns = ", ".join(f"t.{identifier(name)}" for name in dict.fromkeys((*self.columns, *named)))
        names = ", ".join(["k.row_key", "k.device_name AS of_device", "k.serial_number AS of_serial"])
        return f"""
            SELECT {names}, {columns}
            FROM {identifier(f"{self.resource.name}_as_of")}({moment}) AS t JOIN touched AS k ON {same}"""

    @cached_property
    def _cells(self) -> str:
        values = (
            f"{{'column_name': {literal(name)}, 'then_value': {_text('then_row', name)}, "
            f"'now_value': {_text('now_row', name)}}}"
            for name in self.columns
        )
        return ", ".join(values)


def _text(row: str, name: str) -> str:
    return f"{row}.{identifier(name)}::VARCHAR"


_WORDS = (
    f"CASE WHEN greatest(length(cell.then_value), length(cell.now_value)) > {LONGEST} THEN cell.column_name || "
    "' changed' ELSE cell.column_name || ' ' || coalesce(cell.then_value, 'none') || ' -> ' || "
    "coalesce(cell.now_value, 'none') END"
)


def read_comparison(
    reader: "StatementRunner",
    *,
    table: str | None,
    since: str | None,
    until: str | None,
    now: datetime,
    device: str | None = None,
) -> Comparison:
    """Read which table and moments people mean; without ``until`` it is now.

    :class:`UnknownName` for a table there is not, :class:`UsageError` where none or no moment is named, none is known
    of it, or a moment is before its history begins or to come.
    """
    if table is None or since is None:
        raise UsageError("To compare two moments name a table and since when: table apps, since 2026-11-01.")
    wanted = period.read_period(since, until, now)
    ((table, begins),) = period.known_since(reader, table, wanted).items()
    then, end = wanted.since or begins, min(wanted.until or wanted.now, wanted.now)
    if then < begins:
        raise UsageError(
            f"History of {table} begins on {begins:%Y-%m-%d %H:%M:%S} UTC; how it was at {then:%Y-%m-%d %H:%M} is not "
            f"known. Compare since {whole_second(begins):%Y-%m-%dT%H:%M:%S}Z or later."
        )
    from kandji_schema.registry import resource  # with it comes sqlmodel, which nothing else here needs

    found = resource(table)
    mirrored = {name for name, *_ in reader.run(f"DESCRIBE {identifier(table)}").rows}
    left_out = {*found.key, *copies_in(table), *(column.name for column in found.columns if column.volatile)}
    columns = [c.name for c in found.columns if c.name in mirrored and c.name not in left_out]
    one = None if device is None else device_lookup.find_in_history(reader, device).device["device_id"]
    dates = [text.strip() for text in (since, until) if text is not None and _DATE.fullmatch(text)]
    return Comparison(found, then, end, columns, dates, one)
