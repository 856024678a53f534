"""What contradicts itself: each rule holds for a device that has it and for no other."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from reads_home import NOW, device, publish

from kandji_queries.reader import Reader

LONG_AGO = NOW - timedelta(days=9)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    home = tmp_path_factory.mktemp("home")
    publish(
        home,
        {
            "devices": [
                device(0, mdm_enabled=True, agent_installed=True),
                device(1, is_missing=True),
                device(2, is_removed=True),
                device(3, serial_number="TW-IN"),
                device(4, serial_number="tw in", last_check_in=None),
                device(5),
                device(6),
                device(7, mdm_enabled=False),
                device(8, agent_installed=False),
                device(9),
                device(10),
                device(11),
                device(12),
                device(13),
                device(14, platform="iPhone", lost_mode_status="ENABLED"),
                device(15, user_id="u15", user_name="Ann Lee"),
                device(16),
                device(17, last_check_in=NOW + timedelta(hours=3)),
                device(18, platform="Windows", os_version="24H2"),
                device(19, is_missing=True, last_check_in=NOW - timedelta(days=60)),
            ],
            "prism_device_information": [
                {"device_id": "d0", "os_version": "15.1", "device_user_email": "User0@example.org"},
                {"device_id": "d5", "last_checkin_agent": LONG_AGO, "last_checkin_mdm": NOW},
                {"device_id": "d6", "last_checkin_agent": NOW, "last_checkin_mdm": LONG_AGO},
                {"device_id": "d8", "last_checkin_agent": NOW, "last_checkin_mdm": NOW},
                {"device_id": "d9", "os_version": "15.0", "last_collected_at": LONG_AGO},
                {"device_id": "d10", "device_user_email": "other@example.org", "last_collected_at": LONG_AGO},
                {"device_id": "d18", "os_version": "10.0.26100.6584"},
            ],
            "prism_filevault": [
                {"device_id": "d0", "status": True, "key_escrowed": True, "last_collected_at": NOW},
                {"device_id": "d11", "status": True, "last_collected_at": NOW},
                {"device_id": "d12", "status": True, "key_escrowed": False, "last_collected_at": NOW},
                {"device_id": "d16", "status": True, "last_collected_at": LONG_AGO},
            ],
            "prism_activation_lock": [{"device_id": "d13", "user_activation_lock_enabled": True}],
            "device_details": [
                {"device_id": "d0", "filevault_enabled": True, "filevault_prk_escrowed": True},
                {"device_id": "d11", "filevault_enabled": False},
                {"device_id": "d12", "filevault_prk_escrowed": True},
                {"device_id": "d13", "user_activation_lock_enabled": False},
                {"device_id": "d14", "lost_mode_status": "DISABLED"},
            ],
            "users": [{"id": "u15", "name": "Ann Lee", "archived": True}],
        },
    )
    with Reader(home) as found:
        yield found


def test_each_rule_holds_where_two_facts_do_not_go_together_and_nowhere_else(reader: Reader) -> None:
    found = reader.run("SELECT device_id, rule FROM contradictions").rows

    assert sorted(found, key=lambda row: int(row[0][1:])) == [
        ("d1", "missing_but_in_contact"),
        ("d2", "removed_but_in_contact"),
        ("d3", "two_records"),
        ("d4", "two_records"),
        ("d5", "agent_silent"),
        ("d6", "mdm_silent"),
        ("d7", "mdm_off_but_answers"),
        ("d8", "agent_missing_but_answers"),
        ("d9", "os_version_differs"),
        ("d10", "person_differs"),
        ("d11", "filevault_differs"),
        ("d12", "key_escrow_differs"),
        ("d13", "activation_lock_differs"),
        ("d14", "lost_mode_differs"),
        ("d15", "archived_person_in_contact"),
        ("d16", "posture_older_than_contact"),
        ("d17", "contact_in_the_future"),
    ]


def test_a_contradiction_tells_both_facts_and_why(reader: Reader) -> None:
    told = {row[0]: row[1:] for row in reader.run("SELECT device_id, says, why FROM contradictions").rows}

    seen = f"{NOW - timedelta(hours=1):%Y-%m-%d %H:%M}"
    assert told["d1"][0] == f"Marked missing, but it checked in at {seen}."
    assert told["d3"][0] == (
        f"Serial number TW-IN has several records: id d3, last contact {seen}; id d4, never in contact."
    )
    assert told["d10"][0].startswith("The device list assigns it to user10@example.org, Prism to other@example.org")
    assert "FileVault is on by Prism" in told["d11"][0]
    assert all(says.endswith(".") and why.endswith(".") for says, why in told.values())
