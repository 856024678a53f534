"""What the manifest tells: tables, their ages and states, the published state, history."""

from collections.abc import Iterator
from datetime import datetime

from kandji_mcp_server.monitoring.samples import Sample, Watched
from kandji_mirror.store.lock import holder
from kandji_queries.results.data_notes import is_overdue
from kandji_schema.errors import MirrorError
from kandji_schema.feeds import is_on
from kandji_schema.manifest import Manifest, State, TableState, newest_whole
from kandji_schema.registry import resources

DAY_SECONDS = 86_400


def is_too_old(devices: TableState | None, now: datetime, hours: float) -> bool:
    """Tell whether the device list is older than an answer may be; one that was never read is."""
    if devices is None or devices.synced_at is None:
        return True
    return abs((now - devices.synced_at).total_seconds()) > hours * 3_600


def mirror_samples(watched: Watched) -> Iterator[Sample]:
    """Read the newest whole manifest; where there is none, say that alone."""
    yield Sample("syncing", holder(watched.home) is not None)
    try:
        manifest = newest_whole(watched.home)[0]
    except MirrorError:
        yield from (Sample("readable", 0), Sample("ready", 0))
        return
    now, settings = watched.now(), watched.context.settings
    tables = [
        table
        for name, table in manifest.tables.items()
        if name in resources() and is_on(name, settings.mirror_feeds) and not table.is_off
    ]
    yield Sample("readable", 1)
    yield Sample("ready", not is_too_old(manifest.tables.get("devices"), now, settings.mirror_ready_hours))
    for table in tables:
        yield from _table(table, now)
    yield Sample("tables_overdue", sum(_is_overdue(table, now) for table in tables))
    yield from _published(manifest, now)
    yield Sample("history_retention_seconds", settings.mirror_history_days * DAY_SECONDS)


def _table(table: TableState, now: datetime) -> Iterator[Sample]:
    labels = (table.name,)
    if table.synced_at:
        yield Sample("table_age_seconds", (now - table.synced_at).total_seconds(), labels)
    yield Sample("table_ttl_seconds", table.ttl_seconds, labels)
    yield Sample("table_rows", table.rows, labels)
    for state in State:
        yield Sample("table_state", state is table.state, (table.name, state.value))


def _is_overdue(table: TableState, now: datetime) -> bool:
    return table.synced_at is not None and is_overdue(table.synced_at, table.ttl_seconds, now)


def _published(manifest: Manifest, now: datetime) -> Iterator[Sample]:
    yield Sample("generation", manifest.generation)
    yield Sample("generation_timestamp_seconds", manifest.published_at.timestamp())
    since = min((segment.since for segment in manifest.history), default=now)
    yield Sample("history_seconds", max(0.0, (now - since).total_seconds()))
    yield Sample("history_changes", sum(sum(segment.tables.values()) for segment in manifest.history))
