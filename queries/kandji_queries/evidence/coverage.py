"""Which days of a period are known: kept by history, and looked at by a sync. What is not is a gap and stays one.

A day of a table is known where its history reaches back to the day's end and the table was read as a whole on that day
(UTC). A day on which nobody looked is not filled with what was so before or after it.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from pathlib import Path

from kandji_queries.evidence.contents import Days, Gap
from kandji_schema.manifest import State, TableState
from kandji_schema.read_days import days_in

BEFORE, UNREAD, NO_HISTORY, LACKING = "before history begins", "not read", "no history", "not mirrored"
"""Kinds of gaps."""

STATE_FILE = "state.sqlite"
"""The writer's record of its runs, which tells of days before manifests kept them."""

BY_DEVICE = "by device"
"""The method of a run that read some devices of a table, and not the table."""

_RUNS = "SELECT DISTINCT resource, substr(started_at, 1, 10) FROM runs WHERE outcome = ? AND method IS NOT ?"


@dataclass(frozen=True)
class Coverage:
    """What is known of some tables: since when history is whole (naive UTC) and on which days they were read."""

    since: Mapping[str, datetime]
    read: Mapping[str, frozenset[date]]

    def gaps(self, table: str, period: Days) -> Iterator[Gap]:
        """Give the gaps of a table, in order."""
        told = [(day, self._why(table, day, period)) for day in period]
        for why, days in groupby((pair for pair in told), key=lambda pair: pair[1]):
            if why:
                every = [day for day, _ in days]
                yield Gap(table, every[0], every[-1], *why)

    def _why(self, table: str, day: date, period: Days) -> tuple[str, str] | None:
        today = period.moment.date()
        since = self.since.get(table)
        if day != today:
            if since is None:
                return NO_HISTORY, "no history is kept, only the present state is known"
            if datetime.combine(day, time()) + timedelta(days=1) < since:
                return BEFORE, f"history begins on {since:%Y-%m-%d %H:%M} UTC"
        if day not in self.read.get(table, frozenset()):
            return UNREAD, f"not read from the tenant; {self._beside(table, day)}"
        return None

    def _beside(self, table: str, day: date) -> str:
        """Say between which readings a day lies."""
        read = self.read.get(table, frozenset())
        before, after = max((d for d in read if d < day), default=None), min((d for d in read if d > day), default=None)
        if before and after:
            return f"the readings beside it are of {before} and {after}"
        if before:
            return f"the last reading was on {before}"
        return f"the first reading was on {after}" if after else "no reading is on record"


def read_coverage(home: Path, states: Mapping[str, TableState], since: Mapping[str, datetime]) -> Coverage:
    """Return what is known of the tables of a home. ``since`` is what the view ``history`` tells of each."""
    recorded = _recorded(home)
    return Coverage(since, {name: frozenset(_days(state, since.get(name), recorded)) for name, state in states.items()})


def _days(state: TableState, since: datetime | None, recorded: Mapping[str, set[date]]) -> Iterator[date]:
    yield from days_in(state.read_days)
    yield from recorded.get(state.name, ())
    if since is not None:
        yield since.date()  # history begins with a reading of the whole table
    known = (state.whole_at, state.checked_at, state.synced_at if state.state is State.OK else None)
    yield from (moment.astimezone(UTC).date() for moment in known if moment)


def _recorded(home: Path) -> Mapping[str, set[date]]:
    """Return the days of the record of runs, as far as it can be read: of a mirror made by an earlier version."""
    found: dict[str, set[date]] = {}
    path = home / STATE_FILE
    with suppress(sqlite3.Error):
        if path.is_file():
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
                for table, day in connection.execute(_RUNS, (State.OK.value, BY_DEVICE)):
                    with suppress(ValueError):
                        found.setdefault(table, set()).add(date.fromisoformat(day))
    return found


def with_controls(gaps: Iterable[Gap], of_table: Mapping[str, tuple[str, ...]]) -> tuple[Gap, ...]:
    """Return gaps in order of days, each with the controls that need its table."""
    told = (Gap(g.table, g.first, g.last, g.kind, g.why, of_table.get(g.table, ())) for g in gaps)
    return tuple(sorted(told, key=lambda gap: (gap.first, gap.last, gap.table)))
