"""What this process itself tells: its questions and their workers, its scheduler, its checks, its versions."""

import platform
from collections.abc import Callable, Iterator
from importlib.metadata import version

from kandji_mcp_server.monitoring.samples import Sample, Watched


def query_samples(watched: Watched) -> Iterator[Sample]:
    """Give what was asked, and how busy those are who answer."""
    tally = watched.context.tally  # one for all contexts of a mirror
    for (face, kind, outcome), count in tally.ended().items():
        yield Sample("queries_total", count, (face.value, kind.value, outcome))
    for face, times in tally.times().items():
        yield Sample("query_duration_seconds", times, (face.value,))
    loads = [load for context in watched.contexts if (load := context.load)]
    yield Sample("workers_busy", sum(load.busy for load in loads))
    yield Sample("workers_ready", sum(load.ready for load in loads))
    yield Sample("statements_waiting", sum(load.waiting for load in loads))


def scheduler_samples(watched: Watched) -> Iterator[Sample]:
    """Give whether syncing goes on in this process."""
    scheduler = watched.scheduler
    yield Sample("sync_resting", scheduler is not None and scheduler.resting)
    yield Sample("sync_alive", scheduler is None or scheduler.alive)


def check_samples(watched: Watched) -> Iterator[Sample]:
    """Give how the checks stand, where somebody counts them."""
    if watched.checks is None:
        return
    found = watched.checks()
    yield Sample("checks_on", found.on)
    yield Sample("checks_without_answer", found.without_answer)
    yield Sample("check_findings", found.findings)
    yield Sample("check_deliveries_waiting", found.waiting)
    yield Sample("check_deliveries_failed", found.failed)


def process_samples(sessions: Callable[[], int]) -> Iterator[Sample]:
    """Give what is of the process and of no tenant."""
    yield Sample("build_info", 1, (version("kandji-mirror"), version("duckdb"), platform.python_version()))
    yield Sample("mcp_sessions", sessions())
