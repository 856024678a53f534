"""What changed, asked of two years of history: told by thing against the same rows told by column."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
from figures import Figure

from kandji_mirror.history.segments import OPTIONS, make_tables
from kandji_queries.history import changes
from kandji_queries.reader import Reader
from kandji_schema.ddl import statements
from kandji_schema.manifest import Manifest, Segment, State, TableState, data_dir, history_dir, manifest_path
from kandji_schema.manifest import manifests_dir as manifests
from kandji_schema.registry import resource, resources

MONTHS, DAYS = 24, 30
UPDATED, SWAPPED = 0.01, 0.002
"""Shares of the app rows in a day, as in ``history``; as many rows again have another copy of a tag."""

ROUNDS = 3
NOW = datetime.now(UTC).replace(microsecond=0)

LIVE = {
    "devices": "SELECT 'd' || d AS device_id, 'Mac ' || d AS device_name, 'S' || d AS serial_number, '15.1' AS "
    "os_version FROM range({devices}) AS r(d)",
    "apps": "SELECT 'd' || d AS device_id, 'com.app' || a AS bundle_id, 'App ' || a AS name, '/A/' || a AS path, "
    "(a * 7 + d % 9) || '.1' AS version FROM range({devices}) AS r(d), range({apps}) AS q(a)",
}

KEY = """'["com.app' || (n * 31 % {apps}) || '","/A/' || (n * 31 % {apps}) || '",null]'"""
OLD = """'{{"version":["' || n % 97 || '.1"],"short_version":["' || n % 97 || '"],"bundle_size":["' || n || '"]}}'"""
EVENTS = (
    ("changed", KEY, OLD, OLD.replace("n % 97", "(n % 97 + 1)"), UPDATED),
    ("changed", KEY, """'{{"tags":["[a]"]}}'""", """'{{"tags":["[a,b]"]}}'""", UPDATED),
    ("added", KEY.replace("/A/", "/B/"), "NULL", "NULL", SWAPPED),
    (
        "removed",
        KEY.replace("/A/", "/B/"),
        """'{{"name":["App"],"version":["1.0"],"path":["/B/"]}}'""",
        "NULL",
        SWAPPED,
    ),
)


def measure(folder: Path, devices: int, apps: int) -> list[Figure]:
    devices = min(devices, 2_000)  # five million events
    _write(folder, devices, apps)
    with Reader(folder) as reader:
        return [figure for days in (1, 7) for figure in _figures(reader, days)]


def _figures(reader: Reader, days: int) -> list[Figure]:
    asked = changes.read_asked(reader, since=f"{days}d", until=None, device=None, table=None, now=NOW)
    told = changes.statement(newest_first=True, limit=500)
    ours = _best(lambda: reader.run(told, asked.values))
    limit = _best(lambda: reader.run(f"SELECT count(old_value) FROM ({changes.DETAILS})", asked.values))
    return [Figure(f"changes of {days} days of 2 years, by thing", ours, limit, "ms", "<= 4.00")]


def _best(action: Callable[[], object]) -> float:
    return min(_milliseconds(action) for _ in range(ROUNDS))


def _milliseconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1_000


def _write(home: Path, devices: int, apps: int) -> None:
    """Write a manifest with two live tables and a segment a month."""
    for place in (data_dir(home), manifests(home), history_dir(home)):
        place.mkdir(parents=True)
    states = {name: TableState(name=name, ddl=statements(r), ttl_seconds=300) for name, r in resources().items()}
    with duckdb.connect() as con:
        for name, rows in LIVE.items():
            states[name] = write_live(con, home, name, rows.format(devices=devices, apps=apps))
        past = tuple(_month(con, home, month, devices, apps) for month in range(MONTHS))
    manifest = Manifest(generation=1, tenant="bench", published_at=NOW, tables=states, history=past)
    manifest_path(home, 1).write_bytes(manifest.to_json())


def write_live(con: duckdb.DuckDBPyConnection, home: Path, name: str, rows: str) -> TableState:
    """Write a table's data file of the rows of a SELECT; return its state."""
    path, ddl = data_dir(home) / f"{name}.00000001.duckdb", statements(resource(name))
    con.execute(f"ATTACH '{path}' AS written (STORAGE_VERSION 'v1.5.0'); USE written; {'; '.join(ddl)}")
    con.execute(f"INSERT INTO {name} BY NAME {rows}")
    ((count,),) = con.execute(f"SELECT count(*) FROM {name}").fetchall()
    con.execute("USE memory; DETACH written")
    return TableState(
        name=name, ddl=ddl, ttl_seconds=300, file=path.name, bytes=path.stat().st_size, rows=count, synced_at=NOW,
        method="full", state=State.OK, attempted_at=NOW,
    )  # fmt: skip


def _month(con: duckdb.DuckDBPyConnection, home: Path, month: int, devices: int, apps: int) -> Segment:
    path, since = history_dir(home) / f"{month + 1:08d}.duckdb", NOW - timedelta(days=(MONTHS - month) * DAYS)
    begins = since.replace(tzinfo=None)
    con.execute(f"ATTACH '{path}' AS month {OPTIONS}")
    make_tables(con, "month.main")
    at = f"TIMESTAMP '{begins}' + to_hours((n % {DAYS * 8})::INTEGER * 3)"
    arms = (
        f"SELECT {at}, {month + 1}, 'apps', '{change}', 'd' || (n * 7919 % {devices}), {key}, {old}, {new} "
        f"FROM range({round(devices * apps * share * DAYS)}) AS r(n)".format(apps=apps)
        for change, key, old, new, share in EVENTS
    )
    con.execute(f"INSERT INTO month.main.events FROM ({' UNION ALL '.join(arms)}) ORDER BY ALL")
    keys = {"devices": (["device_id"], []), "apps": (["device_id", "bundle_id", "path"], ["name"])}
    for table, (columns, fallbacks) in keys.items():
        con.execute(
            "INSERT INTO month.main.tracked VALUES (?, ?, ?, ?, ?)", [table, begins, begins, columns, fallbacks]
        )
    ((count,),) = con.execute("SELECT count(*) FROM month.main.events").fetchall()
    con.execute("CHECKPOINT month; DETACH month")
    tables = {"apps": count, "devices": 0}
    return Segment(
        file=path.name, bytes=path.stat().st_size, since=since, until=since + timedelta(days=DAYS), tables=tables
    )
