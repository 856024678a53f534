"""A named query without rows says whether what it was asked for is there; a device is found by any of its numbers."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import run
from mcp_calls import Era, answer, opened
from reads_home import device, publish
from searched_home import ROWS

from kandji_mcp_server.context import ServerContext
from kandji_queries.catalog import device_lookup
from kandji_queries.catalog.params import KINDS
from kandji_queries.catalog.queries import catalog
from kandji_queries.catalog.search import kinds
from kandji_queries.reader import Reader
from kandji_schema.errors import UsageError


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    publish(folder, ROWS)
    return folder


@pytest.fixture(scope="module")
def reader(home: Path) -> Iterator[Reader]:
    with Reader(home) as opened_reader:
        yield opened_reader


@pytest.fixture(scope="module")
def mirror(home: Path) -> Iterator[ServerContext]:
    with opened(home) as context:
        yield context


def notes(reader: Reader, query: str, **params: object) -> list[str]:
    """What is said of an answer without rows, but for what was never synced."""
    found = reader.query(query, params)
    assert found.rows == []
    return [note for note in found.notes if "never synced" not in note]


EMPTY = (
    ("devices_with_app", {"app": "firefx"}, "There is no app 'firefx'. Similar: 'Firefox'."),
    (
        "devices_with_app",
        {"app": "qqqq"},
        "There is no app 'qqqq'. There are: 'Firefox', 'Google Chrome', 'com.example.nameless'.",
    ),
    (
        "devices_with_app_below_version",
        {"app": "firefox", "version": "9.5"},
        "No rows, though this app is there: Firefox (org.mozilla.firefox; on 1 device; version 133.0). "
        "Nothing of it fits version=9.5.",
    ),
    (
        "devices_of_user",
        {"user": "quentn"},
        "There is no person 'quentn'. Similar: 'Quentin Müller' (q@example.org; Engineering; archived; 1 device).",
    ),
    (
        "devices_with_cve",
        {"cve": "cve 2024 44308"},
        "No rows, though this CVE is there: CVE-2024-44308 (High; Active; ",
    ),
    ("devices_with_cve", {"cve": "CVE-1999-0001"}, "There is no CVE 'CVE-1999-0001'. "),
    ("devices_with_tag", {"tag": "sales"}, "There is no tag 'sales'. Similar: 'Sales East'."),
    ("blueprint_items", {"blueprint": "Enginering"}, "There is no blueprint 'Enginering'. Similar: 'Engineering'."),
    ("devices_with_tag", {"tag": "sales west"}, "There is no tag 'sales west'. Similar: 'Sales East'."),
)


@pytest.mark.parametrize(("query", "params", "told"), EMPTY)
def test_an_answer_without_rows_says_whether_the_thing_is_there(
    reader: Reader, query: str, params: dict[str, object], told: str
) -> None:
    assert [note for note in notes(reader, query, **params) if note.startswith(told)], notes(reader, query, **params)


def test_nothing_is_said_where_there_are_rows_or_what_is_asked_for_was_never_read(
    reader: Reader, tmp_path: Path
) -> None:
    assert not any("this app" in note for note in reader.query("devices_with_app", {"app": "firefox"}).notes)
    publish(tmp_path, {"devices": [device(1)]})
    with Reader(tmp_path) as other:
        assert not any("no app" in note for note in other.query("devices_with_app", {"app": "firefox"}).notes)


def test_an_item_of_launch_agents_is_no_library_item(reader: Reader) -> None:
    assert notes(reader, "launch_items", item="wi-fi corporate") == []


def test_every_parameter_that_names_a_thing_has_a_kind_that_is_searched() -> None:
    assert set(KINDS.values()) <= set(kinds())
    assert {"app", "user", "profile", "blueprint", "tag", "cve"} <= {
        p.name for q in catalog().values() for p in q.params
    }


def test_the_command_says_it_after_the_rows_that_are_none(home: Path) -> None:
    ended = run(home, "query", "devices_with_app", "-p", "app=firefx")
    assert "There is no app 'firefx'. Similar: 'Firefox'." in ended.stderr
    written = run(home, "query", "devices_with_app", "-p", "app=firefx", "--arrays")
    assert "There is no app 'firefx'. Similar: 'Firefox'." in json.loads(written.stdout)["notes"]


NUMBERS = (
    ("35 912345 678901 2", "IMEI", "d3"),
    ("+49 (171) 555-01-23", "phone number", "d3"),
    ("A4-83-E7-00-11-22", "MAC address", "d1"),
    ("0000aaaa-1111-2222", "UDID", "d1"),
    ("10.1.2.3", "IP address", "d1"),
    ("KIOSK-7", "host name", "d2"),
)


@pytest.mark.parametrize(("number", "what", "device_id"), NUMBERS)
def test_a_device_is_found_by_any_of_its_numbers(reader: Reader, number: str, what: str, device_id: str) -> None:
    found = device_lookup.as_objects(device_lookup.search(reader, number))
    assert [(one["match"], one["device_id"]) for one in found] == [(what, device_id)]
    assert device_lookup.find_one(reader, number)["device_id"] == device_id


def test_an_assistant_that_finds_no_device_is_told_what_was_looked_at(mirror: ServerContext, era: Era) -> None:
    assert answer(mirror, era, "find_device", device="359123456789012")["rows"][0][:2] == ["IMEI", "d3"]
    found = answer(mirror, era, "find_device", device="99 000000 000000 0")
    assert (found["rows"], "IMEI" in found["notes"][-1], "phone number" in found["notes"][-1]) == ([], True, True)


def test_a_query_asked_with_another_number_says_whose_it_is(reader: Reader) -> None:
    told = notes(reader, "find_device", device="359123456789012")[-1]
    assert told.startswith("'359123456789012' is the IMEI of 'Field phone' (serial S3, id d3")


def test_where_nothing_has_the_thing_that_devices_lack_the_long_list_is_asked_for_and_says_so(reader: Reader) -> None:
    asked = reader.query("macs_missing_app", {"app": "firefx", "known_app": False})
    (said,) = [note for note in asked.notes if "firefx" in note]
    assert said == "No app is called 'firefx', so all are listed. Similar: 'Firefox'."
    found = reader.query("macs_missing_app", {"app": "firefx"})
    assert (len(asked.rows) > 0, found.rows) == (True, [])
    assert [note for note in found.notes if "firefx" in note] == [
        "No app is called 'firefx' on any device, so that none is listed; known_app=false lists all.",
        "There is no app 'firefx'. Similar: 'Firefox'.",
    ]
    assert not [note for note in reader.query("macs_missing_app", {"app": "firefox"}).notes if "called" in note]


@pytest.mark.parametrize("unseen", ["\u200b", "\u2060 \u00ad", "\u3000"])
def test_a_name_of_which_nothing_can_be_seen_fits_nothing_and_is_refused(reader: Reader, unseen: str) -> None:
    for query in ("macs_missing_app", "devices_with_app"):
        with pytest.raises(UsageError, match=r"The parameter app is .*a text of 1 to 1,000 characters"):
            reader.query(query, {"app": unseen})
