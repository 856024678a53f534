"""What readers notice of a publish: how long one takes while another process polls, and how long its polls take."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from figures import Figure

from kandji_mirror.api.budget import Unlimited
from kandji_mirror.api.client import Client
from kandji_mirror.api.wire import Request, Response
from kandji_mirror.simulator.tenant import TOKEN, Tenant
from kandji_mirror.simulator.world import World
from kandji_mirror.sync.run import sync

TABLE = "prism_filevault"
PUBLISHES = 15
EVERY = 0.5
"""Seconds between two publishes, and as long as the reader is watched without any."""

PUBLISH_MS, READER_MS = 60, 10

POLL = """
import sys, threading, time
from pathlib import Path
from kandji_queries.reader import Reader
going = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), going.set()), daemon=True).start()
times, states = [], set()
with Reader(Path(sys.argv[1]), standby=True) as reader:
    while not going.is_set():
        began = time.perf_counter()
        answer = reader.run("SELECT key_escrowed, count(*) FROM prism_filevault GROUP BY ALL")
        times.append((time.perf_counter() - began) * 1_000)
        states.add(str(answer.rows))
        print(flush=True) if len(times) == 1 else None
        time.sleep(0.005)
times = sorted(times[1:])
print(times[int(len(times) * 0.99)], len(states))
"""


class Noted:
    """The tenant, noting when it answered last."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self.answered = 0.0

    def send(self, request: Request) -> Response:
        response = self._tenant.handle(request)
        self.answered = time.perf_counter()
        return response


def measure(folder: Path, devices: int, apps: int) -> list[Figure]:
    tenant = Tenant(World(1, devices, apps_per_device=10), limits=None)
    noted = Noted(tenant)
    _synced(folder, tenant, noted, "devices", TABLE)
    with _polling(folder) as alone:
        time.sleep(PUBLISHES * EVERY)
    times = []
    with _polling(folder) as beside:
        for _ in range(PUBLISHES):
            time.sleep(EVERY)
            _change(tenant.world, max(1, devices // 100))
            times.append(_synced(folder, tenant, noted, TABLE))
    assert beside["states"] > PUBLISHES // 2, "the reader did not see what was published"
    return [
        Figure(f"publish 1 % of {devices:,} rows beside a reader", median(times), PUBLISH_MS, "ms", "<= 1.00"),
        Figure("reader p99 while nobody publishes", alone["p99"], READER_MS, "ms", ""),
        Figure("reader p99 during these publishes", beside["p99"], READER_MS, "ms", "<= 1.00"),
    ]


def _change(world: World, devices: int) -> None:
    """Some disks change what they say of themselves; the count stays."""
    world.wait(timedelta(minutes=15))
    for row in list(islice(world.truth(TABLE), devices)):
        world.redraw(str(row["device_id"]), "filevault")


def _synced(home: Path, tenant: Tenant, noted: Noted, *names: str) -> float:
    """Milliseconds from the last answer of the provider until the run has published and ended."""
    report = sync(home, "loopback", Client(noted.send, TOKEN, Unlimited(), fetch=tenant.fetch), names=names)
    assert not report.failed, report.failed
    return (time.perf_counter() - noted.answered) * 1_000


@contextmanager
def _polling(home: Path) -> Iterator[dict[str, Any]]:
    """A process that polls until the block ends; then its p99 in milliseconds, and how many answers differed."""
    found: dict[str, Any] = {}
    command = [sys.executable, "-c", POLL, str(home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin
        assert child.stdout
        child.stdout.readline()
        yield found
        child.stdin.close()
        p99, states = child.stdout.read().split()
        found |= {"p99": float(p99), "states": int(states)}
