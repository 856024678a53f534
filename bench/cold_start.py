"""The command line from nothing to an answer, against Python with DuckDB and nothing else."""

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from figures import Figure
from unlimited import Unlimited

from kandji_mirror.api.client import Client
from kandji_mirror.sync.run import sync
from kandji_simulator import TOKEN, Tenant, World

ROUNDS = 15
BARE = (
    "import duckdb; print(duckdb.connect(r'{file}', read_only=True).execute('SELECT count(*) FROM devices').fetchall())"
)


def measure(folder: Path, devices: int, apps: int) -> list[Figure]:
    tenant = Tenant(World(1, min(devices, 1_000), apps_per_device=10), limits=None)
    sync(folder, "loopback", Client(tenant.handle, TOKEN, Unlimited()), everything=True)
    file = next((folder / "store" / "data").glob("devices.*"))
    environment = {**os.environ, "KANDJI_MIRROR_HOME": str(folder)}
    command = [str(Path(sys.executable).with_name("kandji-mirror")), "sql", "SELECT count(*) FROM devices"]
    bare = [sys.executable, "-c", BARE.format(file=file)]
    rounds = [(_milliseconds(command, environment), _milliseconds(bare, environment)) for _ in range(ROUNDS)]
    ours, limit = (median(times) for times in zip(*rounds, strict=True))
    return [Figure("start of `kandji-mirror sql`", ours, limit, "ms", "<= 1.60")]


def _milliseconds(command: list[str], environment: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return (time.perf_counter() - began) * 1_000
