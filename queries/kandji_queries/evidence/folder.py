"""The folder of evidence: whole or not there, for its owner alone, and never over anything.

All files are written in a hidden folder beside it, which gets the name when they are whole and on the disk. What a
killed process left there goes when evidence is made beside it again, an hour later or more.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from kandji_schema.errors import NotExported, UsageError
from kandji_schema.files import is_address, make_folder, sync_file, sync_folder

PREFIX, TEMPORARY = ".kandji-evidence-", ".tmp"
STORE = "store"

LEFT_BEHIND = 3_600
"""Seconds after which a hidden folder is nobody's any more."""


def checked(to: str, home: Path) -> Path:
    """Return the folder as a whole path; :class:`UsageError` repeats ``to`` where no evidence may go there."""
    if is_address(to):
        raise UsageError(f"--to {to[:200]!r} is an address. Name a folder of this machine.")
    if not to.strip() or to == "-":
        raise UsageError(f"--to {to!r} names no folder. Name one that is new or empty.")
    try:
        folder = Path(to).expanduser().resolve()
        taken = os.path.lexists(folder) and (not folder.is_dir() or any(folder.iterdir()))
    except (OSError, RuntimeError, ValueError) as error:
        raise UsageError(f"--to {to[:200]!r} is no path of a folder: {error}.") from error
    if taken:
        raise UsageError(f"--to {to[:200]!r} is there and not an empty folder. Evidence never replaces anything.")
    if folder.is_relative_to((home / STORE).resolve()):
        raise UsageError(f"--to {to[:200]!r} lies inside the mirror's own store. Name a folder outside of it.")
    return folder


def write_folder(folder: Path, files: Mapping[str, bytes], finish: Callable[[Path], object]) -> int:
    """Write the files into a folder that is not there yet or empty; return their bytes together.

    ``finish`` is called with the hidden folder when all files are in it, and may add to it. :class:`NotExported` for
    whatever the system refuses; then nothing is there.
    """
    made: Path | None = None
    try:
        make_folder(folder.parent)
        _sweep(folder.parent)
        made = Path(tempfile.mkdtemp(prefix=PREFIX, suffix=TEMPORARY, dir=folder.parent))
        for name, data in files.items():
            path = made / name
            make_folder(path.parent)
            path.write_bytes(data)
        finish(made)
        for path in [path for path in made.rglob("*") if path.is_file()]:
            path.chmod(0o600)
            sync_file(path)
        for path in [made, *(path for path in made.rglob("*") if path.is_dir())]:
            sync_folder(path)
        if folder.is_dir():
            folder.rmdir()  # refused where something came into it meanwhile
        made.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise NotExported(
            f"The evidence could not be written to {folder}: {error.strerror or error}. Free some space, correct the "
            "rights, or name another folder with --to; nothing was left there."
        ) from error
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
    return sum(map(len, files.values()))


def _sweep(parent: Path) -> None:
    for left in parent.glob(f"{PREFIX}*{TEMPORARY}"):
        if time.time() - left.stat().st_mtime > LEFT_BEHIND:
            shutil.rmtree(left, ignore_errors=True)
