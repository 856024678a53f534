"""Whoever is searched for is found, whatever door is asked, however the name is typed; two records are told apart."""

# ruff: noqa: RUF001  # characters that look like others are what this is about

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from action_tenant import MAC, TWIN, ActionTenant, preview_of, service_at
from commands import run
from live_tenant import live
from mcp_calls import answer, calls, opened, refusal, said
from reads_home import NOW, device, publish
from support import client_of, make_tenant

from kandji_mcp_server.context import ServerContext
from kandji_mirror.sync.devices import find_device
from kandji_queries.reader import Reader
from kandji_schema.errors import TargetRefused, UsageError

ZOE, TOKYO, QUENTIN, NIGHT, CITY, GROUPED = (str(UUID(int=n)) for n in range(1, 7))
OLD, NEW, NEVER = (str(UUID(int=n)) for n in range(11, 14))
FLEET = [
    device(
        1, device_id=ZOE, device_name="Design-1", user_name="Zoë Lopez", user_email="zoe.l@example.org", tags=["Café"]
    ),
    device(2, device_id=TOKYO, device_name="ＭＡＣ-79 東京", user_name="Søren Ærø", user_email="s@example.org"),
    device(3, device_id=QUENTIN, device_name="Quentin’s MacBook Air", user_name=None, user_email=None),
    device(
        4, device_id=NIGHT, device_name="Night\u00a0shift\u201179", user_name="Łukasz Żak", user_email="z@example.org"
    ),
    device(5, device_id=CITY, device_name="İSTANBUL e\u0301te\u0301", user_name=None, user_email=None),
    device(6, device_id=GROUPED, device_name="Six", serial_number="J7P089J2WKT6", asset_tag="AT-00 12", user_name=None),
    device(
        11,
        device_id=OLD,
        device_name="Lab",
        serial_number="TWICE1",
        last_check_in=NOW - timedelta(days=90),
        is_missing=True,
    ),
    device(12, device_id=NEW, device_name="Lab new", serial_number="TWICE1", last_check_in=NOW - timedelta(hours=1)),
    device(13, device_id=NEVER, device_name="Lab again", serial_number="twice1", last_check_in=None, is_removed=True),
]
APPS = [
    {
        "device_id": ZOE,
        "serial_number": "S1",
        "name": "Ｚｏｏｍ Café",
        "version": "1",
        "bundle_id": "us.zoom",
        "path": "/a",
    }
]
FOUND = (
    ("zoe lopez", ZOE),
    ("mac-79", TOKYO),
    ("MAC－79 東京", TOKYO),
    ("soren aero", TOKYO),
    ("quentin's macbook air", QUENTIN),
    ("QUENTIN`S  MacBook", QUENTIN),
    ("night shift-79", NIGHT),
    ("lukasz zak", NIGHT),
    ("istanbul ete", CITY),
    ("j7p0 89j2-wkt6", GROUPED),
    ("Ｊ７Ｐ０８９Ｊ２ＷＫＴ６", GROUPED),
    ("at0012", GROUPED),
    (GROUPED.replace("-", "").upper(), GROUPED),
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    publish(home, {"devices": FLEET, "apps": APPS, "users": [], "blueprints": [{"id": "b1", "name": "Forschung Süd"}]})
    return home


@pytest.fixture(scope="module")
def reader(home: Path) -> Iterator[Reader]:
    with Reader(home) as reader:
        yield reader


@pytest.fixture(scope="module")
def mirror(home: Path) -> Iterator[ServerContext]:
    with opened(home) as mirror:
        yield mirror


def first(reader: Reader, query: str, **params: Any) -> list[Any]:
    return [row[0] for row in reader.query(query, params).rows]


@pytest.mark.heavy
def test_named_queries_find_a_device_however_it_is_typed(reader: Reader) -> None:
    for typed, device_id in FOUND:
        assert first(reader, "find_device", device=typed) == [device_id], typed


@pytest.mark.slow
def test_people_apps_tags_and_blueprints_are_found_without_their_accents(reader: Reader) -> None:
    assert first(reader, "devices_of_user", user="Zoe Lopez") == [ZOE]
    assert first(reader, "devices_of_user", user="ZOE\u0308 LÓPEZ") == [ZOE]
    assert first(reader, "devices_with_app", app="zoom cafe") == [ZOE]
    assert first(reader, "devices_with_tag", tag="cafe") == [ZOE]
    assert ZOE not in first(reader, "macs_missing_app", app="zoom cafe")
    assert first(reader, "blueprint_items", blueprint="forschung sud") == ["Forschung Süd"]
    sql = "SELECT device_id FROM devices WHERE contains(folded(device_name), folded($name))"
    assert reader.run(sql, {"name": "Mac-79 東"}).rows == [(TOKYO,)]


@pytest.mark.many
def test_tools_find_a_device_however_it_is_typed(mirror: ServerContext) -> None:
    asked = [(tool, {"device": typed}) for typed, _ in FOUND for tool in ("find_device", "device_profile")]
    answers = [json.loads(said(found)) for found in calls(mirror, "auto", *asked)]
    for (typed, device_id), found, profile in zip(FOUND, answers[::2], answers[1::2], strict=True):
        assert [r[found["columns"].index("device_id")] for r in found["rows"]] == [device_id], typed
        assert profile["parts"]["device"]["device_id"] == device_id, typed


@pytest.mark.heavy
def test_two_records_of_one_serial_number_are_told_apart_by_id_newest_contact_first(
    mirror: ServerContext, reader: Reader
) -> None:
    document = answer(mirror, "auto", "find_device", device="twice1")
    shown = [dict(zip(document["columns"], values, strict=True)) for values in document["rows"]]
    same = document.get("same_in_all_rows", {})
    assert [r["device_id"] for r in shown] == [NEW, OLD, NEVER]
    assert [(r["is_missing"], r["is_removed"]) for r in ({**same, **r} for r in shown)] == [
        (False, False), (True, False), (False, True),
    ]  # fmt: skip
    assert "one serial number" in json.dumps(document["notes"])
    refused = refusal(mirror, "auto", "device_profile", device="TWICE-1")
    assert refused.index(NEW) < refused.index(OLD) < refused.index(NEVER)
    assert "Call again with one of these ids" in refused
    assert ", missing)" in refused
    assert "never in contact, removed)" in refused
    assert first(reader, "find_device", device="twice1") == [NEW, OLD, NEVER]
    shared = [r for r in reader.query("duplicate_devices").rows if r[0] == "serial number"]
    assert [(r[1], r[2], r[3]) for r in shared] == [("twice1", 3, NEW), ("twice1", 3, OLD), ("twice1", 3, NEVER)]


def test_sync_knows_a_device_however_it_is_typed_and_suggests_the_nearest(home: Path) -> None:
    tenant = make_tenant(1, apps=1)
    client = client_of(tenant.handle)
    for typed, device_id in FOUND:
        if typed in ("quentin's macbook air", "night shift-79", "istanbul ete", "j7p0 89j2-wkt6"):
            assert find_device(home, client, typed) == device_id
    assert not tenant.requests
    with pytest.raises(UsageError, match="Nearly so: 'Quentin’s MacBook Air', serial number S3"):
        find_device(home, client, "Quentins MacBook Ai")
    with pytest.raises(UsageError, match=f"(?s)3 devices are called 'TWICE1'.*{NEW}.*{OLD}.*missing.*{NEVER}.*removed"):
        find_device(home, client, "TWICE1")
    assert find_device(home, client, "Lab") == OLD


def test_a_serial_number_in_groups_is_asked_of_the_tenant(tmp_path: Path) -> None:
    tenant = make_tenant(3, apps=1)
    row = next(iter(tenant.world.truth("devices")))
    serial = row["serial_number"]
    grouped = f"{serial[:4]} {serial[4:7]}-{serial[7:]}".lower()
    assert find_device(tmp_path, client_of(tenant.handle), grouped) == row["device_id"]


def test_changes_suggest_the_nearest_device(home: Path) -> None:
    asked = run(home, "changes", "--device", "quentins macbook ai")
    assert (asked.returncode, "similar: 'Quentin’s MacBook Air'" in asked.stderr) == (2, True)
    exact = run(home, "changes", "--device", "quentin's macbook air")
    assert exact.returncode == 0
    assert "Nothing changed in the time asked for on this device: 'Quentin’s MacBook Air'" in exact.stderr


def test_changes_of_one_serial_number_of_several_records_offer_ids(home: Path) -> None:
    asked = run(home, "changes", "--device", "TWICE-1")
    assert asked.returncode == 2
    assert asked.stderr.index(NEW) < asked.stderr.index(OLD) < asked.stderr.index(NEVER)


@pytest.mark.parametrize(
    "query", ["find_device", "apps_on_device", "device_compliance", "changes_on_device", "activity_of_device"]
)
def test_a_named_query_says_that_several_devices_fit(reader: Reader, query: str) -> None:
    found = reader.query(query, {"device": "TWICE-1"})
    assert {"last_check_in", "is_missing"} <= {column.name for column in found.columns}
    (note,) = (note for note in found.notes if "3 devices fit" in note)
    assert note.index(NEW) < note.index(OLD) < note.index(NEVER)


@pytest.mark.parametrize("typed", ["Zoe-Lopez", "lopez zoe", "Lopéz, Zoë"])
def test_a_person_is_found_by_the_words_of_the_name(reader: Reader, typed: str) -> None:
    assert first(reader, "devices_of_user", user=typed) == [ZOE]


def test_the_nearest_name_is_offered_whatever_reported_later(tmp_path: Path) -> None:
    later = {"last_check_in": NOW}
    others = [device(n, device_name=f"{name}’s MacBook Air", **later) for n, name in enumerate(("Ada", "Alan", "Nan"))]
    publish(tmp_path, {"devices": [*others, device(9, device_name="Nadia’s MacBook Air")]})
    asked = run(tmp_path, "changes", "--device", "nadia's macbook airr")
    assert "similar: 'Nadia’s MacBook Air'" in asked.stderr


def test_an_action_takes_a_serial_number_in_groups_but_a_name_only_as_it_is(tmp_path: Path) -> None:
    publish(tmp_path, {"devices": [device(1, device_id=MAC, device_name="Jane’s Mac", serial_number="C02JANE")]})
    tenant = ActionTenant()
    tenant.devices[MAC]["device_name"] = "Jane’s Mac"
    service = service_at(tmp_path, tenant)
    assert preview_of(service, "restart", "c02-ja ne").target.id == MAC
    with pytest.raises(TargetRefused, match=f"Nearly so is called: serial number C02JANE, id {MAC}"):
        preview_of(service, "restart", "jane's mac")
    assert tenant.sent == []


def test_deleting_by_a_name_of_several_sends_nothing_and_lists_them_newest_contact_first(tmp_path: Path) -> None:
    with live(tmp_path) as served:
        world = served.tenant.world
        for device_id in world.device_ids()[:3]:
            world.rename(device_id, "Twin")
        rows = [row for row in world.truth("devices") if row["device_name"] == "Twin"]
        newest = [row["device_id"] for row in sorted(rows, key=lambda row: str(row["last_check_in"]), reverse=True)]
        ended = run(tmp_path, "action", "delete", "Twin", "--reason", "left", **served.environment())
        assert ended.returncode == 2
        assert [device for device in newest if device in ended.stderr] == newest
        places = [ended.stderr.index(device) for device in newest]
        assert places == sorted(places)
        assert ended.stderr.count("last contact") == 3
        assert "means 3 devices, newest contact first" in ended.stderr
        assert served.writes() == []


def test_an_action_on_a_serial_number_of_two_records_sends_nothing_and_offers_ids(tmp_path: Path) -> None:
    tenant = ActionTenant()
    tenant.devices[TWIN] |= {"serial_number": "C02JANE", "last_check_in": "2026-11-28T10:00:00Z"}
    tenant.devices[MAC] |= {"last_check_in": "2026-03-01T10:00:00Z", "is_missing": True}
    with pytest.raises(TargetRefused) as refused:
        preview_of(service_at(tmp_path, tenant), "delete", "C02JANE")
    text = str(refused.value)
    places = [text.index(part) for part in (TWIN, "2026-11-28 10:00", MAC, "2026-03-01 10:00", ", missing")]
    assert places == sorted(places)
    assert "Name one by its identifier. Nothing was sent" in text
    assert tenant.sent == []
