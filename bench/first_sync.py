"""A first sync over HTTP: requests against the fewest possible, memory against 1 GB, rows against the truth."""

import json
import os
import subprocess
import sys
from pathlib import Path

from figures import Figure

from kandji_mirror.simulator.serve import serve
from kandji_mirror.simulator.tenant import TOKEN, Tenant
from kandji_mirror.simulator.world import World
from kandji_schema.manifest import Manifest, kept
from kandji_schema.registry import resources

SYNC = """
import json, resource, sys, time
from pathlib import Path
from kandji_mirror.api.budget import Unlimited
from kandji_mirror.api.client import Client
from kandji_mirror.api.http import HttpTransport
from kandji_mirror.sync.run import sync
began = time.perf_counter()
with HttpTransport(sys.argv[2], read_timeout=60) as transport:
    report = sync(Path(sys.argv[1]), "loopback", Client(transport, sys.argv[3], Unlimited()), everything=True)
# The system's own high-water mark where there is one: ru_maxrss also remembers the process this one was forked from.
proc = Path("/proc/self/status")
marks = dict(line.split(":", 1) for line in proc.read_text().splitlines()) if proc.exists() else {}
kilobytes = int(marks["VmHWM"].split()[0]) if marks else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
peak = kilobytes / 1024
print(json.dumps([report.requests, time.perf_counter() - began, peak, len(report.failed)]))
"""


def measure(folder: Path, devices: int, apps: int) -> list[Figure]:
    tenant = Tenant(World(1, devices, apps_per_device=apps), limits=None)
    with serve(tenant) as server:
        command = [sys.executable, "-c", SYNC, str(folder), server.url, TOKEN]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=dict(os.environ))
    requests, seconds, peak, failed = json.loads(done.stdout)
    assert not failed, "a table failed"
    manifest = next(kept(folder))
    assert isinstance(manifest, Manifest)
    counts = {name: tenant.world.count(name) for name in resources()}
    assert {name: t.rows for name, t in manifest.tables.items()} == counts, "rows differ from the truth"
    fewest = sum(-(-counts[r.name] // (r.page_size or 300)) for r in resources().values() if r.parent is None)
    rows = sum(counts.values())
    return [
        Figure("requests of a first sync", requests, fewest + counts["blueprints"], "requests", "= 1.00"),
        Figure("memory of a first sync", peak, 1_024, "MB", "<= 1.00"),
        Figure("first sync, rows a second", rows / seconds, 0, "rows/s", "rows equal the truth"),
    ]
