"""The three standard streams, also where a launcher or a shell gave the command none, and where their reader has gone.

A command whose output is closed (``>&-``, a program without a console) works as one whose output goes to
:data:`os.devnull`: the work is done and the exit code tells how it ended, for whoever closes a stream wants nothing of
it. The numbers 0 to 2 are taken in any case, since else the next file that is opened, one of the mirror's, would be
what a library prints into.
"""

import os
import sys
from io import TextIOWrapper
from typing import TextIO

from kandji_schema.errors import MirrorError
from kandji_schema.text import escaped

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


class _Messages(TextIOWrapper):
    """Standard error: where it takes no more, its reader gone or its disk full, the work goes on in silence."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError:
            drop(self)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            drop(self)


def complete() -> None:
    """Open every standard stream that is closed, on the null device, and have all that is written be UTF-8."""
    for number, (name, mode) in enumerate(_STREAMS):
        _take(number)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, closefd=False))
    # names have letters that other encodings lack
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    if isinstance(sys.stderr, TextIOWrapper):
        sys.stderr = _Messages(sys.stderr.detach(), encoding="utf-8", errors="backslashreplace", line_buffering=True)


def flush(stream: TextIO) -> None:
    """Write what is buffered; nothing happens where the reader of it has gone, and nothing later."""
    try:
        stream.flush()
    except BrokenPipeError:
        drop(stream)


def visible(message: str) -> str:
    """Return the message as a terminal may get it: names of devices are in there. Its lines stay lines."""
    return "\n".join(map(escaped, message.split("\n")))


def tell(*lines: str) -> None:
    """Print lines for a person on stderr: on a terminal between words broken to its width, elsewhere each as it is."""
    from kandji_cli.colours import wanted, with_head  # where nothing has to be said it costs nothing

    room, colours = _room(sys.stderr), wanted(sys.stderr)
    told = visible("\n".join(lines)).split("\n")
    for line in told if room is None else _places(told, room):
        text = line if room is None else _broken(line, room)
        print(with_head(text) if colours else text, file=sys.stderr)  # noqa: T201  # the one place for stderr


def error_lines(error: MirrorError) -> list[str]:
    """Return what is said of an error: one line, but on a terminal a candidate each where it lists some."""
    if not sys.stderr.isatty():
        return [f"kandji-mirror: {error}"]
    first, *others = error.lines()
    return [f"kandji-mirror: {first}", *others]


def _room(stream: TextIO) -> int | None:
    """Return the width of the terminal that a stream writes to; None where it is none, or does not tell."""
    try:
        asked = os.environ.get("COLUMNS", "")
        width = int(asked) if asked.isdecimal() else os.get_terminal_size(stream.fileno()).columns
        return (width or None) if stream.isatty() else None
    except (OSError, ValueError):
        return None


def _places(lines: list[str], room: int) -> list[str]:
    """Return the lines, of each with a mark below it (``^^^``) the part around the mark that fits."""
    fitted = [*lines]
    for number, mark in enumerate(lines[1:], 1):
        line = lines[number - 1]
        if len(line) <= room or not mark.strip() or mark.strip().strip("^"):
            continue
        head = line[: line.find(": ") + 2] if line.startswith("LINE ") else ""
        rest, below, left = line[len(head) :], mark[len(head) :], room - len(head)
        begin = max(0, min((below.index("^") + len(mark.rstrip()) - len(head) - left) // 2, len(rest) - left))
        shown = f"...{rest[begin:][3:left]}" if begin else rest[:left]
        fitted[number - 1 : number + 1] = head + shown, " " * len(head) + below[begin:][:left]
    return fitted


def _broken(line: str, room: int) -> str:
    """Break a line between words; of an indented one the lines that follow are indented twice."""
    from kandji_queries.results.text_table import broken_text  # where nothing has to be said it costs nothing

    indent = line[: len(line) - len(line.lstrip())]
    return f"\n{indent * 2}".join(broken_text(line, room - len(indent) * 2, whole_words=True))


def drop(stream: TextIO) -> None:
    """Send what is still buffered nowhere, so that Python does not fail on it once more at exit."""
    _onto_nothing(stream.fileno())


def _take(number: int) -> None:
    """Open the null device under this number, where the number is free."""
    try:
        os.fstat(number)
    except OSError:
        _onto_nothing(number)


def _onto_nothing(number: int) -> None:
    opened = os.open(os.devnull, os.O_RDWR)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)
