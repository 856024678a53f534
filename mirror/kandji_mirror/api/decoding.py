"""The body of an answer, decompressed in small steps: what is tiny on the wire may be huge, and nobody may wait to see.

httpx would inflate all that one read of the socket brought, layer by layer, before anybody could count it.
"""

import zlib
from collections.abc import Iterable, Iterator

STEP = 256 * 1024
"""Bytes that are decompressed at once, at most."""

_GZIP_OR_ZLIB = 47  # zlib's own code for "either header"
_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate"})
_MEMBER = b"\x1f\x8b"


class Undecodable(Exception):
    """A body that is not what its header says; the text says why."""


def decoded(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The body in pieces of at most :data:`STEP` bytes, from the raw ones and the header ``Content-Encoding``.

    :class:`Undecodable` where it is damaged, ends too early, or is compressed twice or in a way nobody asked for.
    """
    names = [name for part in encoding.split(",") if (name := part.strip().lower()) not in ("", "identity")]
    if not names:
        return iter(pieces)
    if len(names) > 1 or names[0] not in _COMPRESSED:
        raise Undecodable(f"it is compressed as {', '.join(names)[:40]!r}, which was not asked for")
    return _inflated(pieces)


def _inflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    inflater, began = zlib.decompressobj(_GZIP_OR_ZLIB), False
    try:
        for piece in pieces:
            began = began or bool(piece)
            while piece:
                if inflater.eof and not piece.startswith(_MEMBER):
                    break  # what follows the end is padding
                inflater = zlib.decompressobj(_GZIP_OR_ZLIB) if inflater.eof else inflater
                if step := inflater.decompress(piece, STEP):
                    yield step
                piece = inflater.unused_data or inflater.unconsumed_tail
    except zlib.error:
        raise Undecodable("it is damaged") from None
    if began and not inflater.eof:
        raise Undecodable("it is cut short")
