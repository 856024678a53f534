"""The inbox: refresh requests that cross processes, and the client that leaves them there and waits.

They are small files in ``HOME/refresh``, written by who asks, answered by who syncs. ``<id>.json`` is a request,
``<id>.answer`` tells how it was fulfilled, or why not; the rows are where the manifest says. A request is a file until
it is answered, so it outlives the process that syncs: the next one finds it.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from kandji_mirror.report import Report
from kandji_mirror.scheduler.queue import RefreshRequest
from kandji_schema.errors import AlreadySyncing, MirrorError, StoreFull, SyncError
from kandji_schema.files import write_atomically
from kandji_schema.registry import resource

KEPT_SECONDS = 3_600.0
"""Files this old were left by processes that are gone."""

PATIENCE = 1_800.0
"""Seconds an answer may take: exports alone may take 15 minutes."""

TRIES_EVERY = 5.0
"""Seconds between two attempts to do it oneself, in case that the process that syncs went away."""

POLL_SECONDS = 0.2


@dataclass(frozen=True)
class InboxEntry:
    """A request as one process left it. ``path`` is its file."""

    path: Path

    @property
    def _reply(self) -> Path:
        return self.path.with_suffix(".answer")

    def read(self) -> RefreshRequest:
        """Read what is asked for; :class:`SyncError` where nobody can tell, :class:`UnknownName`."""
        try:
            body = json.loads(self.path.read_text(encoding="utf-8"))
            names = tuple(resource(name).name for name in body["names"])
            devices = tuple(str(device) for device in body.get("devices", ()))
            return RefreshRequest(
                names,
                whole=body["whole"] is True,
                sweep=_number(body["sweep"]),
                devices=devices,
                due=body.get("due") is True,
                files=tuple(str(file) for file in body.get("files", ())),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise SyncError(f"{self.path} is no request to refresh tables ({type(error).__name__}).") from error

    def reply(self, done: Report | BaseException) -> None:
        """Answer, and let go of the request. Without space for an answer there is none: who asked has a deadline."""
        error = done if isinstance(done, BaseException) else None
        body = {
            "error": None if error is None else _foreseen(error).to_dict(),
            "report": done.to_dict() if isinstance(done, Report) else None,
        }
        with suppress(OSError):
            write_atomically(self._reply, json.dumps(body).encode())
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def answer(self) -> Report | None:
        """Read the report that was sent back, None while there is none. Raises the error that came instead."""
        try:
            body = json.loads(self._reply.read_text(encoding="utf-8"))
            if not body["error"]:
                return Report.from_dict(body["report"])
            error = MirrorError.from_dict(body["error"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as unreadable:
            raise SyncError(f"{self._reply} cannot be read ({type(unreadable).__name__}). Ask again.") from unreadable
        raise error

    def withdraw(self) -> None:
        """Remove the request and its answer."""
        for path in (self.path, self._reply):
            with suppress(OSError):
                path.unlink(missing_ok=True)


class Inbox:
    """The folder of one home. ``wall`` is in seconds since 1970."""

    def __init__(self, home: Path, wall: Callable[[], float] = time.time) -> None:
        """``home`` is the data directory; the folder is made when something is put into it."""
        self._folder = home / "refresh"
        self._wall = wall

    @contextmanager
    def leave(self, request: RefreshRequest) -> Iterator[InboxEntry]:
        """Leave a request for the time of the block. :class:`StoreFull` where it cannot be written."""
        entry = InboxEntry(self._folder / f"{uuid4().hex}.json")
        asked = ("names", "whole", "sweep", "devices", "due", "files")
        body: dict[str, Any] = {name: getattr(request, name) for name in asked}
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(entry.path, json.dumps(body).encode())
        except OSError as error:
            raise StoreFull(
                f"{entry.path} could not be written: {error.strerror or error}. Free some space or correct the rights."
            ) from error
        try:
            yield entry
        finally:
            entry.withdraw()

    def pending(self) -> list[InboxEntry]:
        """List the requests without an answer, in no order; leftovers are swept."""
        try:
            found = list(self._folder.iterdir())
        except OSError:
            return []
        fresh = [path for path in found if not self._swept(path)]
        return [InboxEntry(path) for path in fresh if path.suffix == ".json"]

    def _swept(self, path: Path) -> bool:
        try:
            age = self._wall() - path.stat().st_mtime
            ahead = path.suffix != ".json" and age < -KEPT_SECONDS  # by a clock that was wrong then
            old = age > KEPT_SECONDS or ahead
            if old:
                path.unlink()
        except OSError:
            return True  # withdrawn meanwhile
        return old


def _foreseen(error: BaseException) -> MirrorError:
    return error if isinstance(error, MirrorError) else SyncError(f"Unforeseen ({type(error).__name__}); see its log.")


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


# -- from a process that does not sync ---------------------------------------------------------------------------


def request_refresh(
    home: Path,
    request: RefreshRequest,
    *,
    patience: float = PATIENCE,
    instead: Callable[[], Report] | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Report:
    """Have the syncing process fulfil a request now, and wait until it has.

    ``instead`` is tried every few seconds: while it raises :class:`AlreadySyncing` there is another process, otherwise
    its report is the answer. Raises what the other process met with, and :class:`AlreadySyncing` after ``patience``
    seconds.
    """
    began = tried = clock()
    with Inbox(home).leave(request) as entry:
        while clock() - began < patience:
            if report := entry.answer():
                return report
            if instead and clock() - tried >= TRIES_EVERY:
                tried = clock()
                with suppress(AlreadySyncing):
                    return instead()
            sleep(POLL_SECONDS)
    raise AlreadySyncing(
        f"The process that syncs this mirror has not answered within {patience:g} s. `kandji-mirror status` tells how "
        "old every table is."
    )


def sync_or_request(
    home: Path,
    request: RefreshRequest,
    attempt: Callable[[], Report],
    *,
    sleep: Callable[[float], object] = time.sleep,
    handed_over: Callable[[], object] = lambda: None,
) -> Report:
    """Return the report of ``attempt``, a sync by this process; where another one holds the lock, that one is asked.

    ``handed_over`` is called before it is waited for. Where the other process goes away meanwhile, it is done here.
    """
    try:
        return attempt()
    except AlreadySyncing:
        handed_over()
        return request_refresh(home, request, instead=attempt, sleep=sleep)
