"""Who syncs a home, as it says of itself: readable without touching the lock, which a look would take for a moment."""

import json
import os
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Holder:
    """The process that holds the writer's lock, ``since`` in aware UTC."""

    pid: int
    since: datetime


def holder_file(home: Path) -> Path:
    """Where the holder writes who it is, for as long as it holds the lock."""
    return home / "store" / "writer.json"


def holder(home: Path) -> Holder | None:
    """The process that is syncing this home; None where there is none."""
    try:
        known = json.loads(holder_file(home).read_text())
        found = Holder(int(known["pid"]), datetime.fromisoformat(known["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if _is_alive(found.pid) else None


def _is_alive(pid: int) -> bool:
    """A holder that was killed leaves its file. Windows has no signal that only asks, so there the file is believed."""
    if pid <= 0 or sys.platform == "win32":
        return pid > 0
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True  # it is another user's
    return True
