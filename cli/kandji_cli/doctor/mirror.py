"""What ``doctor`` finds at the tenant, with one small request a permission, and in the mirror's own files."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kandji_cli.doctor.settings import Finding, Health, checked
from kandji_mirror.api.permissions import Permission, permissions
from kandji_mirror.api.server_clock import clock_words
from kandji_mirror.capabilities import forget_refusals
from kandji_mirror.connection import connect
from kandji_mirror.store.lock import holder
from kandji_mirror.store.store import COPY
from kandji_queries.catalog.declared import DeclaredMirror
from kandji_queries.catalog.own_queries import own_folder, own_queries
from kandji_schema.disk import bytes_of
from kandji_schema.durations import age, ago, in_future
from kandji_schema.errors import MirrorError, NothingMirrored, StoreFull
from kandji_schema.feeds import feed_of
from kandji_schema.manifest import Manifest, State, newest_whole
from kandji_schema.settings import Settings
from kandji_schema.text import counted, size
from kandji_schema.unfinished import STAGED

LEAST_FREE = 2.0
"""Times the size of the mirror that should be free: a generation is written beside the one before."""

LEAST_FREE_BYTES = 1_000_000_000
_PATIENCE = 15.0


# -- the tenant ----------------------------------------------------------------------------------------------------


def tenant(settings: Settings) -> Iterator[Finding]:
    """Ask the tenant one request a permission; what answers well is no longer held for refused."""
    patient = replace(settings, mirror_read_timeout=min(settings.mirror_read_timeout, _PATIENCE))
    try:
        with connect(patient) as connection:
            for number, permission in enumerate(permissions(connection.client)):
                if not number and permission.granted is None:
                    yield Finding("tenant answers", Health.FAILED, permission.why, 4)
                    return
                if permission.granted:
                    forget_refusals(settings.home, permission.tables)
                yield _permission(permission)
            yield _clock(connection.client.server_clock.ahead)
            left = connection.client.remaining_hour
            told = "" if left is None else f", {left:,} left to the tenant in this hour"
            yield Finding("tenant answers", Health.OK, f"{counted(connection.client.requests, 'request')}{told}")
    except MirrorError as error:
        yield Finding("tenant answers", Health.FAILED, str(error), error.exit_code)


def _clock(ahead: timedelta | None) -> Finding:
    """Compare this machine's clock with the provider's."""
    if ahead is None:
        return Finding("clock", Health.OK, "as the provider's")
    return Finding("clock", Health.WARNING, clock_words(ahead))


def _permission(permission: Permission) -> Finding:
    check = f"permission: {permission.name}"
    if permission.granted:
        return Finding(check, Health.OK, _some(permission.tables))
    return Finding(check, Health.WARNING, f"{permission.why.rstrip('.')}; {_some(permission.tables)} stay empty")


def _some(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


# -- the store -----------------------------------------------------------------------------------------------------


def store(settings: Settings) -> Iterator[Finding]:
    """Look at the newest generation, at who syncs, and at the space left on the disk."""
    home = settings.home
    try:
        manifest, warnings = newest_whole(home)
    except NothingMirrored as error:
        yield Finding("mirror", Health.WARNING, str(error))
    except MirrorError as error:
        yield Finding("mirror", Health.FAILED, str(error), error.exit_code)
    else:
        yield from _manifest(manifest, warnings)
    found = holder(home)
    syncing = f"process {found.pid}, for {age(found.since, datetime.now(UTC))}" if found else "no process now"
    yield Finding("syncing", Health.OK, syncing)
    yield from _upgrade(home)
    yield _disk(home)
    yield checked("bounds on the disk", lambda: _bounds(settings))


def own(home: Path) -> Iterator[Finding]:
    """Look at each named query of one's own: its file, its header, and whether its statement can be prepared."""
    found = own_queries(home)
    for name, trouble in found.broken.items():
        yield Finding(f"query: {name}", Health.WARNING, trouble)
    if not found.queries:
        return
    declared, fine = DeclaredMirror(), []
    for name, query in found.queries.items():
        try:
            declared.columns(query)
            query.check_counts()
            fine.append(name)
        except MirrorError as error:
            yield Finding(f"query: {name}", Health.WARNING, str(error))
    if fine:
        yield Finding("own queries", Health.OK, f"{', '.join(fine)}, in {own_folder(home)}")


def _manifest(manifest: Manifest, warnings: list[str]) -> Iterator[Finding]:
    rows = sum(state.rows for state in manifest.tables.values())
    now = datetime.now(UTC)
    when = ago(manifest.published_at, now)
    detail = f"generation {manifest.generation} of {manifest.tenant}, {counted(rows, 'row')}, published {when}"
    yield Finding("mirror", Health.WARNING if warnings else Health.OK, " ".join([f"{detail}.", *warnings]))
    if ahead := [state.name for state in manifest.tables.values() if in_future(state.attempted_at, now)]:
        detail = f"read in the future, so a clock is or was wrong: {', '.join(ahead)}; the next sync reads them anew"
        yield Finding("clock", Health.WARNING, detail)
    for state in manifest.tables.values():
        own_line = feed_of(state.name) is not None
        if state.state in {State.FAILED, State.PARTIAL} and not own_line:
            yield Finding(f"table: {state.name}", Health.WARNING, state.error or state.note or state.state.value)


def _disk(home: Path) -> Finding:
    there = next(folder for folder in (home, *home.absolute().parents) if folder.exists())
    free, used = shutil.disk_usage(there).free, bytes_of(home / "store")
    detail = f"{size(free)} free, the mirror has {size(used)}"
    scarce = free < max(LEAST_FREE_BYTES, LEAST_FREE * used)
    advice = "; make room, or set KANDJI_MIRROR_HOME to another disk" if scarce else ""
    return Finding("disk", Health.WARNING if scarce else Health.OK, detail + advice)


def _bounds(settings: Settings) -> str:
    reached = settings.disk.reached(settings.home)
    if reached:
        raise StoreFull(reached)
    limit = f"at most {size(settings.disk.limit)}" if settings.disk.limit else "no limit"
    return f"{limit}, {size(settings.disk.free)} stay free" if settings.disk.free else limit


def _upgrade(home: Path) -> Iterator[Finding]:
    """Tell of the copy that an upgrade keeps, and of what a stopped restore left."""
    if (home / COPY).is_dir():
        yield Finding("upgrade", Health.OK, f"what was before it is in {home / COPY}, until the next good pass")
    if (home / STAGED).exists() and not holder(home):
        yield Finding(
            "restore", Health.WARNING, f"one was stopped: {home / STAGED}. `kandji-mirror doctor --fix` mends it"
        )
