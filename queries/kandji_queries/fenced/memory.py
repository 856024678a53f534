"""A watch over a child's memory, for systems where the child cannot bound it itself (macOS has no RLIMIT_AS)."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

LOOK_EVERY = 0.2
"""Seconds between two looks; a statement that fills memory needs longer for what hurts."""

ALLOWANCE_MB = 512
"""What a child holds beyond the engine's own memory limit."""


@contextmanager
def watched(
    pid: int, limit_mb: int, end: Callable[[], None], *, needed: bool = sys.platform == "darwin"
) -> Iterator[None]:
    """Call ``end`` when process ``pid`` grows above ``limit_mb`` and the allowance while the block runs.

    Does nothing where it is not ``needed``.
    """
    if not needed:
        yield
        return
    done = Event()
    Thread(target=_watch, args=(pid, limit_mb + ALLOWANCE_MB, end, done), daemon=True, name="fenced-memory").start()
    try:
        yield
    finally:
        done.set()


def resident_mb(pid: int) -> int:
    """Memory a process holds; 0 where it is gone."""
    with suppress(OSError, ValueError, subprocess.SubprocessError):
        asked = ["/bin/ps", "-o", "rss=", "-p", str(pid)]
        found = subprocess.run(asked, capture_output=True, text=True, timeout=5, check=False)  # noqa: S603  # fixed
        return int(found.stdout.strip() or 0) // 1024
    return 0


def _watch(pid: int, most: int, end: Callable[[], None], done: Event) -> None:
    while not done.wait(LOOK_EVERY):
        if resident_mb(pid) > most:
            end()
            return
