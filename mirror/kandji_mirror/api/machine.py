"""The request budget of a tenant for all homes of one user on this machine, beside that of each home."""

import hashlib
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kandji_mirror.api.budget import FILE, Limiter, Permits, Sleep
from kandji_schema.errors import StoreError

LEFT_ALONE_SECONDS = 86_400
"""A folder whose file was last written so long ago, or so far ahead, counts no request that matters, and is removed."""


class Both:
    """Permits that two budgets give. ``shared`` is given up once its file cannot be used: ``own`` counts on."""

    def __init__(self, own: Permits, shared: Permits) -> None:
        self._own = own
        self._shared: Permits | None = shared

    def acquire(self, timeout: float, sleep: Sleep = time.sleep) -> None:
        """See :meth:`Limiter.acquire`; each of the two may take the whole ``timeout``."""
        self._own.acquire(timeout, sleep)
        if (shared := self._shared) is not None:
            try:
                shared.acquire(timeout, sleep)
            except StoreError:
                self._shared = None


@contextmanager
def shared_budget(
    folder: Path, tenant: str, *, per_second: int, per_hour: int, background_per_hour: int
) -> Iterator[Limiter | None]:
    """What all homes of the tenant may send, counted below ``folder``; None where that cannot be written."""
    place = folder / hashlib.sha256(tenant.encode()).hexdigest()[:16]
    try:
        limiter = Limiter(
            place, tenant, per_second=per_second, per_hour=per_hour, background_per_hour=background_per_hour
        )
    except StoreError:
        yield None
        return
    _tidy(folder, place)
    with limiter:
        yield limiter


def _tidy(folder: Path, ours: Path) -> None:
    """Remove the folders of tenants that nobody asks any more, such as simulated ones."""
    now = time.time()
    with suppress(OSError):
        for place in folder.iterdir():
            if place != ours and abs(now - (place / FILE).stat().st_mtime) > LEFT_ALONE_SECONDS:
                shutil.rmtree(place, ignore_errors=True)
