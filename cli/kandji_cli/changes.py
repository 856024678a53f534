"""``changes``: what became other than it was, by device and thing, by column, or between two moments."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from kandji_cli.output import say, tell
from kandji_cli.reads import How, open_reader, show_rows
from kandji_queries.catalog import device_lookup
from kandji_queries.history import changes as history
from kandji_queries.history.compare import read_comparison
from kandji_queries.results.result import Result
from kandji_queries.results.text_table import broken_text

if TYPE_CHECKING:
    from kandji_queries.reader import Reader

USUAL = "7d"
"""The time that is looked at where nobody says which."""

SCREEN = 50
"""Lines that a terminal gets where nobody says how many; devices come first in them."""

FOR_EYES = ("changed_at", "on", "what")
FOR_PROGRAMS = ("changed_at", "thing", "change", "what", "changes", "devices", "which")
"""Columns of lines, in a table and in all other forms."""

COMPARED = ("difference", "on", "what")
"""Columns of a comparison in a table."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked for, as it was typed, and in which of three ways it is told."""

    since: str | None
    until: str | None
    device: str | None
    table: str | None
    by_column: bool = False
    compare: bool = False
    everything: bool = False

    def limit(self, how: How) -> int | None:
        """Return how many lines there are to be at most; None for all of them."""
        if how.limit is None and not self.everything and how.form == "table" and sys.stdout.isatty():
            return SCREEN
        return how.limit


def show_changes(wanted: Wanted, *, how: How, now: datetime) -> None:
    """Print what changed, oldest first, with its age on stderr.

    Complete, if there is no limit: then the newest so many; on a terminal :data:`SCREEN` of them. Raises
    :class:`UnknownName` for a table there is not, :class:`UsageError` for one or a time of which nothing is known, and
    where a device is not one alone.
    """
    with open_reader(how.requirements) as reader:
        if wanted.compare:
            _show_comparison(reader, wanted, how, now)
            return
        asked = history.read_asked(
            reader,
            since=wanted.since or USUAL,
            until=wanted.until,
            device=wanted.device,
            table=wanted.table,
            now=now,
        )
        limit = wanted.limit(how)
        if wanted.by_column:
            found = reader.run(history.DETAILS, asked.values)
            there = found.row_count
            found = _last(found, limit)
        else:
            told = reader.run(history.statement(newest_first=limit != how.limit, limit=limit), asked.values)
            there = told.rows[0][-1] if told.rows else 0
            found = in_lines(told, how.form)
        found.notes.extend(asked.notes())
        if wanted.since is None:
            found.notes.append("These are the changes of the last 7 days; --since has others.")
        show_rows(reader, found, how)
    if limit != how.limit:
        _tell_rest(found.row_count, there, "the newest" if wanted.by_column else "devices first")
    if not found.row_count and how.form != "arrays":
        tell(_nothing(asked.past, narrowed=wanted.table is not None))


def _show_comparison(reader: "Reader", wanted: Wanted, how: How, now: datetime) -> None:
    both = read_comparison(
        reader, table=wanted.table, since=wanted.since, until=wanted.until, device=wanted.device, now=now
    )
    found = reader.run(both.statement, both.values)
    found.notes.extend(both.notes())
    limit = wanted.limit(how)
    shown = _for_eyes(_last(found, limit, first=True), how.form)
    show_rows(reader, shown, how)
    if limit != how.limit:
        _tell_rest(shown.row_count, found.row_count, "the first")
    if not found.row_count and how.form != "arrays":
        tell(f"No row of {both.resource.name} differs.")


def _tell_rest(shown: int, there: int, which: str) -> None:
    """Say as the last line how many more there are than a terminal got, and how one has them."""
    if shown < there:
        tell(
            f"These are {shown} of {there:,} lines, {which}. --all shows all of them, --limit 200 so many; --device, "
            "--table and --since narrow them; a pipe or -f csv gets all."
        )


def _last(found: Result, limit: int | None, *, first: bool = False) -> Result:
    """Return so many rows, the newest unless the ``first`` are wanted."""
    if limit is None or limit >= found.row_count:
        return found
    rows = found.rows[:limit] if first else found.rows[-limit:]
    return replace(found, rows=rows, row_count=len(rows))


def in_lines(found: Result, form: str) -> Result:
    """Return the lines of an answer without its summary, which is said before them to eyes."""
    kinds = history.summary(found.rows)
    lines = found.rows[len(kinds) :]
    if form == "table" and kinds:
        words = _in_words(kinds)
        room = shutil.get_terminal_size().columns if sys.stdout.isatty() else len(words)
        say("\n".join([*broken_text(words, room), ""]))
    names = [column.name for column in found.columns]
    rows = [dict(zip(names, row, strict=True)) for row in lines]
    for row in rows:
        row["on"] = row["which"] if row["devices"] < 2 else f"{row['devices']:,} devices"
    return _only(found, rows, FOR_EYES if form == "table" else FOR_PROGRAMS)


def _for_eyes(found: Result, form: str) -> Result:
    """Return of a comparison what is read at a glance; other forms have all of it."""
    if form != "table":
        return found
    names = [column.name for column in found.columns]
    rows = [dict(zip(names, row, strict=True)) for row in found.rows]
    for row in rows:
        row["on"] = row["device_name"] and f"{row['device_name']} ({row['serial_number']})"
        row["what"] = ": ".join(filter(None, [row["name"], row["what"]])) or row["row_key"]
    return _only(found, rows, COMPARED)


def _only(found: Result, rows: Sequence[Mapping[str, Any]], wanted: Sequence[str]) -> Result:
    columns = {column.name: column for column in found.columns}
    columns["on"] = columns["what"]._replace(name="on")
    cells = [tuple(row[name] for name in wanted) for row in rows]
    return replace(found, columns=tuple(columns[name] for name in wanted), rows=cells, row_count=len(cells))


def _in_words(kinds: "Sequence[history.Kind]") -> str:
    """Write the summary, such as ``device: 2 added, 14 changed. app: 2,412 updated.`` in one line."""
    things = (
        f"{thing}: {', '.join(f'{kind.changes:,} {kind.change}' for kind in of_thing)}."
        for thing, of_thing in groupby(kinds, key=lambda kind: kind.thing)
    )
    return " ".join(things)


def _nothing(past: device_lookup.DeviceHistory | None, *, narrowed: bool) -> str:
    if past is None:
        return "Nothing of that kind changed in the time that was looked at."
    what = "Nothing of that kind" if narrowed else "Nothing"
    device = device_lookup.described([past.device]).rstrip(".")
    return f"{what} changed in the time asked for on this device{', which is gone' if past.gone else ''}: {device}."
