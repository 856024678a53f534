"""Where an export is read from: a file, or the memory of this process where no byte of it may reach the disk."""

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol, Self
from uuid import uuid4

import duckdb

from kandji_schema.errors import Suspicious
from kandji_schema.sql import literal

if TYPE_CHECKING:
    from fsspec.implementations.memory import MemoryFileSystem

_CHUNK = 65_536
_START = 1_000_000
PIECE = 32_000_000
"""Bytes of text of an export in memory that DuckDB reads at once."""

LONGEST_RECORD = 64_000_000
"""Bytes of text without the end of a record after which it is taken that a quote was never closed."""

_registering = Lock()


class ExportSource(Protocol):
    """An export that was downloaded as a whole."""

    @property
    def size(self) -> int:
        """How many bytes it has."""

    def start(self) -> bytes:
        """Its first bytes, with the line of names in them."""

    def chunks(self) -> Iterator[bytes]:
        """All its bytes."""

    def pieces(self, con: duckdb.DuckDBPyConnection) -> Iterator[str]:
        """Give what ``con`` reads it from, as SQL literals; each is there until the next one, and begins a record."""


class FileSource:
    """An export in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def size(self) -> int:
        """See :class:`ExportSource`."""
        return self._path.stat().st_size

    def start(self) -> bytes:
        """See :class:`ExportSource`."""
        with self._path.open("rb") as file:
            return file.read(_START)

    def chunks(self) -> Iterator[bytes]:
        """See :class:`ExportSource`."""
        with self._path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    def pieces(self, con: duckdb.DuckDBPyConnection) -> Iterator[str]:
        """Give the file, as a pattern that matches nothing else."""
        yield literal(re.sub(r"([*?\[])", r"[\1]", str(self._path)))


class MemorySource:
    """An export in memory, compressed, in pieces of whole records. It is written to like a file that is opened anew.

    A tenth of the size of the file, by measurement; DuckDB sees one piece at a time.
    """

    def __init__(self, piece: int = PIECE) -> None:
        """``piece`` is about how many bytes of text a piece has."""
        self._most = self._look_at = piece
        self._pieces: list[bytes] = []
        self._rest = bytearray()
        self.size = 0

    def open(self, _mode: str) -> Self:
        """Forget what is held; what is written comes in its place."""
        self.unlink()
        return self

    def unlink(self, missing_ok: bool = True) -> None:
        """Forget what is held."""
        self._pieces.clear()
        self._rest.clear()
        self._look_at = self._most
        self.size = 0

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self.size += len(data)
        self._rest += data
        if len(self._rest) < self._look_at:
            return
        self._keep(_last_record(self._rest))
        self._look_at = max(self._most, 2 * len(self._rest))
        if len(self._rest) > self._most + LONGEST_RECORD:
            raise Suspicious(f"The export has no end of a record in {len(self._rest):,} bytes: a quote is not closed.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._keep(len(self._rest))

    def _keep(self, size: int) -> None:
        if size:
            self._pieces.append(zlib.compress(bytes(self._rest[:size]), 1))
            del self._rest[:size]

    def start(self) -> bytes:
        """See :class:`ExportSource`."""
        return next(self.chunks(), b"")[:_START]

    def chunks(self) -> Iterator[bytes]:
        """See :class:`ExportSource`."""
        return map(zlib.decompress, self._pieces)

    def pieces(self, con: duckdb.DuckDBPyConnection) -> Iterator[str]:
        """See :class:`ExportSource`."""
        for text in self.chunks():
            with _readable(con, text) as place:
                yield place


def _last_record(text: bytearray) -> int:
    """Where the last whole record ends: at the last line end that is outside of quotes; 0 where there is none."""
    parts, end = text.split(b'"'), len(text)
    for place in reversed(range(len(parts))):
        start = end - len(parts[place])
        found = parts[place].rfind(b"\n") if place % 2 == 0 else -1
        if found >= 0:
            return start + found + 1
        end = start - 1
    return 0


@contextmanager
def _readable(con: duckdb.DuckDBPyConnection, text: bytes) -> Iterator[str]:
    """Give a text as a file that DuckDB finds in this process."""
    files = _files(con)
    name = f"/{uuid4().hex}.csv"
    files.pipe_file(name, text)
    try:
        yield literal(f"memory:/{name}")
    finally:
        files.rm_file(name)


def _files(con: duckdb.DuckDBPyConnection) -> "MemoryFileSystem":
    import fsspec  # only where exports are held in memory

    files: MemoryFileSystem = fsspec.filesystem("memory")
    with _registering:
        if not con.filesystem_is_registered("memory"):
            con.register_filesystem(files)
    return files
