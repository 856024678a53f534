"""What a day leaves in the history: 1 % of all app rows have another version, 0.2 % go and as many come."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from figures import Figure
from unlimited import Unlimited

from kandji_mirror.api.client import Client
from kandji_mirror.store.opening import open_store
from kandji_mirror.sync.run import SyncRequest, run_request
from kandji_schema.manifest import Manifest, kept
from kandji_schema.registry import resources
from kandji_simulator import TOKEN, Tenant, World, catalogue

TABLES = ("devices", "apps")
PASSES, EVERY = 8, timedelta(hours=3)
UPDATED, SWAPPED = 0.01, 0.002
"""Shares of the rows in a day; versions differ from device to device, which is the least compressible way."""

MB = 1_000_000
A_DAY = 2
"""Megabytes at 10,000 devices of 150 apps; in proportion to the rows otherwise."""

ROWS = 1_500_000


def measure(folder: Path, devices: int, apps: int) -> list[Figure]:
    tenant = Tenant(World(1, devices, apps_per_device=apps), limits=None)
    began, draw = datetime.now(UTC), Random(1)  # noqa: S311 - the same day every time, no secret
    _sync(folder, tenant, began)
    (before, old), rows = _history(folder), tenant.world.count("apps")
    for number in range(1, PASSES + 1):
        tenant.world.wait(EVERY)
        _live(tenant.world, draw, rows / PASSES)
        _sync(folder, tenant, began + number * EVERY)
    after, events = _history(folder)
    grown, limit = (after - before) / MB, A_DAY * rows / ROWS
    return [Figure(f"history of a day with {events - old:,} changes", grown, limit, "MB", "<= 1.00")]


def _live(world: World, draw: Random, rows: float) -> None:
    """What happens to so many rows between two passes."""
    devices = sorted({str(row["device_id"]) for row in world.truth("prism_filevault")})
    for device in draw.choices(devices, k=round(rows * UPDATED)):
        apps = catalogue(world.device(device).platform).by_bundle_id
        installed = [row["bundle_id"] for row in world.apps_of(device) if row["bundle_id"] in apps]
        world.set_app_version(device, draw.choice(installed), f"{draw.randrange(200)}.{draw.randrange(1_000)}")
    for device in draw.choices(devices, k=round(rows * SWAPPED)):
        world.swap_app(device)


def _sync(home: Path, tenant: Tenant, at: datetime) -> None:
    """As the scheduler does."""
    client = Client(tenant.handle, TOKEN, Unlimited(), fetch=tenant.fetch, sleep=lambda _: None)
    with open_store(home, "loopback", resources(), lambda: at) as store:
        report = run_request(store, client, SyncRequest(TABLES))
    assert not report.failed, report.failed


def _history(home: Path) -> tuple[int, int]:
    """Its bytes on the disk and its events."""
    manifest = next(kept(home))
    assert isinstance(manifest, Manifest)
    segments = manifest.history
    return sum(segment.bytes for segment in segments), sum(sum(segment.tables.values()) for segment in segments)
