"""What a server needs of its own process: no core file, many open files, and a log that is never a flood.

The log is on stderr, its times in UTC. Windows knows neither core files nor limits of open files.
"""

import logging
import sys
import time
from collections import OrderedDict
from collections.abc import Callable

WITHOUT_LIMIT = 10_240
"""Open files where the system names no hard limit: what macOS lets any process have."""

UNKNOWN = 512
"""Open files of a process where the system cannot be asked."""


def disable_core_dumps() -> None:
    """Have no core file written when the process dies: it would hold the tokens."""
    if sys.platform != "win32":
        import resource  # not on Windows

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def raise_file_limit() -> int:
    """Raise the limit of open files as far as the system allows, and tell it."""
    if sys.platform == "win32":
        return UNKNOWN
    import resource  # not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return WITHOUT_LIMIT
    most = WITHOUT_LIMIT if hard == resource.RLIM_INFINITY else hard
    if soft < most:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        except (OSError, ValueError):  # the kernel's own limit is lower than the hard one
            return soft
    return max(soft, most)


SAME = 5
"""Lines of one kind within :data:`WINDOW`; further ones are counted."""

WINDOW = 60.0
"""Seconds."""

KINDS = 256
"""Kinds of lines that are remembered."""


class RepeatFilter(logging.Filter):
    """Lets few lines of one kind through in a while; the next one afterwards says how many were left out.

    Lines are of one kind that are written at the same place in the program.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._seen: OrderedDict[tuple[str, int], tuple[float, int]] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether to write a line."""
        kind, now = (record.pathname, record.lineno), self._clock()
        began, count = self._seen.pop(kind, (now, 0))
        if now - began >= WINDOW:
            if count > SAME:
                record.msg = f"{record.getMessage()} ({count - SAME:,} more like it before)"
                record.args = ()
            began, count = now, 0
        self._seen[kind] = (began, count + 1)
        if len(self._seen) > KINDS:
            self._seen.popitem(last=False)
        return count < SAME


class _Utc(logging.Formatter):
    converter = staticmethod(time.gmtime)


def log_to_stderr() -> None:
    """Have everything of this process from warnings on written to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Utc("%(asctime)s %(levelname)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%SZ"))
    handler.addFilter(RepeatFilter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
