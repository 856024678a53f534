"""The profile of a device as a service: which devices a text means, locks, secrets, contact, what is not known."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from mcp_calls import answer, opened
from reads_home import NOW, device, publish

from kandji_queries.profile import DeviceProfile, devices_meant, profile_parts, read_in_short, read_profile
from kandji_queries.reader import Reader
from kandji_schema.errors import UsageError

YESTERDAY = NOW - timedelta(days=1)
ANN = {"user_id": "u1", "user_name": "Ann Lee", "user_email": "ann@example.org"}


def command(device_id: str, kind: str, status: int, name: str, **facts: Any) -> dict[str, Any]:
    ordered = {"date_requested": YESTERDAY, "command_type": kind, "request_type": kind}
    return {
        "device_id": device_id,
        "uuid": f"{device_id}{kind}",
        "status": status,
        "status_name": name,
        **ordered,
        **facts,
    }


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("home")
    publish(
        found,
        {
            "devices": [
                device(1, **ANN),
                device(2, device_name="Ann Lee’s Mac", last_check_in=None, **ANN),  # noqa: RUF001  # as macOS writes it
                device(3, device_name="ANN LEE’S OLD MAC", user_email=None),  # noqa: RUF001
                device(4, platform="iPhone", lost_mode_status="ENABLED"),
                device(5, device_name="Twin"),
                device(6, device_name="twin"),
                *(device(n, user_name="Bob Many", user_email="bob@example.org") for n in range(10, 19)),
            ],
            "users": [{"id": "u1", "name": "Ann Lee", "email": "ann@example.org", "department": "Sales"}],
            "prism_device_information": [
                {"device_id": "d1", "last_checkin_mdm": YESTERDAY, "last_checkin_agent": NOW},
                {"device_id": "d4", "last_checkin_mdm": YESTERDAY, "last_checkin_agent": YESTERDAY},
            ],
            "prism_filevault": [{"device_id": "d1", "status": True, "key_escrowed": True}],
            "device_details": [
                {
                    "device_id": "d1",
                    "mdm_last_check_in": NOW,
                    "recovery_lock_enabled": True,
                    "password_has_been_set": False,
                }
            ],
            "device_commands": [
                command("d1", "DeviceLock", 3, "completed", date_completed=YESTERDAY),
                command("d1", "RestartDevice", 4, "failed", error_chain='[{"ErrorCode": 12}]'),
                command("d5", "DeviceLock", 1, "pending"),
                command("d6", "RestartDevice", 3, "completed"),
            ],
            "lost_mode": [{"device_id": "d4", "lost_mode_status": "ENABLED", "enable_status_at": YESTERDAY}],
            "device_notes": [{"device_id": "d1", "note_id": "n1", "created_at": YESTERDAY}],
        },
    )
    return found


@pytest.fixture(scope="module")
def reader(home: Path) -> Iterator[Reader]:
    with Reader(home) as found:
        yield found


Profiles = Callable[[str], DeviceProfile]


@pytest.fixture(scope="module")
def profile(reader: Reader) -> Profiles:
    """Each device is read once."""
    return cache(lambda device_id: read_profile(reader, device_id))


def secrets(profile: DeviceProfile) -> dict[Any, Any]:
    return {row["action"]: row["there"] for row in profile.sections["secrets"].objects()}


def test_contact_is_the_newest_that_either_source_knows_and_a_phone_has_no_agent(profile: Profiles) -> None:
    mac, phone = profile("d1").sections["contact"].first(), profile("d4").sections["contact"].first()

    assert (mac["mdm_last_check_in"], mac["agent_last_check_in"]) == (NOW, NOW)
    assert (phone["mdm_last_check_in"], phone["agent_last_check_in"]) == (YESTERDAY, None)


def test_locks_tell_what_was_ordered_and_what_became_of_it(profile: Profiles) -> None:
    at = f"{YESTERDAY:%Y-%m-%d %H:%M} UTC"

    assert profile("d1").sections["locks"].first()["remote_lock"] == f"locked at {at}, in contact since"
    assert profile("d5").sections["locks"].first()["remote_lock"] == f"pending, ordered at {at}"
    assert profile("d6").sections["locks"].first()["remote_lock"] == "no lock command known"
    assert profile("d3").sections["locks"].first()["remote_lock"] is None  # its commands were never read
    assert profile("d1").sections["locks"].first()["recovery_lock"] is True
    assert (
        profile("d4").sections["locks"].first()["lost_mode"],
        profile("d4").sections["locks"].first()["lost_mode_since"],
    ) == ("on", YESTERDAY)


def test_secrets_are_there_or_not_or_not_known_and_never_told(profile: Profiles) -> None:
    assert secrets(profile("d1")) == {
        "filevaultkey": "yes",
        "recoverypassword": "no",  # a lock is set, but its password is not escrowed
        "unlockpin": "yes",
        "bypasscode": "not known",
    }
    assert secrets(profile("d3")) == dict.fromkeys(
        ("filevaultkey", "recoverypassword", "unlockpin", "bypasscode"), "not known"
    )
    assert secrets(profile("d4")) == {"bypasscode": "not known"}


def test_commands_have_their_outcome_and_notes_are_counted(profile: Profiles) -> None:
    found = profile("d1").sections

    assert {(row["command_type"], row["status"]) for row in found["commands"].objects()} == {
        ("DeviceLock", "completed"),
        ("RestartDevice", "failed"),
    }
    assert (found["notes"].first()["notes"], profile("d5").sections["notes"].first()["notes"]) == (1, 0)
    assert (found["person"].first()["department"], found["person"].first()["devices"]) == ("Sales", 2)


def test_nothing_in_a_table_that_was_never_read_is_not_nothing(profile: Profiles) -> None:
    found = profile("d1").sections

    assert [found[name].is_read for name in ("threats", "commands", "actions")] == [False, True, True]


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("S1", ["d1"]),
        ("ann@example.org", ["d1", "d2"]),
        ("Ann Lee", ["d1", "d2", "d3"]),  # devices called like her too
        ("ann lee's mac", ["d2"]),
        ("old mac", ["d3"]),
    ],
)
def test_a_person_means_all_their_devices(reader: Reader, asked: str, meant: list[str]) -> None:
    assert sorted(devices_meant(reader, asked)) == meant


@pytest.mark.parametrize(
    ("asked", "said"), [("Twin", "2 devices fit 'Twin'"), ("bob@example.org", "9 devices fit 'bob@example.org'")]
)
def test_several_devices_of_nobody_or_too_many_are_listed_in_the_error(reader: Reader, asked: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        devices_meant(reader, asked)
    assert "Call again with one of these serial numbers or ids" in str(refused.value)


def test_devices_in_short_have_what_matters_and_what_is_not_known(reader: Reader) -> None:
    told = read_in_short(reader, ["d1", "d2"]).section.objects()

    assert [row["device_id"] for row in told] == ["d1", "d2"]  # the one in contact last first
    assert (told[0]["filevault_on"], told[1]["filevault_on"]) == (True, None)
    assert (told[0]["failed_items"], told[0]["cves"]) == (None, None)  # never read
    assert told[0]["compliant"] in ("no", "not known")


@pytest.mark.heavy
def test_an_assistant_gets_a_persons_devices_in_one_answer(home: Path) -> None:
    with opened(home) as mirror:
        several = answer(mirror, "auto", "device_profile", device="ann@example.org")
        one = answer(mirror, "auto", "device_profile", device="S1", include=[])

    assert [found["serial_number"] for found in several["parts"]["devices"]] == ["S1", "S2"]
    assert several["notes"][0].startswith("2 devices fit 'ann@example.org'")
    assert "get_filevault_key" in json.dumps(one["parts"]["secrets"])
    assert len(json.dumps(one)) / 4 < 1_500


def test_every_part_says_what_people_call_its_columns(reader: Reader) -> None:
    found = read_profile(reader, "d1", profile_parts()).sections

    for name, section in found.items():
        columns = {column.name for column in section.answer.columns}
        assert section.part.fields, name
        assert {field.name for field in section.part.fields} <= columns, name
