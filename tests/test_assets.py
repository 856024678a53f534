"""Assets: one row a device as an asset register wants it, gone ones from the history only where they are asked for."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from past_home import PastHome, hours
from reads_home import device

from kandji_queries.catalog import counting
from kandji_queries.catalog.device_lookup import as_objects
from kandji_queries.catalog.search import search
from kandji_queries.reader import Reader

PHONE = {"platform": "iPhone", "model": "iPhone 15", "is_missing": True, "asset_tag": "007"}


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Mac whose details were read, a missing phone, a removed Mac, one that is gone, and one that came back anew."""
    home = PastHome(tmp_path_factory.mktemp("home"))
    first = [device(1, user_id="u1"), device(2, **PHONE), device(3), device(4, user_email="zoë@example.org"), device(5)]
    now = [device(1, user_id="u1"), device(2, **PHONE), device(3, is_removed=True, is_missing=True)]
    home.add(
        hours(0),
        devices=first,
        users=[{"id": "u1", "department": "Lab", "email": "x@example.org"}],
        device_details=[
            {
                "device_id": "d1",
                "model_identifier": "Mac14,2",
                "memory": "16 GB LPDDR5",
                "mac_address": "02:00:00:00:00:01",
            }
        ],
        prism_device_information=[{"device_id": "d3", "model_id": "Mac15,3", "device_capacity": 512.0}],
        prism_cellular=[{"device_id": "d2", "imei_slot_1": "35 123456 123456 1"}],
        ade_devices=[
            {"id": "a1", "serial_number": "S1", "device_assigned_date": hours(-9000).replace(tzinfo=None)},
            {"id": "a2", "serial_number": "S1", "device_assigned_date": hours(-8000).replace(tzinfo=None)},
        ],
    )
    home.add(hours(1), devices=[*now, device(6, serial_number="S5")])
    return home.home


@pytest.fixture(scope="module")
def reader(past: Path) -> Iterator[Reader]:
    with Reader(past) as reader:
        yield reader


def test_an_asset_is_a_device_with_what_is_known_of_it(reader: Reader) -> None:
    answer = reader.query("asset_list")
    rows = {row["device_id"]: row for row in as_objects(answer)}
    assert list(rows) == ["d1", "d2", "d3", "d6"]
    mac, phone, removed = rows["d1"], rows["d2"], rows["d3"]
    facts = (
        "model_identifier",
        "kind",
        "manufacturer",
        "department",
        "memory_gb",
        "mac_address",
        "storage_gb",
        "status",
    )
    assert [mac[name] for name in facts] == [
        "Mac14,2",
        "laptop",
        "Apple",
        "Lab",
        16.0,
        "02:00:00:00:00:01",
        None,
        "enrolled",
    ]
    assert mac["assigned_at_apple"] == hours(-8000).replace(tzinfo=None)
    assert [phone[name] for name in ("kind", "imei", "asset_tag", "status")] == [
        "phone",
        "351234561234561",
        "007",
        "missing",
    ]
    assert [removed[name] for name in ("model_identifier", "storage_gb", "status")] == ["Mac15,3", 512.0, "removed"]
    assert "By status: 2 enrolled, 1 missing, 1 removed." in answer.notes


def test_a_device_that_is_listed_no_longer_is_told_only_where_it_is_asked_for(reader: Reader) -> None:
    gone = [row for row in as_objects(reader.query("asset_list", {"with_gone": True})) if row["status"] == "gone"]
    assert [(row["serial_number"], row["user_email"], row["gone_at"]) for row in gone] == [
        ("S4", "zoë@example.org", hours(1).replace(tzinfo=None))
    ]
    assert [row["device_id"] for row in as_objects(reader.query("asset_list", {"with_removed": False}))] == [
        "d1",
        "d2",
        "d6",
    ]


@pytest.mark.parametrize("words", ["asset list", "inventory for the asset system"])
def test_people_find_the_list_by_their_words(reader: Reader, words: str) -> None:
    assert "asset_list" in [hit.name for hit in search(reader, words, "query").hits][:3]


def test_a_table_of_models_is_no_table_of_devices_that_count() -> None:
    sql = "SELECT 1 FROM devices AS d JOIN device_models AS m ON m.marketing_name = d.model ORDER BY 1"
    narrowed = counting.narrowed(sql, {"with_removed": False, "with_archived": True})
    assert ("devices AS (FROM" in narrowed, "device_models AS (" in narrowed) == (True, False)
