"""A home opened for its one writer, and its mirror taken out of it.

:func:`open_store` is the only way to a :class:`~kandji_mirror.store.store.Store`: it holds the lock, sweeps what a
killed writer left, and brings what is mirrored in line with this version and the privacy mode.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from kandji_mirror.store.lock import writer_lock
from kandji_mirror.store.restoring import ASIDE, finish
from kandji_mirror.store.store import COPY, FOLDERS, TEMPORARY, Store, remove, store_full
from kandji_mirror.store.upgrade import bring_up_to_date
from kandji_schema.disk import UNBOUNDED, DiskBounds
from kandji_schema.errors import StoreFull
from kandji_schema.files import make_folder, tighten_home
from kandji_schema.home import mirrored
from kandji_schema.manifest import nothing_mirrored
from kandji_schema.privacy import Privacy
from kandji_schema.resource import Resource

_PARTS = (
    *("store/manifests", "store/data", "store/history", "store/tenant", "store/feeds.json"),
    *("store/privacy.purge", "privacy.key", "refresh", COPY),
)
"""What makes the mirror, the manifests first: without them readers find nothing, and no half of it."""

_STATE = "state.sqlite*"


@contextmanager
def open_store(
    home: Path,
    tenant: str,
    resources: Mapping[str, Resource],
    wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    *,
    privacy: Privacy = Privacy.OFF,
    disk: DiskBounds = UNBOUNDED,
) -> Iterator[Store]:
    """Hold the writer's lock for the time of the block and give the store, migrated and masked as ``privacy`` wants.

    ``wall`` tells the time, aware UTC; ``disk`` bounds the growth of history. Raises :class:`AlreadySyncing`,
    :class:`ConfigurationError` for a home of another tenant, and :class:`StoreError`; then nothing that is published
    changed. :class:`StoreNewer` for a home of a newer version; then nothing at all did.
    """
    mirrored(home)  # refuses a newer one before anything is touched
    with store_full(home):
        for folder in (home, *(folder_of(home) for folder_of in FOLDERS)):
            make_folder(folder)
        tighten_home(home)
    with writer_lock(home):
        with store_full(home):
            if finish(home):
                mirrored(home)
        for folder_of in FOLDERS:
            for path in folder_of(home).glob(f"*{TEMPORARY}*"):
                remove(path)
        with Store(home, tenant, resources, wall, privacy, disk) as store:
            bring_up_to_date(store)
            yield store


def move_aside(home: Path, *, delete: bool = False, now: datetime | None = None) -> Path | None:
    """Move the mirror of ``home`` into a folder of its own below ``aside``, or ``delete`` it; returns the folder.

    Then another tenant can be mirrored there. What was recorded of live actions stays, as do exports, rules of
    compliance and the count of requests: they are about the home's user, not about the mirror. What is moved aside is a
    whole home of its own and can be read as one.

    Raises :class:`NothingMirrored`, :class:`AlreadySyncing`, and :class:`StoreFull` where files cannot be moved.
    """
    if not (home / "store").is_dir():
        raise nothing_mirrored(home)
    tenant, moment = mirrored(home) or "unreadable", now or datetime.now(UTC)
    target = home / ASIDE / f"{tenant}-{moment:%Y-%m-%dT%H%M%SZ}"
    try:
        with writer_lock(home):
            parts = [home / part for part in _PARTS if (home / part).exists()] + sorted(home.glob(_STATE))
            if not parts:
                raise nothing_mirrored(home)
            make_folder(target)
            (target / "store").mkdir(mode=0o700)
            for part in parts:
                part.rename(target / part.relative_to(home))
    except OSError as error:
        raise StoreFull(f"{home} could not be moved aside: {error.strerror or error}. Correct its rights.") from error
    if delete:
        shutil.rmtree(target, ignore_errors=True)
    return None if delete else target
