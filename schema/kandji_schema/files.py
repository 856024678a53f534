"""How files are written: for their owner alone, whole or not at all, and still there after a power cut.

The mirror holds names of people, so its folders have mode 0700 and its files 0600, whatever the umask. Files of an
earlier version, or of an engine that makes its own, are tightened when the writer opens the home. Whether a file that
is read can be believed is another question: :mod:`kandji_schema.ownership`.
"""

import errno
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kandji_schema.errors import ConfigurationError
from kandji_schema.ownership import refuse_replaceable

OTHERS = 0o077
"""The rights of everyone but the owner."""

_OURS = (
    "state.sqlite*",
    "budget.sqlite*",
    "audit.sqlite*",
    "audit.head*",
    "audit.signed*",
    "checks.sqlite*",
    "checks.lock",
    "checks.holder",
    "confirmations.sqlite*",
    "privacy.key*",
)
"""Files of ours in the data directory; it may be a folder that holds other things too."""

_FOLDERS = ("store", "refresh", "exports", "exported", "before-upgrade")

_SCHEMES = "abfss?|azs?|file|ftps?|gcs|gs|hdfs|https?|oss|r2|s3[an]?|sftp|smb|ssh|wasbs?"
_ADDRESS = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]+:/.*|(?i:{_SCHEMES}):.*", re.S)
"""Also ``host:/folder``, and what a path makes of two slashes. A drive is one letter."""


def is_address(text: str) -> bool:
    """Tell whether a text that should be a path is an address: ``s3://bucket/x``, ``file:///x``, ``host:/x``."""
    return bool(_ADDRESS.fullmatch(text))


# -- whole and durable -------------------------------------------------------------------------------------------------


def has_size(path: Path, size: int) -> bool:
    """Tell whether a file is there with the size it was published with: the cheap test for one that is lost or cut."""
    try:
        return path.is_file() and path.stat().st_size == size
    except OSError:
        return False


LARGEST_TEXT = 16_000_000
"""Letters of a file that a person wrote: rules, maps, exceptions. A device such as /dev/zero has no end."""


def read_small_text(path: Path, encoding: str = "utf-8") -> str:
    """Return the text of a file, or pipe, that a person wrote; :class:`OSError` for one too large for that."""
    with path.open(encoding=encoding) as file:
        text = file.read(LARGEST_TEXT + 1)
    if len(text) > LARGEST_TEXT:
        raise OSError(errno.EFBIG, f"it has more than {LARGEST_TEXT // 1_000_000} million letters", str(path))
    return text


def sync_file(path: Path) -> None:
    """Bring a written file to the disk."""
    _sync(path, os.O_RDWR)


def sync_folder(folder: Path) -> None:
    """Bring a rename in ``folder`` to the disk; Windows has no such call and needs none."""
    if os.name != "nt":
        _sync(folder, os.O_RDONLY)


def _sync(path: Path, access: int) -> None:
    descriptor = os.open(path, access)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def rename_durably(temporary: Path, final: Path) -> None:
    """Give a finished file its final name, so that after a power cut it has the one or the other and is whole."""
    sync_file(temporary)
    temporary.replace(final)
    sync_folder(final.parent)


def publish_file(finished: Path, final: Path) -> None:
    """Give a finished file its final name for its owner alone, durably. Raises :class:`OSError`."""
    finished.chmod(0o600)
    rename_durably(finished, final)


def write_atomically(path: Path, data: bytes) -> None:
    """Write a small file so that no reader ever sees a part of it. Raises :class:`OSError`."""
    with written_beside(path, data) as temporary:
        rename_durably(temporary, path)


@contextmanager
def written_beside(path: Path, data: bytes) -> Iterator[Path]:
    """Write a temporary file of mode 0600 beside ``path``; gone after the block unless it was renamed.

    Whoever renames it by :func:`rename_durably` has it whole on the disk. Raises :class:`OSError`.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")
    descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


# -- for the owner alone -----------------------------------------------------------------------------------------------


def make_folder(folder: Path) -> None:
    """Make the folder, those above it included, for its owner alone. Raises :class:`OSError`."""
    if not folder.parent.exists():
        make_folder(folder.parent)  # mkdir itself gives those above the rights that the umask leaves
    folder.mkdir(exist_ok=True, mode=0o700)


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
    """Return what others may read or enter of the data directory, itself included, in order."""
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


# -- secrets -----------------------------------------------------------------------------------------------------------


def read_secret(path: Path) -> str | None:
    """Return the secret in a file, without space around it; None where there is no file or nothing in it.

    :class:`ConfigurationError` where others may read it or could replace it, or nobody can read it.
    """
    try:
        mode = path.stat().st_mode
        if os.name == "posix" and mode & OTHERS:
            raise ConfigurationError(f"Others may read {path} (mode {mode & 0o777:04o}). Run: chmod 600 '{path}'")
        refuse_replaceable(path)
        return path.read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise ConfigurationError(f"{path} cannot be read: {reason}. Correct it or remove it.") from None


def write_secret(path: Path, secret: str) -> None:
    """Put a secret into a file of mode 0600, in one step: at no time is it readable by others or half there.

    :class:`ConfigurationError` where the folder cannot be written, or others could replace files in it.
    """
    _write_secret(path, secret, lambda temporary: rename_durably(temporary, path))


def write_new_secret(path: Path, secret: str) -> None:
    """Do the same where there is no such file yet; one that is there stays as it is."""

    def link(temporary: Path) -> None:
        try:
            path.hardlink_to(temporary)  # unlike a rename it never replaces what another process put there
        except OSError:
            if not path.exists():  # a file system without links
                temporary.replace(path)

    _write_secret(path, secret, link)


def _write_secret(path: Path, secret: str, name: Callable[[Path], None]) -> None:
    try:
        make_folder(path.parent)
        refuse_replaceable(path.parent)
        with written_beside(path, f"{secret}\n".encode()) as temporary:
            name(temporary)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}. Correct the folder's rights.") from None
