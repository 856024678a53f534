"""The lock of whoever tells: exactly one process of a home does, and the lock ends with it.

Who holds it is said in a file beside it, so that it is readable without touching the lock.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kandji_schema.errors import AlreadySyncing
from kandji_schema.files import make_file, make_folder


class AlreadyTelling(AlreadySyncing):
    """Another process of this home tells."""


@dataclass(frozen=True)
class Teller:
    """The process that tells, ``since`` in aware UTC."""

    pid: int
    since: datetime


@contextmanager
def teller_lock(home: Path) -> Iterator[None]:
    """Hold the lock for the time of the block; :class:`AlreadyTelling` names the process that has it."""
    from filelock import FileLock, Timeout  # only whoever tells needs it

    make_folder(home)
    lock, file = FileLock(home / "checks.lock", mode=0o600), home / "checks.holder"
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise AlreadyTelling(_words(_said(file))) from error
    try:
        with suppress(OSError):  # a full disk: then nobody sees who it is
            make_file(file)
            file.write_text(json.dumps({"pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}))
        yield
    finally:
        with suppress(OSError):
            file.unlink(missing_ok=True)
        lock.release()


def _said(file: Path) -> Teller | None:
    try:
        known = json.loads(file.read_text())
        return Teller(int(known["pid"]), datetime.fromisoformat(known["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _words(known: Teller | None) -> str:
    who = f"process {known.pid} since {known.since:%Y-%m-%d %H:%M:%S} UTC" if known else "another process"
    return f"The checks of this home are told by {who}; nothing was asked or told by this one."
