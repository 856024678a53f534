"""What a process may take from the machine; none of it can be taken back by SQL.

The limits are POSIX's. Where there are none (Windows) the module can be imported and a process of one's own goes
unbounded, but none is restricted for statements of anyone's: those are refused there.
"""

import math
import os
import sys
import time
from pathlib import Path
from threading import Thread

from kandji_queries.engine.limits import Verdict, Watchdog
from kandji_schema.errors import StoreError

if sys.platform != "win32":
    import resource

FILES = 512
"""Most open files. A data file takes one: 37 tables and the segments of history (some 60 after a year), twice while a
new state replaces an old one, and ten of Python's and DuckDB's own."""

LEAST_MEMORY = 2 * 1024**3
"""Bytes a process may map on top of what it has mapped: threads and allocators map far more than they use."""

BESIDE_ENGINE = 1024**3
"""Bytes beside the engine's own limit: Python's objects, results, and what one call of a function makes at once."""

MARGIN_SECONDS = 5
"""CPU seconds a statement may use beyond its time limit: others stop it earlier, and kindlier."""

STATM = Path("/proc/self/statm")
"""Linux: pages mapped, the first number."""


def restrict(memory_mb: int) -> None:
    """Bound this process for good: memory, open files, no writing to files, no core dumps.

    :class:`StoreError` where the system cannot do that.
    """
    if sys.platform == "win32":
        raise StoreError("This system cannot bound a process, so it runs no statements of others: use Linux or macOS.")
    _set_limit(resource.RLIMIT_CORE, 0)
    _set_limit(resource.RLIMIT_FSIZE, 0)
    _set_limit(resource.RLIMIT_NOFILE, FILES)
    bound_memory(memory_mb)


def bound_memory(memory_mb: int) -> None:
    """Let this process take ``memory_mb`` MB, the engine's own limit, and a good deal more, but not all there is.

    Where the system does not enforce it (macOS knows the limit and ignores it) a thread watches and ends the process.
    """
    if sys.platform == "win32":
        return
    allowance = max(LEAST_MEMORY, memory_mb * 1024**2 + BESIDE_ENGINE)
    if STATM.exists():
        mapped = int(STATM.read_bytes().split()[0]) * resource.getpagesize()
        _set_limit(resource.RLIMIT_AS, mapped + allowance)
    else:
        watch_memory(most_resident_bytes() + allowance)


def watch_memory(most_bytes: int) -> None:
    """End the process when its resident memory was ever above ``most_bytes``."""
    watchdog = Watchdog(most_bytes=most_bytes, memory=most_resident_bytes)

    def watch() -> None:
        while watchdog.look() is not Verdict.KILL:
            time.sleep(watchdog.pause())
        os._exit(1)

    Thread(target=watch, daemon=True, name="memory").start()


def may_map(size: int) -> bool:
    """Tell whether this process may map so many bytes in all, as far as the system tells."""
    if sys.platform == "win32":
        return True
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return soft == resource.RLIM_INFINITY or soft >= size


def allow_cpu(seconds: float, threads: int) -> None:
    """Let this process use so much more CPU time; then the system ends it, whatever became of the parent."""
    if sys.platform == "win32":
        return
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = math.ceil(time.process_time() + seconds * threads) + MARGIN_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def most_resident_bytes() -> int:
    """Return the most memory this process ever had, in bytes; 0 where the system does not tell."""
    if sys.platform == "win32":
        return 0
    unit = 1 if sys.platform == "darwin" else 1_024  # what the system counts in
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _set_limit(kind: int, most: int) -> None:
    if sys.platform == "win32":
        return
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(kind, (most, most))
