"""Pages and exports to a published data file, and changes into it, against what DuckDB alone can do."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median

import duckdb
from figures import Figure
from unlimited import Unlimited

from kandji_mirror.api.client import Client
from kandji_mirror.api.paging import walk
from kandji_mirror.ingest.engine import Engine
from kandji_mirror.ingest.staging import Staging
from kandji_schema.columns import Kind
from kandji_schema.registry import resource
from kandji_simulator import TOKEN, Tenant, World

PAGES = 1_000
ROUNDS = 3
TYPES = {Kind.TIMESTAMP: "TIMESTAMPTZ", Kind.TEXTS: "VARCHAR"}
"""Where the plain reading of a field has another type than our column."""

APPS = resource("apps")
SMALL = resource("devices")
SMALL_ROWS, SMALL_CHANGES, SMALL_MS = 10_000, 30, 60
MERGE_MS = 500
"""For 1.5 million rows."""


def measure(folder: Path, devices: int, apps: int) -> list[Figure]:
    tenant = Tenant(World(1, devices, apps_per_device=apps), limits=None)
    client = Client(tenant.handle, TOKEN, Unlimited())
    pages = list(islice(walk(client, APPS), PAGES))
    texts, rows = [page.text for page in pages], sum(len(page.rows) for page in pages)
    del pages
    live, csv = folder / "live.duckdb", folder / "export.csv"
    by_pages = Contest(lambda: staged(folder, texts, live), lambda: limit(folder, texts))
    first = by_pages.figure(f"ingest of {rows:,} app rows by pages", rows, ">= 0.60")
    export(live, csv)
    by_export = Contest(lambda: loaded(folder, csv), lambda: raw_csv(folder, csv))
    return [
        first,
        by_export.figure(f"ingest of {rows:,} app rows by export", rows, ">= 0.60"),
        merge_of_a_hundredth(folder, live, rows),
        publish_of_a_small_table(folder),
    ]


@dataclass(frozen=True)
class Contest:
    """Two ways to the same rows, taken in turns."""

    ours: Callable[[], None]
    limit: Callable[[], None]

    def figure(self, name: str, rows: int, wanted: str) -> Figure:
        rounds = [(_seconds(self.ours), _seconds(self.limit)) for _ in range(ROUNDS)]
        mine, best = (rows / median(times) for times in zip(*rounds, strict=True))
        return Figure(name, mine, best, "rows/s", wanted)


def staged(folder: Path, texts: list[str], target: Path) -> None:
    """Our way from page texts to a data file."""
    target.unlink(missing_ok=True)
    scratch = folder / "scratch.tmp"
    with Staging(APPS, scratch) as staging:
        for text in texts:
            staging.add(text)
        staging.drop_duplicates()
        staging.digest()
        staging.write(target)
    scratch.unlink()


def loaded(folder: Path, csv: Path) -> None:
    """Our way from an export to a data file."""
    scratch, target = folder / "scratch.tmp", folder / "next.tmp"
    with Staging(APPS, scratch) as staging:
        staging.add_csv(csv)
        staging.drop_duplicates()
        staging.digest()
        staging.write(target)
    scratch.unlink()
    target.unlink()


def limit(folder: Path, texts: list[str]) -> None:
    """The fastest way DuckDB alone has: typed ``from_json`` of five pages at a time, nothing checked or kept."""
    known = {c.sources[0]: c.kind for c in APPS.columns if c.name != "extra"}
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
                "FROM (SELECT unnest(?::VARCHAR[]) AS j)",
                [texts[start : start + 5]],
            )
        con.execute("COMMIT")
        con.execute("CHECKPOINT")
    path.unlink()


def export(live: Path, csv: Path) -> None:
    """The rows as the provider's storage would hold them."""
    named = ", ".join(f'"{c.name}" AS "{c.sources[0]}"' for c in APPS.columns if c.name != "extra")
    with duckdb.connect(live, read_only=True) as con:
        con.execute(f"COPY (SELECT {named} FROM apps) TO '{csv}' (HEADER)")


def raw_csv(folder: Path, csv: Path) -> None:
    """What DuckDB alone takes to read the file into a table of texts."""
    path = folder / "limit.duckdb"
    with duckdb.connect(path) as con:
        con.execute(f"CREATE TABLE apps AS SELECT * FROM read_csv('{csv}', all_varchar := true)")
        con.execute("CHECKPOINT")
    path.unlink()


def merge_of_a_hundredth(folder: Path, live: Path, rows: int) -> Figure:
    """Every hundredth row changed."""
    with duckdb.connect(live, read_only=True) as con:
        keys = con.execute("SELECT device_id, bundle_id, path, name FROM apps WHERE rowid % 100 = 0").fetchall()
    changed = [dict(zip(("device_id", "bundle_id", "path", "name"), key, strict=True)) for key in keys]
    with Engine(folder / "spill") as engine:
        times = [merged(engine, folder, live, changed) for _ in range(ROUNDS)]
    return Figure(f"merge of 1 % into {rows:,} app rows", median(times), MERGE_MS, "ms", "<= 1.00")


def merged(engine: Engine, folder: Path, live: Path, rows: Sequence[Mapping[str, object]]) -> float:
    """Milliseconds from staged rows to a finished file."""
    table = APPS if "path" in rows[0] else SMALL
    scratch, target = folder / "scratch.tmp", folder / "next.tmp"
    with Staging(table, scratch, engine=engine) as staging:
        staging.add(json.dumps({"data": rows}))
        staging.flush()
        began = time.perf_counter()
        done = staging.merge(live, target, built_bytes=live.stat().st_size)
    took = (time.perf_counter() - began) * 1_000
    assert (done.changed, done.rebuilt) == (len(rows), False)
    scratch.unlink()
    target.unlink()
    return took


def publish_of_a_small_table(folder: Path) -> Figure:
    """From staged rows to a closed file."""
    rows = [{"device_id": f"{n:05}", "device_name": f"Mac {n}"} for n in range(SMALL_ROWS)]
    live = folder / "small.duckdb"
    with Engine(folder / "spill") as engine:
        with Staging(SMALL, folder / "scratch.tmp", engine=engine) as staging:
            staging.add(json.dumps({"data": rows}))
            staging.write(live)
        (folder / "scratch.tmp").unlink()
        changed = [{**row, "device_name": "new"} for row in rows[:: SMALL_ROWS // SMALL_CHANGES]]
        times = [merged(engine, folder, live, changed) for _ in range(10)]
    return Figure(f"publish {SMALL_CHANGES} of {SMALL_ROWS:,} rows", median(times), SMALL_MS, "ms", "<= 1.00")


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
