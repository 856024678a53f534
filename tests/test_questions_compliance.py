"""Questions about compliance, library items, parameters and blueprints."""

from collections.abc import Iterator
from typing import Any

import pytest
from known_fleet import BLUEPRINTS, DEVICES, ROBERT, answer
from reads_home import NOW, Rows, publish

from kandji_queries.reader import Reader

RULES = """
[[rule]]
name = "not_removed"
title = "The device is not removed"
fails = "The device was removed"
severity = "high"
table = "devices"
conditions = [{ column = "is_removed", operator = "is_false" }]

[[rule]]
name = "sip_on"
title = "SIP is on"
fails = "SIP is off"
platforms = ["Mac"]
table = "prism_startup_settings"
conditions = [{ column = "sip", operator = "is_true" }]
"""


def item(device_id: str, item_id: str, name: str, status: str, log: str | None = None) -> dict[str, Any]:
    return {"device_id": device_id, "item_id": item_id, "name": name, "type": "app", "status": status, "log": log}


def parameter(device_id: str, name: str, status: str) -> dict[str, Any]:
    return {"device_id": device_id, "item_id": f"p-{name}", "name": name, "category": "c", "status": status}


def detection(device_id: str, cve_id: str, score: float, severity: str) -> dict[str, Any]:
    return {"device_id": device_id, "cve_id": cve_id, "name": "X", "cvss_score": score, "cvss_severity": severity}


TABLES: dict[str, Rows] = {
    "devices": DEVICES,
    "blueprints": BLUEPRINTS,
    "prism_startup_settings": [
        {"device_id": "d1", "sip": True, "last_collected_at": NOW},
        {"device_id": "d2", "sip": False, "last_collected_at": NOW},
    ],
    "device_library_items": [
        item("d1", "i1", "Zoom", "PASS"),
        item("d1", "i2", "Wi-Fi", "failed", "no\nsuch \U0001f98a"),
        item("d2", "i1", "Zoom", "ERROR"),
        item("d2", "i2", "Wi-Fi", "success"),
        item("d3", "i1", "Zoom", "DOWNLOADING"),
        item("d6", "i1", "Zoom", "EXCLUDED"),
        item("left", "i1", "Zoom", "pending"),
        item("left", "i2", "Wi-Fi", "SOMETHING_NEW"),
    ],
    "device_parameters": [
        parameter("d1", "root", "ERROR"),
        parameter("d2", "root", "WARNING"),
        parameter("d3", "root", "PASS"),
        parameter("d1", "lock", "REMEDIATED"),
        parameter("left", "root", "ERROR"),
    ],
    "blueprint_library_items": [
        {"blueprint_id": "b1", "id": "i1", "name": "Zoom"},
        {"blueprint_id": "b1", "id": "i2", "name": "Wi-Fi"},
    ],
    "custom_profiles": [{"id": "i2", "active": False}],
    "vulnerability_detections": [
        detection("d2", "CVE-1", 9.8, "Critical"),
        detection("d2", "CVE-1", 9.8, "Critical"),
        detection("d2", "CVE-2", 3.0, "Low"),
        detection("d1", "CVE-1", 9.8, "Critical"),
    ],
    "threats": [
        {"device_id": "d5", "threat_name": "Adload", "classification": "MALWARE", "status": "NOT_QUARANTINED"},
        {"device_id": "d2", "threat_name": "Toolbar", "classification": "PUP", "status": "QUARANTINED"},
    ],
}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    home = tmp_path_factory.mktemp("home")
    publish(home, TABLES)
    (home / "compliance.toml").write_text(RULES)
    with Reader(home) as reader:
        yield reader


def test_a_device_is_explained_by_rules_then_parameters_then_library_items(reader: Reader) -> None:
    assert answer(reader, "device_compliance", "device_id kind name result reason", device=ROBERT) == [
        ("d1", "rule", "not_removed", "pass", "The device is not removed"),
        ("d1", "rule", "sip_on", "pass", "SIP is on"),
        ("d1", "parameter", "root", "fail", "its status is ERROR"),
        ("d1", "library item", "Wi-Fi", "fail", "no\nsuch \U0001f98a"),
    ]


@pytest.mark.heavy
def test_what_was_not_read_is_unknown_and_all_of_one_name_are_explained(reader: Reader) -> None:
    assert answer(reader, "device_compliance", "device_id kind result", device="twin") == [
        ("d2", "rule", "fail"),
        ("d2", "rule", "pass"),
        ("d2", "library item", "fail"),
        ("d3", "rule", "unknown"),
        ("d3", "rule", "pass"),
    ]
    assert answer(reader, "device_compliance", "kind name result", device="d4")[-2:] == [
        ("parameter", None, "unknown"),
        ("library item", None, "unknown"),
    ]
    unread = ("d5", "library item", None, "unknown")
    assert answer(reader, "device_compliance", "device_id kind name result", device="ipad")[-1] == unread
    assert answer(reader, "device_compliance", "device_id", device="no such device") == []


def test_unknown_is_neither_compliant_nor_not(reader: Reader) -> None:
    assert reader.query("compliance_rate").rows == [
        ("Mac", "all rules", 4, 1, 1, 2, 25.0),
        ("Mac", "not_removed", 4, 4, 0, 0, 100.0),
        ("Mac", "sip_on", 4, 1, 1, 2, 25.0),
        ("iPad", "all rules", 1, 0, 1, 0, 0.0),
        ("iPad", "not_removed", 1, 0, 1, 0, 0.0),
        ("iPhone", "all rules", 1, 1, 0, 0, 100.0),
        ("iPhone", "not_removed", 1, 1, 0, 0, 100.0),
        (None, "all rules", 1, 1, 0, 0, 100.0),
        (None, "not_removed", 1, 1, 0, 0, 100.0),
    ]
    left = answer(reader, "compliance_rate", "platform", with_removed=False)
    assert ("iPad",) not in left


def test_devices_that_are_not_compliant_say_which_rules(reader: Reader) -> None:
    asked = "device_id result failed_rules unknown_rules is_removed"
    assert answer(reader, "noncompliant_devices", asked) == [
        ("d2", "fail", ["sip_on"], [], False),
        ("d5", "fail", ["not_removed"], [], True),
    ]
    assert answer(reader, "noncompliant_devices", "device_id", rule="SIP_ON") == [("d2",)]
    unknown = answer(reader, "noncompliant_devices", "device_id result", with_unknown=True, rule="sip_on")
    assert unknown == [("d2", "fail"), ("d4", "unknown"), ("d3", "unknown")]


def test_risk_is_failing_and_severe_vulnerabilities_or_malware(reader: Reader) -> None:
    asked = "device_id failed_rules severe_cves worst_score malware_detections not_quarantined malware_names"
    assert answer(reader, "risky_devices", asked) == [
        ("d5", ["not_removed"], 0, None, 1, 1, ["Adload"]),
        ("d2", ["sip_on"], 1, 9.8, 0, 0, None),
    ]


def test_failed_and_pending_items_are_found_in_the_provider_s_spellings(reader: Reader) -> None:
    assert answer(reader, "failed_library_items", "item device_id status log") == [
        ("Wi-Fi", "d1", "failed", "no\nsuch \U0001f98a"),
        ("Zoom", "d2", "ERROR", None),
    ]
    assert answer(reader, "failed_library_items", "device_id", item="zoo") == [("d2",)]
    assert answer(reader, "pending_library_items", "item device_id device_name status") == [
        ("Zoom", "d3", "twin", "DOWNLOADING"),
        ("Zoom", "left", None, "pending"),
    ]


def test_every_state_of_an_item_is_counted_somewhere(reader: Reader) -> None:
    asked = "item devices passed failed pending not_meant other"
    assert answer(reader, "library_item_status", asked) == [
        ("Zoom", 5, 1, 1, 2, 1, 0),
        ("Wi-Fi", 3, 1, 1, 0, 0, 1),
    ]


def test_parameters_are_ranked_by_errors_in_one_blueprint_or_all(reader: Reader) -> None:
    asked = "parameter errors warnings remediated macs"
    assert answer(reader, "failing_parameters", asked) == [("root", 2, 1, 0, 4)]
    assert answer(reader, "failing_parameters", asked, blueprint="engineering") == [("root", 1, 1, 0, 3)]
    assert answer(reader, "failing_parameters", asked, blueprint="Sales") == []


def test_items_of_a_blueprint_tell_what_the_tenant_made(reader: Reader) -> None:
    asked = "blueprint item kind active"
    engineering = [("Engineering", "Wi-Fi", "custom profile", False), ("Engineering", "Zoom", None, None)]
    assert answer(reader, "blueprint_items", asked, blueprint="ENGINEERING") == engineering
    assert answer(reader, "blueprint_items", asked) == [
        ("Empty", None, None, None),
        *engineering,
        ("Sales", None, None, None),
    ]
