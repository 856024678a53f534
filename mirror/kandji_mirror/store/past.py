"""A home gets a past that it did not see: that of a simulated tenant, to try with what takes months to come about."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kandji_mirror.history.given import GivenChange, write_given
from kandji_mirror.store.opening import open_store
from kandji_schema.manifest import Manifest
from kandji_schema.privacy import Privacy
from kandji_schema.read_days import days_in, spans_of
from kandji_schema.registry import resources


def give_past(home: Path, tenant: str, changes: Iterable[GivenChange], *, since: datetime) -> Manifest:
    """Let the history of a mirror be these changes, and none else, as if it had been read daily from ``since`` on.

    ``changes`` are in order of time and lead to what is mirrored now; ``since`` is aware UTC. Raises
    :class:`AlreadySyncing` and :class:`StoreError`. Not for a mirror whose people are masked: the rows are in clear.
    """
    tables = {name: resource for name, resource in resources().items() if resource.tracked}
    with open_store(home, tenant, resources(), privacy=Privacy.OFF) as store, store.lock:
        current = store.current
        there = [table for name, table in tables.items() if current.tables[name].file]
        segment = write_given(home, changes, there, since=since, generation=store.next_generation)
        first, last = since.astimezone(UTC).date(), store.wall().date()
        read = {first + timedelta(days=n) for n in range((last - first).days + 1)}
        days = {t.name: spans_of([*days_in(current.tables[t.name].read_days), *read]) for t in there}
        known = {name: replace(current.tables[name], read_days=spans) for name, spans in days.items()}
        store.current = replace(current, tables={**current.tables, **known})
        return store.publish({}, (segment,))
