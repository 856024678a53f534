"""Asking the process that syncs, from one that does not."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from kandji_mirror.report import Report
from kandji_mirror.scheduler.desk import Wish
from kandji_mirror.scheduler.mailbox import Mailbox
from kandji_schema.errors import AlreadySyncing

PATIENCE = 1_800.0
"""Seconds an answer may take: exports alone may take 15 minutes."""

TRIES_EVERY = 5.0
"""Seconds between two attempts to do it oneself, in case that the process that syncs went away."""

POLL_SECONDS = 0.2


def ask(
    home: Path,
    wish: Wish,
    *,
    patience: float = PATIENCE,
    instead: Callable[[], Report] | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Report:
    """Have the syncing process fulfil a wish now, and wait until it has.

    ``instead`` is tried every few seconds: while it raises :class:`AlreadySyncing` there is another process, otherwise
    its report is the answer. Raises what the other process met with, and :class:`AlreadySyncing` after ``patience``
    seconds.
    """
    began = tried = clock()
    with Mailbox(home).put(wish) as letter:
        while clock() - began < patience:
            if report := letter.answer():
                return report
            if instead and clock() - tried >= TRIES_EVERY:
                tried = clock()
                with suppress(AlreadySyncing):
                    return instead()
            sleep(POLL_SECONDS)
    raise AlreadySyncing(
        f"The process that syncs this mirror has not answered within {patience:g} s. `kandji-mirror status` tells how "
        "old every table is."
    )


def sync_or_ask(
    home: Path,
    wish: Wish,
    attempt: Callable[[], Report],
    *,
    sleep: Callable[[float], object] = time.sleep,
    handed_over: Callable[[], object] = lambda: None,
) -> Report:
    """The report of ``attempt``, a sync by this process; where another one holds the lock, that one is asked.

    ``handed_over`` is called before it is waited for. Where the other process goes away meanwhile, it is done here.
    """
    try:
        return attempt()
    except AlreadySyncing:
        handed_over()
        return ask(home, wish, instead=attempt, sleep=sleep)
