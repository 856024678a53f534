"""Questions about the past, asked of a mirror that saw five days."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from known_fleet import ROBERT, answer
from past_home import PastHome

from kandji_queries.reader import Reader

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
"""Noon of today; the states below are of noon on days before."""


def mac(number: int, **facts: Any) -> dict[str, Any]:
    return {
        "device_id": f"d{number}",
        "device_name": f"Mac {number}",
        "serial_number": f"S{number}",
        "platform": "Mac",
        "user_id": f"u{number}",
        "user_email": f"u{number}@example.org",
        "blueprint_id": "b1",
        "blueprint_name": "Engineering",
        **facts,
    }


def filevault(**status: bool | None) -> list[dict[str, Any]]:
    return [{"device_id": device_id, "status": on} for device_id, on in status.items()]


def app(device_id: str, version: str) -> dict[str, Any]:
    return {"device_id": device_id, "bundle_id": "us.zoom.xos", "path": "/Applications/z", "version": version}


def day(back: int) -> datetime:
    return NOON - timedelta(days=back)


MOVED = {"user_id": "u9", "user_email": "new@example.org"}
RENAMED = {"blueprint_name": "Engineers"}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    past = PastHome(tmp_path_factory.mktemp("home"))
    past.add(
        day(5),
        devices=[mac(1, device_name=ROBERT), mac(2), mac(3)],
        prism_filevault=filevault(d1=True, d2=False, d3=None),
        apps=[app("d1", "6.0")],
    )
    past.add(
        day(4),
        devices=[mac(1, device_name=ROBERT), mac(2, **MOVED), mac(4)],
        prism_filevault=filevault(d1=True, d2=True, d4=True),
        apps=[app("d1", "6.1"), app("d4", "6.0")],
    )
    past.add(
        day(2),
        devices=[mac(1, device_name=ROBERT, **RENAMED), mac(2, blueprint_id="b2", blueprint_name="Ops", **MOVED)],
        prism_filevault=filevault(d1=None, d2=True),
        apps=[app("d1", "6.1")],
    )
    past.add(
        day(1),
        devices=[mac(1, device_name=ROBERT, is_missing=True, **RENAMED), mac(2, user_id=None, user_email=None)],
        prism_filevault=filevault(d1=None, d2=True, d5=False),
    )
    with Reader(past.home) as reader:
        yield reader


@pytest.mark.slow
def test_coverage_is_told_for_every_day_since_history_began(reader: Reader) -> None:
    days = [day(back).date() for back in (5, 4, 3, 2, 1, 0)]
    assert reader.query("filevault_coverage").rows == [
        (days[0], 1, 1, 1, 3, 33.3),
        (days[1], 3, 0, 0, 3, 100.0),
        (days[2], 3, 0, 0, 3, 100.0),
        (days[3], 1, 0, 1, 2, 50.0),
        (days[4], 1, 1, 1, 3, 33.3),
        (days[5], 1, 1, 1, 3, 33.3),
    ]
    assert answer(reader, "filevault_coverage", "day", days=1) == [(days[4],), (days[5],)]


@pytest.mark.slow
def test_coverage_agrees_with_the_table_as_it_was(reader: Reader) -> None:
    asked = """
        SELECT count(*) FILTER (filevault_on), count(*) FILTER (NOT status), count(*) FILTER (status IS NULL)
        FROM prism_filevault_as_of($moment)"""
    found = answer(reader, "filevault_coverage", "day filevault_on filevault_off unknown")
    for date, *counts in found[:-1]:
        end = datetime.combine(date, datetime.min.time()) + timedelta(days=1)
        assert reader.run(asked, {"moment": end}).rows == [tuple(counts)]


def test_devices_that_came_went_or_changed_hands_are_told_and_renamed_blueprints_are_not(reader: Reader) -> None:
    asked = "changed_at event device_id before after user_email"
    moment = {back: day(back).replace(tzinfo=None) for back in (1, 2, 4)}
    assert answer(reader, "device_changes", asked, hours=24 * 6) == [
        (moment[1], "blueprint", "d2", "Ops", "Engineering", None),
        (moment[1], "user", "d2", "new@example.org", None, None),
        (moment[1], "is_missing", "d1", None, "true", "u1@example.org"),
        (moment[2], "blueprint", "d2", "Engineering", "Ops", None),
        (moment[2], "vanished", "d4", None, None, "u4@example.org"),
        (moment[4], "user", "d2", "u2@example.org", "new@example.org", None),
        (moment[4], "vanished", "d3", None, None, "u3@example.org"),
        (moment[4], "appeared", "d4", None, None, "u4@example.org"),
    ]
    since = answer(reader, "device_changes", "event", since=day(1).date())
    assert since == [("blueprint",), ("user",), ("is_missing",)]


def test_everything_that_changed_on_a_device_is_told_by_its_name(reader: Reader) -> None:
    asked = "table_name change column_name old_value new_value what"
    assert answer(reader, "changes_on_device", asked, device=ROBERT) == [
        ("devices", "changed", "is_missing", None, "true", "missing none -> true"),
        ("devices", "changed", "blueprint_name", "Engineering", "Engineers", "blueprint_name Engineering -> Engineers"),
        ("prism_filevault", "changed", "status", "true", None, "FileVault: status true -> none"),
        ("apps", "updated", "version", "6.0", "6.1", "app us.zoom.xos updated 6.0 -> 6.1"),
    ]


def test_a_device_that_is_gone_is_still_found(reader: Reader) -> None:
    assert answer(reader, "changes_on_device", "device_id table_name what", device="s4") == [
        ("d4", "devices", "device removed: 1 app"),
        ("d4", "devices", "device added: 1 app"),
    ]


def test_rows_that_are_gone_can_be_read_as_they_were(reader: Reader) -> None:
    gone = "SELECT removed_at, old_row ->> '$.version' FROM removed_rows WHERE table_name = 'apps'"
    assert reader.run(gone).rows == [(day(2).replace(tzinfo=None), "6.0")]


def test_history_tells_since_when_it_is_kept(reader: Reader) -> None:
    asked = "SELECT table_name, since, last_change_at, changed_rows FROM history ORDER BY table_name"
    begun = day(5).replace(tzinfo=None)
    assert reader.run(asked).rows == [
        ("apps", begun, day(2).replace(tzinfo=None), 3),
        ("devices", begun, day(1).replace(tzinfo=None), 8),
        ("prism_filevault", begun, day(1).replace(tzinfo=None), 6),
    ]
