"""Messages between the server and its child: a length of four bytes, then JSON."""

import json
import struct
from typing import Any, BinaryIO

LONGEST = 256 * 1024 * 1024
"""Most bytes of one message; an answer is far below by its own limits."""

_LENGTH = struct.Struct(">I")


class Closed(Exception):
    """The other side is gone, or what it sends is no message."""


def send(out: BinaryIO, message: dict[str, Any]) -> None:
    """Write one message; :class:`Closed` where nobody reads."""
    data = json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    try:
        out.write(_LENGTH.pack(len(data)) + data)
        out.flush()
    except (OSError, ValueError) as error:
        raise Closed(str(error)) from error


def receive(source: BinaryIO) -> dict[str, Any]:
    """Read one message; :class:`Closed` at the end of the input."""
    (length,) = _LENGTH.unpack(_exactly(source, _LENGTH.size))
    if length > LONGEST:
        raise Closed(f"a message of {length:,} bytes")
    try:
        message = json.loads(_exactly(source, length))
    except ValueError as error:
        raise Closed(str(error)) from error
    if not isinstance(message, dict):
        raise Closed("no message")
    return message


def _exactly(source: BinaryIO, length: int) -> bytes:
    try:
        data = source.read(length)
    except (OSError, ValueError) as error:
        raise Closed(str(error)) from error
    if len(data) < length:
        raise Closed("end of input")
    return data
