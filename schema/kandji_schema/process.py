"""How every process of ours begins, whatever environment started it."""

import os
import sys

UTF8 = "PYTHONUTF8"


def begin() -> None:
    """Make what this process writes its user's alone, and its texts UTF-8. To be called before anything is read.

    In a strict C locale Python takes arguments, paths and output for ASCII: names of people then reach neither SQL nor
    DuckDB. That cannot be changed from inside, so the process starts itself once more in Python's UTF-8 mode.
    """
    os.umask(0o077)  # also for files that SQLite and DuckDB make: names of people are in them
    if os.name != "posix" or sys.getfilesystemencoding() == "utf-8" or os.environ.get(UTF8) == "1":
        return
    again = [sys.executable, *sys.orig_argv[1:]]
    os.execve(sys.executable, again, {**os.environ, UTF8: "1"})  # noqa: S606  # this very program, no shell
