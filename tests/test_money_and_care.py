"""Money and care: batteries, disks, unused apps, licences, age, unusual addresses, by rows made by hand."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from known_fleet import answer
from reads_home import NOW, Rows, device, publish

from kandji_queries.catalog.queries import from_file
from kandji_queries.catalog.search import search
from kandji_queries.reader import Reader
from kandji_queries.sql_files import read
from kandji_schema.errors import ConfigurationError

LONG_AGO = NOW - timedelta(days=1_000)
NO_PERSON = {"user_email": None}


def app(device_id: str, name: str, extra: dict[str, str] | None) -> dict[str, Any]:
    row = {"device_id": device_id, "name": name, "bundle_id": name.lower(), "path": f"/{name}"}
    return {**row, "extra": extra and json.dumps(extra)}


TABLES: dict[str, Rows] = {
    "devices": [
        device(1, model="MacBook Air (M2, 2022)", user_id="u1"),
        device(2, model="Mac mini (2018)", user_id="u1", first_enrollment=LONG_AGO),
        device(3, model="iPad", platform="iPad", first_enrollment=None, user_id="u3"),
        device(4, model="MacBook Pro", first_enrollment=None, **NO_PERSON),
        device(5, model="MacBook Pro", is_removed=True, **NO_PERSON),
    ],
    "prism_device_information": [
        {"device_id": "d1", "battery_health": "Service"},
        {"device_id": "d2", "battery_health": "Service"},
        {"device_id": "d3", "battery_health": "Service"},
        {"device_id": "d5", "battery_health": "Normal"},
    ],
    "ade_devices": [
        {"id": "a1", "serial_number": "S1", "device_assigned_date": datetime(2021, 5, 1)},
        {"id": "a2", "serial_number": "S1", "device_assigned_date": datetime(2023, 5, 1)},
        {"id": "a4", "serial_number": "S4", "device_assigned_date": datetime(2999, 5, 1)},
    ],
    "device_details": [
        {"device_id": "d1", "public_ip": "192.0.2.1", "total_capacity": "1000 GB", "available_capacity": "150 GB"},
        {
            "device_id": "d2",
            "public_ip": "198.51.100.7",
            "windows_device_id": "w",
            "total_capacity": "250000",
            "available_capacity": "60000",
        },
        {"device_id": "d4", "public_ip": "192.0.2.1 "},
        {"device_id": "d5", "public_ip": "203.0.113.9"},
    ],
    "apps": [
        app("d1", "Old", {"last_opened_at": "2025-01-01T00:00:00Z"}),
        app("d2", "Old", {"last_opened_at": "2025-03-01T10:00:00+10:00"}),
        app("d4", "Old", None),
        app("d1", "New", {"last_used": f"{NOW}"}),
        app("d1", "Silent", {"first_opened": "2020-01-01"}),
    ],
    "licensing": [
        {
            **{"plan_type": "split", "max_devices": 10, "computers_count": 4, "max_macos": 5, "macos_count": 4},
            **{"max_ios_ipados": 5, "ios_count": None, "ipados_count": 1},
        },
        {
            **{"plan_type": "zz_single_limit", "max_devices": 10, "computers_count": 9, "max_macos": 0},
            **{"macos_count": 8, "max_ios_ipados": 0, "ios_count": 1, "ipados_count": 0},
        },
    ],
    "audit_events": [{"id": "1", "occurred_at": NOW, "target_type": "device", "target_id": "d1", "action": "update"}],
}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    home = tmp_path_factory.mktemp("home")
    publish(home, TABLES)
    with Reader(home) as reader:
        yield reader


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A mirror of a provider that sends nothing of it."""
    home = tmp_path_factory.mktemp("silent")
    apps = [{"device_id": "d1", "name": "App", "path": "/a", "extra": '{"size": 1}'}]
    publish(home, {"devices": [device(1)], "apps": apps, "device_details": [{"device_id": "d1"}],
                   "prism_device_information": [{"device_id": "d1"}]})  # fmt: skip
    with Reader(home) as reader:
        yield reader


def test_batteries_that_need_service_are_those_of_laptops_where_only_they_are_asked_for(reader: Reader) -> None:
    assert answer(reader, "batteries", "device_id is_laptop") == [("d1", True), ("d2", False), ("d3", False)]
    assert answer(reader, "batteries", "device_id", with_others=False) == [("d1",)]
    assert answer(reader, "batteries", "device_id battery_health", health="unknown") == [("d4", None)]
    assert answer(reader, "batteries", "device_id", health="normal", with_others=False) == [("d5",)]


def test_a_disk_is_nearly_full_by_percent_with_what_is_left_in_numbers(reader: Reader) -> None:
    asked = "device_id disk_free_percent free_gb"
    assert answer(reader, "disk_space", asked, free_percent=15) == [("d1", 15.0, None)]
    assert answer(reader, "disk_space", asked, free_percent=30) == [("d1", 15.0, None), ("d2", 24.0, 62.9)]


def test_an_app_is_unused_where_it_was_opened_nowhere_and_a_date_says_so(reader: Reader) -> None:
    asked = "app devices devices_unknown last_opened_at"
    assert answer(reader, "unused_apps", asked) == [("Old", 3, 1, datetime(2025, 3, 1))]
    assert not [note for note in reader.query("unused_apps").notes if "no date" in note]


def test_licences_are_left_by_kind_and_in_percent(reader: Reader) -> None:
    assert answer(reader, "licence_usage", "used left_to_enrol used_percent macs_left ios_ipados_left") == [
        (4, 6, 40.0, 1, 4),
        (9, 1, 90.0, None, None),  # one number for all: none of a kind is left over, nor too many
    ]


def test_the_age_of_hardware_says_what_tells_it(reader: Reader) -> None:
    rows = answer(reader, "hardware_age", "device_id age_by model_year")
    assert rows == [
        ("d2", "year of the model", 2018),
        ("d1", "assigned at Apple", 2022),
        ("d5", "first enrolment", None),
        ("d3", None, None),
        ("d4", None, None),
    ]
    assert answer(reader, "hardware_age", "device_id age_by", by="enrolment", with_unknown=False) == [
        ("d2", "first enrolment"),
        *((f"d{n}", "first enrolment") for n in (1, 5)),
    ]
    assert answer(reader, "hardware_age", "device_id", years=2, with_unknown=False, platform="Mac") == [
        ("d2",),
        ("d1",),
    ]


def test_an_address_is_unusual_that_no_other_device_of_the_blueprint_or_person_has(reader: Reader) -> None:
    asked = "device_id public_ip in_blueprint blueprint_known usual_ip"
    assert answer(reader, "unusual_public_ips", asked) == [
        ("d2", "198.51.100.7", 1, 4, "192.0.2.1"),
        ("d5", "203.0.113.9", 1, 4, "192.0.2.1"),
    ]
    assert answer(reader, "unusual_public_ips", "device_id", with_removed=False) == [("d2",)]
    assert answer(reader, "unusual_public_ips", "device_id", blueprint="Sales") == []


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("unused_apps", "The provider sends no date on which an app was last opened"),
        ("unusual_public_ips", "The provider gives no public IP address of any device"),
        ("batteries", "No device reports the health of its battery"),
        (
            "sensitive_actions",
            "The provider's log that is mirrored has no event about a secret: who read one in its console",
        ),
    ],
)
def test_what_the_provider_does_not_send_is_said_plainly(silent: Reader, query: str, told: str) -> None:
    found = silent.query(query)
    assert (found.rows, any(note.startswith(told) for note in found.notes)) == ([], True)


def test_who_read_a_secret_is_said_to_be_unknown_beside_other_events(reader: Reader) -> None:
    found = reader.query("sensitive_actions")
    assert (found.row_count, any("no event about a secret" in note for note in found.notes)) == (1, True)


@pytest.mark.parametrize(
    ("words", "query"),
    [
        ("laptops that need a new battery", "batteries"),
        ("disk nearly full", "disk_space"),
        ("apps nobody opened", "unused_apps"),
        ("unused software", "unused_apps"),
        ("licences against devices", "licence_usage"),
        ("free seats", "licence_usage"),
        ("how old is our hardware", "hardware_age"),
        ("unusual public ip", "unusual_public_ips"),
        ("who read a secret", "sensitive_actions"),
    ],
)
def test_plain_questions_find_the_query(reader: Reader, words: str, query: str) -> None:
    assert query in [hit.name for hit in search(reader, words, "query").hits][:3]


def test_what_has_to_be_there_is_written_as_rows_and_a_sentence(tmp_path: Any) -> None:
    file = tmp_path / "own.sql"
    for wrong in ("FROM apps", "SELECT 1 | No apps.", "FROM apps | no sentence"):
        file.write_text(f"-- title: T\n-- description: D.\n-- without: {wrong}\nSELECT 1\n")
        with pytest.raises(ConfigurationError, match="`without` is written as"):
            from_file(read(file, frozenset({"title", "description", "without"})))
