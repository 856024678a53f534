"""Statements of anyone's: what the guard costs, and what a process of its own adds to a small one."""

import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from statistics import median

from figures import Figure
from unlimited import Unlimited

from kandji_mirror.api.client import Client
from kandji_mirror.sync.run import sync
from kandji_queries.engine.limits import QueryLimits
from kandji_queries.engine.lockdown import empty_engine
from kandji_queries.guard.statements import Guard
from kandji_queries.reader import Reader
from kandji_queries.workers.pool import WorkerPool
from kandji_simulator import TOKEN, Tenant, World

ROUNDS = 200
GUARD_LIMIT = 1.0
"""Milliseconds a check may take."""

ADDED_LIMIT = 2.0
"""Milliseconds a process of its own may add."""

SMALL = "SELECT count(*) FROM devices"
JOIN = "SELECT platform, count(*) FROM devices JOIN apps USING (device_id) GROUP BY ALL ORDER BY 2 DESC LIMIT 10"
TABLES = ("devices", "apps", "blueprints")


def measure(folder: Path, devices: int, apps: int) -> list[Figure]:
    tenant = Tenant(World(1, min(devices, 1_000), apps_per_device=10), limits=None)
    sync(folder, "loopback", Client(tenant.handle, TOKEN, Unlimited()), everything=True)
    limits = QueryLimits(rows=500, bytes=60_000, cell_bytes=4_000)
    with empty_engine(limits) as parser:
        guard = Guard(parser.cursor)
        numbers = count()  # the same text is looked at once
        checked = _milliseconds(lambda: guard.check(f"{JOIN} -- {next(numbers)}", TABLES))
    with Reader(folder, limits, second_opinion=True) as reader, WorkerPool(folder, limits) as workers:
        added = _difference(lambda: workers.run(SMALL), lambda: reader.run(SMALL))
    return [
        Figure("guard, median of a check", checked, GUARD_LIMIT, "ms", "<= 1.00"),
        Figure("process of its own, median added", added, ADDED_LIMIT, "ms", "<= 1.00"),
    ]


def _milliseconds(action: Callable[[], object]) -> float:
    action()
    return median(_timed(action) for _ in range(ROUNDS))


def _difference(ours: Callable[[], object], bare: Callable[[], object]) -> float:
    """Median of pairs taken right after each other, because a busy machine slows both."""
    ours(), bare()
    return median(_timed(ours) - _timed(bare) for _ in range(ROUNDS))


def _timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1_000
