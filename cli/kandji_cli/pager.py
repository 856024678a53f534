"""A screen at a time: what is longer than the terminal goes to a pager, what is not is written as ever.

The pager is KANDJI_MIRROR_PAGER, else PAGER, else less, which chops long lines and ends by itself where all fits;
``cat`` is none. As for ``man`` and ``git`` it may be any command line of ``sh``: ``sed s/a/b/ | less``. Messages on the
same terminal wait until the pager has ended: they are the last that is seen.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from kandji_schema.errors import ConfigurationError
from kandji_schema.settings import load

NONE = frozenset({"", "cat"})
"""What is typed where no pager is wanted."""

SHELL = re.compile(r"[^\w\s,.:/@%+=-]")
"""Letters that a shell has to read: quotes, pipes, variables."""

DEFAULTS: Mapping[str, str] = {"LESS": "FRSX", "LESSCHARSET": "utf-8"}
"""What less is told where nobody told it: end where all fits, take colours, chop lines, leave the screen as it is."""


@contextmanager
def paged() -> Iterator[None]:
    """Have all that the block writes on stdout, a terminal, go through a pager where it is longer than the screen."""
    out, messages = sys.stdout, sys.stderr
    screen = Screen(out, pager())
    sys.stdout = cast(TextIO, screen)
    if messages.isatty():
        sys.stderr = cast(TextIO, _After(messages, screen))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, messages
        screen.finish()


def pager() -> list[str]:
    """Return the command of the pager; empty where there is none."""
    wanted = os.environ.get("PAGER")
    with suppress(ConfigurationError):  # the command itself says so, where it needs the settings
        wanted = load(doubtful=True).mirror_pager or wanted
    if wanted is None:
        return ["less"] if shutil.which("less") else []
    if wanted.strip() in NONE:
        return []
    return ["sh", "-c", wanted] if SHELL.search(wanted) else wanted.split()


class Screen:
    """A terminal that is written to: the first screen waits, and once there is more all goes to the pager."""

    def __init__(self, out: TextIO, command: list[str]) -> None:
        """``command`` is that of the pager, empty for none."""
        self._out = out
        self._command = command
        self._waiting: list[str] = []
        self._lines = 0
        self._process: subprocess.Popen[str] | None = None
        self._interrupt: Any = None

    def write(self, text: str) -> int:
        """Keep, show or pass on a text; :class:`BrokenPipeError` where the pager was left."""
        if self._process:
            cast(TextIO, self._process.stdin).write(text)
        elif not self._command:
            self._out.write(text)
        else:
            self._waiting.append(text)
            self._lines += _lines(text)
            if self._lines >= shutil.get_terminal_size().lines:
                self._begin()
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Do nothing: when all is there it is seen whether it fits."""

    def finish(self) -> None:
        """Write what waits, and wait until the pager is left; what is written afterwards begins anew."""
        if self._process is None:
            self._out.write("".join(self._waiting))
            self._out.flush()
        else:
            with suppress(BrokenPipeError):  # it was left before it had seen all
                cast(TextIO, self._process.stdin).close()
            self._process.wait()
            signal.signal(signal.SIGINT, self._interrupt)
            self._process = None
        self._waiting, self._lines = [], 0

    def fileno(self) -> int:
        """Return the number of what is written to at this moment."""
        return cast(TextIO, self._process.stdin).fileno() if self._process else self._out.fileno()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._out, name)

    def _begin(self) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603  # the person's own choice, as in every other command
                self._command,
                stdin=subprocess.PIPE,
                env={**DEFAULTS, **os.environ},
                encoding="utf-8",
                errors="backslashreplace",
            )
        except OSError as error:
            program, self._command = self._command[0], []
            sys.stderr.write(  # after what waits
                f"warning: The pager {program} could not be started: {error.strerror or error}.\n"
            )
            self.finish()
        else:
            # Ctrl-C is the pager's: this process would leave it alone with the terminal
            self._interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
            cast(TextIO, self._process.stdin).writelines(self._waiting)
            self._waiting = []


class _After:
    """Messages on the terminal that a pager may have at this moment."""

    def __init__(self, messages: TextIO, screen: Screen) -> None:
        self._messages = messages
        self._screen = screen

    def write(self, text: str) -> int:
        self._screen.finish()
        return self._messages.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._messages, name)


def _lines(text: str) -> int:
    """Count the lines of the terminal that the line breaks of a text end, long ones by what they are broken into."""
    room = max(1, shutil.get_terminal_size().columns)
    return sum(1 + max(0, len(line) - 1) // room for line in text.split("\n")[:-1])
