"""Secrets in files of the configuration folder that nobody but their owner may read."""

import os
import tempfile
from pathlib import Path

from kandji_schema.errors import ConfigurationError


def read(path: Path) -> str | None:
    """The secret, without space around it; None where there is no file or nothing in it.

    :class:`ConfigurationError` where others may read it, or nobody can.
    """
    try:
        mode = path.stat().st_mode
        if os.name == "posix" and mode & 0o077:
            raise ConfigurationError(f"Others may read {path} (mode {mode & 0o777:04o}). Run: chmod 600 '{path}'")
        return path.read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise ConfigurationError(f"{path} cannot be read: {reason}. Correct it or remove it.") from None


def write(path: Path, secret: str) -> None:
    """Put a secret into a file of mode 0600, in one step: at no time is it readable by others or half there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(f"{secret}\n")
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}. Correct the folder's rights.") from None
