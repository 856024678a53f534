"""Queries made for pictures: days, steps and controls, each number against one that was counted otherwise."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from known_fleet import answer, app
from past_home import PastHome
from reads_home import NOW, device, publish

from kandji_queries.catalog.queries import PICTURES, catalog
from kandji_queries.reader import Reader

State = Mapping[str, Sequence[Mapping[str, Any]]]

TODAY = datetime.now(UTC).date()
TREND = ("posture_trend", "os_adoption", "changes_by_day")


def at(back: int, hour: int = 12) -> datetime:
    return datetime.combine(TODAY - timedelta(days=back), time(hour), UTC)


def mac(number: int, version: str | None, **facts: Any) -> dict[str, Any]:
    return {"device_id": f"d{number}", "platform": "Mac", "os_version": version, **facts}


def status(**on: bool | None) -> list[dict[str, Any]]:
    return [{"device_id": device_id, "status": value} for device_id, value in on.items()]


PHONE = {"device_id": "p1", "platform": "iPhone", "os_version": "18.1"}

STATES: list[tuple[datetime, State]] = [
    (
        at(5),
        {
            "devices": [mac(1, "14.7"), mac(2, "15.1"), PHONE],
            "prism_filevault": status(d1=True, d2=False),
            "prism_application_firewall": status(d1=True),
        },
    ),
    # the end of the day before, to the second
    (
        at(3, 0),
        {
            "devices": [mac(1, "15.1"), mac(2, "15.1"), mac(4, None), {**PHONE, "os_version": "26.0"}],
            "prism_filevault": status(d1=True, d2=None),
            "prism_application_firewall": status(d1=False, d2=True),
        },
    ),
    (
        at(2),
        {
            "devices": [mac(1, "15.1"), mac(2, "15.2"), PHONE],
            "prism_filevault": status(d1=True, d2=True, d4=True),
            "prism_application_firewall": status(d2=True),
        },
    ),
    # twice on one day
    (at(1, 3), {"devices": [mac(1, "26.0"), mac(2, "15.2")], "prism_application_firewall": status(d1=True, d2=False)}),
    (
        at(1),
        {
            "devices": [mac(1, "26.0"), mac(2, "15.2", is_removed=True), mac(4, "26.0")],
            "prism_application_firewall": status(d1=True, d2=True),
        },
    ),
]


def table(name: str, day: date) -> list[Mapping[str, Any]]:
    """The rows of a table at the end of a day, by the states themselves."""
    end = datetime.combine(day + timedelta(days=1), time(0), UTC)
    return next((list(state[name]) for moment, state in reversed(STATES) if moment <= end and name in state), [])


def posture(day: date, name: str) -> tuple[int, int, int, int, float]:
    macs = [row["device_id"] for row in table("devices", day) if row["platform"] == "Mac"]
    told = {row["device_id"]: row["status"] for row in table(name, day)}
    on, off = (sum(told.get(mac) is value for mac in macs) for value in (True, False))
    return on, off, len(macs) - on - off, len(macs), round(100 * on / len(macs), 1)


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    home = PastHome(tmp_path_factory.mktemp("past"))
    for moment, tables in STATES:
        home.add(moment, **tables)
    with Reader(home.home) as reader:
        yield reader


DAYS = [TODAY - timedelta(days=back) for back in (5, 4, 3, 2, 1, 0)]


@pytest.mark.heavy
def test_posture_is_told_day_by_day_among_all_macs_that_were_listed(past: Reader) -> None:
    asked = "day control macs_on macs_off unknown macs percent_on"
    found = answer(past, "posture_trend", asked)
    tables = {"FileVault": "prism_filevault", "Firewall": "prism_application_firewall"}
    expected = [(day, control, *posture(day, name)) for day in DAYS for control, name in tables.items()]
    # of the other two nothing was ever mirrored
    expected += [(TODAY, control, 0, 0, 3, 3, 0.0) for control in ("Gatekeeper", "SIP")]
    assert found == expected
    assert answer(past, "posture_trend", "control day", control="firewall", days=1) == [
        ("Firewall", TODAY - timedelta(days=1)),
        ("Firewall", TODAY),
    ]


@pytest.mark.parametrize("platform", ["Mac", "iPhone"])
@pytest.mark.parametrize("versions", [False, True])
def test_systems_are_told_day_by_day(past: Reader, platform: str, versions: bool) -> None:
    def name(row: Mapping[str, Any]) -> str:
        version = row["os_version"] or "unknown"
        return {"Mac": "macOS ", "iPhone": "iOS "}[platform] + (version if versions else version.partition(".")[0])

    found = answer(past, "os_adoption", "day os devices percent", platform=platform, versions=versions)
    counted = {day: Counter(name(row) for row in table("devices", day) if row["platform"] == platform) for day in DAYS}
    seen = {os for counts in counted.values() for os in counts}
    assert {(day, os): devices for day, os, devices, _ in found} == {
        (day, os): counts[os] for day, counts in counted.items() for os in seen
    }
    for day, os, devices, percent in found:
        whole = counted[day].total()
        assert percent == (round(100 * devices / whole, 1) if whole else None), os
    names = [os for day, os, *_ in found if day == TODAY]
    newest_first = sorted(seen - {"macOS unknown"}, reverse=True)
    assert names == [*newest_first, *(seen & {"macOS unknown"})]


def test_changes_of_a_day_are_those_that_are_told_of_it(past: Reader) -> None:
    found = answer(past, "changes_by_day", "day kind changes devices thing change")
    told = past.run("SELECT changed_at, thing, change, device_id FROM changes_by_thing").rows
    changes = Counter((moment.date(), thing, change) for moment, thing, change, _ in told)
    devices = {(moment.date(), thing, change, device_id) for moment, thing, change, device_id in told}
    kinds = {(thing, change) for _, thing, change, _ in told}
    assert {(day, thing, change): n for day, _, n, _, thing, change in found} == {
        (day, *kind): changes[day, *kind] for day in DAYS for kind in kinds
    }
    assert sum(row[3] for row in found) == len(devices)
    assert ("device added", "device", "added") in {(row[1], row[4], row[5]) for row in found}


@pytest.mark.parametrize("name", TREND)
def test_a_trend_says_where_its_history_begins(past: Reader, name: str) -> None:
    begins = f"History begins on {at(5):%Y-%m-%d %H:%M} UTC; what changed earlier is not known."
    assert begins in past.query(name).notes
    assert begins not in past.query(name, {"days": 3}).notes


APPS = [
    *(app(f"d{n}", "Zoom", version) for n, version in enumerate(["6.3", "6.3.0", "6.2", "6.10", "5.0", "x"], 1)),
    app("d4", "Zoom", "6.1", path="/Users/x/Zoom.app"),
    app("d5", "Zoom", "4.0", path="/Applications/Other.app/Contents/Zoom.app"),
    app("d6", "Zoom", None, path="/Users/x/Zoom.app"),
    app("d1", "Safari", "18.0", bundle_id="com.apple.Safari"),
    *(app(f"d{n}", "Slack", None) for n in (1, 2)),
]

DETAILS = [
    {"device_id": "d1", "recovery_lock_enabled": True, "supervised": True, "total_capacity": "500 GB"},
    {"device_id": "d2", "recovery_lock_enabled": False},
]


def enrolled(days: float) -> dict[str, Any]:
    return {"first_enrollment": NOW - timedelta(days=days), "last_check_in": NOW - timedelta(days=days)}


DEVICES = [
    device(1, **enrolled(0.5), model="MacBook Air (M2, 2022)"),
    device(2, **enrolled(3), model="MacBook Air (M3, 2024)", is_missing=True, blueprint_id="b2", blueprint_name="Ops"),
    device(3, **enrolled(400), blueprint_id=None, blueprint_name=None),
    device(4, **enrolled(800), is_removed=True),
    device(5, last_check_in=None, first_enrollment=None),
    device(6, **enrolled(-1), platform="iPhone", os_version="18.0"),
]

TABLES: dict[str, list[Any]] = {
    "devices": DEVICES,
    "device_details": DETAILS,
    "apps": APPS,
    "prism_filevault": status(d1=True, d2=False, d3=None),
    "prism_application_firewall": status(d1=True, d2=True, d3=True, d4=True, d5=False),
    "prism_startup_settings": [{"device_id": "d1", "sip": False, "bootstrap_token_escrowed": True}],
    "prism_activation_lock": [
        {"device_id": "d1", "user_activation_lock_enabled": False, "device_activation_lock_enabled": True},
        {"device_id": "d2", "user_activation_lock_enabled": False, "device_activation_lock_enabled": False},
    ],
    "ade_integrations": [
        {"id": "t1", "server_name": "ASM", "access_token_expiry": NOW + timedelta(days=10), "device_count": 3},
        {"id": "t2", "server_name": "ABM", "access_token_expiry": None},
    ],
    "prism_certificates": [
        {"device_id": "d1", "common_name": "a", "extra": f'{{"not_after": "{NOW - timedelta(days=2)}"}}'},
        {"device_id": "d2", "common_name": "a", "extra": f'{{"not_after": "{NOW + timedelta(days=5000)}"}}'},
        {"device_id": "d2", "common_name": "d", "extra": f'{{"expires_at": "{NOW + timedelta(days=40)}"}}'},
        {"device_id": "d2", "common_name": "b", "extra": '{"not_after": "someday"}'},
        {"device_id": "d3", "common_name": "c"},
    ],
}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    home = tmp_path_factory.mktemp("home")
    publish(home, TABLES)
    with Reader(home) as reader:
        yield reader


def test_each_control_of_the_macs_is_on_off_or_not_known(reader: Reader) -> None:
    assert answer(reader, "posture_now", "control macs_on macs_off unknown macs percent_on missing removed") == [
        ("FileVault", 1, 1, 3, 5, 20.0, 1, 1),
        ("FileVault key escrowed", 0, 0, 5, 5, 0.0, 1, 1),
        ("Firewall", 4, 1, 0, 5, 80.0, 1, 1),
        ("Gatekeeper", 0, 0, 5, 5, 0.0, 1, 1),
        ("Integrity (SIP)", 0, 1, 4, 5, 0.0, 1, 1),
        ("Signed system volume", 0, 0, 5, 5, 0.0, 1, 1),
        ("Bootstrap token escrowed", 1, 0, 4, 5, 20.0, 1, 1),
        ("Recovery Lock", 1, 1, 3, 5, 20.0, 1, 1),
        ("Activation Lock", 1, 1, 3, 5, 20.0, 1, 1),
        ("Supervised", 1, 0, 4, 5, 20.0, 1, 1),
    ]
    of_one = answer(reader, "posture_now", "macs_on macs_off unknown", blueprint="ops")[0]
    assert of_one == (0, 1, 0)
    assert answer(reader, "posture_now", "macs", with_removed=False)[0] == (4,)
    behind = {name for (name,) in answer(reader, "posture_now", "behind") if name}
    assert behind <= catalog().keys()


def test_compliance_of_a_blueprint_is_that_of_its_devices(reader: Reader) -> None:
    rows = reader.run(
        "SELECT blueprint_name, device_id, rule, result FROM compliance JOIN devices USING (device_id)"
    ).rows
    counted: Counter[tuple[str, str, str]] = Counter()
    of_device: dict[tuple[str, str], list[str]] = {}
    for blueprint, device_id, rule, result in rows:
        counted[blueprint or "(no blueprint)", rule, result] += 1
        of_device.setdefault((blueprint or "(no blueprint)", device_id), []).append(result)
    for (blueprint, _), results in of_device.items():
        worst = "fail" if "fail" in results else "unknown" if "unknown" in results else "pass"
        counted[blueprint, "all rules", worst] += 1
    found = answer(reader, "compliance_by_blueprint", "blueprint rule passed failed unknown devices percent_passed")
    assert {row[:2] for row in found} == {key[:2] for key in counted}
    for blueprint, rule, *numbers, devices, percent in found:
        assert numbers == [counted[blueprint, rule, result] for result in ("pass", "fail", "unknown")]
        known = numbers[2] < devices
        assert (devices, percent) == (sum(numbers), round(100 * numbers[0] / devices, 1) if known else None)
    for row in (found[0], found[-1]):  # what each number leads to
        for result, number in zip(("pass", "fail", "unknown"), row[2:5], strict=True):
            params = {"rule": row[1], "blueprint": row[0], "result": result}
            assert len(answer(reader, "rule_results", "device_id", **params)) == number


def test_versions_of_the_commonest_apps_are_newest_next_third_or_older(reader: Reader) -> None:
    asked = "app devices newest second_newest third_newest older unknown newest_version second_version third_version"
    assert answer(reader, "app_version_spread", asked) == [
        # 6.10 is on no device that has nothing older: of d4 6.1 counts, and of d6 nothing can be read
        ("Zoom", 6, 0, 2, 1, 2, 1, "6.10", "6.3.0", "6.2"),
        ("Slack", 2, 0, 0, 0, 0, 2, None, None, None),
    ]
    assert answer(reader, "app_version_spread", "app", with_apple=True, top=2) == [("Zoom",), ("Slack",)]
    assert answer(reader, "app_version_spread", "app", with_apple=True)[-1] == ("Safari",)
    assert answer(reader, "app_version_spread", "app devices", platform="iPhone") == []


def test_what_runs_out_is_told_in_its_order(reader: Reader) -> None:
    assert [words for (words,) in answer(reader, "expiries", "in_words")][:2] == ["expired 2 days ago", "10 days left"]
    assert answer(reader, "expiries", "kind what days_left items devices") == [
        ("certificate", "Certificates that have expired", -2, 1, 1),
        ("enrolment token", "Enrolment token ASM", 10, 1, 3),
        ("certificate", f"Certificates expiring in {NOW + timedelta(days=40):%Y-%m}", 40, 1, 1),
        ("certificate", "Certificates that expire later", 5000, 1, 1),
        ("certificate", "Certificates without a known date", None, 2, 2),
        ("enrolment token", "Enrolment token ABM", None, 1, None),
    ]
    assert {name for (name,) in answer(reader, "expiries", "behind")} <= catalog().keys()


STEPS: dict[str, list[tuple[str, int]]] = {
    "last_check_in": [
        *(("within a day", 2), ("1 to 7 days ago", 1), ("7 to 14 days ago", 0), ("14 to 30 days ago", 0)),
        *(("30 to 90 days ago", 0), ("longer ago", 2), ("never", 1)),
    ],
    "years_enrolled": [
        *(("under 1 year", 3), ("1 to 2 years", 1), ("2 to 3 years", 1), ("3 to 4 years", 0), ("4 to 5 years", 0)),
        *(("5 years and more", 0), ("unknown", 1)),
    ],
    "model_year": [("2022", 1), ("2023", 0), ("2024", 1), ("unknown", 4)],
}


@pytest.mark.parametrize("attribute", STEPS)
def test_devices_are_told_by_steps_in_their_order(reader: Reader, attribute: str) -> None:
    assert answer(reader, "devices_by_range", "step devices", attribute=attribute) == STEPS[attribute]


def test_months_of_enrolment_follow_one_another(reader: Reader) -> None:
    found = answer(reader, "devices_by_range", "step devices percent", attribute="enrolled_month", platform="Mac")
    counted = Counter(f"{row['first_enrollment']:%Y-%m}" for row in DEVICES[:4])
    assert {step: n for step, n, _ in found if n} == {**counted, "unknown": 1}
    first, last = min(counted), max(counted)
    months = (int(last[:4]) - int(first[:4])) * 12 + int(last[5:]) - int(first[5:]) + 1
    assert len(found) == months + 1
    assert round(sum(percent for *_, percent in found)) == 100


def test_every_table_is_told_with_its_age_and_whether_it_is_late(reader: Reader) -> None:
    found = answer(reader, "mirror_ages", "table_name state age_hours fresh_hours due late")
    fresh = reader.run("SELECT table_name, state, age_seconds, ttl_seconds, is_fresh FROM freshness").rows
    assert sorted(name for name, *_ in found) == sorted(name for name, state, *_ in fresh if state != "off")
    known = {name: rest for name, *rest in fresh}
    for name, state, age, ttl, due, late in found:
        told_state, seconds, told_ttl, is_fresh = known[name]
        assert (state, due, late) == (told_state, not is_fresh, int(not is_fresh))
        assert ttl == round(told_ttl / 3600, 2)
        assert (age is None) == (seconds is None)


NOTHING: dict[str, list[Any]] = {
    "devices": [{"device_id": "d1"}, {"device_id": "d2", "platform": "Mac"}],
    "apps": [{"device_id": "d1"}],
    "device_details": [{"device_id": "d1"}],
    "ade_integrations": [{"id": "t"}],
    **{
        name: [{"device_id": "d1"}]
        for name in (
            *("prism_filevault", "prism_application_firewall", "prism_gatekeeper_and_xprotect"),
            *("prism_startup_settings", "prism_activation_lock", "prism_certificates"),
        )
    },
}


@pytest.mark.slow
def test_what_says_nothing_is_not_known_and_nothing_breaks(tmp_path: Path) -> None:
    publish(tmp_path, NOTHING)
    with Reader(tmp_path) as reader:
        for query in catalog().values():
            if query.made_for == PICTURES:
                reader.query(query.name)
        assert set(answer(reader, "posture_now", "macs_on macs_off unknown macs")) == {(0, 0, 1, 1)}
        assert answer(reader, "os_adoption", "os devices", platform="any") == [
            ("macOS unknown", 1),
            ("unknown unknown", 1),
        ]
        assert set(answer(reader, "posture_trend", "day macs_on unknown macs")) == {(TODAY, 0, 1, 1)}
        assert answer(reader, "devices_by_range", "step devices")[-1] == ("never", 2)
        for attribute in ("enrolled_month", "model_year"):
            assert answer(reader, "devices_by_range", "step devices", attribute=attribute) == [("unknown", 2)]
        assert answer(reader, "expiries", "what days_left items")[0][1:] == (None, 1)
        assert answer(reader, "app_version_spread", "app") == []
