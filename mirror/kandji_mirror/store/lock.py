"""The writer's lock: exactly one process syncs a home, the lock dies with it, and anybody can see who holds it.

Who holds it is said in a file beside it, so that it is readable without touching the lock, which a look would take for
a moment.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kandji_schema.errors import AlreadySyncing
from kandji_schema.files import make_file


@dataclass(frozen=True)
class Holder:
    """The process that holds the writer's lock, ``since`` in aware UTC."""

    pid: int
    since: datetime


@contextmanager
def writer_lock(home: Path) -> Iterator[None]:
    """Hold the lock for the time of the block; :class:`AlreadySyncing` names the process that has it."""
    from filelock import FileLock, Timeout  # takes longer to import than `status`, which only looks, takes in all

    lock, file = FileLock(home / "store" / "writer.lock", mode=0o600), _holder_file(home)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise AlreadySyncing(_already_syncing(_said(file))) from error
    try:
        make_file(file)
        file.write_text(json.dumps({"pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}))
        yield
    finally:
        file.unlink(missing_ok=True)
        lock.release()


def holder(home: Path) -> Holder | None:
    """Return the process that is syncing this home; None where there is none."""
    found = _said(_holder_file(home))
    return found if found and is_alive(found.pid) else None


def _holder_file(home: Path) -> Path:
    return home / "store" / "writer.json"  # beside the lock: a contender empties the lock file itself


def _said(file: Path) -> Holder | None:
    """Read who holds the lock, or held it: one that was killed leaves its file."""
    try:
        known = json.loads(file.read_text())
        return Holder(int(known["pid"]), datetime.fromisoformat(known["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _already_syncing(known: Holder | None) -> str:
    who = f"process {known.pid} since {known.since:%Y-%m-%d %H:%M:%S} UTC" if known else "another process"
    return (
        f"This mirror is being synced by {who}. Its result will be here when it is done; nothing was sent by this one."
    )


def is_alive(pid: int) -> bool:
    """Whether there is such a process. Windows has no signal that only asks, so there the file is believed."""
    if pid <= 0 or sys.platform == "win32":
        return pid > 0
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True  # it is another user's
    return True
