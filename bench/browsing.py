"""Tables as pages show them: a page of rows, filters, and values counted over all apps of the fleet."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from changes import write_live
from figures import Figure

from kandji_queries.browse.browsing import browse
from kandji_queries.browse.relation import find_relation
from kandji_queries.browse.view import read_view
from kandji_queries.reader import Reader
from kandji_schema.ddl import statements
from kandji_schema.manifest import Manifest, TableState, data_dir, manifest_path, manifests_dir
from kandji_schema.registry import resources

ROUNDS = 5
NOW = datetime.now(UTC).replace(microsecond=0)
PAGE_LIMIT, FACET_LIMIT = 150.0, 250.0
"""Milliseconds that a page of rows, and one that counts values over all apps, may take."""

LIVE = {
    "devices": "SELECT 'd' || d AS device_id, 'Mac ' || d AS device_name, 'S' || d AS serial_number, "
    "'Mac' AS platform, '15.' || d % 9 AS os_version, 'Blueprint ' || d % 12 AS blueprint_name, "
    "['tag' || d % 7] AS tags FROM range({devices}) AS r(d)",
    "apps": "SELECT 'd' || d AS device_id, 'com.app' || (a + d % 50 * 20) AS bundle_id, 'App ' || (a + d % 50 * 20) AS "
    "name, '/A/' || a AS path, (a * 7 + d % 9) || '.1' AS version FROM range({devices}) AS r(d), range({apps}) AS q(a)",
}

VIEWS: Sequence[tuple[str, str, Sequence[tuple[str, str]], float]] = (
    ("a page of devices, four columns counted", "devices", (), PAGE_LIMIT),
    ("a page of apps, the last one", "apps", (("_page", "{last}"),), PAGE_LIMIT),
    ("a page of apps that contain a text", "apps", (("name__contains", "app 77"),), PAGE_LIMIT),
    ("names of all apps counted", "apps", (("_facet", "name"),), FACET_LIMIT),
    ("versions of one app counted", "apps", (("name", "App 40"), ("_facet", "version")), FACET_LIMIT),
    ("a page of fleet", "fleet", (), PAGE_LIMIT),
)


def measure(folder: Path, devices: int, apps: int) -> list[Figure]:
    for place in (data_dir(folder), manifests_dir(folder)):
        place.mkdir(parents=True)
    states = {name: TableState(name=name, ddl=statements(r), ttl_seconds=300) for name, r in resources().items()}
    with duckdb.connect() as con:
        for name, rows in LIVE.items():
            states[name] = write_live(con, folder, name, rows.format(devices=devices, apps=apps))
    manifest = Manifest(generation=1, tenant="bench", published_at=NOW, tables=states)
    manifest_path(folder, 1).write_bytes(manifest.to_json())
    last = str(max(devices * apps // 50, 1))
    with Reader(folder) as reader:
        return [
            Figure(words, _best(reader, table, [(n, v.format(last=last)) for n, v in pairs]), most, "ms", "<= 1.00")
            for words, table, pairs, most in VIEWS
        ]


def _best(reader: Reader, table: str, pairs: Sequence[tuple[str, str]]) -> float:
    def shown() -> None:
        view, problems = read_view(find_relation(reader, table), pairs, NOW)
        assert not problems
        assert browse(reader, view, NOW).rows

    return min(_milliseconds(shown) for _ in range(ROUNDS))


def _milliseconds(action: Callable[[], None]) -> float:
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1_000
