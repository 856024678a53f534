"""The report of the whole fleet, in a process of its own: how long it takes, how large it is, what it needs."""

import json
import subprocess
import sys
from pathlib import Path

from export import TIMED
from figures import Figure
from unlimited import Unlimited

from kandji_mirror.api.client import Client
from kandji_mirror.sync.run import sync
from kandji_schema.registry import tenant_tables
from kandji_simulator import TOKEN, Tenant, World

SECONDS, MEMORY_MB, FILE_MB = 10, 600, 5

OURS = TIMED.format(
    imports="from kandji_queries.reader import Reader\n"
    "from kandji_web.report.contents import About, Wanted\n"
    "from kandji_web.report.reading import read_report\n"
    "from kandji_web.report.writing import html",
    work="with Reader(Path(sys.argv[1])) as reader:\n"
    "    report = read_report(reader, Wanted(since='1d'), About(tenant='t', version='1'), masked=False)\n"
    "Path(sys.argv[2]).write_text(html(report), encoding='utf-8')",
)


def measure(folder: Path, devices: int, apps: int) -> list[Figure]:
    """Write a report of a fleet whose lists are all read."""
    tenant = Tenant(World(1, devices, apps_per_device=apps), limits=None)
    client = Client(tenant.handle, TOKEN, Unlimited(), fetch=tenant.fetch)
    listed = tuple(resource.name for resource in tenant_tables().values() if not resource.swept)
    sync(folder, "loopback", client, names=listed, everything=True)
    page = folder / "fleet.html"
    done = subprocess.run(
        [sys.executable, "-c", OURS, str(folder), str(page)], check=True, capture_output=True, text=True
    )
    seconds, peak = json.loads(done.stdout)
    return [
        Figure(f"report of {devices:,} devices", seconds, SECONDS, "s", "<= 1.00"),
        Figure("memory of that report", peak, MEMORY_MB, "MB", "<= 1.00"),
        Figure("size of that report", page.stat().st_size / 1e6, FILE_MB, "MB", "<= 1.00"),
    ]
