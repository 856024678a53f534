"""Opens the action service of the configured tenant, where live actions are switched on and nobody could forge them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from kandji_mirror.actions.codes import Codes, codes_of
from kandji_mirror.actions.confirmations import PendingConfirmations
from kandji_mirror.actions.policy import ActionPolicy, refuse_if_off
from kandji_mirror.actions.service import ActionService, Refresh
from kandji_mirror.actions.trail import AuditTrail
from kandji_mirror.audit.anchors import anchor_of
from kandji_mirror.audit.log import AuditLog, actor
from kandji_mirror.connection import Connection, connect
from kandji_schema.errors import AlreadySyncing, ConfigurationError, NotConfirmed, NothingMirrored
from kandji_schema.files import kept_files
from kandji_schema.folders import CONFIG_FILE, config_dir
from kandji_schema.manifest import newest_whole
from kandji_schema.ownership import refuse_replaceable
from kandji_schema.settings import Settings

PATIENCE = 15.0
"""Seconds to wait for another process that syncs; it goes on by itself."""


@contextmanager
def open_service(
    settings: Settings,
    client: str = "",
    *,
    person: str = "",
    policy: ActionPolicy | None = None,
    codes: Codes | None = None,
) -> Iterator[ActionService]:
    """Yield a service that lasts as long as the block, for the person at this machine unless ``policy`` says other.

    ``client`` names the AI client that asks, if one does, and ``person`` who signed in to use it. ``codes`` are those
    of a process that asks by one service and is answered at another.
    """
    refuse_if_off(settings)
    _refuse_if_replaceable(settings)
    policy = policy or ActionPolicy.from_settings(settings)
    codes = codes or codes_of(settings)
    with connect(settings, acting=True) as connection:
        audit = AuditLog(settings.home, actor(client, person), anchor=anchor_of(settings))
        yield ActionService(
            connection.client,
            settings.home,
            policy,
            AuditTrail(audit, connection.tenant, keeps_names=policy.keeps_names),
            PendingConfirmations(settings.home),
            refresh=_refresher(settings, connection),
            codes=codes,
        )


def refuse_repeated_answer(home: Path, client: str) -> None:
    """Record that a question's answer came a second time, and raise :class:`NotConfirmed`; no tenant is asked."""
    with AuditTrail(AuditLog(home, actor(client))).refusals("confirm"):
        raise NotConfirmed("The answer to a question came a second time. Nothing was sent.")


def _refuse_if_replaceable(settings: Settings) -> None:
    """Raise :class:`ConfigurationError` where others could forge what a yes rests on: tokens, records, policy.

    The configuration folder counts here also where it is yet to be made: somebody else could be first.
    """
    for path in (settings.home, *kept_files(settings.home), *_config_file()):
        refuse_replaceable(path)


def _config_file() -> tuple[Path, ...]:
    try:
        return (config_dir() / CONFIG_FILE,)
    except ConfigurationError:  # no such folder: then none that somebody could fill
        return ()


def _refresher(settings: Settings, connection: Connection) -> Refresh:
    """Return what reads again the rows that an action touched, so that the mirror does not show the world before it.

    It works in this process or in the one that syncs; where there is no mirror, nothing is read.
    """

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
    how: dict[str, Any] = {
        "keep_days": settings.mirror_history_days,
        "privacy": settings.privacy,
        "disk": settings.disk,
    }
    read: Callable[[], object] = partial(sync, *where, names=tables, **how)
    request = RefreshRequest.of_tables(tables)
    if devices:
        read = partial(sync_devices, *where, devices, names=tables, **how)
        request = RefreshRequest.of_devices(devices, tables)
    try:
        read()
    except AlreadySyncing:
        request_refresh(settings.home, request, patience=PATIENCE)
