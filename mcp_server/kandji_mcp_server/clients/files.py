"""A client's file, changed in one step, with a copy of what it was."""

import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from kandji_mcp_server.clients.merging import NotMerged
from kandji_schema.errors import ConfigurationError

BOM = b"\xef\xbb\xbf"


def change(path: Path, edit: Callable[[str], str], now: datetime) -> Path | None:
    """Put ``edit`` of the file's text into the file and return the copy of what it was.

    None where there was no file, or nothing to change. The file is as before or as after, never between, also where it
    is a link or the disk is full. :class:`ConfigurationError` where it is not what it should be: nothing was changed.
    """
    target = path.resolve()
    try:
        before = target.read_bytes() if target.exists() else None
        after = _edited(before or b"", edit)
        if after == before:
            return None
        target.parent.mkdir(parents=True, exist_ok=True)
        backup = _copied(target, now) if before is not None else None
        _replace(target, before, after)
        return backup
    except NotMerged as error:
        raise NotMerged(f"{path}: {error}. Nothing was changed; without --write the entry is printed.") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be changed: {error.strerror or error}. Nothing was changed.") from None


def _edited(before: bytes, edit: Callable[[str], str]) -> bytes:
    """The file's new bytes, without a byte order mark: a client's own parser may stumble over one."""
    try:
        text = before.removeprefix(BOM).decode("utf-8")
        after = edit(text)
        if "\r\n" in text:
            after = after.replace("\r\n", "\n").replace("\n", "\r\n")
        return after.encode("utf-8")
    except UnicodeError:
        raise NotMerged("it is not text") from None


def _copied(target: Path, now: datetime) -> Path:
    """A copy beside the file, as private as the file."""
    backup = target.with_name(f"{target.name}.backup-{now:%Y%m%dT%H%M%S%fZ}")
    descriptor = os.open(backup, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with target.open("rb") as source, os.fdopen(descriptor, "wb") as copy:
        shutil.copyfileobj(source, copy)
    shutil.copymode(target, backup)
    return backup


def _replace(target: Path, before: bytes | None, after: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # made with mode 0600
    made = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        if before is not None:
            shutil.copymode(target, made)
        if (target.read_bytes() if target.exists() else None) != before:
            raise NotMerged("the client changed it at the same moment; try again")
        made.replace(target)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
