"""Files and folders that nobody but their owner may read: made so whatever the umask, and kept so.

The mirror holds names of people, so its folders have mode 0700 and its files 0600. Files of an earlier version, or of
an engine that makes its own, are tightened when the writer opens the home.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

OTHERS = 0o077
"""The rights of everyone but the owner."""

_OURS = (
    "state.sqlite*",
    "budget.sqlite*",
    "audit.sqlite*",
    "audit.head*",
    "audit.signed*",
    "confirmations.sqlite*",
    "privacy.key*",
)
"""Files of ours in the data directory; it may be a folder that holds other things too."""

_FOLDERS = ("store", "refresh", "exports")


def make_folder(folder: Path) -> None:
    """Make the folder, those above it included, for its owner alone. Raises :class:`OSError`."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def make_file(path: Path) -> None:
    """Make an empty file for its owner alone where there is none, and tighten ours. Raises :class:`OSError`."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    tighten(path)


def tighten(path: Path) -> None:
    """Take everyone else's rights from a file or folder of this user; links and others' things are left alone."""
    with suppress(OSError):
        if is_loose(path):
            path.chmod(path.stat().st_mode & ~OTHERS & 0o777)


def tighten_home(home: Path) -> None:
    """Tighten what is loose of the data directory. The directory itself not where it is also the user's own folder."""
    for path in loose(home):
        if path != home or not _holds_more(home):
            tighten(path)


def loose(home: Path) -> list[Path]:
    """What others may read or enter of the data directory, itself included, in order."""
    return sorted(path for path in _parts(home) if is_loose(path))


def kept_files(home: Path) -> list[Path]:
    """Return our files that are in the data directory, those of the tables aside, in order."""
    return sorted(path for pattern in _OURS for path in home.glob(pattern))


def is_loose(path: Path) -> bool:
    """Whether others have rights on a file or folder of this user."""
    if os.name != "posix":
        return False
    try:
        found = path.lstat()
    except OSError:
        return False
    linked = path.is_symlink()
    return not linked and found.st_uid == os.geteuid() and bool(found.st_mode & OTHERS)


def _parts(home: Path) -> Iterator[Path]:
    yield home
    yield from kept_files(home)
    for name in _FOLDERS:
        yield home / name
        with suppress(OSError):
            yield from (home / name).rglob("*")


def _holds_more(home: Path) -> bool:
    """Whether the directory is the user's own folder or one above it, which others may have to enter."""
    try:
        return Path.home().resolve().is_relative_to(home.resolve())
    except (OSError, RuntimeError):
        return True
