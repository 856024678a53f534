"""Secrets in files of the configuration folder that nobody but their owner may read."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from kandji_schema.errors import ConfigurationError
from kandji_schema.ownership import refuse_replaceable


def read(path: Path) -> str | None:
    """The secret, without space around it; None where there is no file or nothing in it.

    :class:`ConfigurationError` where others may read it or could replace it, or nobody can read it.
    """
    try:
        mode = path.stat().st_mode
        if os.name == "posix" and mode & 0o077:
            raise ConfigurationError(f"Others may read {path} (mode {mode & 0o777:04o}). Run: chmod 600 '{path}'")
        refuse_replaceable(path)
        return path.read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise ConfigurationError(f"{path} cannot be read: {reason}. Correct it or remove it.") from None


def write(path: Path, secret: str) -> None:
    """Put a secret into a file of mode 0600, in one step: at no time is it readable by others or half there."""
    _put(path, secret, lambda made: made.replace(path))


def write_new(path: Path, secret: str) -> None:
    """The same where there is no such file yet; one that is there stays as it is."""

    def link(made: Path) -> None:
        try:
            path.hardlink_to(made)  # unlike a rename it never replaces what another process has put there meanwhile
        except OSError:
            if not path.exists():  # a file system without links
                made.replace(path)

    _put(path, secret, link)


def _put(path: Path, secret: str, settle: Callable[[Path], object]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        refuse_replaceable(path.parent)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(f"{secret}\n")
            settle(Path(name))
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}. Correct the folder's rights.") from None
