"""The key of a mirror's pseudonyms: made once, kept beside the store, for its owner's eyes alone."""

import os
import secrets
from pathlib import Path

from kandji_schema.errors import StoreDamaged, StoreFull

FILE = "pseudonyms.key"
BYTES = 32


def pseudonym_key(home: Path) -> bytes:
    """The key of the mirror in ``home``; the first call makes it.

    With another key every pseudonym is another one, so a damaged file is :class:`StoreDamaged` and never replaced.
    """
    path = home / FILE
    try:
        return _read(path)
    except FileNotFoundError:
        return _made(path)


def _read(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (ValueError, UnicodeDecodeError) as error:
        raise _damaged(path) from error
    if len(key) != BYTES:
        raise _damaged(path)
    return key


def _made(path: Path) -> bytes:
    """Two processes may come first at once: the file appears whole under its name, and the first one counts."""
    key = secrets.token_bytes(BYTES)
    unfinished = path.with_name(f"{FILE}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(key.hex())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(unfinished, path)
        except FileExistsError:
            return _read(path)
        finally:
            unfinished.unlink()
    except OSError as error:
        raise StoreFull(
            f"{path} could not be written: {error.strerror}. Free some space or correct the rights."
        ) from error
    return key


def _damaged(path: Path) -> StoreDamaged:
    return StoreDamaged(
        f"{path} is not a key of pseudonyms. Put it back from a backup; without one remove it and run "
        "`kandji-mirror sync --full`: every pseudonym is a new one then."
    )
