"""Syncs over HTTP in a process of their own: a first one by export, one without change, two after 1 % changed."""

import json
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import IO, Any

import duckdb
from figures import Figure

from kandji_mirror.sync.strategy import EXPORT_REQUESTS, MANY_ROWS
from kandji_schema.manifest import Manifest, data_dir, kept
from kandji_schema.registry import resources, tenant_tables
from kandji_schema.resource import Resource
from kandji_simulator import TOKEN, Quirks, Tenant, World, serve

PAGE = 300
FIRST_SYNC_REQUESTS = 350

SYNC = """
import json, resource, sys, time
from pathlib import Path
from unlimited import Unlimited
from kandji_mirror.api.client import Client
from kandji_mirror.api.transport import Download, HttpTransport
from kandji_mirror.sync.run import sync

home, url, token = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
for line in sys.stdin:
    names = tuple(json.loads(line))
    with HttpTransport(url, read_timeout=60) as transport, Download(url, read_timeout=60) as fetch:
        client = Client(transport, token, Unlimited(), fetch=fetch)
        began, busy = time.perf_counter(), time.process_time()
        report = sync(home, "loopback", client, names=names, sweep=0)
    seconds, cpu = time.perf_counter() - began, time.process_time() - busy
    # The high-water mark of the system where there is one: ru_maxrss also remembers the process this one came from.
    proc = Path("/proc/self/status")
    marks = dict(line.split(":", 1) for line in proc.read_text().splitlines()) if proc.exists() else {}
    peak = (int(marks["VmHWM"].split()[0]) if marks else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024
    failed = [outcome.table for outcome in report.failed]
    answer = {"requests": report.requests, "seconds": seconds, "cpu": cpu, "peak": peak, "failed": failed}
    print(json.dumps(answer), flush=True)
"""

PRISM = tuple(r.name for r in tenant_tables().values() if r.category and not r.repeats)

LISTED = tuple(r.name for r in tenant_tables().values() if not r.swept and not r.newest_first)

QUIET = sum(2 if resource.key == ("device_id",) else 4 for resource in map(resources().__getitem__, PRISM))
"""One page of changes and one count a category; of lists also what was only collected again: how much, and what is
new."""


def measure(folder: Path, devices: int, apps: int) -> list[Figure]:
    exact = Quirks(approximate_counts_from=10**9)
    tenant = Tenant(World(1, devices, apps_per_device=apps), limits=None, quirks=exact)
    with serve(tenant) as server:
        command = [sys.executable, "-c", SYNC, str(folder), server.url, TOKEN]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdin
            assert child.stdout
            first = _asked(child.stdin, child.stdout)
            rows = _equal_rows(folder, tenant, LISTED)
            quiet = _asked(child.stdin, child.stdout, *PRISM)
            macs = [row["device_id"] for row in islice(tenant.world.truth("prism_filevault"), devices // 100)]
            least = _least(folder, macs)
            _update_an_app(tenant.world, macs)
            busy = _asked(child.stdin, child.stdout, *PRISM)
            _equal_rows(folder, tenant, PRISM)
            _swap_an_app(tenant.world, macs)
            swapped = _asked(child.stdin, child.stdout, *PRISM)
            _equal_rows(folder, tenant, PRISM)
            child.stdin.close()
    least_swapped = least + min(EXPORT_REQUESTS, -(-devices // 100 * apps // PAGE))
    return [
        Figure("requests of a first sync", first["requests"], FIRST_SYNC_REQUESTS, "requests", "<= 1.00"),
        Figure("memory of a first sync", first["peak"], 1_024, "MB", "<= 1.00"),
        Figure("first sync, rows a second", rows / first["seconds"], 0, "rows/s", "rows equal the truth"),
        Figure("requests of a pass without change", quiet["requests"], QUIET, "requests", "<= 1.00"),
        Figure("processor time of a pass without change", quiet["cpu"] * 1000, 2_000, "ms", "<= 1.00"),
        Figure("requests after 1 % of devices changed", busy["requests"], least, "requests", "<= 1.50"),
        Figure("processor time of that pass", busy["cpu"] * 1000, 0, "ms", "rows equal the truth"),
        Figure("requests after 1 % lost an app and got one", swapped["requests"], least_swapped, "requests", "<= 1.50"),
        Figure("processor time of that pass", swapped["cpu"] * 1000, 0, "ms", "rows equal the truth"),
    ]


def _asked(to: IO[str], answers: IO[str], *names: str) -> dict[str, Any]:
    to.write(json.dumps(names) + "\n")
    to.flush()
    answer: dict[str, Any] = json.loads(answers.readline())
    assert not answer["failed"], answer["failed"]
    return answer


def _least(folder: Path, devices: list[str]) -> int:
    """The fewest requests that see that these devices were collected, with one row of each category changed.

    A count and the pages of rows written; of lists also those of rows collected again, which another filter tells. Of
    the very large ones those are not read. Where devices lost rows, these are to be found too: by all rows of the
    devices, or by an export.
    """
    return sum(1 + _pages(len(devices)) + _pages_collected(folder, resources()[name], devices) for name in PRISM)


def _pages(rows: int) -> int:
    return max(1, -(-rows // PAGE))


def _pages_collected(folder: Path, resource: Resource, devices: list[str]) -> int:
    manifest = next(kept(folder))
    assert isinstance(manifest, Manifest)
    state = manifest.tables[resource.name]
    if resource.key == ("device_id",) or state.rows > MANY_ROWS:
        return 0
    with duckdb.connect(data_dir(folder) / str(state.file), read_only=True) as con:
        of_devices = f'SELECT count(*) FROM "{resource.name}" WHERE device_id IN (SELECT unnest($1::VARCHAR[]))'
        return _pages(con.execute(of_devices, [devices]).fetchall()[0][0])


def _update_an_app(world: World, devices: list[str]) -> None:
    """An app has another version on each, which collects every category of the device."""
    for device in devices:
        world.set_app_version(device, world.apps_of(device)[0]["bundle_id"], "99.1")


def _swap_an_app(world: World, devices: list[str]) -> None:
    """Each loses an app and gets another, so that the provider counts as many rows as before."""
    for device in devices:
        world.swap_app(device)


def _equal_rows(folder: Path, tenant: Tenant, names: tuple[str, ...]) -> int:
    """Rows of these tables in the mirror; their number by table must be the truth's."""
    manifest = next(kept(folder))
    assert isinstance(manifest, Manifest)
    counts = {name: tenant.world.count(name) for name in names}
    differing = {n: (manifest.tables[n].rows, count) for n, count in counts.items() if manifest.tables[n].rows != count}
    assert not differing, f"rows of the mirror and of the truth differ: {differing}"
    return sum(counts.values())
