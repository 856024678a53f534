"""Questions for which somebody had to write SQL: two apps on one Mac, what is missing, carriers, batteries, disks."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from known_fleet import APPS, BLUEPRINTS, DEVICES, USERS, answer, app
from reads_home import NOW, Rows, publish

from kandji_queries.reader import Reader

HELPER = "/Applications/Word.app/Contents/Edge.app"


def behaviour(number: int, device_id: str, **facts: Any) -> dict[str, Any]:
    return {"id": f"b{number}", "device_id": device_id, "detection_date": NOW - timedelta(days=number), **facts}


TABLES: dict[str, Rows] = {
    "behavioral_detections": [
        behaviour(1, "d1", classification="malicious", threat_status="blocked"),
        behaviour(2, "d2", classification="suspicious", threat_status="detected"),
        behaviour(40, "d2", classification="malicious", threat_status="detected"),
        {"id": "b9", "device_id": "gone", "device_name": "Old", "classification": "Malicious"},
    ],
    "prism_cellular": [
        {"device_id": "d5", "subscriber_carrier_network_slot_1": "Blue", "is_roaming_slot_1": True},
        {
            "device_id": "d6",
            "subscriber_carrier_network_slot_1": "Red",
            "subscriber_carrier_network_slot_2": "Blue",
            "data_roaming_enabled": True,
        },
        {"device_id": "d7", "subscriber_carrier_network_slot_1": " "},
    ],
    "prism_device_information": [
        {"device_id": "d1", "battery_health": "Normal"},
        {"device_id": "d2", "battery_health": "Service"},
        {"device_id": "d5", "battery_health": "Service"},
        {"device_id": "d6", "battery_health": None},
    ],
    "blueprint_library_items": [{"blueprint_id": "b1", "id": f"i{n}", "name": "Item"} for n in range(3)],
}
OWN: dict[str, Rows] = {
    "devices": DEVICES,
    "users": [
        *({**user, "department": "Sales"} if user["name"] == "Ann Lee" else user for user in USERS),
        {"id": "u7", "name": " Gil", "department": "sales"},
        {"id": "u8", "name": "Ha\u200bns", "department": "Sales"},
    ],
    "blueprints": BLUEPRINTS,
    "tags": [{"id": "t1", "name": "VIP"}, {"id": "t2", "name": "vip"}, {"id": "t3", "name": "   "}],
    "apps": [*APPS, app("d1", "Edge", "9", path=HELPER), app("d4", "Agent", "1")],
    "device_details": [
        {"device_id": "d1", "time_since_boot": "37 days ago"},
        {"device_id": "d2", "time_since_boot": "2 hours ago"},
        {"device_id": "d6", "total_capacity": "100 GB", "available_capacity": "5 GB"},
    ],
    "prism_certificates": [{"device_id": "d1", "common_name": "Corp CA"}, {"device_id": "d2", "common_name": "SCEP"}],
    "prism_system_extensions": [{"device_id": "d1", "identifier": "com.agent", "team_id": "X9"}],
    "prism_kernel_extensions": [{"device_id": "d4", "bundle_id": "com.usb"}],
    "prism_filevault": [
        {"device_id": "d1", "status": True, "key_escrowed": True},
        {"device_id": "d2", "status": False},
        {"device_id": "d3", "status": True, "key_escrowed": None},
    ],
    "prism_gatekeeper_and_xprotect": [
        {"device_id": "d1", "xprotect_version": "5290"},
        {"device_id": "d2", "xprotect_version": "999"},
    ],
    "vulnerabilities": [
        {"cve_id": "CVE-1", "kev_score": 1},
        {"cve_id": "CVE-2", "status": "Remediated"},
        {"cve_id": "CVE-3"},
    ],
    "vulnerability_detections": [
        {"device_id": "d1", "cve_id": cve, "cvss_severity": severity, "cvss_score": score, "name": name, "version": v}
        for cve, severity, score, name, v in (
            ("CVE-1", "Critical", 9.8, "Zoom", "1"),
            ("CVE-1", "Critical", 9.8, "Zoom", "2"),
            ("CVE-2", "CRITICAL", 9.9, "Edge", "1"),
            ("CVE-3", "High", 8.0, "Word", "1"),
        )
    ],
    "audit_events": [
        {"id": f"{n}", "occurred_at": NOW, "target_type": "device", "target_id": "d1", "actor_id": who}
        for n, who in enumerate(("u1", "u2"))
    ],
}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    home = tmp_path_factory.mktemp("home")
    publish(home, {**TABLES, **OWN})
    with Reader(home) as reader:
        yield reader


def test_two_apps_on_one_mac_are_one_row_and_helpers_are_none(reader: Reader) -> None:
    asked = "device_id app versions other_app other_versions"
    assert answer(reader, "macs_with_both_apps", asked, app="word", other_app="EDGE") == [
        ("d3", "Word", ["16.9"], "Edge", ["130.0"])
    ]
    assert answer(reader, "macs_with_both_apps", asked, app="word", other_app="no such") == []


def test_what_an_app_or_a_device_lacks_tells_whether_it_would_be_known(reader: Reader) -> None:
    asked = "device_id inventory_known"
    assert answer(reader, "macs_with_app_without_extension", asked, app="word", extension="x9") == [
        ("d2", False),
        ("d3", False),
    ]
    assert answer(reader, "macs_with_app_without_extension", asked, app="agent", extension="agent") == [("d4", True)]
    macs = answer(reader, "devices_missing_certificate", asked, certificate="corp ca", platform="mac")
    assert macs == [("d2", True), ("d4", False), ("d3", False)]
    assert ("d6", False) in answer(reader, "devices_missing_certificate", asked, certificate="SCEP")


def test_an_app_in_two_places_is_one_row_a_device(reader: Reader) -> None:
    assert answer(reader, "apps_in_several_places", "device_id app copies versions paths") == [
        ("d2", "Word", 2, ["16.9"], ["/Applications/Word.app", "/Users/ann/Word.app"]),
        ("d3", "Word", 2, ["16.9"], ["/Applications/Word.app", "/Users/x/Word.app"]),
    ]
    assert answer(reader, "apps_in_several_places", "device_id", app="edge") == []


def test_encryption_is_a_share_of_all_macs_and_unknown_is_neither(reader: Reader) -> None:
    asked = "blueprint macs filevault_on filevault_off unknown percent_on key_escrowed"
    assert answer(reader, "encryption_by_blueprint", asked) == [("Engineering", 4, 2, 1, 1, 50.0, 1)]


def test_two_tags_are_carried_at_once_or_one_is_not(reader: Reader) -> None:
    assert answer(reader, "devices_with_tag", "device_id", tag="LAB", and_tag="vip") == [("d6",)]
    without = answer(reader, "devices_with_tag", "device_id", tag="lab", not_tag="vip")
    assert ("d6",) not in without
    assert len(without) == len(answer(reader, "devices_with_tag", "device_id", tag="lab")) - 1


def test_devices_that_never_checked_in_are_told_apart_from_silent_ones(reader: Reader) -> None:
    assert answer(reader, "never_checked_in", "device_id days_since_enrolment is_removed") == [("d4", 100, False)]


def test_names_that_need_cleaning_show_what_nobody_sees(reader: Reader) -> None:
    found = answer(reader, "names_to_clean", "kind value shown findings alike uses")
    assert ("person", " Gil", "·Gil", ["blank before"], [], 1) in found
    assert ("person", "Ha\u200bns", "Ha□ns", ["unseen character"], [], 1) in found
    assert ("department", "sales", "sales", ["written in several ways"], ["Sales"], 1) in found
    assert ("tag", "   ", "···", ["blank"], [], 1) in found
    assert {value for kind, value, *_ in found if kind == "tag"} == {"VIP", "vip", "   "}
    assert not [value for _, value, *_ in found if value in {"Ann Lee", "lab"}]
    assert {kind for (kind,) in answer(reader, "names_to_clean", "kind", kind="Tag")} == {"tag"}


def test_people_are_counted_by_department_with_their_devices(reader: Reader) -> None:
    asked = "department people active archived without_device devices"
    found = answer(reader, "people_by_department", asked)
    assert found[:2] == [("(none)", 3, 2, 1, 3, 0), ("Sales", 3, 1, 1, 1, 4)]
    assert answer(reader, "people_by_department", asked, with_archived=False)[1] == ("Sales", 2, 1, 0, 1, 3)


def test_behaviour_that_was_not_blocked_comes_first(reader: Reader) -> None:
    asked = "device_id device_name threat_status"
    assert answer(reader, "behavioural_detections", asked, days=30) == [
        ("d2", "Twin", "detected"),
        ("gone", "Old", None),
        ("d1", "Robert'); DROP TABLE devices;--", "blocked"),
    ]
    assert len(answer(reader, "behavioural_detections", asked, days=60, classification="MALICIOUS")) == 3


def test_severe_vulnerabilities_count_once_a_device_and_remediated_ones_only_if_asked(reader: Reader) -> None:
    asked = "device_id cves known_exploited worst_score cve_ids software"
    assert answer(reader, "severe_cves_by_device", asked) == [("d1", 1, 1, 9.8, ["CVE-1"], ["Zoom"])]
    assert answer(reader, "severe_cves_by_device", "cves worst_score", severity="high") == [(2, 9.8)]
    assert answer(reader, "severe_cves_by_device", "cves worst_score", with_remediated=True) == [(2, 9.9)]


def test_a_device_with_two_carriers_counts_for_both(reader: Reader) -> None:
    assert answer(reader, "carriers", "carrier devices roaming data_roaming_on missing removed") == [
        ("Blue", 2, 1, 1, 0, 1),
        ("(none)", 1, 0, 0, 1, 0),
        ("Red", 1, 0, 1, 0, 0),
    ]
    assert answer(reader, "devices_with_carrier", "device_id", carrier="blue") == [("d5",), ("d6",)]


def test_batteries_uptime_and_disks_that_need_attention(reader: Reader) -> None:
    assert answer(reader, "batteries", "device_id battery_health") == [("d2", "Service"), ("d5", "Service")]
    assert answer(reader, "batteries", "device_id", health="normal") == [("d1",)]
    assert answer(reader, "long_uptime", "device_id uptime_days") == [("d1", 37.0)]
    assert len(answer(reader, "long_uptime", "device_id", with_unknown=True)) == 3
    assert answer(reader, "disk_space", "device_id", free_percent=1) == []
    assert len(answer(reader, "disk_space", "device_id", with_unknown=True)) >= 6


def test_xprotect_is_compared_number_by_number(reader: Reader) -> None:
    assert answer(reader, "xprotect_versions", "xprotect_version macs percent behind") == [
        ("5290", 1, 25.0, 0),
        ("999", 1, 25.0, 1),
        ("unknown", 2, 50.0, None),
    ]
    old = answer(reader, "macs_with_old_xprotect", "device_id xprotect_version newest")
    assert old[0] == ("d2", "999", "5290")
    assert {device for device, *_ in old} == {"d2", "d3", "d4"}


def test_blueprints_with_few_items_are_told_with_their_devices(reader: Reader) -> None:
    all_of_them = [("Empty", 0, 0), ("Sales", 0, 1), ("Engineering", 3, 5)]
    assert answer(reader, "blueprints_with_few_items", "blueprint items devices") == all_of_them
    assert answer(reader, "blueprints_with_few_items", "blueprint items devices", fewer_than=3) == all_of_them[:2]


def test_events_of_one_actor_have_the_names_of_the_devices(reader: Reader) -> None:
    asked = "event_id device_name serial_number actor_name"
    assert answer(reader, "sensitive_actions", asked, actor="ann") == [
        ("0", "Robert'); DROP TABLE devices;--", "S1", "Ann Lee")
    ]
    assert len(answer(reader, "sensitive_actions", asked)) == 2
