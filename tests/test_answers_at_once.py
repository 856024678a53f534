"""One answer is enough: what a list leaves out, how its rows fall apart, what leads, and which apps were updated."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from known_fleet import answer
from past_home import PastHome, hours
from reads_home import NOW, device, publish

from kandji_queries.catalog.queries import from_file
from kandji_queries.reader import Reader
from kandji_queries.sql_files import read
from kandji_schema.errors import ConfigurationError


def app(number: int, name: str, version: str, **facts: Any) -> dict[str, Any]:
    path = f"/Applications/{name}.app"
    return {
        "device_id": f"d{number}",
        "bundle_id": f"com.{name}",
        "path": path,
        "name": name,
        "version": version,
    } | facts


def item(number: int, name: str, **facts: Any) -> dict[str, Any]:
    return {"device_id": f"d{number}", "item_id": name, "name": name, "type": "custom-app", "status": "FAILED", **facts}


def detection(number: int, days: int | None) -> dict[str, Any]:
    moment = None if days is None else NOW - timedelta(days=days)
    return {"id": f"b{number}", "device_id": "d1", "detection_date": moment, "classification": "malicious"}


def event(number: int, **facts: Any) -> dict[str, Any]:
    moment = NOW - timedelta(hours=number)
    return {"id": f"{number:026}", "occurred_at": moment, "target_type": "device", "action": "update", **facts}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    home = tmp_path_factory.mktemp("home")
    publish(
        home,
        {
            "devices": [device(1), device(2), device(3, last_check_in=None)],
            "apps": [
                *(app(n, "zoom.us", "6") for n in (1, 2)),
                app(1, "zoom.us", "5", path="/Users/a/zoom.us.app"),
                app(3, "Zoom Rooms", "6"),
            ],
            "device_library_items": [item(1, "Wi-Fi"), item(2, "Wi-Fi"), *(item(1, f"App {n}") for n in range(6))],
            "behavioral_detections": [detection(1, 2), detection(2, 40), detection(3, 90), detection(4, None)],
            "users": [{"id": "u1", "name": "Ann", "email": "ann@example.org"}],
            "device_activity": [
                {"id": "1", "device_id": "d1", "user_id": "u7", "user_name": "Kim", "user_email": "k@x"}
            ],
            "audit_events": [
                event(1, target_id="d1", actor_id="u1"),
                event(2, target_id="gone", actor_id="u7", action="delete", old_state='{"name": "Old Mac"}'),
                event(3, target_id="d2", actor_id="who", new_state='{"secret": "filevault"}'),
                event(24 * 50, target_id="gone", action="create", new_state='{"serial_number": "S9"}'),
            ],
            "prism_application_firewall": [{"device_id": "d1", "status": False}, {"device_id": "d2", "status": True}],
            "prism_gatekeeper_and_xprotect": [
                {"device_id": "d1", "gatekeeper_status": True},
                {"device_id": "d2", "gatekeeper_status": False},
            ],
        },
    )
    with Reader(home) as reader:
        yield reader


def notes(reader: Reader, name: str, **values: Any) -> list[str]:
    return [note for note in reader.query(name, values).notes if " old, due after " not in note]


def test_what_a_list_leaves_out_by_its_days_is_counted_and_dated(reader: Reader) -> None:
    oldest, newest = (f"{NOW - timedelta(days=days):%Y-%m-%d %H:%M}" for days in (90, 40))
    (note,) = (note for note in notes(reader, "behavioural_detections", days="30") if "left out" in note)
    assert note == (f"2 more rows are left out by days=30, detection_date {oldest} to {newest}: days=3650 has all.")
    (note,) = (note for note in notes(reader, "behavioural_detections", days="50") if "left out" in note)
    assert note.startswith("1 more row is left out by days=50")
    for values in ({}, {"classification": "suspicious", "days": 30}):
        assert not [note for note in notes(reader, "behavioural_detections", **values) if "left out" in note]


def test_a_bound_that_nothing_is_under_tells_where_all_are(reader: Reader) -> None:
    assert notes(reader, "rare_apps", fewer_than=1) == [
        "No rows with fewer_than=1; fewer_than=1000000 has 2, devices 1 to 2."
    ]
    (*_, told) = notes(reader, "blueprints_with_few_items", fewer_than=1)
    assert told == "No rows with fewer_than=10000 either."


def test_rows_are_counted_by_what_tells_them_apart_and_devices_once(reader: Reader) -> None:
    assert "Devices by app: 2 'zoom.us', 1 'Zoom Rooms'." in notes(reader, "devices_with_app", app="zoom")
    told = "By item: 2 'Wi-Fi', 1 'App 0', 1 'App 1', 1 'App 2', 1 'App 3' and 2 others."
    assert told in notes(reader, "failed_library_items")
    with reader.stream_query("failed_library_items") as stream:
        assert len([*stream]) == 8
        assert told in stream.notes
    off = notes(reader, "macs_without_firewall_or_gatekeeper")
    assert "By firewall_on: 1 false, 1 true, 1 not known." in off
    assert "By gatekeeper_on: 1 true, 1 false, 1 not known." in off
    assert "By days_since: 2 known, 1 never checked in." in notes(reader, "stale_devices", days=0)


def test_what_is_sensitive_comes_first_and_a_device_that_is_gone_has_its_name(reader: Reader) -> None:
    assert answer(reader, "sensitive_actions", "about target_id device_name serial_number actor_name") == [
        ("deletion", "gone", "Old Mac", "S9", "Kim"),
        ("secret", "d2", "Mac 2", "S2", None),
        ("change", "d1", "Mac 1", "S1", "Ann"),
    ]
    told = notes(reader, "sensitive_actions")
    assert any(note.startswith("1 more row is left out by days=30") for note in told)
    assert "By about: 1 deletion, 1 secret, 1 change." in told


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    past = PastHome(tmp_path_factory.mktemp("past"))
    inside = {"path": "/Applications/Chrome.app/Contents/Helper.app", "bundle_id": "com.helper"}
    for hour, versions in ((0, ("9", "8")), (1, ("10", "10")), (24, ("10", "10"))):
        chrome = [app(n, "Chrome", version) for n, version in enumerate(versions, 1)]
        helpers = [app(1, "Helper", versions[0], **inside)]
        past.add(
            hours(hour),
            devices=[device(1), device(2)],
            apps=[
                *chrome,
                *helpers,
                *(app(n, "Word", "16" if hour else "9") for n in (1, 2)),
                app(1, "Notes", f"{hour}"),
            ],
        )
    with Reader(past.home) as reader:
        yield reader


@pytest.mark.slow
def test_updated_apps_are_ranked_by_devices_with_the_versions_before_and_after(past: Reader) -> None:
    asked = "app devices updates commonest from_versions to_versions"
    assert answer(past, "updated_apps", asked, days=3650) == [
        ("Chrome", 2, 2, "9 -> 10", "9, 8", "10"),
        ("Word", 2, 2, "9 -> 16", "9", "16"),
        ("Notes", 1, 2, "1 -> 24", "1, 0", "24, 1"),
    ]
    assert answer(past, "updated_apps", "app from_versions", day=date(2026, 3, 3)) == [("Notes", "1")]
    assert answer(past, "updated_apps", "app", days=3650, app="WOR") == [("Word",)]
    assert "The first 2 rows have devices 2 alike: none of them leads." in notes(past, "updated_apps", days=3650)


@pytest.mark.slow
def test_without_an_update_it_is_told_when_history_begins_and_that_a_month_has_none(past: Reader) -> None:
    assert notes(past, "updated_apps")[-1] == "No rows with days=30 either."
    (*_, told) = notes(past, "updated_apps", app="zoom")
    assert told.startswith("There is no app 'zoom'.")


@pytest.mark.parametrize("bound", ["days=x", "hours=3 id", "name=x id", "days=0 id", "days=3650"])
def test_a_bound_that_cannot_be_read_is_refused_with_its_line(tmp_path: Any, bound: str) -> None:
    file = tmp_path / "q.sql"
    params = "-- param: days int = 3 [1, 9] | Days.\n-- param: name text optional | Name.\n"
    file.write_text(f"-- title: T\n-- description: D.\n{params}-- beyond: {bound}\nSELECT $days, $name AS id;")
    with pytest.raises(ConfigurationError, match="line 5: "):
        from_file(read(file, frozenset({"title", "description", "param", "beyond"})))
