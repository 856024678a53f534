"""Work in a thread of its own, so that a signal strikes the one that only waits."""

from collections.abc import Callable
from concurrent.futures import wait
from typing import TypeVar

from kandji_mirror.api.aside import in_thread

T = TypeVar("T")

PATIENCE = 5.0
"""Seconds a stopped job gets to publish what is complete; a second signal ends even these."""

_LOOK_EVERY = 0.5  # seconds; a wait without end cannot be interrupted on Windows


def apart(job: Callable[[], T], stop: Callable[[], None]) -> T:
    """What ``job`` returns or raises. Ctrl-C calls ``stop``, gives the job a moment to end, and is raised.

    In the job's own thread it could strike in a call into DuckDB, which either swallows it or leaves the connection in
    use, so that all that tidies up fails in turn.
    """
    future = in_thread(job)
    try:
        while not future.done():
            wait([future], _LOOK_EVERY)
    except KeyboardInterrupt:
        stop()
        wait([future], PATIENCE)
        raise
    return future.result()
