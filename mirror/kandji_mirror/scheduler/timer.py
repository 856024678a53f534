"""The timer: calls functions again and again from threads of their own, by APScheduler. No other module knows it.

Run, not remembered: its interval trigger lists every run that was missed, one by one, which takes minutes after a
clock that stood at 1970 was set; its ``shutdown(wait=True)`` waits for jobs with a lock held that jobs may need; a job
that is still running when its time comes is told as a warning, every time.
"""

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

log = logging.getLogger(__name__)


LATE = timedelta(seconds=30)
"""After a sleep of the machine jobs are late for a moment, until the library's thread wakes."""


@dataclass(frozen=True)
class Job:
    """``call`` is called every ``seconds``, or up to a fifth later, in at most ``at_once`` threads at a time."""

    name: str
    seconds: float
    call: Callable[[], None]
    at_once: int = 1


class Timer:
    """Calls its jobs, each at once when it starts, until it is stopped.

    ``jitter`` answers 0.0 to 1.0. ``wall`` tells the time of day, aware UTC.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        jitter: Callable[[], float] = random.random,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        threads = ThreadPoolExecutor(sum(job.at_once for job in jobs), {"thread_name_prefix": "schedule"})
        quiet = log.getChild("apscheduler")
        quiet.setLevel(logging.ERROR)
        logging.getLogger("apscheduler.executors.default").setLevel(logging.ERROR)  # it has a line for every call
        self._jobs = jobs
        self._wall = wall
        self._scheduler = BackgroundScheduler(timezone=UTC, executors={"default": threads}, logger=quiet)
        for job in jobs:
            self._scheduler.add_job(
                job.call,
                _Every(job.seconds, jitter),
                id=job.name,
                max_instances=job.at_once,
                coalesce=True,
                misfire_grace_time=None,
            )

    def start(self) -> None:
        """Begin to call."""
        self._scheduler.start()

    def now(self, name: str) -> None:
        """Call a job at once, if it may be called once more."""
        try:
            self._scheduler.modify_job(name, next_run_time=self._wall())
        except JobLookupError:
            return  # stopped meanwhile

    def is_late(self) -> bool:
        """Tell whether a job's time passed long ago and nothing called it or put it off: the library's thread hangs."""
        if not self._scheduler.running:
            return False
        waiting = [self._scheduler.get_job(job.name) for job in self._jobs]
        long_ago = self._wall() - LATE
        return any(job is not None and job.next_run_time < long_ago for job in waiting)

    def keep_up(self) -> None:
        """Let no job wait longer than it should because the clock was set back."""
        for job in self._jobs:
            waiting = self._scheduler.get_job(job.name)
            if waiting and waiting.next_run_time > self._wall() + timedelta(seconds=2 * job.seconds):
                self.now(job.name)

    def stop(self) -> None:
        """Call nothing any more. Calls under way go on; this does not wait for them."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)


class _Every(BaseTrigger):  # type: ignore[misc]  # the library has no types
    """So many seconds after now: calls that were missed, in a sleeping laptop say, are one call."""

    def __init__(self, seconds: float, jitter: Callable[[], float]) -> None:
        self._seconds = seconds
        self._jitter = jitter

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        if previous is None:
            return now
        return now + timedelta(seconds=self._seconds * (1 + self._jitter() / 5))
