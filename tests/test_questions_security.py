"""Questions about the security of Macs: encryption, locks, accounts, profiles, what starts by itself."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from known_fleet import DEVICES, answer
from mcp_calls import republish
from reads_home import NOW, Rows, publish

from kandji_queries.reader import Reader
from kandji_schema.manifest import State

USERS = '{"regular_users": [{"username": "eve", "uid": "501", "admin": "Yes", "name": "Eve", "path": "/Users/eve"}]}'


def account(device_id: str, username: str, type_: str | None, **facts: Any) -> dict[str, Any]:
    return {"device_id": device_id, "username": username, "type": type_, "hidden_user": False, **facts}


def permission(device_id: str, status: str) -> dict[str, Any]:
    return {"device_id": device_id, "service": "ScreenCapture", "application": "us.zoom.xos", "status": status}


def agent(device_id: str, path: str, **facts: Any) -> dict[str, Any]:
    return {"device_id": device_id, "path": path, "label": "com.x", "is_loaded": True, **facts}


def profile(device_id: str, name: str | None, **facts: Any) -> dict[str, Any]:
    return {"device_id": device_id, "profile_display_name": name, "managed": True, **facts}


TABLES: dict[str, Rows] = {
    "prism_filevault": [
        {"device_id": "d1", "status": True, "key_escrowed": True},
        {"device_id": "d2", "status": True, "key_escrowed": False},
        {"device_id": "d3", "status": True, "key_escrowed": None},
        {"device_id": "d4", "status": None, "key_escrowed": False},
    ],
    "prism_activation_lock": [
        {"device_id": "d1", "device_activation_lock_enabled": True, "user_activation_lock_enabled": False},
        {"device_id": "d2", "device_activation_lock_enabled": False, "user_activation_lock_enabled": False},
        {"device_id": "d3", "device_activation_lock_enabled": None, "user_activation_lock_enabled": None},
    ],
    "device_details": [
        {"device_id": "d3", "device_activation_lock_enabled": True, "user_activation_lock_enabled": True},
        {"device_id": "d6", "user_activation_lock_enabled": True},
        {"device_id": "d4", "users": USERS},
        {"device_id": "d1", "users": USERS},
    ],
    "prism_application_firewall": [
        {"device_id": "d1", "status": True},
        {"device_id": "d2", "status": False},
        {"device_id": "d3", "status": True},
    ],
    "prism_gatekeeper_and_xprotect": [
        {"device_id": "d1", "gatekeeper_status": True},
        {"device_id": "d3", "gatekeeper_status": None},
    ],
    "prism_startup_settings": [
        {"device_id": "d1", "sip": True},
        {"device_id": "d2", "sip": None},
        {"device_id": "d3", "sip": False},
    ],
    "prism_local_users": [
        account("d1", "root", "Administrator", uid=0),
        account("d1", "_svc", "Standard", uid=300),
        account("d1", "_backdoor", "Administrator", uid=401),
        account("d1", "ann", "Standard", uid=501),
        account("d2", "support", "Standard", uid=450, hidden_user=True),
        account("d2", "ann", "Administrator", uid=501),
        account("gone", "x", None),
    ],
    "prism_certificates": [
        {"device_id": "d1", "common_name": "CA", "extra": f'{{"expires_at": "{NOW + timedelta(days=10)}"}}'},
        {"device_id": "d2", "common_name": "CA", "extra": f'{{"expires_at": "{NOW + timedelta(days=90)}"}}'},
        {"device_id": "d2", "common_name": "SCEP"},
        {"device_id": "d3", "common_name": "SCEP", "extra": '{"expires_at": "soon"}'},
    ],
    "prism_installed_profiles": [
        profile("d1", "Wi-Fi Corporate", payload_identifier="p.wifi"),
        profile("d2", "Wi-Fi Corporate Guest", payload_identifier="p.guest", managed=False, removable=True),
        profile("d5", None),
    ],
    "prism_kernel_extensions": [{"device_id": "d2", "bundle_id": "com.usb", "version": "1.9"}],
    "prism_system_extensions": [
        {"device_id": "d1", "identifier": "com.falcon", "short_version": "7.10", "name": "Falcon", "team_id": "X9"},
        {"device_id": "d2", "identifier": "com.falcon", "short_version": "7.9", "name": "Falcon", "team_id": "X9"},
    ],
    "prism_launch_agents_and_daemons": [
        agent("d1", "/Library/a.plist"),
        agent("d2", "/Library/a.plist", is_loaded=False),
        agent("d1", "/Users/ann/Library/b.plist", user_agent_local_user="ann"),
        agent("d1", "/Users/eve/Library/b.plist", user_agent_local_user="eve"),
    ],
    "prism_transparency_database": [
        permission("d1", "Allowed"),
        permission("d2", "Allowed"),
        permission("d3", "Denied"),
    ],
}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    home = tmp_path_factory.mktemp("home")
    publish(home, {"devices": DEVICES, **TABLES})
    with Reader(home) as reader:
        yield reader


def test_a_key_that_is_not_known_to_be_escrowed_counts_as_missing(reader: Reader) -> None:
    assert answer(reader, "macs_without_escrowed_key", "device_id key_escrowed") == [("d2", False), ("d3", None)]


def test_activation_lock_tells_whose_it_is_and_where_that_is_known_from(reader: Reader) -> None:
    assert answer(reader, "activation_lock", "device_id lock_kind source") == [
        ("d3", "user and device", "details"),
        ("d6", "user", "details"),
        ("d1", "device", "prism"),
    ]
    unknown = answer(reader, "activation_lock", "device_id lock_on", with_unknown=True)[3:]
    assert unknown == [("d4", None), ("d5", None)]


def test_off_comes_before_unknown_and_unknown_can_be_left_out(reader: Reader) -> None:
    asked = "device_id firewall_on gatekeeper_on known_to_be_off"
    off = [("d2", False, None, True)]
    assert answer(reader, "macs_without_firewall_or_gatekeeper", asked, with_unknown=False) == off
    assert answer(reader, "macs_without_firewall_or_gatekeeper", asked) == [
        *off,
        ("d4", None, None, False),
        ("d3", True, None, False),
    ]
    assert answer(reader, "macs_without_sip", "device_id sip_on") == [("d3", False), ("d4", None), ("d2", None)]
    assert answer(reader, "macs_without_sip", "device_id", with_unknown=False) == [("d3",)]


def test_an_administrator_cannot_hide_behind_a_number_or_an_underscore(reader: Reader) -> None:
    assert answer(reader, "local_accounts", "device_id username findings") == [
        ("d4", "eve", ["admin"]),
        ("d1", "_backdoor", ["admin"]),
        ("d2", "ann", ["admin"]),
        ("d2", "support", ["hidden"]),
        ("gone", "x", ["unknown"]),
    ]
    system = answer(reader, "local_accounts", "username", which="all", with_system=True)
    assert [name for (name,) in system] == ["eve", "_backdoor", "_svc", "ann", "root", "ann", "support", "x"]


def test_accounts_that_are_not_expected_are_told_by_a_list(reader: Reader) -> None:
    found = answer(reader, "local_accounts", "device_id username", which="unexpected", expected="Ann, support")
    assert found == [("d4", "eve"), ("d1", "_backdoor"), ("gone", "x")]
    assert answer(reader, "local_accounts", "username", which="unexpected") == []


def test_certificates_without_a_date_are_counted_not_judged(reader: Reader) -> None:
    asked = "common_name days_left devices device_id"
    assert answer(reader, "expiring_certificates", asked) == [("CA", 10, 1, "d1"), ("SCEP", None, 2, None)]
    assert answer(reader, "expiring_certificates", asked, days=91, with_unknown=False) == [
        ("CA", 10, 1, "d1"),
        ("CA", 90, 1, "d2"),
    ]


def test_a_profile_of_a_longer_name_does_not_stand_for_another(reader: Reader) -> None:
    asked = "device_id inventory_known"
    assert answer(reader, "devices_missing_profile", asked, profile="wi-fi corporate", platform="Mac") == [
        ("d2", True),
        ("d4", False),
        ("d3", False),
    ]
    assert answer(reader, "devices_missing_profile", asked, profile="wi-fi", platform="iPad") == [("d5", True)]
    assert len(answer(reader, "devices_missing_profile", asked, profile="wi-fi")) == 4


def test_extensions_are_counted_and_their_macs_can_be_asked_for(reader: Reader) -> None:
    assert answer(reader, "extensions_in_use", "kind identifier version versions macs") == [
        ("system", "com.falcon", "7.10", 2, 2),
        ("kernel", "com.usb", "1.9", 1, 1),
    ]
    assert answer(reader, "extensions_in_use", "kind identifier version macs", each_version=True) == [
        ("kernel", "com.usb", "1.9", 1),
        ("system", "com.falcon", "7.10", 1),
        ("system", "com.falcon", "7.9", 1),
    ]
    assert answer(reader, "devices_with_extension", "device_id version", extension="x9") == [
        ("d1", "7.10"),
        ("d2", "7.9"),
    ]
    assert answer(reader, "devices_with_extension", "device_id", extension="com", kind="kernel") == [("d2",)]


def test_what_starts_by_itself_is_counted_by_mac_not_by_home_folder(reader: Reader) -> None:
    assert answer(reader, "launch_items", "path of_a_person macs loaded") == [
        ("~/Library/b.plist", True, 1, 1),
        ("/Library/a.plist", False, 2, 1),
    ]
    assert answer(reader, "launch_items", "path", fewer_than=2, item="LIBRARY/A") == []


def test_permissions_and_profiles_are_counted(reader: Reader) -> None:
    assert answer(reader, "privacy_permissions", "service application status macs") == [
        ("ScreenCapture", "us.zoom.xos", "Allowed", 2)
    ]
    assert answer(reader, "privacy_permissions", "status macs", service="screen", status="Denied") == [("Denied", 1)]
    assert answer(reader, "profiles_by_devices", "profile devices by_hand removable") == [
        ("Wi-Fi Corporate", 1, 0, 0),
        ("Wi-Fi Corporate Guest", 1, 1, 1),
        (None, 1, 0, 0),
    ]


def test_what_may_not_be_read_is_unknown_and_the_answer_says_why(tmp_path: Path) -> None:
    first = publish(tmp_path, {"devices": DEVICES})
    republish(tmp_path, first, "prism_startup_settings", state=State.FORBIDDEN)
    with Reader(tmp_path) as reader:
        found = reader.query("macs_without_sip")
    assert len(found.rows) == 4
    assert [note for note in found.notes if "prism_startup_settings: the API token may not read it" in note]
