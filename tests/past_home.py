"""A mirror whose tables are written state by state, with history, through the real store and the real recorder."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reads_home import write_file

from kandji_mirror.history.recorder import Change
from kandji_mirror.store.opening import open_store
from kandji_mirror.store.store import Store
from kandji_queries.reader import Reader
from kandji_schema.ddl import statements
from kandji_schema.manifest import Manifest, Segment, State, TableState, kept
from kandji_schema.registry import resource, resources

Row = Mapping[str, Any]

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
"""Monday morning, when the first state of every test is mirrored."""


def hours(number: float) -> datetime:
    """So many hours after the start."""
    return START + timedelta(hours=number)


def write_rows(path: Path, table: str, rows: Iterable[Row]) -> None:
    """A data file of the table with these rows, the columns not named NULL."""
    write_file(path, table, statements(resource(table))[:1], [*rows])


def add_state(store: Store, at: datetime, tables: Mapping[str, Sequence[Row]], *, keep_days: int = 400) -> Manifest:
    """Publish new rows of some tables as one state, with what changed as history."""
    states = {name: _written(store, name, rows, at) for name, rows in tables.items()}
    with store.lock:
        after = {name: store.home / "store" / "data" / str(state.file) for name, state in states.items()}
        changes = [Change(resource(name), store.data_file(name), after[name], at) for name in tables]
        known, generation = store.current.history, store.next_generation
        return store.publish(states, store.recorder.record(known, changes, generation=generation, keep_days=keep_days))


def _written(store: Store, table: str, rows: Sequence[Row], at: datetime) -> TableState:
    with store.scratch(table) as (_, target):
        write_rows(target, table, rows)
        size = target.stat().st_size
        file = store.admit(table, target)
    known = store.current.tables[table]
    return replace(
        known,
        file=file,
        bytes=size,
        rows=len(rows),
        state=State.OK,
        synced_at=at,
        attempted_at=at,
        ddl=statements(resource(table)),
    )


@dataclass(frozen=True)
class PastHome:
    """A home on disk; every call opens and closes it as a run of the command line does."""

    home: Path
    keep_days: int = 400

    def add(self, at: datetime, **tables: Sequence[Row]) -> Manifest:
        """One more state."""
        with open_store(self.home, "example", resources(), lambda: at) as store:
            return add_state(store, at, tables, keep_days=self.keep_days)

    @property
    def segments(self) -> tuple[Segment, ...]:
        """What the newest manifest names as history."""
        newest = next(kept(self.home))
        assert isinstance(newest, Manifest)
        return newest.history

    def ask(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """Rows of a statement."""
        with Reader(self.home) as reader:
            return reader.run(sql, values).rows


def comparable(rows: Iterable[Sequence[Any]]) -> list[str]:
    """Rows in an order that does not depend on types."""
    return sorted(json.dumps(list(row), default=str) for row in rows)
