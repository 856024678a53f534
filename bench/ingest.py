"""Page bytes to a published data file, against DuckDB's own ``from_json`` into a typed table."""

import json
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import median

import duckdb
from figures import Figure

from kandji_mirror.api.budget import Unlimited
from kandji_mirror.api.client import Client
from kandji_mirror.api.paging import walk
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.simulator.tenant import TOKEN, Tenant
from kandji_mirror.simulator.world import World
from kandji_schema.columns import Kind
from kandji_schema.registry import resource

PAGES = 1_000
ROUNDS = 3
TYPES = {Kind.TIMESTAMP: "TIMESTAMPTZ", Kind.TEXTS: "VARCHAR"}
"""Where the plain reading of a field has another type than our column."""


def measure(folder: Path, devices: int, apps: int) -> list[Figure]:
    tenant = Tenant(World(1, devices, apps_per_device=apps), limits=None)
    client = Client(tenant.handle, TOKEN, Unlimited())
    pages = list(islice(walk(client, resource("apps")), PAGES))
    texts, rows = [page.text for page in pages], sum(len(page.rows) for page in pages)
    del pages
    rounds = [(_seconds(lambda: ours(folder, texts)), _seconds(lambda: limit(folder, texts))) for _ in range(ROUNDS)]
    mine, best = (rows / median(times) for times in zip(*rounds, strict=True))
    return [Figure(f"ingest of {rows:,} app rows", mine, best, "rows/s", ">= 0.60")]


def ours(folder: Path, texts: list[str]) -> None:
    scratch, target = folder / "scratch.tmp", folder / "next.tmp"
    with Staging(resource("apps"), scratch) as staging:
        for text in texts:
            staging.add(text)
        staging.flush()
        staging.drop_duplicates()
        staging.digest()
        staging.write(target)
    scratch.unlink()
    target.unlink()


def limit(folder: Path, texts: list[str]) -> None:
    """The fastest way DuckDB alone has: typed ``from_json`` of five pages at a time, nothing checked or kept."""
    known = {c.sources[0]: c.kind for c in resource("apps").columns if c.name != "extra"}
    fields = json.loads(texts[0])["data"][0]
    types = {name: TYPES.get(known.get(name, Kind.TEXT), str(known.get(name, Kind.TEXT))) for name in fields}
    structure = json.dumps({"data": [types]})
    path = folder / "limit.duckdb"
    with duckdb.connect(path) as con:
        con.execute("SET TimeZone='UTC'")
        con.execute(f"CREATE TABLE apps ({', '.join(f'{name} {kind}' for name, kind in types.items())})")
        con.execute("BEGIN")
        for start in range(0, len(texts), 5):
            con.execute(
                f"INSERT INTO apps SELECT unnest(from_json(j, '{structure}').data, max_depth := 2) "
                "FROM (SELECT unnest(?::JSON[]) AS j)",
                [texts[start : start + 5]],
            )
        con.execute("COMMIT")
        con.execute("CHECKPOINT")
    path.unlink()


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
