"""What readers notice of a publish: how long one takes while another process polls, and how long its polls take."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from figures import Figure
from unlimited import Unlimited

from kandji_mirror.api.client import Client
from kandji_mirror.ingest.engine import Engine
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.store.opening import open_store
from kandji_mirror.store.store import Store
from kandji_mirror.sync.publish import publish
from kandji_mirror.sync.run import KEEP_DAYS, sync
from kandji_schema.registry import resource, resources
from kandji_simulator import TOKEN, Tenant, World

TABLE = "prism_filevault"
PUBLISHES = 10
EVERY = 2.0
"""Seconds between two publishes: a mirror publishes a few times a minute. As long the reader is watched without any."""

PUBLISH_MS, READER_MS = 60, 10

POLL = """
import sys, threading, time
from pathlib import Path
from kandji_queries.reader import Reader
going = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), going.set()), daemon=True).start()
times, states = [], set()
with Reader(Path(sys.argv[1]), warm=True) as reader:
    while not going.is_set():
        began = time.perf_counter()
        answer = reader.run("SELECT key_escrowed, count(*) FROM prism_filevault GROUP BY ALL")
        times.append((time.perf_counter() - began) * 1_000)
        states.add(str(answer.rows))
        print(flush=True) if len(times) == 1 else None
        time.sleep(0.005)
times = sorted(times[1:])
print(times[int(len(times) * 0.99)], times[-1], len(states))
"""


def measure(folder: Path, devices: int, apps: int) -> list[Figure]:
    tenant = Tenant(World(1, devices, apps_per_device=10), limits=None)
    client = Client(tenant.handle, TOKEN, Unlimited(), fetch=tenant.fetch)
    assert not sync(folder, "loopback", client, names=("devices", TABLE)).failed
    with _polling(folder) as alone:
        time.sleep(PUBLISHES * EVERY)
    with (
        open_store(folder, "loopback", resources()) as store,
        Engine(folder / "spill") as engine,
        _polling(folder) as beside,
    ):
        bare, whole = (
            [_published(store, engine, _changed(tenant.world, devices // 100 or 1), days) for _ in range(PUBLISHES)]
            for days in (0, KEEP_DAYS)
        )
    assert beside["states"] > PUBLISHES, "the reader did not see what was published"
    return [
        Figure(f"publish 1 % of {devices:,} rows beside a reader", median(bare), PUBLISH_MS, "ms", "<= 1.00"),
        Figure("the same with what changed as history", median(whole), PUBLISH_MS, "ms", ""),
        Figure("reader p99 while nobody publishes", alone["p99"], READER_MS, "ms", ""),
        Figure("reader p99 during these publishes", beside["p99"], READER_MS, "ms", "<= 1.00"),
        Figure("slowest read, the first of a new state", beside["slowest"], READER_MS, "ms", ""),
    ]


def _changed(world: World, devices: int) -> list[dict[str, Any]]:
    """Some disks say something else of themselves, a while after the last did."""
    time.sleep(EVERY)
    world.wait(timedelta(minutes=15))
    some = {str(row["device_id"]) for row in islice(world.truth(TABLE), devices)}
    for device in some:
        world.redraw(device, "filevault")
    return [row for row in world.truth(TABLE) if row["device_id"] in some]


def _published(store: Store, engine: Engine, rows: list[dict[str, Any]], keep_days: int) -> float:
    """Milliseconds from staged rows to the manifest that names them."""
    before, live = store.current.tables[TABLE], store.data_file(TABLE)
    assert live is not None
    with store.scratch(TABLE) as (scratch, target), Staging(resource(TABLE), scratch, engine=engine) as staging:
        staging.add(json.dumps({"data": rows}))
        staging.flush()
        began = time.perf_counter()
        merged = staging.merge(live, target, built_bytes=before.built_bytes)
        size = target.stat().st_size
        state = replace(
            before, file=store.admit(TABLE, target), bytes=size, rows=merged.rows, attempted_at=store.wall()
        )
        publish(store, engine, {TABLE: state}, keep_days=keep_days)
        return (time.perf_counter() - began) * 1_000


@contextmanager
def _polling(home: Path) -> Iterator[dict[str, Any]]:
    """A process that polls until the block ends; its p99 and slowest in milliseconds, and how many states it saw."""
    found: dict[str, Any] = {}
    command = [sys.executable, "-c", POLL, str(home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin
        assert child.stdout
        child.stdout.readline()
        yield found
        child.stdin.close()
        p99, slowest, states = child.stdout.read().split()
        found |= {"p99": float(p99), "slowest": float(slowest), "states": int(states)}
