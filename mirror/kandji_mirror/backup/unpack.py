"""A backup is read: what it says it has, and then each file, which is taken only as it was written.

A backup may come from anybody. Nothing is written under a name that it chooses freely, nothing but plain files is read,
and no more bytes than it said at the beginning.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from kandji_mirror.backup import archive
from kandji_mirror.backup.contents import LARGEST, NAME, Contents
from kandji_schema.errors import StoreDamaged, UsageError
from kandji_schema.files import make_folder

Members = Iterator[tuple[str, int, Iterator[bytes]]]
"""Name, size and content of each file of a backup; the content is read before the next one is asked for."""

_MORE = 1_000
"""Files beside those that are named, of which each is told; with more it is something else."""


@contextmanager
def opened(source: Path) -> Iterator[tuple[Contents, Members]]:
    """Open a backup: what it has, and its files. :class:`UsageError` where there is none at that path.

    Raises :class:`StoreDamaged`, :class:`StoreNewer`, and :class:`OSError`.
    """
    if source.is_dir():
        if not (source / NAME).is_file():
            raise UsageError(f"{source} is no backup: there is no {NAME} in it.")
        contents = Contents.from_json(b"".join(_content(source / NAME, LARGEST)))
        yield contents, _of_folder(source, [entry.path for entry in contents.files])
    elif source.is_file():
        with archive.reading(source) as file:
            members = archive.members(file)
            yield _first(source, members), members
    else:
        raise UsageError(f"{source} is not there. Name a backup: a file, or a folder with {NAME} in it.")


def unpacked(contents: Contents, members: Members, room: Path, troubles: dict[str, str]) -> Iterator[str]:
    """Write each file that belongs to the backup into ``room``, and give its path when it is there as it was written.

    What is wrong with others, or with what is missing, goes into ``troubles``.
    """
    wanted = {entry.path: entry for entry in contents.files}
    for name, size, content in members:
        entry = wanted.pop(name, None)
        if entry is None:
            troubles[name[:200]] = f"does not belong to the backup: {NAME} does not name it"
            if len(troubles) > _MORE:
                raise StoreDamaged("it has files without end that do not belong to it")
        elif size != entry.bytes:
            troubles[name] = f"has {size:,} bytes, not {entry.bytes:,}: it was cut or altered"
        elif _written(room / name, content) != entry.sha256:
            (room / name).unlink()
            troubles[name] = "has another hash than when it was written: it was altered"
        else:
            yield name
    troubles |= dict.fromkeys(wanted, "is missing")


def needed(contents: Contents) -> int:
    """Bytes that the files take, in whole blocks of a usual file system."""
    return sum(-(-entry.bytes // 4096) * 4096 for entry in contents.files)


def _first(source: Path, members: Members) -> Contents:
    try:
        name, size, content = next(members)
    except StopIteration:
        raise StoreDamaged("it is empty") from None
    except StoreDamaged as error:
        raise UsageError(f"{source} is no backup: {error}.") from error
    if name != NAME or size > LARGEST:
        raise UsageError(f"{source} is no backup: it does not begin with {NAME}.")
    return Contents.from_json(b"".join(content))


def _of_folder(folder: Path, named: Sequence[str]) -> Members:
    """Give the files in the order of their names in the backup, as they are in an archive, then all others."""
    there = dict(_walked(folder))
    for name in named:
        if name in there and (path := there.pop(name)):
            yield name, path.stat().st_size, _content(path, path.stat().st_size)
    for name in there:
        yield name, 0, iter(())


def _walked(folder: Path) -> Iterator[tuple[str, Path | None]]:
    """Give the path of each file below a folder; None for what is no plain file."""
    for place, folders, files in os.walk(folder):
        for name in sorted([*files, *folders]):
            path = Path(place) / name
            relative = path.relative_to(folder).as_posix()
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                yield relative, None
            elif path.is_file() and relative != NAME:
                yield relative, path


def _content(path: Path, size: int) -> Iterator[bytes]:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise StoreDamaged(f"{path} is no plain file")
        yield from archive.pieces_of(file, min(size, found.st_size))


def _written(target: Path, content: Iterator[bytes]) -> str:
    digest = sha256()
    make_folder(target.parent)
    descriptor = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for piece in content:
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()
