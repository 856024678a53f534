"""How much room a home may take, and how much has to stay free: what is asked before history grows.

Current rows are never bounded: a mirror that has them not whole is none. History is. Beyond a bound it grows no more:
for each change that comes the oldest ones go, so that what is left is whole back to where it begins.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kandji_schema.errors import ConfigurationError

LIMIT, FREE = "KANDJI_MIRROR_DISK_LIMIT", "KANDJI_MIRROR_DISK_FREE"

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([kmgt]?b?)", re.IGNORECASE)
_CONSEQUENCE = "so history grows no more: for what is new the oldest goes. Current rows are whole."


@dataclass(frozen=True)
class DiskBounds:
    """Most bytes of a home, and least bytes that stay free on its disk; 0 is no bound."""

    limit: int = 0
    free: int = 0

    def reached(self, home: Path) -> str | None:
        """Say in a sentence which bound is reached and what that means; None while there is room.

        A disk that cannot be asked has room: who writes to it will see.
        """
        import shutil  # with text, 8 ms that a query which only reads settings does not pay

        from kandji_schema.text import size

        if self.limit and (used := bytes_of(home)) >= self.limit:
            return f"{home} takes {size(used)}, {LIMIT} is {size(self.limit)}, {_CONSEQUENCE}"
        with suppress(OSError):
            if self.free and (left := shutil.disk_usage(home).free) < self.free:
                return f"{size(left)} are free where {home} is, {FREE} is {size(self.free)}, {_CONSEQUENCE}"
        return None


UNBOUNDED = DiskBounds()


def parse_size(text: str, name: str) -> int:
    """Return the bytes of ``20GB``, ``1.5 TB``, ``500M`` or a bare number; 0 for nothing or ``0``.

    :class:`ConfigurationError` names the setting ``name``, the value and the rule.
    """
    if not text.strip():
        return 0
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise ConfigurationError(
            f"{name} is {text[:100]!r}; it must be a size such as 20GB, 500MB or 0. Change or remove it."
        )
    unit = found[2].upper()
    return int(float(found[1]) * _UNITS[unit if unit in _UNITS else f"{unit}B"])


def bytes_of(folder: Path) -> int:
    """Return the bytes of all files below a folder, each once however many names it has."""
    seen: set[tuple[int, int]] = set()
    total = 0
    for found in _files(folder):
        if found.st_nlink > 1:
            if (key := (found.st_dev, found.st_ino)) in seen:
                continue
            seen.add(key)
        total += found.st_size
    return total


def _files(folder: Path) -> Iterator[os.stat_result]:
    pending = [str(folder)]
    while pending:
        with suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                with suppress(OSError):  # removed meanwhile
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        yield entry.stat(follow_symlinks=False)
