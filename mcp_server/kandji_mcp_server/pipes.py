"""The client's two pipes, stdin and stdout, kept for the protocol alone. It is imported before the SDK, which is slow.

Whatever else in this process or its children prints goes to stderr, and whatever else reads gets the end of input. The
SDK does the same while it serves; here it holds from the first moment, also for what prints while it is imported, and
lines are bounded.
"""

import os
import sys
import time
from dataclasses import dataclass
from typing import BinaryIO

LONGEST_LINE = 32 * 1024 * 1024
"""Bytes. A longer line is refused: no message is that long, and whoever sends one must not fill the memory."""

_STDIN, _STDOUT, _STDERR = range(3)


@dataclass(frozen=True)
class Pipes:
    """``read`` and ``write`` are the pipes themselves, under other numbers, taken at ``began`` (monotonic, seconds)."""

    read: BinaryIO
    write: BinaryIO
    began: float

    def line(self) -> bytes:
        """Read the next line the client sends, with its end; empty at the end of input.

        Of one that is too long the beginning (see :func:`is_cut`); the rest is read and dropped.
        """
        line = self.read.readline(LONGEST_LINE)
        rest = line
        while is_cut(rest):
            rest = self.read.readline(LONGEST_LINE)
        return line


def is_cut(line: bytes) -> bool:
    """Tell whether there is more of a line than may be."""
    return len(line) == LONGEST_LINE and not line.endswith(b"\n")


def take_pipes() -> Pipes:
    """Take the pipes. Called once, before anything is imported that might print."""
    _open_what_is_closed()
    pipes = Pipes(
        read=os.fdopen(os.dup(_STDIN), "rb", closefd=False),
        write=os.fdopen(os.dup(_STDOUT), "wb", closefd=False),
        began=time.monotonic(),
    )
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, _STDIN)
    os.dup2(_STDERR, _STDOUT)
    os.close(nothing)
    return pipes


def _open_what_is_closed() -> None:
    """Open streams that are closed: the next file opened would take their number, and be written into."""
    for number in (_STDIN, _STDOUT, _STDERR):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    if sys.stderr is None:
        sys.stderr = os.fdopen(_STDERR, "w", closefd=False)
