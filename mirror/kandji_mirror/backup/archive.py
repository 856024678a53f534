"""A backup as one file: a plain ``tar``, maybe compressed, that any ``tar`` unpacks.

It is read here by 512 bytes of each header alone, which says a name and a size: links, devices and long names are no
part of a backup, so that none of what they are good for can be done with one.
"""

import gzip
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from kandji_schema.errors import StoreDamaged, UsageError

ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.zst")

_NO_BACKUP = (".zip", ".gz", ".zst", ".xz", ".bz2", ".7z", ".rar", ".dmg")
_BLOCK = tarfile.BLOCKSIZE
_PIECE = 1 << 20
_GZIP_LEVEL = 4
"""Data files are packed already: more costs time and brings little."""


def is_file_name(path: Path) -> bool:
    """Tell whether a path is one of a file by its ending, or of a folder; :class:`UsageError` for other archives."""
    name = path.name.lower()
    if name.endswith(ENDINGS):
        return True
    if name.endswith(_NO_BACKUP):
        raise UsageError(f"{path} ends in none of {', '.join(ENDINGS)}. Name such a file, or a folder.")
    return False


@contextmanager
def writing(path: Path, ending: str) -> Iterator[IO[bytes]]:
    """Open a file for writing, packed as the ``ending`` of its final name says. Raises :class:`OSError`."""
    with path.open("xb") as file:
        path.chmod(0o600)
        if ending.lower().endswith((".gz", ".tgz")):
            with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=_GZIP_LEVEL, mtime=0, filename="") as packed:
                yield packed  # type: ignore[misc]  # a GzipFile writes bytes as any file does
        elif ending.lower().endswith(".zst"):
            with _zstd().open(file, "wb") as packed:
                yield packed
        else:
            yield file


@contextmanager
def reading(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading, unpacked, whatever its name. Raises :class:`OSError`."""
    with path.open("rb") as file:
        magic = file.read(4)
        file.seek(0)
        if magic.startswith(b"\x1f\x8b"):
            with gzip.GzipFile(fileobj=file) as packed:
                yield packed  # type: ignore[misc]  # as above
        elif magic == b"\x28\xb5\x2f\xfd":
            with _zstd().open(file, "rb") as packed:
                yield packed
        else:
            yield file


def _zstd() -> Any:
    try:
        return import_module("compression.zstd")
    except ModuleNotFoundError:
        raise UsageError("A .tar.zst needs Python 3.14 or newer. Use .tar.gz.") from None


def put(archive: IO[bytes], name: str, size: int, modified: float, pieces: Iterator[bytes]) -> None:
    """Write one file of ``size`` bytes."""
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, int(modified), 0o600
    archive.write(info.tobuf(tarfile.GNU_FORMAT))
    for piece in pieces:
        archive.write(piece)
    archive.write(b"\0" * (-size % _BLOCK))


def end(archive: IO[bytes]) -> None:
    """Write the mark that nothing follows."""
    archive.write(b"\0" * 2 * _BLOCK)


Read = Callable[[int], bytes]


def members(archive: IO[bytes]) -> Iterator[tuple[str, int, Iterator[bytes]]]:
    """Give name, size and content of each file; the content is read before the next one is asked for.

    :class:`StoreDamaged` for whatever is no such archive, or is cut.
    """
    while (header := _exactly(archive, _BLOCK)).strip(b"\0"):
        try:
            info = tarfile.TarInfo.frombuf(header, "utf-8", "strict")
        except (tarfile.HeaderError, UnicodeDecodeError, ValueError) as error:
            raise StoreDamaged("it is no tar file, or a part of it was altered") from error
        if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or info.size < 0:
            raise StoreDamaged(f"it has {info.name[:200]!r}, which is no plain file")
        content = pieces_of(archive, info.size)
        yield info.name, info.size, content
        for _ in content:  # what nobody read
            pass
        _exactly(archive, -info.size % _BLOCK)


def pieces_of(file: IO[bytes], size: int) -> Iterator[bytes]:
    """Read exactly so many bytes; :class:`StoreDamaged` where they are not there."""
    while size:
        piece = _read(file, min(size, _PIECE))
        if not piece:
            raise StoreDamaged("it ends in the middle: it was cut")
        size -= len(piece)
        yield piece


def _exactly(file: IO[bytes], size: int) -> bytes:
    return b"".join(pieces_of(file, size))


def _read(file: IO[bytes], size: int) -> bytes:
    try:
        return file.read(size)
    except (EOFError, gzip.BadGzipFile, ValueError) as error:
        raise StoreDamaged("it was cut or altered: it cannot be unpacked") from error
    except Exception as error:  # zlib's and zstd's own
        if type(error).__module__.startswith(("zlib", "compression", "_zstd")):
            raise StoreDamaged("it was altered: it cannot be unpacked") from error
        raise
