"""Derived columns: numbers beside the texts that the provider sends, never guessed, in every home, masked or not."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from reads_home import Rows, device, publish, write_file
from support import make_tenant, run_sync

from kandji_queries.definitions import macros
from kandji_queries.reader import Reader
from kandji_schema.files import write_atomically
from kandji_schema.manifest import data_dir, manifest_path
from kandji_schema.privacy import Privacy
from kandji_schema.registry import resources

GB = 1024**3

AMOUNTS = {
    "228.27 GB": 245_103_046_164,
    "128.0 GB": 128 * GB,
    "8 GB LPDDR4": 8 * GB,
    "16 GB 1600 MHz DDR3": 16 * GB,
    "1,024 GB": 1024 * GB,
    "1.5 TB": 1536 * GB,
    " 512 MB ": GB // 2,
    "16\u00a0gb": 16 * GB,
    "2 GiB": 2 * GB,
    "1 KiB": 1024,
    "0 GB": 0,
    "512 bytes": 512,
    "228 GB (boot)": 228 * GB,
    **dict.fromkeys(
        [
            "",
            " ",
            "n/a",
            "GB",
            "-3 GB",
            "1,5 TB",
            "12,34 GB",
            "1.2.3 GB",
            "1e3 GB",
            "NaN GB",
            "inf GB",
            "0x10 GB",
            "12 GB/s",
        ]
    ),
    **dict.fromkeys(
        ["10 GB / 20 GB", "8 GB or 16 GB", "16", "٣ GB", "🦊", "99999999999 PB", "9" * 400 + " GB", "a" * 100_000]
    ),
}
SHARES = {
    "9%": 9.0,
    "91.5 %": 91.5,
    "0%": 0.0,
    "100%": 100.0,
    **dict.fromkeys(["", "9", "-1%", "101%", "<1%", "n/a", "%"]),
}
UPTIMES = {
    "37 days ago": 37.0,
    "1 month ago": 30.0,
    "2 hours ago": 0.0833,
    "5 hours ago": 0.2083,
    "an hour ago": 0.0417,
    "a day ago": 1.0,
    "1 year, 2 months ago": 425.0,
    "2 weeks and 1 day": 15.0,
    "30 Seconds Ago": 0.0003,
    "just now": 0.0,
    **dict.fromkeys(
        ["", "n/a", "yesterday", "in 3 days", "-3 days ago", "3 days from now", "37", "🦊", "1,024 days ago"]
    ),
}


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        for macro in macros().values():
            con.execute(macro.sql)
        yield con


@pytest.mark.parametrize(
    ("macro", "known"), [("bytes_of", AMOUNTS), ("percent_of", SHARES), ("round(days_of", UPTIMES)]
)
def test_a_text_is_read_exactly_or_not_at_all(
    engine: duckdb.DuckDBPyConnection, macro: str, known: dict[str, Any]
) -> None:
    call = f"{macro}(text), 4)" if "round" in macro else f"{macro}(text)"
    found = engine.execute(f"SELECT text, {call} FROM (SELECT unnest($1) AS text)", [list(known)]).fetchall()
    assert dict(found) == known


def test_units_that_are_not_in_the_text_are_told(engine: duckdb.DuckDBPyConnection) -> None:
    asked = "bytes_of('486061', unit := 'MB'), bytes_of('110.28', unit := 'GB'), bytes_of('3 GiB', base := 1000)"
    found = engine.execute(f"SELECT {asked}, bytes_of('128.0 GB', base := 1000), bytes_of(NULL)").fetchone()
    assert found == (486_061 * 1024**2, 118_412_248_351, 3 * GB, 128 * 10**9, None)


def volume(**facts: str) -> dict[str, str]:
    return {"name": "", "format": "", "percent_used": "", "identifier": "", "capacity": "", "available": "", **facts}


SYSTEM = volume(name="Macintosh HD", identifier="disk3s3s1", capacity="228.27 GB", available="182.66 GB")
DATA = volume(name="Macintosh HD - Data", identifier="disk3s1", capacity="228.27 GB", available="182.66 GB")
BACKUP = volume(name="Ann's Backup", identifier="disk4s1", capacity="3.64 TB", available="0 GB", percent_used="100%")
FREE = 182.66 / 228.27 * 100


def mac(number: str, *volumes: Any, **facts: Any) -> dict[str, Any]:
    boot = {"boot_volume": "Macintosh HD", "model_identifier": "Mac14,2"}
    return {"device_id": number, "volumes": json.dumps(volumes), **boot, **facts}


DETAILS: Rows = [
    mac("mac", BACKUP, SYSTEM, DATA, memory="8 GB LPDDR4", time_since_boot="37 days ago", total_number_of_cores="8"),
    mac("by name", BACKUP, volume(**{**SYSTEM, "identifier": "disk1s5"}), volume(**{**DATA, "available": "20 GB"})),
    mac("two of a name", SYSTEM | {"identifier": "disk1s1"}, SYSTEM | {"identifier": "disk2s1"}),
    mac("no start volume", BACKUP, DATA | {"name": "Other", "identifier": "disk5s1"}),
    mac("percent only", SYSTEM | {"capacity": "n/a", "percent_used": "19%"}),
    mac("impossible", SYSTEM | {"available": "900 GB"}),
    mac("hostile", SYSTEM | {"capacity": "-1 GB", "available": "🦊"}, total_number_of_cores="many", memory="lots"),
    {
        "device_id": "ipad",
        "model_identifier": "iPad11,6",
        "volumes": json.dumps([volume(capacity="128.0 GB", available="113.26 GB", percent_used="12%")]),
    },
    {"device_id": "nobody knows what", "volumes": json.dumps([volume(capacity="128 GB", available="64 GB")])},
    {
        "device_id": "windows",
        "processor_architecture": "X64",
        "total_capacity": "486061",
        "available_capacity": "403272",
        "total_ram": "16384",
    },
    {
        "device_id": "android",
        "api_level": "35",
        "total_capacity": "110.28",
        "available_capacity": "105.93",
        "total_ram": "11.28",
    },
    {"device_id": "unit unknown", "total_capacity": "110", "available_capacity": "5", "total_ram": "8"},
    {"device_id": "tv", "model_identifier": "AppleTV11,1", "volumes": "[]"},
    {"device_id": "odd", "volumes": '{"capacity": "1 GB"}', "boot_volume": "a"},
    {"device_id": "masked before", "volumes": '"text_0123456789abcdef"', "boot_volume": "text_0"},
]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    home = tmp_path_factory.mktemp("home")
    publish(
        home,
        {
            "devices": [
                device(1, device_id="mac", user_id="u1", user_is_archived=True, model="MacBook Air (M1, 2020)"),
                device(2, device_id="windows", platform="Windows", model="Surface Laptop 6"),
                device(3, device_id="ipad", platform="iPad", model="iPad (8th generation)", user_id="gone"),
                device(4, device_id="no details", model="iMac"),
            ],
            "device_details": DETAILS,
            "users": [{"id": "u1", "name": "Ann", "department": "Sales", "job_title": "Account Executive"}],
            "apps": [{"device_id": "mac", "name": name, "path": f"/{name}"} for name in ("a", "b")],
            "device_library_items": [
                {"device_id": "mac", "item_id": item, "status": status}
                for item, status in (("1", "ERROR"), ("2", "failed"), ("3", "PASS"))
            ]
            + [{"device_id": "ipad", "item_id": "1", "status": "success"}],
        },
    )
    with Reader(home) as reader:
        yield reader


def measured(reader: Reader, columns: str) -> dict[str, tuple[Any, ...]]:
    rows = reader.run(f"SELECT DISTINCT device_id, {columns} FROM device_details").rows
    return {row[0]: row[1:] for row in rows}


def test_the_disk_is_the_volume_that_the_device_runs_from_in_the_unit_of_its_platform(reader: Reader) -> None:
    apple = 245_103_046_164
    assert measured(reader, "disk_total_bytes, disk_free_bytes, disk_free_percent") == {
        "mac": (apple, 196_129_681_572, 80.0),
        "by name": (apple, 20 * GB, 8.8),
        "two of a name": (None, None, None),
        "no start volume": (None, None, None),
        "percent only": (None, 196_129_681_572, 81.0),
        "impossible": (apple, 900 * GB, None),
        "hostile": (None, None, None),
        "ipad": (128 * 10**9, 113_260_000_000, 88.5),
        "nobody knows what": (None, None, 50.0),
        "windows": (486_061 * 1024**2, 403_272 * 1024**2, 83.0),
        "android": (118_412_248_351, 113_741_471_416, 96.1),
        "unit unknown": (None, None, 4.5),
        "tv": (None, None, None),
        "odd": (None, None, None),
        "masked before": (None, None, None),
    }


def test_memory_uptime_and_cores_are_numbers_or_unknown(reader: Reader) -> None:
    found = measured(reader, "memory_bytes, uptime_days, processor, cores")
    assert found["mac"] == (8 * GB, 37.0, None, 8)
    assert found["windows"] == (16 * GB, None, "X64", None)
    assert found["android"] == (12_111_807_775, None, None, None)
    assert found["hostile"] == found["unit unknown"] == (None, None, None, None)


def test_the_fleet_has_them_once_a_device_whatever_is_missing(reader: Reader) -> None:
    asked = (
        "device_id, disk_free_percent, memory_bytes, is_laptop, department, job_title, user_is_archived, app_count, "
        "failed_items"
    )
    assert reader.run(f"SELECT {asked} FROM fleet ORDER BY serial_number").rows == [
        ("mac", 80.0, 8 * GB, True, "Sales", "Account Executive", True, 2, 2),
        ("windows", 83.0, 16 * GB, None, None, None, None, None, None),
        ("ipad", 88.5, None, False, None, None, None, None, 0),
        ("no details", None, None, False, None, None, None, None, None),
    ]


def test_a_rule_of_compliance_may_ask_for_a_measure(tmp_path: Path) -> None:
    rule = """
        [[rule]]
        name = "room"
        title = "A tenth of the disk is free"
        table = "device_details"
        conditions = [{ column = "disk_free_percent", operator = "at_least", value = 10 }]"""
    (tmp_path / "compliance.toml").write_text(rule)
    full = mac("d2", DATA | {"available": "1 GB"})
    publish(tmp_path, {"devices": [device(n) for n in (1, 2, 3)], "device_details": [mac("d1", DATA), full]})
    with Reader(tmp_path) as reader:
        found = reader.run("SELECT device_id, result, input FROM compliance ORDER BY 1").rows
    assert found == [("d1", "pass", "80.0"), ("d2", "fail", "0.4"), ("d3", "unknown", None)]


def test_every_derived_column_is_told_with_its_type_whether_its_table_was_read_or_not(
    reader: Reader, tmp_path: Path
) -> None:
    derived = {name: resource for name, resource in resources().items() if resource.derived}
    assert "device_details" in derived
    publish(tmp_path, {"devices": []})
    with Reader(tmp_path) as never:
        for name, resource in derived.items():
            told = {c.name: (c.type, c.description) for c in reader.describe(name).columns}
            assert {c.name: (c.type, c.description) for c in resource.derived}.items() <= told.items()
            assert list(told)[-1] == "extra"
            assert [c.name for c in reader.describe(name).columns] == [c.name for c in never.describe(name).columns]
            assert not {c.name for c in resource.derived} & {c.name for c in resource.columns}


def test_a_file_of_an_older_version_lacks_only_what_its_columns_cannot_say(tmp_path: Path) -> None:
    manifest = publish(tmp_path, {"device_details": []})
    state = manifest.tables["device_details"]
    ddl = ('CREATE TABLE "device_details" ("device_id" VARCHAR, "time_since_boot" VARCHAR, "extra" JSON)',)
    write_file(data_dir(tmp_path) / str(state.file), state.name, ddl, [{"device_id": "d", "time_since_boot": "a day"}])
    size = (data_dir(tmp_path) / str(state.file)).stat().st_size
    older = replace(manifest, generation=2, tables={**manifest.tables, state.name: replace(state, ddl=ddl, bytes=size)})
    write_atomically(manifest_path(tmp_path, 2), older.to_json())
    with Reader(tmp_path) as reader:
        asked = "device_id, uptime_days, disk_total_bytes, disk_free_percent, memory_bytes"
        assert reader.run(f"SELECT {asked} FROM device_details").rows == [("d", 1.0, None, None, None)]


@pytest.mark.heavy
def test_masked_copies_tell_the_same_numbers_and_no_names_of_volumes(tmp_path: Path) -> None:
    run_sync(tmp_path, make_tenant(12), "devices", "device_details", privacy=Privacy.AGENTS)
    asked = (
        "SELECT device_id, disk_total_bytes, disk_free_bytes, disk_free_percent, memory_bytes, uptime_days, cores "
        "FROM device_details ORDER BY ALL"
    )
    with Reader(tmp_path, masked=True) as masked, Reader(tmp_path) as clear:
        found = clear.run(asked).rows
        assert masked.run(asked).rows == found
        assert sum(row[1] is not None for row in found) > 6
        assert clear.run("SELECT count(*) FROM device_details WHERE volumes::VARCHAR LIKE '%Macintosh%'").rows[0][0]
        assert masked.run("SELECT count(*) FROM device_details WHERE volumes::VARCHAR LIKE '%Macintosh%'").rows == [
            (0,)
        ]
