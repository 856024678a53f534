"""Questions about vulnerabilities, threats, the audit log and Automated Device Enrollment."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from known_fleet import BLUEPRINTS, DEVICES, ROBERT, USERS, answer
from mcp_calls import republish
from reads_home import NOW, Rows, publish

from kandji_queries.reader import Reader
from kandji_schema.manifest import State


def event(number: int, target: str, **facts: Any) -> dict[str, Any]:
    moment = NOW - timedelta(hours=number)
    return {"id": f"{number:026}", "occurred_at": moment, "action": "update", "target_type": target, **facts}


def detection(device_id: str, cve_id: str, severity: str | None, **facts: Any) -> dict[str, Any]:
    return {"device_id": device_id, "cve_id": cve_id, "cvss_severity": severity, "name": "Chrome", **facts}


TABLES: dict[str, Rows] = {
    "devices": DEVICES,
    "users": USERS,
    "blueprints": BLUEPRINTS,
    "audit_events": [
        event(1, "device", target_id="d1", actor_id="u1", actor_type="user", target_component="filevault"),
        event(2, "blueprint", target_id="b1", actor_id="u1"),
        event(3, "computer", target_id="d2", actor_id="101", action="delete"),
        event(4, "other", target_id="x", actor_id="t1", actor_type="api_token", new_state='{"what": "Unlock PIN"}'),
        event(24 * 31, "device", target_id="d1"),
    ],
    "vulnerabilities": [
        {"cve_id": "CVE-1", "severity": "Critical", "cvss_score": 9.8, "kev_score": 0, "device_count": 2},
        {"cve_id": "CVE-2", "severity": "Low", "cvss_score": 2.0, "kev_score": 1, "device_count": 0},
        {"cve_id": "CVE-3", "severity": "High", "cvss_score": 8.0, "kev_score": None},
    ],
    "vulnerability_detections": [
        detection("d1", "CVE-1", "Critical", version="1"),
        detection("d1", "CVE-1", "Critical", version="2"),
        detection("gone", "CVE-1", "Critical", device_name="Old", blueprint_name="Past"),
        detection("d2", "CVE-9", None),
    ],
    "threats": [
        {
            "device_id": "d1",
            "threat_name": "A",
            "classification": "MALWARE",
            "status": "QUARANTINED",
            "detection_date": NOW,
        },
        {"device_id": "d2", "threat_name": "B", "classification": "PUP", "status": "RELEASED", "detection_date": None},
        {
            "device_id": "d2",
            "threat_name": "C",
            "classification": "MALWARE",
            "detection_date": NOW - timedelta(days=40),
        },
    ],
    "ade_devices": [
        {"id": "a1", "serial_number": "S1", "device_id": "d1"},
        {"id": "a2", "serial_number": "s6", "device_id": None},
        {"id": "a3", "serial_number": "NEW", "blueprint_id": "b1", "device_assigned_date": NOW - timedelta(days=3)},
    ],
    "ade_integrations": [
        {"id": "1", "server_name": "later", "access_token_expiry": NOW + timedelta(days=200)},
        {"id": "2", "server_name": "soon", "access_token_expiry": NOW + timedelta(days=5)},
        {"id": "3", "server_name": "broken", "access_token_expiry": None},
    ],
}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    home = tmp_path_factory.mktemp("home")
    publish(home, TABLES)
    with Reader(home) as reader:
        yield reader


def test_a_cve_names_its_devices_also_those_that_left(reader: Reader) -> None:
    asked = "device_id device_name version user_email blueprint_name"
    assert answer(reader, "devices_with_cve", asked, cve=" cve-1 ") == [
        ("gone", "Old", None, None, "Past"),
        ("d1", ROBERT, "1", "Ann@example.org", "Engineering"),
        ("d1", ROBERT, "2", "Ann@example.org", "Engineering"),
    ]
    assert answer(reader, "devices_with_cve", asked, cve="CVE") == []


def test_without_the_licence_an_empty_answer_says_so(tmp_path: Path) -> None:
    first = publish(tmp_path, {"devices": DEVICES})
    republish(tmp_path, first, "vulnerability_detections", state=State.ABSENT)
    with Reader(tmp_path) as reader:
        found = reader.query("devices_with_cve", {"cve": "CVE-2024-44308"})
    assert found.rows == []
    assert "vulnerability_detections: not licensed or not offered to this tenant, so it is empty here." in found.notes


def test_vulnerabilities_are_summed_up_by_severity_and_ranked_by_use(reader: Reader) -> None:
    assert reader.query("vulnerability_summary").rows == [
        ("critical", 1, 0, 2, 3, 0, 0, 0, 1, 0),
        ("high", 1, 0, 0, 0, 0, 0, 0, 0, 1),
        ("low", 1, 1, 0, 0, 0, 0, 0, 0, 0),
        ("unknown", 0, 0, 1, 1, 0, 0, 0, 0, 0),
    ]
    asked = "cve_id known_exploited devices provider_count"
    assert answer(reader, "vulnerabilities_in_fleet", asked) == [
        ("CVE-2", True, 0, 0),
        ("CVE-1", False, 2, 2),
        ("CVE-3", None, 0, None),
    ]
    assert answer(reader, "vulnerabilities_in_fleet", "cve_id", exploited_only=True, severity="Low") == [("CVE-2",)]
    assert answer(reader, "vulnerabilities_in_fleet", "cve_id", exploited_only=True, severity="High") == []


def test_threats_that_are_loose_come_first(reader: Reader) -> None:
    assert answer(reader, "detected_threats", "threat_name status device_name") == [
        ("B", "RELEASED", "Twin"),
        ("A", "QUARANTINED", ROBERT),
    ]
    loose = answer(reader, "detected_threats", "threat_name", days=60, classification="MALWARE")
    assert loose == [("C",), ("A",)]


def test_actions_on_devices_and_secrets_name_who_did_them(reader: Reader) -> None:
    assert answer(reader, "sensitive_actions", "action target_id device_name actor_name actor_type") == [
        ("update", "d1", ROBERT, "Ann Lee", "user"),
        ("delete", "d2", "Twin", "Ann Lee", None),
        ("update", "x", None, None, "api_token"),
    ]
    assert len(answer(reader, "sensitive_actions", "event_id", days=32, all_events=True)) == 5


def test_devices_await_enrolment_until_the_list_has_them(reader: Reader) -> None:
    assert answer(reader, "ade_awaiting_enrolment", "serial_number days_since_assigned blueprint listed_device_id") == [
        ("NEW", 3, "Engineering", None),
        ("s6", None, None, "d6"),
    ]


def test_tokens_without_a_known_expiry_come_first(reader: Reader) -> None:
    assert answer(reader, "ade_tokens", "token days_left in_words") == [
        ("broken", None, "at a date that is not known"),
        ("soon", 5, "5 days left"),
        ("later", 200, "200 days left"),
    ]
