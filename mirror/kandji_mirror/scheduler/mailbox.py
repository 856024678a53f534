"""Wishes that cross processes: small files in ``HOME/refresh``, written by who asks, answered by who syncs.

``<id>.json`` is a wish, ``<id>.answer`` tells how it was fulfilled, or why not; the rows are where the manifest says. A
wish is a file until it is answered, so it outlives the process that syncs: the next one finds it.
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
from kandji_mirror.scheduler.desk import Wish
from kandji_schema.errors import MirrorError, StoreFull, SyncError
from kandji_schema.files import write_atomically
from kandji_schema.registry import resource

KEPT_SECONDS = 3_600.0
"""Files this old were left by processes that are gone."""


@dataclass(frozen=True)
class Letter:
    """A wish as one process left it. ``path`` is its file."""

    path: Path

    @property
    def _reply(self) -> Path:
        return self.path.with_suffix(".answer")

    def read(self) -> Wish:
        """What is wished; :class:`SyncError` where nobody can tell, :class:`UnknownName`."""
        try:
            body = json.loads(self.path.read_text(encoding="utf-8"))
            names = tuple(resource(name).name for name in body["names"])
            devices = tuple(str(device) for device in body.get("devices", ()))
            due = body.get("due") is True
            return Wish(names, whole=body["whole"] is True, sweep=_number(body["sweep"]), devices=devices, due=due)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise SyncError(f"{self.path} is no wish to refresh tables ({type(error).__name__}).") from error

    def reply(self, done: Report | BaseException) -> None:
        """Answer, and let go of the wish. Without space for an answer there is none: who asked has a deadline."""
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
        """The report that was sent back, None while there is none. Raises the error that came instead."""
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
        """Remove the wish and its answer."""
        for path in (self.path, self._reply):
            with suppress(OSError):
                path.unlink(missing_ok=True)


class Mailbox:
    """The folder of one home. ``wall`` is in seconds since 1970."""

    def __init__(self, home: Path, wall: Callable[[], float] = time.time) -> None:
        """``home`` is the data directory; the folder is made when something is put into it."""
        self._folder = home / "refresh"
        self._wall = wall

    @contextmanager
    def put(self, wish: Wish) -> Iterator[Letter]:
        """Leave a wish for the time of the block. :class:`StoreFull` where it cannot be written."""
        letter = Letter(self._folder / f"{uuid4().hex}.json")
        asked = ("names", "whole", "sweep", "devices", "due")
        body: dict[str, Any] = {name: getattr(wish, name) for name in asked}
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(letter.path, json.dumps(body).encode())
        except OSError as error:
            raise StoreFull(
                f"{letter.path} could not be written: {error.strerror or error}. Free some space or correct the rights."
            ) from error
        try:
            yield letter
        finally:
            letter.withdraw()

    def letters(self) -> list[Letter]:
        """Wishes without an answer, in no order; leftovers are swept."""
        try:
            found = list(self._folder.iterdir())
        except OSError:
            return []
        fresh = [path for path in found if not self._swept(path)]
        return [Letter(path) for path in fresh if path.suffix == ".json"]

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
