"""Jobs in threads of their own, of which Ctrl-C need not wait for the last."""

from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic

LAST_SECONDS = 1.5
"""How long a stopped run waits for what is nearly done."""

_LOOK_EVERY = 0.5  # seconds; a wait without end cannot be interrupted on Windows

Job = Callable[[], None]


def side_by_side(jobs: Sequence[Job], stop: Callable[[], None]) -> None:
    """Run all jobs at once and wait for them. The first error of one, or Ctrl-C, calls ``stop`` and is raised.

    Jobs that have not ended soon after that are left alone: they hold nothing up, not even the end of the process.
    """
    ended: SimpleQueue[BaseException | None] = SimpleQueue()
    for job in jobs:
        Thread(target=_run, args=(job, ended), daemon=True, name="kandji-sync").start()
    left = len(jobs)
    try:
        while left:
            error = _next(ended)
            left -= 1
            if error is not None:
                raise error
    except BaseException:
        stop()
        _await(ended, left)
        raise


def _run(job: Job, ended: "SimpleQueue[BaseException | None]") -> None:
    try:
        job()
    except BaseException as error:  # raised again where the job is waited for
        ended.put(error)
    else:
        ended.put(None)


def _next(ended: "SimpleQueue[BaseException | None]") -> BaseException | None:
    while True:
        try:
            return ended.get(timeout=_LOOK_EVERY)
        except Empty:
            continue


def _await(ended: "SimpleQueue[BaseException | None]", jobs: int) -> None:
    """Give running jobs a moment to end, all together."""
    until = monotonic() + LAST_SECONDS
    for _ in range(jobs):
        try:
            ended.get(timeout=max(0.0, until - monotonic()))
        except Empty:
            return
