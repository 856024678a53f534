"""An export of the list of assets by a map: everything, or what changed since the last one or a moment."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from kandji_queries.catalog.queries import named
from kandji_queries.export.asset_map import AssetMap
from kandji_queries.export.exported_before import ExportedBefore, ExportMemory
from kandji_queries.export.mapped_statement import FEED, HASH, LIST, MappedStatement, Past
from kandji_queries.export.source import ExportItem, MirrorSource, OpenSource
from kandji_queries.relations import TRACKED
from kandji_queries.times import read_moment
from kandji_schema.errors import UnknownName, UsageError
from kandji_schema.text import counted
from kandji_schema.utc import in_seconds, naive_utc

LAST = "last"
"""Instead of a moment: the last export of this map to this folder."""

_EARLIER = "exported_earlier"
"""The database in memory that holds the hashes of the rows of an earlier export."""

_KNOWN_SINCE = f"SELECT table_name, since FROM {TRACKED}"
"""Since when the history of each table is whole, in an engine that has history, as that of the list of assets has."""

_MASKED = "People in it are pseudonyms, as KANDJI_MIRROR_PRIVACY asks: no importer finds them by their addresses."

_READ = ("devices", "prism_device_information", "prism_cellular", "device_details", "users", "ade_devices")
"""Tables that the list of assets reads."""


@dataclass(frozen=True)
class Wanted:
    """What is to be exported: by which map, of what changed since when (None is everything), and who counts."""

    asset_map: AssetMap
    changed_since: str | None
    params: Mapping[str, object]

    @property
    def moment_text(self) -> str | None:
        """The moment as it was written; None where everything or what changed since the last export is wanted."""
        return None if (self.changed_since or LAST).strip().lower() == LAST else self.changed_since

    @property
    def is_increment(self) -> bool:
        """Whether only what changed since the last export is wanted."""
        return self.changed_since is not None and self.moment_text is None

    def with_removed(self) -> bool:
        """Read the one parameter there is; :class:`UnknownName` for another."""
        query = named(LIST)
        for name in self.params:
            if name != "with_removed":
                raise UnknownName(f"parameter of {LIST} by a map", name, ["with_removed"])
        return bool(query.counting(self.params)["with_removed"])


class _Row(NamedTuple):
    """A device as the map judges it."""

    row_hash: str
    lacking: str | None
    place: int
    gone: bool
    changed: bool


@dataclass(frozen=True)
class MappedRows:
    """The rows of a map in an open mirror, and what an earlier export of it held."""

    wanted: Wanted
    statement: MappedStatement
    opened: OpenSource
    item: ExportItem
    memory: ExportMemory
    notes: Sequence[str]

    def prepared(self, *, masked: bool) -> OpenSource:
        """Return the source whose one item is what is to be written; the target must be locked."""
        with self.opened.session() as session:
            session.execute(f"ATTACH IF NOT EXISTS ':memory:' AS {_EARLIER}")
            session.execute(
                f"CREATE OR REPLACE TABLE {_EARLIER}.main.rows AS SELECT unnest($r::VARCHAR[]) AS {HASH}",
                {"r": sorted(self._known)},
            )
        condition = f"{HASH} NOT IN (FROM {_EARLIER}.main.rows)" if self._known else "true"
        item = replace(
            self.item,
            sql=self.statement.rows(condition),
            told_sql=self.statement.rows(),
            notes=(*self._told(), *self.notes, *([_MASKED] if masked else [])),
            asset_map=self.wanted.asset_map.name,
            changed_since=self._since_told,
        )
        return replace(self.opened, items=(item,))

    def remember(self) -> None:
        """Keep what this export stands for; one of what changed since a moment stands for no whole state."""
        if self.wanted.moment_text is None:
            hashes = (row.row_hash for row in self._kept)
            self.memory.write(in_seconds(self.opened.now) or "", self._names, hashes)

    @cached_property
    def _rows(self) -> list[_Row]:
        with self.opened.session() as session:
            rows = session.execute(self.statement.every_row(), dict(self.item.params)).fetchall()
        return [_Row(*row) for row in rows]

    @cached_property
    def _kept(self) -> list[_Row]:
        return [row for row in self._rows if row.lacking is None and row.place == 1]

    @cached_property
    def _before(self) -> ExportedBefore | None:
        return self.memory.read() if self.wanted.is_increment else None

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.wanted.asset_map.columns)

    @property
    def _known(self) -> frozenset[str]:
        """Rows that were exported before; under other headings every one is another."""
        return self._before.rows if self._before and self._before.columns == self._names else frozenset()

    @property
    def _since_told(self) -> str | None:
        if self.wanted.is_increment:
            return self._before.at if self._before else None
        moment = self.item.params.get("changed_since")
        return in_seconds(moment) if isinstance(moment, datetime) else None

    def _told(self) -> Iterator[str]:
        """Say what is in the file and what is not."""
        written = [row for row in self._kept if row.changed and row.row_hash not in self._known]
        yield from self._told_of_changes(len(written))
        if gone := sum(row.gone for row in written):
            yield f"{counted(gone, 'device')} in it {_are(gone)} listed no longer, by the history; status tells them."
        system = self.wanted.asset_map.title
        lacking = Counter(row.lacking for row in self._rows if row.lacking is not None)
        for column, number in sorted(lacking.items()):
            yield f"{counted(number, 'device')} without {column}, which {system} needs, {_are(number)} left out."
        if doubles := sum(row.lacking is None and row.place > 1 for row in self._rows):
            keys = " and ".join(self.wanted.asset_map.key)
            yield (
                f"{counted(doubles, 'device')} {'has' if doubles == 1 else 'have'} the {keys} of another and "
                f"{_are(doubles)} left out: the one that is enrolled, or was seen last, stands for it."
            )

    def _told_of_changes(self, written: int) -> Iterator[str]:
        name, to, kept = self.wanted.asset_map.name, self.memory.target, len(self._kept)
        if self.wanted.changed_since is None:
            return
        if self.wanted.is_increment and not self._before:
            yield f"No earlier export by {name} to {to} is known, so that this one has all {counted(kept, 'asset')}."
        elif self._before and self._before.columns != self._names:
            yield f"The map {name} has other columns than at {self._since_told}, so that all assets are in the file."
        elif not written:
            yield f"Nothing changed since {self._since_told}: the file has no rows."
        else:
            yield f"{written:,} of {counted(kept, 'asset')} changed since {self._since_told}, or came since."


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


@contextmanager
def mapped_rows(source: MirrorSource, wanted: Wanted, home: Path, target: Path, now: datetime) -> Iterator[MappedRows]:
    """Yield the rows of a map; the mirror is open until the block ends.

    :class:`ConfigurationError` for a map that does not fit the list, :class:`UsageError` for a moment of which nothing
    is known, and what :meth:`MirrorSource.opened` raises.
    """
    params: dict[str, object] = {"with_gone": wanted.asset_map.with_gone}
    with source.statement(LIST, named(LIST).sql, params, refuse_unread=True) as (opened, item):
        columns = opened.columns(item)
        with opened.session() as session:
            since: dict[str, datetime] = dict(session.execute(_KNOWN_SINCE).fetchall())
        known = opened.engine.manifest.tables.get(FEED)
    feed = known is not None and known.synced_at is not None
    statement = MappedStatement(wanted.asset_map, columns, wanted.with_removed(), feed)
    statement.refuse_unknown()
    notes: list[str] = []
    if wanted.moment_text is not None:
        moment = read_moment(wanted.moment_text, now)
        past = _past(since, moment, now)
        statement, params = replace(statement, past=past), {**params, "changed_since": moment}
        notes += _not_compared(past)
    name = f"{LIST}_{wanted.asset_map.name}"
    with source.statement(name, statement.every_row(), params) as (opened, item):
        yield MappedRows(wanted, statement, opened, item, ExportMemory(home, wanted.asset_map.name, target), notes)


def _past(since: Mapping[str, datetime], moment: datetime, now: datetime) -> Past:
    if moment > naive_utc(now):
        raise UsageError(f"--changed-since {moment:%Y-%m-%d %H:%M} UTC lies in the future; nothing changed since then.")
    if "devices" not in since:
        raise UsageError("No history is kept yet, so that nothing is known of --changed-since a moment.")
    if moment < since["devices"]:
        raise UsageError(
            f"History begins on {since['devices']:%Y-%m-%d %H:%M:%S} UTC; what changed since {moment:%Y-%m-%d %H:%M:%S}"
            " is not known. Give a later moment, or export everything without --changed-since."
        )
    return Past([table for table in _READ if table in since and since[table] <= moment])


def _not_compared(past: Past) -> Iterator[str]:
    others = [table for table in _READ if table not in past.tables]
    if others:
        yield f"Of {', '.join(others)} no history is kept from then on: a change in them alone is not in the file."
