"""The writer's lock: exactly one process syncs a home, and the lock dies with it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from kandji_schema.errors import AlreadySyncing
from kandji_schema.files import make_file


@contextmanager
def writer_lock(home: Path) -> Iterator[None]:
    """Hold the lock for the time of the block; :class:`AlreadySyncing` names the process that has it."""
    lock = FileLock(home / "store" / "writer.lock", mode=0o600)
    holder = home / "store" / "writer.json"  # beside the lock: a contender empties the lock file itself
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise AlreadySyncing(_who(holder)) from error
    try:
        make_file(holder)
        holder.write_text(json.dumps({"pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}))
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _who(holder: Path) -> str:
    try:
        known = json.loads(holder.read_text())
        who = f"process {int(known['pid'])} since {datetime.fromisoformat(known['since']):%Y-%m-%d %H:%M:%S} UTC"
    except (OSError, ValueError, KeyError, TypeError):
        who = "another process"
    return (
        f"This mirror is being synced by {who}. Its result will be here when it is done; nothing was sent by this one."
    )
