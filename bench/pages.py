"""The pages of ``serve``, against limits of time and memory that a person feels."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from threading import Event
from urllib.parse import urlsplit

from figures import Figure
from unlimited import Unlimited

from kandji_mirror.api.client import Client
from kandji_mirror.sync.run import sync
from kandji_queries.reader import Reader
from kandji_schema.registry import tenant_tables
from kandji_simulator import TOKEN, Tenant, World

ROUNDS = 9
OTHERS = 5
"""People who look at pages beside the one who is timed."""

DOOR = "an-invented-bearer-of-more-than-24-characters"
SCRIPTS = Path(sys.executable).parent

LIMITS = (
    ("overview, first byte", "/", 300),
    ("overview, whole", "/", 1_500),
    ("page of the fleet", "/tables/fleet", 150),
    ("page of all apps", "/tables/apps", 150),
    ("values of an app column, counted", "/tables/apps?_facet=version", 250),
    ("a device", "/devices/{serial}", 500),
    ("compliance by rule and blueprint", "/compliance", 500),
    ("changes of a week", "/changes", 500),
)
"""What is asked for, and within how many milliseconds it is to be there."""

PUBLISH = """
import sys
from pathlib import Path
from unlimited import Unlimited
from kandji_mirror.api.client import Client
from kandji_mirror.sync.run import sync
from kandji_simulator import TOKEN, Tenant, World
home, devices, apps = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
tenant = Tenant(World(1, devices, apps_per_device=apps), limits=None)
client = Client(tenant.handle, TOKEN, Unlimited(), fetch=tenant.fetch)
while True:
    sync(home, "loopback", client, names=("devices", "prism_filevault", "prism_application_firewall"))
    print("published", flush=True)
"""

P99_MS = 500


def measure(folder: Path, devices: int, apps: int) -> list[Figure]:
    tenant = Tenant(World(1, devices, apps_per_device=apps), limits=None)
    client = Client(tenant.handle, TOKEN, Unlimited(), fetch=tenant.fetch)
    names = [known.name for known in tenant_tables().values() if not known.swept]
    assert not sync(folder, "loopback", client, names=names, everything=True).failed
    with Reader(folder) as reader:
        serial = str(reader.run("SELECT min(serial_number) FROM devices").rows[0][0])

    with _serving(folder) as netloc:
        told = list(_quiet(netloc, serial))
        with _publishing(folder, devices, apps):
            told.append(_busy(netloc))
    return told


def _quiet(netloc: str, serial: str) -> Iterator[Figure]:
    for name, path, limit in LIMITS:
        path = path.format(serial=serial)
        timed = [_get(netloc, path) for _ in range(ROUNDS + 1)][1:]  # the first one works it out
        taken = median(first if "first byte" in name else whole for first, whole in timed)
        yield Figure(f"pages: {name}", taken, limit, "ms", "<= 1.00")


def _busy(netloc: str) -> Figure:
    """The slowest but one of a hundred pages while others look at theirs, all the time."""
    ended = Event()

    def look(path: str) -> None:
        while not ended.is_set():
            _get(netloc, path)
            time.sleep(0.2)  # somebody reads it

    with ThreadPoolExecutor(OTHERS) as threads:
        paths = ("/", "/tables/apps?_page=2", "/compliance", "/changes", "/tables/fleet?platform=Mac")
        looking = [threads.submit(look, path) for path in paths]
        try:
            times = sorted(_get(netloc, "/tables/fleet")[1] for _ in range(100))
        finally:
            ended.set()
        for each in looking:
            each.result()
    return Figure("pages: p99 beside syncs and five others", times[98], P99_MS, "ms", "<= 1.00")


@contextmanager
def _publishing(home: Path, devices: int, apps: int) -> Iterator[None]:
    """Syncs of some tables, one after the other, in a process of their own, from the first one on."""
    command = [sys.executable, "-c", PUBLISH, str(home), str(devices), str(apps)]
    with subprocess.Popen(command, cwd=Path(__file__).parent, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"published\n"
        try:
            yield
        finally:
            process.kill()


def _get(netloc: str, path: str) -> tuple[float, float]:
    """Ask for a page; milliseconds to its first byte and to its last."""
    connection = http.client.HTTPConnection(netloc, timeout=60)
    began = time.perf_counter()
    connection.request("GET", path, headers={"Authorization": f"Bearer {DOOR}"})
    response = connection.getresponse()
    response.read(1)
    first = time.perf_counter() - began
    body = response.read()
    assert response.status == 200, (path, response.status, body[:300])
    connection.close()
    return first * 1_000, (time.perf_counter() - began) * 1_000


@contextmanager
def _serving(home: Path) -> Iterator[str]:
    command = [str(SCRIPTS / "kandji-mirror"), "serve", "--no-sync", "--port", "0"]
    with subprocess.Popen(command, env=_environment(home), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            yield urlsplit(next(word for word in process.stderr.readline().split() if word.startswith("http"))).netloc
        finally:
            process.terminate()


def _environment(home: Path) -> dict[str, str]:
    own = {"KANDJI_MIRROR_HOME": str(home), "KANDJI_MIRROR_HTTP_TOKEN": DOOR, "KANDJI_MIRROR_LOG_FORM": "text"}
    return {**os.environ, **own}
