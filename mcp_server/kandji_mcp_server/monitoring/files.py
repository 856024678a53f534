"""What the files of a home tell: how much they take, and whether the audit log is whole."""

import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from kandji_mcp_server.monitoring.samples import Sample, Watched
from kandji_mirror.audit.database import reading
from kandji_mirror.audit.log import AuditLog, actor
from kandji_schema.audit import Event
from kandji_schema.errors import AuditUnavailable

VERIFY_SECONDS = 600.0
"""Between two looks at the whole audit log, whose hashes are made anew for it."""

PARTS = ("data", "history", "manifests", "audit", "state", "exports", "other")

_STORE = {"data": "data", "history": "history", "manifests": "manifests"}

_BEGINNINGS = {"audit": "audit", "state.sqlite": "state", "budget.sqlite": "state", "checks.sqlite": "state"}


def disk_samples(watched: Watched) -> Iterator[Sample]:
    """Add up the sizes of all files; what vanishes meanwhile counts nothing."""
    space = shutil.disk_usage(_existing(watched.home))
    yield Sample("disk_free_bytes", space.free)
    yield Sample("disk_size_bytes", space.total)
    sizes = Counter(dict.fromkeys(PARTS, 0))
    for folder, _, names in os.walk(watched.home):
        part = _part(Path(folder).relative_to(watched.home).parts)
        for name in names:
            sizes[part or _of_name(name)] += _size(os.path.join(folder, name))  # noqa: PTH118  # thousands of files
    yield from (Sample("disk_used_bytes", size, (part,)) for part, size in sizes.items())


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that is there."""
    return next(each for each in (folder, *folder.absolute().parents) if each.exists())


def _part(below: tuple[str, ...]) -> str:
    """Return the part a folder of the home belongs to; empty for the home itself, where files have parts."""
    if not below:
        return ""
    if below[0] == "store":
        return _STORE.get(below[1], "other") if len(below) > 1 else "other"
    return "exports" if below[0] == "exports" else "other"


def _of_name(name: str) -> str:
    return next((part for beginning, part in _BEGINNINGS.items() if name.startswith(beginning)), "other")


def _size(path: str) -> int:
    try:
        return os.stat(path, follow_symlinks=False).st_size  # noqa: PTH116  # as above
    except OSError:
        return 0


class AuditState:
    """The audit log, read each time, and verified now and then."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._verified: tuple[float, bool] | None = None

    def samples(self) -> Iterator[Sample]:
        """Count the records by event. A log that cannot be read is not whole."""
        try:
            counts = self._counts()
        except AuditUnavailable:
            yield Sample("audit_chain_ok", 0)
            return
        yield from (Sample("audit_records_total", counts.get(event.value, 0), (event.value,)) for event in Event)
        yield Sample("audit_chain_ok", self._is_whole())

    def _counts(self) -> dict[str, int]:
        with reading(self._watched.home) as connection:
            if connection is None:
                return {}
            return dict(connection.execute("SELECT event, count(*) FROM audit GROUP BY event").fetchall())

    def _is_whole(self) -> bool:
        """Tell what the last look found; the next one comes when it is time. No log at all is whole."""
        if self._verified is None or time.monotonic() - self._verified[0] > VERIFY_SECONDS:
            home = self._watched.home
            green = AuditLog(home, actor()).verify().green
            self._verified = (time.monotonic(), green)
        return self._verified[1]
