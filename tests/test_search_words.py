"""Words of people lead to what they mean on the first call: columns, queries, things in the data, or to "not there"."""

# ruff: noqa: RUF001  # characters that look like others are what this is about

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from commands import run
from mcp_calls import Era, answer, opened, refusal
from reads_home import device, publish
from searched_home import ROWS

from kandji_mcp_server.context import ServerContext
from kandji_queries.catalog.queries import catalog
from kandji_queries.catalog.search import Found, kinds, search
from kandji_queries.definitions import views
from kandji_queries.reader import Reader
from kandji_schema.errors import UsageError
from kandji_schema.files import write_atomically
from kandji_schema.manifest import manifest_path
from kandji_schema.not_mirrored import NOT_MIRRORED
from kandji_schema.registry import resources
from kandji_schema.vocabulary import TABLES, TERMS


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search")
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


def first(found: Found) -> tuple[str, str]:
    return found.hits[0].kind, found.hits[0].name


COLUMNS = (
    ("uptime", "fleet.uptime_days"),
    ("last reboot", "fleet.uptime_days"),
    ("how long since the last restart", "fleet.uptime_days"),
    ("IMEI", "prism_cellular.imei_slot_1"),
    ("phone number", "prism_cellular.phone_number_slot_1"),
    ("department", "fleet.department"),
    ("departments", "fleet.department"),
    ("Job title", "fleet.job_title"),
    ("battery", "fleet.battery_health"),
    ("ram", "fleet.memory_bytes"),
    ("memory", "fleet.memory_bytes"),
    ("free disk space", "fleet.disk_free_bytes"),
    ("disk size", "fleet.disk_total_bytes"),
    ("laptops", "fleet.is_laptop"),
    ("number of apps", "fleet.app_count"),
    ("encryption", "fleet.filevault_on"),
    ("File Vault", "fleet.filevault_on"),
    ("owner", "devices.user_name"),
    ("operating system", "devices.os_version"),
    ("macOS version", "devices.os_version"),
    ("last seen", "devices.last_check_in"),
    ("Check-In", "devices.last_check_in"),
    ("serial", "devices.serial_number"),
    ("asset tag", "devices.asset_tag"),
    ("MAC address", "device_details.mac_address"),
    ("ip", "device_details.ip_address"),
    ("hostname", "prism_device_information.host_name"),
    ("UDID", "device_details.udid"),
    ("carrier", "prism_cellular.current_carrier_network_slot_1"),
    ("sim card", "prism_cellular.iccid_slot_1"),
    ("cpu", "fleet.processor"),
    ("bundle id", "apps.bundle_id"),
    ("gatekeeper", "fleet.gatekeeper_on"),
    ("XProtect", "fleet.xprotect_version"),
    ("recovery lock", "device_details.recovery_lock_enabled"),
    ("escrow", "fleet.filevault_key_escrowed"),
    ("lost", "devices.lost_mode_status"),
    ("archived", "users.archived"),
    ("time_since_boot", "device_details.time_since_boot"),
    ("devices.user_email", "devices.user_email"),
)
THINGS = (
    ("chrome", "app", "Google Chrome"),
    ("version of Chrome", "app", "Google Chrome"),
    ("com.google.chrome", "app", "Google Chrome"),
    ("nameless", "app", "com.example.nameless"),
    ("quentin's macbook air", "device", "Quentin’s MacBook Air"),
    ("c02xk1", "device", "Kiosk"),
    ("AT 0007", "device", "Quentin’s MacBook Air"),
    ("359123456789012", "device", "Field phone"),
    ("35-912345-678901-2", "device", "Field phone"),
    ("A483.E700.1122", "device", "Quentin’s MacBook Air"),
    ("0171 5550123", "device", "Field phone"),
    ("10.1.2.3", "device", "Quentin’s MacBook Air"),
    ("0000aaaa11112222", "device", "Quentin’s MacBook Air"),
    ("kiosk-7", "device", "Kiosk"),
    ("zoe lopez", "person", "Zoë Lopez"),
    ("mueller quentin", "person", "Quentin Müller"),
    ("q@example.org", "person", "Quentin Müller"),
    ("empty", "blueprint", "Empty"),
    ("sales east", "tag", "Sales East"),
    ("dock layout", "profile", "Dock layout"),
    ("acme root", "certificate", "Acme Root CA"),
    ("cve 2024 44308", "cve", "CVE-2024-44308"),
)


@pytest.mark.slow(quick_every=4)
@pytest.mark.parametrize(("words", "column"), COLUMNS)
def test_words_of_people_lead_to_the_column_at_once(reader: Reader, words: str, column: str) -> None:
    assert first(search(reader, words, kind="column")) == ("column", column)


@pytest.mark.parametrize(("words", "kind", "name"), THINGS)
def test_whatever_has_a_name_or_number_is_found_however_it_is_typed(
    reader: Reader, words: str, kind: str, name: str
) -> None:
    assert first(search(reader, words)) == (kind, name)


def test_a_hit_says_what_helps_to_go_on(reader: Reader) -> None:
    told = {
        (hit.kind, hit.name): hit.shown
        for words in ("uptime", "chrome", "imei 359123456789012", "wi-fi corporate", "filevault")
        for hit in search(reader, words).hits
    }
    assert told["column", "device_details.time_since_boot"].endswith("E.g. 37 days ago.")
    assert (
        told["column", "fleet.uptime_days"].endswith("E.g. 37 to 37.") or "E.g." in told["column", "fleet.uptime_days"]
    )
    assert told["app", "Google Chrome"] == "com.google.Chrome; on 2 devices; 3 copies; versions 99.1 to 131.0.6778.86"
    assert told["device", "Field phone"].startswith("has this IMEI; serial S3, id d3")
    assert told["item", "Wi-Fi Corporate"] == "profile; on 1 device; failed on 1; in 1 blueprint"
    assert ("query", "macs_without_filevault") in told


def test_personal_columns_show_no_values(reader: Reader) -> None:
    found = search(reader, "phone number", kind="column")
    assert not any("555" in hit.about for hit in found.hits)


@pytest.mark.parametrize("entry", NOT_MIRRORED, ids=lambda entry: entry.words[0])
def test_what_the_provider_does_not_give_is_said(reader: Reader, entry: Any) -> None:
    assert entry.sentence() in search(reader, entry.words[0]).notes


def test_what_is_said_not_to_be_there_is_in_no_column() -> None:
    names = {f"{view}.{column}" for view, found in views().items() for column in found.columns}
    names |= {f"{table.name}.{column.name}" for table in resources().values() for column in table.columns}
    partly = {"location", "latitude", "longitude", "password", "firmware password", "bypass code"}
    for entry in NOT_MIRRORED:
        assert set(entry.nearest) <= names, entry
        for phrase in set(entry.words) - partly:
            wanted = f"_{phrase.replace(' ', '_')}_"
            assert not [name for name in names if wanted in f"_{name.partition('.')[2]}_"], phrase


def test_the_vocabulary_names_columns_that_are_there(reader: Reader) -> None:
    there = {place.path for place in reader.columns()}
    assert {column for term in TERMS for column in term.columns} <= there
    assert {table for tables in TABLES.values() for table in tables} <= {place.table for place in reader.columns()}


def test_a_query_that_answers_is_told_beside_the_columns_that_are_meant(reader: Reader) -> None:
    assert any((hit.kind, hit.name) == ("query", "disk_space") for hit in search(reader, "free disk").hits)


def test_an_empty_answer_says_what_was_looked_at(reader: Reader) -> None:
    found = search(reader, "qqqqzz")
    assert found.hits == []
    assert found.notes[0].startswith("Nothing fits 'qqqqzz'. Looked at: the names and meanings of ")
    assert f"{len(catalog())} named queries" in found.notes[0]
    assert "the names of all apps" in found.notes[0]


def test_what_was_never_read_is_told(tmp_path: Path) -> None:
    publish(tmp_path, {"devices": [device(1)]})
    with Reader(tmp_path) as reader:
        (note,) = (note for note in search(reader, "firefox").notes if note.startswith("Never synced"))
    assert "apps" in note
    assert "devices" not in note.split(", ")


def test_what_is_only_similar_is_said_to_be(reader: Reader) -> None:
    found = search(reader, "firefx")
    assert first(found) == ("app", "Firefox")
    assert found.notes[0] == "Nothing fits 'firefx'; these are written similarly."


@pytest.mark.parametrize(
    "words", ["xyzzy", "asdfgh", "flux capacitor", "kiosque", "phonics", "quentara", "lopper", "phoenix", "filevualt"]
)
def test_nothing_is_found_for_what_is_only_a_little_like_it(reader: Reader, words: str) -> None:
    found = search(reader, words)
    assert (found.hits, found.notes[0].startswith(f"Nothing fits {words!r}. Looked at: ")) == ([], True)


@pytest.mark.parametrize(
    ("words", "name"),
    [("Lopes", "Zoë Lopez"), ("quentn", "Quentin Müller"), ("Enginering", "Engineering"), ("zow lopez", "Zoë Lopez")],
)
def test_one_slip_of_the_pen_is_similar(reader: Reader, words: str, name: str) -> None:
    assert name in [hit.name for hit in search(reader, words).hits]


@pytest.mark.parametrize("words", ["", " \u200b ", "x" * 100_000])
def test_words_that_are_none_are_refused(reader: Reader, words: str) -> None:
    with pytest.raises(UsageError, match="give 1 to 200"):
        search(reader, words)


@pytest.mark.parametrize("words", ["'; DROP TABLE devices; --", "%_\\", "🙈", "$asked", "the of", "\x00a"])
def test_odd_words_are_words(reader: Reader, words: str) -> None:
    assert len(search(reader, words).hits) < 11


def test_a_search_can_be_narrowed_to_a_kind(reader: Reader) -> None:
    assert {hit.kind for hit in search(reader, "wi-fi corporate").hits} == {"item", "profile"}
    assert {hit.kind for hit in search(reader, "wi-fi corporate", kind="Profiles").hits} == {"profile"}
    with pytest.raises(UsageError, match=r"There is no kind 'gadget' to search for\. There are: column, table"):
        search(reader, "x", kind="gadget")
    with pytest.raises(UsageError, match="The limit is 0; give 1 to 50"):
        search(reader, "x", limit=0)
    assert len(kinds()) == len(set(kinds()))


def test_an_assistant_gets_it_in_one_small_answer(mirror: ServerContext, era: Era) -> None:
    found = answer(mirror, era, "search", words="owner", limit=None)
    assert found["columns"] == ["kind", "name", "about"]
    assert found["rows"][0][:2] == ["column", "devices.user_name"]
    assert len(json.dumps(found)) < 3_500
    assert "There is no kind" in refusal(mirror, era, "search", words="owner", kind="x")


def test_the_command_prints_it_too(home: Path) -> None:
    ended = run(home, "search", "warranty", "of", "chrome", "--arrays")
    told = json.loads(ended.stdout)
    assert (ended.returncode, told["rows"][0][:2]) == (0, ["app", "Google Chrome"])
    assert told["notes"][0].startswith("Not in the mirror: the provider's API gives no warranty")
    nothing = run(home, "search", "bluetooth")
    assert (nothing.stdout, nothing.stderr.count("Not in the mirror")) == ("", 1)


def test_a_mirror_of_an_earlier_version_is_searched_without_what_it_has_not(tmp_path: Path) -> None:
    manifest = publish(tmp_path, {"devices": [device(1, device_name="Studio")]})
    tables = {name: state for name, state in manifest.tables.items() if name != "os_releases"}
    write_atomically(manifest_path(tmp_path, 2), replace(manifest, generation=2, tables=tables).to_json())
    with Reader(tmp_path) as old:
        assert "Studio" in {hit.name for hit in search(old, "studio").hits}
        assert "os_currency" not in {place.table for place in old.columns()}
