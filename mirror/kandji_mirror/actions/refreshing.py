"""Reading again what an action touched, so that the mirror does not show the world before it."""

from collections.abc import Callable, Sequence
from functools import partial

from kandji_mirror.actions.desk import Refresh
from kandji_mirror.connection import Connection
from kandji_schema.errors import AlreadySyncing, NothingMirrored
from kandji_schema.manifest import newest_whole
from kandji_schema.settings import Settings

PATIENCE = 15.0
"""Seconds to wait for another process that syncs; it goes on by itself."""


def refresher(settings: Settings, connection: Connection) -> Refresh:
    """Refreshes the mirror of the settings, in this process or in the one that syncs. Where there is none, nothing."""

    def refresh(tables: Sequence[str], devices: Sequence[str]) -> None:
        try:
            newest_whole(settings.home)
        except NothingMirrored:
            return
        _refresh(settings, connection, tables, devices)

    return refresh


def _refresh(settings: Settings, connection: Connection, tables: Sequence[str], devices: Sequence[str]) -> None:
    from kandji_mirror.scheduler.inbox import request_refresh  # with it comes all that syncs
    from kandji_mirror.scheduler.queue import RefreshRequest
    from kandji_mirror.sync.run import sync, sync_devices

    where = (settings.home, connection.tenant, connection.client)
    days, privacy = settings.mirror_history_days, settings.privacy
    read: Callable[[], object] = partial(sync, *where, names=tables, keep_days=days, privacy=privacy)
    request = RefreshRequest.of_tables(tables)
    if devices:
        read = partial(sync_devices, *where, devices, names=tables, keep_days=days, privacy=privacy)
        request = RefreshRequest.of_devices(devices, tables)
    try:
        read()
    except AlreadySyncing:
        request_refresh(settings.home, request, patience=PATIENCE)
