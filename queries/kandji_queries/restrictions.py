"""What a process may take from the machine; none of it can be taken back by SQL."""

import math
import os
import resource
import time
from pathlib import Path
from threading import Thread

FILES = 512
"""Most open files. A data file takes one: 37 tables and the segments of history (some 60 after a year), twice while a
new state replaces an old one, and ten of Python's and DuckDB's own."""

LEAST_MEMORY = 2 * 1024**3
"""Bytes a process may map on top of what it has mapped: threads and allocators map far more than they use."""

BESIDE_ENGINE = 1024**3
"""Bytes beside the engine's own limit: Python's objects, results, and what one call of a function makes at once."""

MARGIN_SECONDS = 5
"""CPU seconds a statement may use beyond its time limit: others stop it earlier, and kindlier."""

WATCH_SECONDS = 0.05

STATM = Path("/proc/self/statm")
"""Linux: pages mapped, the first number."""


def restrict(memory_mb: int) -> None:
    """Bound this process for good: memory, open files, no writing to files, no core dumps."""
    _at_most(resource.RLIMIT_CORE, 0)
    _at_most(resource.RLIMIT_FSIZE, 0)
    _at_most(resource.RLIMIT_NOFILE, FILES)
    bound_memory(memory_mb)


def bound_memory(memory_mb: int) -> None:
    """Let this process take ``memory_mb`` MB, the engine's own limit, and a good deal more, but not all there is.

    Where the system does not enforce it (macOS knows the limit and ignores it) a thread watches and ends the process.
    """
    allowance = max(LEAST_MEMORY, memory_mb * 1024**2 + BESIDE_ENGINE)
    if STATM.exists():
        mapped = int(STATM.read_bytes().split()[0]) * resource.getpagesize()
        _at_most(resource.RLIMIT_AS, mapped + allowance)
    else:
        watch_memory(_most_resident() + allowance, unit=1)


def watch_memory(most: int, *, unit: int) -> None:
    """End the process when its resident memory was ever above ``most`` bytes.

    ``unit`` is what ``getrusage`` counts in: 1 on macOS, 1,024 on Linux.
    """

    def watch() -> None:
        while _most_resident() * unit <= most:
            time.sleep(WATCH_SECONDS)
        os._exit(1)

    Thread(target=watch, daemon=True, name="memory").start()


def allow_cpu(seconds: float, threads: int) -> None:
    """Let this process use so much more CPU time; then the system ends it, whatever became of the parent."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = math.ceil(time.process_time() + seconds * threads) + MARGIN_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _most_resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _at_most(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(kind, (most, most))
