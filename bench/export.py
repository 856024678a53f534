"""Exports of every app row of the fleet, each in a process of its own, against DuckDB's COPY of the same rows."""

import json
import subprocess
import sys
from pathlib import Path
from statistics import median

from figures import Figure
from unlimited import Unlimited

from kandji_mirror.api.client import Client
from kandji_mirror.sync.run import sync
from kandji_simulator import TOKEN, Tenant, World

ROUNDS = 3
MEMORY_MB = 1_536

TIMED = """
import json, resource, sys, time
from pathlib import Path
{imports}
began = time.perf_counter()
{work}
seconds = time.perf_counter() - began
proc = Path("/proc/self/status")
marks = dict(line.split(":", 1) for line in proc.read_text().splitlines()) if proc.exists() else {{}}
peak = (int(marks["VmHWM"].split()[0]) if marks else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024
print(json.dumps([seconds, peak]))
"""

OURS = TIMED.format(
    imports="from kandji_queries.export.export import export",
    work="export(Path(sys.argv[1]), ['apps'], sys.argv[2], Path(sys.argv[3]))",
)
LIMIT = TIMED.format(
    imports="import duckdb",
    work="con = duckdb.connect(sys.argv[1], read_only=True)\n"
    "con.execute('SET enable_progress_bar=false')  # it would go to stdout\n"
    "con.execute(sys.argv[2].format(sys.argv[3]))",
)

COPIES = {
    "parquet": "COPY apps TO '{}' (FORMAT parquet, COMPRESSION zstd)",
    "csv": "COPY apps TO '{}' (FORMAT csv, HEADER)",
    "jsonl": "COPY apps TO '{}' (FORMAT json)",
}


def measure(folder: Path, devices: int, apps: int) -> list[Figure]:
    tenant = Tenant(World(1, devices, apps_per_device=apps), limits=None)
    client = Client(tenant.handle, TOKEN, Unlimited(), fetch=tenant.fetch)
    sync(folder, "loopback", client, names=("devices", "apps"), everything=True)
    (file,) = (folder / "store" / "data").glob("apps.*.duckdb")
    return [figure for form in COPIES for figure in _figures(folder, file, form, tenant.world.count("apps"))]


def _figures(folder: Path, file: Path, form: str, rows: int) -> list[Figure]:
    raw = folder / f"raw.{form}"
    ours, limits, peaks = [], [], []
    for _ in range(ROUNDS):
        seconds, peak = _run(OURS, str(folder), form, str(folder / "out"))
        ours.append(seconds)
        peaks.append(peak)
        limits.append(_run(LIMIT, str(file), COPIES[form], str(raw))[0])
    raw.unlink()
    return [
        Figure(
            f"export of {rows:,} app rows as {form}", rows / median(ours), rows / median(limits), "rows/s", ">= 0.90"
        ),
        Figure(f"memory of that export as {form}", max(peaks), MEMORY_MB, "MB", "<= 1.00"),
    ]


def _run(script: str, *arguments: str) -> tuple[float, float]:
    done = subprocess.run([sys.executable, "-c", script, *arguments], check=True, capture_output=True, text=True)
    seconds, peak = json.loads(done.stdout)
    return seconds, peak
