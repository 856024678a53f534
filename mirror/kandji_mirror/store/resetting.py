"""Taking the mirror out of a home, so that another tenant can be mirrored there.

What was recorded of live actions stays, as do exports, rules of compliance and the count of requests: they are about
the home's user, not about the mirror. What is moved aside is a whole home of its own and can be read as one.
"""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from kandji_mirror.store.lock import writer_lock
from kandji_schema.errors import StoreFull
from kandji_schema.home import mirrored
from kandji_schema.manifest import nothing_mirrored

ASIDE = "aside"
"""Folder in the home for mirrors that were moved aside."""

_PARTS = (
    *("store/manifests", "store/data", "store/history", "store/tenant", "store/privacy.purge"),
    *("privacy.key", "refresh"),
)
"""What makes the mirror, the manifests first: without them readers find nothing, and no half of it."""

_STATE = "state.sqlite*"


def take_out(home: Path, *, delete: bool = False, now: datetime | None = None) -> Path | None:
    """Move the mirror of ``home`` into a folder of its own below ``aside``, or ``delete`` it; returns the folder.

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
            (target / "store").mkdir(parents=True, mode=0o700)
            for part in parts:
                part.rename(target / part.relative_to(home))
    except OSError as error:
        raise StoreFull(f"{home} could not be moved aside: {error.strerror or error}. Correct its rights.") from error
    if delete:
        shutil.rmtree(target, ignore_errors=True)
    return None if delete else target
