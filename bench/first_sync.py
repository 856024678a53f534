"""Syncs over HTTP in a process of their own: a first one by export, one without change, one after 1 % changed."""

import json
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import IO, Any

from figures import Figure

from kandji_mirror.simulator.quirks import Quirks
from kandji_mirror.simulator.serve import serve
from kandji_mirror.simulator.tenant import TOKEN, Tenant
from kandji_mirror.simulator.world import World
from kandji_schema.manifest import Manifest, kept
from kandji_schema.registry import resources

PAGE = 300
FIRST_SYNC_REQUESTS = 350

SYNC = """
import json, resource, sys, time
from pathlib import Path
from kandji_mirror.api.budget import Unlimited
from kandji_mirror.api.client import Client
from kandji_mirror.api.http import Download, HttpTransport
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

PRISM = tuple(r.name for r in resources().values() if r.category and not r.repeats)

LISTED = tuple(r.name for r in resources().values() if not r.swept and not r.newest_first)

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
            changed = _change(tenant.world, devices // 100)
            busy = _asked(child.stdin, child.stdout, *PRISM)
            _equal_rows(folder, tenant, PRISM)
            child.stdin.close()
    return [
        Figure("requests of a first sync", first["requests"], FIRST_SYNC_REQUESTS, "requests", "<= 1.00"),
        Figure("memory of a first sync", first["peak"], 1_024, "MB", "<= 1.00"),
        Figure("first sync, rows a second", rows / first["seconds"], 0, "rows/s", "rows equal the truth"),
        Figure("requests of a pass without change", quiet["requests"], QUIET, "requests", "<= 1.00"),
        Figure("processor time of a pass without change", quiet["cpu"] * 1000, 2_000, "ms", "<= 1.00"),
        Figure("requests after 1 % of devices changed", busy["requests"], changed, "requests", "<= 1.50"),
        Figure("processor time of that pass", busy["cpu"] * 1000, 0, "ms", "rows equal the truth"),
    ]


def _asked(to: IO[str], answers: IO[str], *names: str) -> dict[str, Any]:
    to.write(json.dumps(names) + "\n")
    to.flush()
    answer: dict[str, Any] = json.loads(answers.readline())
    assert not answer["failed"], answer["failed"]
    return answer


def _change(world: World, devices: int) -> int:
    """Change an app on some Macs, which collects every category of them; the fewest requests that see it.

    That is one page and one count a category here: of row-list categories only the changed rows come.
    """
    for row in list(islice(world.truth("prism_filevault"), devices)):
        world.swap_app(row["device_id"])
    return sum(1 + max(1, -(-devices // PAGE)) for _ in PRISM)


def _equal_rows(folder: Path, tenant: Tenant, names: tuple[str, ...]) -> int:
    """Rows of these tables in the mirror; their number by table must be the truth's."""
    manifest = next(kept(folder))
    assert isinstance(manifest, Manifest)
    counts = {name: tenant.world.count(name) for name in names}
    differing = {n: (manifest.tables[n].rows, count) for n, count in counts.items() if manifest.tables[n].rows != count}
    assert not differing, f"rows of the mirror and of the truth differ: {differing}"
    return sum(counts.values())
