"""What a day leaves in the history: a good 1 % of all app rows change or come or go, read every three hours."""

from datetime import UTC, datetime
from pathlib import Path

from figures import Figure

from kandji_mirror.api.budget import Unlimited
from kandji_mirror.api.client import Client
from kandji_mirror.simulator.tenant import TOKEN, Tenant
from kandji_mirror.simulator.world import World
from kandji_mirror.sync.run import sync
from kandji_schema.manifest import Manifest, kept

TABLES = ("devices", "apps")
PASSES, STEPS = 8, 12
"""A day of the simulated world, which steps by 15 minutes: an app of 2 % of the devices is updated in each."""

MB = 1_000_000
A_DAY = 2
"""Megabytes at 10,000 devices of 150 apps; in proportion to the rows otherwise."""

ROWS = 1_500_000


def measure(folder: Path, devices: int, apps: int) -> list[Figure]:
    tenant = Tenant(World(1, devices, apps_per_device=apps), limits=None)
    began, first_day = datetime.now(UTC), tenant.world.now
    _sync(folder, tenant, began)
    (before, old), rows = _history(folder), tenant.world.count("apps")
    for _ in range(PASSES):
        tenant.world.advance(STEPS)
        _sync(folder, tenant, began + (tenant.world.now - first_day))
    after, events = _history(folder)
    grown, limit = (after - before) / MB, A_DAY * rows / ROWS
    return [Figure(f"history of a day with {events - old:,} changes", grown, limit, "MB", "<= 1.00")]


def _sync(home: Path, tenant: Tenant, at: datetime) -> None:
    client = Client(tenant.handle, TOKEN, Unlimited(), fetch=tenant.fetch)
    report = sync(home, "loopback", client, names=TABLES, wall=lambda: at)
    assert not report.failed, report.failed


def _history(home: Path) -> tuple[int, int]:
    """Its bytes on the disk and its events."""
    manifest = next(kept(home))
    assert isinstance(manifest, Manifest)
    segments = manifest.history
    return sum(segment.bytes for segment in segments), sum(sum(segment.tables.values()) for segment in segments)
