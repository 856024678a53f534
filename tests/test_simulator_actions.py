"""Device actions of the simulated tenant: what is refused, what is queued, and what becomes of it."""

import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from naive_client import ask, get_json, said
from support import make_tenant

from kandji_simulator import Tenant
from kandji_simulator.api.actions import ACTIONS
from kandji_simulator.world.management import Status

NOT_ALLOWED = (400, "Command is not allowed for current device")
RUNNING = (400, "Command already running")
NOT_LOST = (400, ["Device is not in lost mode."])
BODIES: dict[str, dict[str, Any]] = {
    "setname": {"DeviceName": "Büro-Mac"},
    "unlockaccount": {"UserName": "jdoe"},
    "deleteuser": {"DeleteAllUsers": True, "ForceDeletion": False},
    "remotedesktop": {"EnableRemoteDesktop": True},
    "refreshcellularplans": {"eSIMServerURL": "https://esim.example.com"},
    "toggledataroaming": {"Enabled": True},
    "togglepersonalhotspot": {"Enabled": False},
}
"""What actions with required keys are sent."""


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant(3)


def act(tenant: Tenant, device_id: str, action: str, body: object = None) -> tuple[int, Any]:
    return said(ask(tenant.handle, "POST", f"/devices/{device_id}/action/{action}", body))


def commands(tenant: Tenant, device_id: str) -> list[dict[str, Any]]:
    """Those after the device's enrolment, which is before the world begins."""
    body = get_json(tenant.handle, f"/api/v1/devices/{device_id}/commands", limit=300)
    assert body["commands"]["count"] == len(body["commands"]["results"])
    rows: list[dict[str, Any]] = body["commands"]["results"]
    return [row for row in rows if row["date_requested"] >= "2026-01-12T09"]


def row_of(tenant: Tenant, device_id: str) -> dict[str, Any]:
    found: dict[str, Any] = get_json(tenant.handle, f"/api/v1/devices/{device_id}")
    return found


@pytest.mark.parametrize(
    ("action", "platforms"),
    {
        "lock": "Mac iPhone iPad Android",
        "erase": "Mac iPhone iPad AppleTV Windows Android",
        "restart": "Mac iPhone iPad AppleTV",
        "shutdown": "Mac iPhone iPad",
        "setname": "Mac iPhone iPad AppleTV",
        "blankpush": "Mac iPhone iPad AppleTV",
        "dailycheckin": "Mac iPhone iPad AppleTV Windows",
        "updateinventory": "Mac iPhone iPad AppleTV",
        "renewmdmprofile": "Mac iPhone iPad AppleTV",
        "reinstallagent": "Mac",
        "unlockaccount": "Mac",
        "deleteuser": "Mac iPad",
        "remotedesktop": "Mac",
        "enablelostmode": "iPhone iPad",
        "clearpasscode": "iPhone iPad",
        "resetworkprofilepasscode": "Android",
        "refreshcellularplans": "iPhone iPad",
        "toggledataroaming": "iPhone iPad",
        "togglepersonalhotspot": "iPhone iPad",
    }.items(),
)
def test_an_action_is_for_some_platforms_only(tenant: Tenant, action: str, platforms: str) -> None:
    allowed = set()
    for platform in ("Mac", "iPhone", "iPad", "AppleTV", "Windows", "Android"):
        device_id = tenant.world.enrol(platform=platform)
        answer = act(tenant, device_id, action, BODIES.get(action))
        assert answer == NOT_ALLOWED or answer[0] == 200
        assert len(commands(tenant, device_id)) == (answer[0] == 200 and action != "blankpush")
        allowed |= {platform} if answer[0] == 200 else set()
    assert allowed == set(platforms.split())


@pytest.mark.parametrize("action", ACTIONS)
def test_an_unknown_device_is_not_found_and_nothing_is_queued(tenant: Tenant, action: str) -> None:
    assert act(tenant, "00000000-0000-4000-8000-000000000000", action, BODIES.get(action))[0] == 404
    assert tenant.world.waiting == []


def test_an_unknown_action_has_no_route(tenant: Tenant) -> None:
    status, body = act(tenant, tenant.world.device_ids()[0], "explode")
    assert (status, body["message"]) == (404, "no Route matched with those values")


def test_a_mac_is_locked_with_a_pin_once(tenant: Tenant) -> None:
    mac = tenant.world.enrol(platform="Mac")
    status, body = act(tenant, mac, "lock", {"Message": "Bring it back", "PhoneNumber": "0123"})
    assert status == 200
    assert body.keys() == {"PIN"}
    assert len(body["PIN"]) == 6
    assert body["PIN"].isdecimal()
    assert act(tenant, mac, "lock") == RUNNING
    assert tenant.world.answer_commands() == 1
    assert act(tenant, mac, "lock") == (400, "This device is already locked.")
    assert get_json(tenant.handle, f"/api/v1/devices/{mac}/secrets/unlockpin") == {"pin": body["PIN"]}
    tenant.world.unlock(mac)
    assert get_json(tenant.handle, f"/api/v1/devices/{mac}/secrets/unlockpin") == {"pin": None}
    assert act(tenant, mac, "lock")[1] != body


def test_no_pin_is_told_in_commands_activity_or_audit(tenant: Tenant) -> None:
    mac = tenant.world.enrol(platform="Mac")
    pin = act(tenant, mac, "lock")[1]["PIN"]
    act(tenant, mac, "erase", {"PIN": "918273"})
    tenant.world.answer_commands()
    told = [get_json(tenant.handle, f"/api/v1/devices/{mac}/{part}") for part in ("commands", "activity")]
    text = json.dumps([told, list(tenant.world.truth("audit_events"))])
    assert pin not in text
    assert "918273" not in text


def test_a_mobile_device_locks_its_screen_without_a_pin(tenant: Tenant) -> None:
    phone = tenant.world.enrol(platform="iPhone")
    assert act(tenant, phone, "lock") == (200, None)
    tenant.world.answer_commands()
    assert act(tenant, phone, "lock") == (200, None)


def test_keys_in_another_case_are_ignored(tenant: Tenant) -> None:
    mac = tenant.world.enrol(platform="Mac")
    assert act(tenant, mac, "lock", {"message": "lost", "Phonenumber": "1"})[0] == 200
    assert commands(tenant, mac)[-1]["metadata"] == {}
    assert act(tenant, mac, "setname", {"deviceName": "x"}) == (400, {"DeviceName": ["This field is required."]})


@pytest.mark.parametrize(
    ("action", "body", "member"),
    [
        ("restart", {"NotifyUser": "true"}, "NotifyUser"),
        ("restart", {"RebuildKernelCache": 1}, "RebuildKernelCache"),
        ("lock", {"Message": None}, "Message"),
        ("lock", {"PhoneNumber": 112}, "PhoneNumber"),
        ("setname", {"DeviceName": "  "}, "DeviceName"),
        ("erase", {"PIN": "12345"}, "PIN"),
        ("erase", {"ReturnToService": True}, "ReturnToService"),
        ("erase", {"ReturnToService": {"ProfileId": ""}}, "ReturnToService"),
        ("deleteuser", {"DeleteAllUsers": False, "ForceDeletion": False}, "UserName"),
        ("remotedesktop", {}, "EnableRemoteDesktop"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_by_its_key(
    tenant: Tenant, action: str, body: dict[str, Any], member: str
) -> None:
    mac = tenant.world.enrol(platform="Mac")
    status, wrong = act(tenant, mac, action, body)
    assert (status, list(wrong)) == (400, [member])
    assert commands(tenant, mac) == []


def test_a_body_is_json_by_type_and_by_content(tenant: Tenant) -> None:
    path = f"/devices/{tenant.world.enrol(platform='Mac')}/action/restart"
    form = ask(tenant.handle, "POST", path, b"NotifyUser=true", **{"Content-Type": "application/x-www-form-urlencoded"})
    assert form.status == 415
    assert said(ask(tenant.handle, "POST", path, b'{"NotifyUser" true}')) == (
        400,
        "JSON parse error - Expecting ':' delimiter: line 1 column 15 (char 14)",
    )
    assert ask(tenant.handle, "POST", path, b"[]").status == 400
    assert ask(tenant.handle, "POST", path, b" " * 2_000_000).status == 413
    assert tenant.world.waiting == []
    charset = {"Content-Type": "application/json; charset=utf-8"}
    assert ask(tenant.handle, "POST", path, {"NotifyUser": True}, **charset).status == 200


def test_a_device_is_renamed_when_it_answers(tenant: Tenant) -> None:
    mac = tenant.world.enrol(platform="Mac", name="Old")
    assert act(tenant, mac, "setname", {"DeviceName": "Büro „West“"}) == (200, None)
    assert row_of(tenant, mac)["device_name"] == "Old"
    tenant.world.answer_commands()
    assert row_of(tenant, mac)["device_name"] == "Büro „West“"
    activity = get_json(tenant.handle, f"/api/v1/devices/{mac}/activity", limit=300)["activity"]["results"]
    assert [entry["action_type"] for entry in activity[-2:]] == ["name_changed", "mdm_command_completed"]
    assert activity[-2]["details"] == {"to": "Büro „West“", "from": "Old"}


def test_a_command_waits_runs_and_ends(tenant: Tenant) -> None:
    mac = tenant.world.enrol(platform="Mac")
    act(tenant, mac, "restart", {"NotifyUser": False})
    states = [commands(tenant, mac)[-1]]
    for status in (Status.RUNNING, Status.NOT_NOW, Status.COMPLETED):
        assert act(tenant, mac, "restart") == RUNNING
        assert tenant.world.answer_commands(mac, status) == 1
        states.append(commands(tenant, mac)[-1])
    assert [(s["status"], s["attempts"]) for s in states] == [(1, 0), (2, 1), (5, 1), (3, 2)]
    assert [s["date_completed"] is None for s in states] == [True, True, True, False]
    assert {(s["command_type"], s["uuid"]) for s in states} == {("RestartDevice", states[0]["uuid"])}
    assert act(tenant, mac, "restart") == (200, None)


def test_a_failed_command_says_why_and_changes_nothing(tenant: Tenant) -> None:
    mac = tenant.world.enrol(platform="Mac", name="Old")
    act(tenant, mac, "setname", {"DeviceName": "New"})
    tenant.world.answer_commands(mac, Status.FAILED, "The device is busy.")
    assert row_of(tenant, mac)["device_name"] == "Old"
    [row] = commands(tenant, mac)
    assert row["status"] == 4
    assert row["error_chain"][0]["LocalizedDescription"] == "The device is busy."


def test_devices_that_cannot_be_reached_do_not_answer(tenant: Tenant) -> None:
    mac = tenant.world.enrol(platform="Mac")
    act(tenant, mac, "shutdown")
    tenant.world.answer_commands()
    act(tenant, mac, "setname", {"DeviceName": "New"})
    assert tenant.world.answer_commands() == 0
    assert commands(tenant, mac)[-1]["status"] == 1
    tenant.world.check_in(mac)
    assert tenant.world.answer_commands() == 1
    assert row_of(tenant, mac)["device_name"] == "New"


def test_a_step_of_the_world_is_time_enough_to_answer() -> None:
    tenant = make_tenant(60)
    seen = [d for d in tenant.world.devices.values() if d.platform == "Mac" and d.checked_in]
    for device in seen:
        act(tenant, device.id, "restart")
    tenant.world.advance()
    listed = [device for device in seen if device.id in tenant.world.devices]
    reached = {device.id: commands(tenant, device.id)[-1]["status"] == 3 for device in listed}
    assert reached == {device.id: not (device.missing or device.removed) for device in listed}
    assert set(reached.values()) == {True, False}


def test_by_the_tenants_clock_devices_answer_after_some_seconds() -> None:
    now = [1_800_000_000.0]
    tenant = make_tenant(3, clock=lambda: now[0], answering=5.0)
    start = tenant.world.now
    mac = tenant.world.enrol(platform="Mac")
    now[0] += 60
    act(tenant, mac, "restart")
    seen = []
    for _ in range(4):
        seen.append(commands(tenant, mac)[-1]["status"])
        now[0] += 2
    assert seen == [1, 1, 2, 3]
    assert commands(tenant, mac)[-1]["date_requested"] == "2026-01-12T09:01:00.000000Z"
    assert tenant.world.now - start == timedelta(seconds=66)


def test_commands_have_times_of_their_own(tenant: Tenant) -> None:
    mac = tenant.world.enrol(platform="Mac")
    for action in ("restart", "shutdown", "reinstallagent"):
        act(tenant, mac, action)
    times = [row["date_requested"] for row in commands(tenant, mac)]
    assert all(earlier < later for earlier, later in pairwise(times))


def test_lost_mode_is_enabled_used_and_disabled(tenant: Tenant) -> None:
    phone = tenant.world.enrol(platform="iPhone")
    path = f"/api/v1/devices/{phone}/details/lostmode"
    for action in ("playlostmodesound", "updatelocation", "disablelostmode"):
        assert act(tenant, phone, action) == NOT_LOST
    act(tenant, phone, "enablelostmode", {"Message": "Lost", "PhoneNumber": "0123", "Footnote": "Thanks"})
    assert said(ask(tenant.handle, "GET", path.removeprefix("/api/v1"))) == NOT_LOST
    tenant.world.answer_commands()
    assert row_of(tenant, phone)["lost_mode_status"] == "ENABLED"
    lost = get_json(tenant.handle, path)["lost_mode"]
    assert (lost["lock_screen_message"], lost["lock_screen_phone_number"]) == ("Lost", "0123")
    assert act(tenant, phone, "enablelostmode")[0] == 400
    for action in ("playlostmodesound", "updatelocation"):
        assert act(tenant, phone, action) == (200, None)
        assert act(tenant, phone, action) == RUNNING
    tenant.world.answer_commands()
    moved = get_json(tenant.handle, path)["lost_mode"]
    assert moved["last_location"] != lost["last_location"]
    assert moved["sound_status"] == "SUCCESS"
    assert act(tenant, phone, "disablelostmode") == (200, None)
    assert act(tenant, phone, "disablelostmode") == (
        400,
        "Disable lost mode is already pending for this device.",
    )
    tenant.world.answer_commands()
    assert row_of(tenant, phone)["lost_mode_status"] == "DISABLED"
    assert said(ask(tenant.handle, "GET", path.removeprefix("/api/v1"))) == NOT_LOST


def test_lost_mode_that_is_stuck_can_be_cancelled(tenant: Tenant) -> None:
    pad = tenant.world.enrol(platform="iPad")
    assert said(ask(tenant.handle, "DELETE", f"/devices/{pad}/details/lostmode")) == NOT_LOST
    act(tenant, pad, "enablelostmode")
    assert ask(tenant.handle, "DELETE", f"/devices/{pad}/details/lostmode").status == 200
    assert commands(tenant, pad)[-1]["status"] == 4
    assert tenant.world.answer_commands() == 0
    assert row_of(tenant, pad)["lost_mode_status"] == ""


def test_an_erased_device_leaves_the_management_unless_it_returns(tenant: Tenant) -> None:
    mac, pad = tenant.world.enrol(platform="Mac"), tenant.world.enrol(platform="iPad")
    tenant.world.update_os(pad)
    before = row_of(tenant, pad)["last_enrollment"]
    assert act(tenant, mac, "erase", {"PIN": "135790"}) == (200, None)
    assert act(tenant, pad, "erase", {"ReturnToService": {"Enabled": True}}) == (200, None)
    tenant.world.wait(timedelta(hours=1))
    tenant.world.answer_commands()
    assert row_of(tenant, mac)["is_removed"] is True
    assert row_of(tenant, pad)["is_removed"] is False
    assert row_of(tenant, pad)["last_enrollment"] > before


def test_a_profile_to_return_with_is_one_of_the_devices(tenant: Tenant) -> None:
    world = tenant.world
    pad, blueprint = world.enrol(platform="iPad"), world.add_blueprint("Loan")
    world.assign_blueprint(pad, blueprint)
    profile = next(row for row in world.truth("custom_profiles"))
    asked = {"ReturnToService": {"Enabled": True, "ProfileId": profile["id"]}}
    world.blueprints[blueprint].items = {}
    assert act(tenant, pad, "erase", asked) == (400, "The specified profile is not in scope for the device")
    world.assign_item(blueprint, profile["name"])
    assert act(tenant, pad, "erase", asked) == (200, None)


def test_accounts_are_found_and_deleted(tenant: Tenant) -> None:
    world = tenant.world
    mac = world.enrol(platform="Mac")
    account = world.devices[mac].account

    def listed() -> set[str]:
        rows = world.truth("prism_local_users")
        return {row["username"] for row in rows if row["device_id"] == mac and int(row["uid"]) >= 501}

    assert account in listed()
    for name in ("nobody-here", account):
        act(tenant, mac, "unlockaccount", {"UserName": name})
        world.answer_commands()
    act(tenant, mac, "deleteuser", {"UserName": account, "DeleteAllUsers": False, "ForceDeletion": True})
    world.answer_commands()
    assert [row["status"] for row in commands(tenant, mac)] == [4, 3, 3]
    assert account not in listed()
    act(tenant, mac, "deleteuser", {"DeleteAllUsers": True, "ForceDeletion": True})
    world.answer_commands()
    assert listed() == set()


def test_effects_are_seen_in_the_inventory(tenant: Tenant) -> None:
    world = tenant.world
    mac, phone = world.enrol(platform="Mac"), world.enrol(platform="iPhone")
    world.device(mac).agent = "1.0 (1)"
    for wanted in (True, False):
        act(tenant, mac, "remotedesktop", {"EnableRemoteDesktop": wanted})
        act(tenant, mac, "reinstallagent")
        act(tenant, phone, "toggledataroaming", {"Enabled": wanted})
        world.answer_commands()
        details = get_json(tenant.handle, f"/api/v1/devices/{mac}/details")
        assert details["security_information"] == {"remote_desktop_enabled": wanted}
        [cellular] = [row for row in world.truth("prism_cellular") if row["device_id"] == phone]
        assert str(cellular["data_roaming_enabled"]) in {str(wanted), "Yes" if wanted else "No"}
    assert row_of(tenant, mac)["agent_version"] == "4.6.2 (5240)"
    types = [row["command_type"] for row in commands(tenant, mac) if "Remote" in row["command_type"]]
    assert types == ["EnableRemoteDesktop", "DisableRemoteDesktop"]


def test_the_daily_check_in_answers_in_words_and_the_device_is_seen(tenant: Tenant) -> None:
    windows = tenant.world.enrol(platform="Windows")
    tenant.world.wait(timedelta(hours=3))
    status, body = act(tenant, windows, "dailycheckin")
    assert (status, list(body)) == (200, ["message"])
    tenant.world.answer_commands()
    assert row_of(tenant, windows)["last_check_in"] == "2026-01-12T12:00:00.000000Z"


def test_the_same_requests_give_the_same_world() -> None:
    worlds = []
    for tenant in (make_tenant(12), make_tenant(12)):
        mac = next(d.id for d in tenant.world.devices.values() if d.platform == "Mac" and d.collected)
        act(tenant, mac, "lock")
        act(tenant, mac, "setname", {"DeviceName": "Same"})
        tenant.world.advance(3)
        told = [get_json(tenant.handle, f"/api/v1/devices/{mac}/{part}") for part in ("commands", "activity")]
        worlds.append([told, list(tenant.world.truth("devices")), list(tenant.world.truth("audit_events"))])
    assert worlds[0] == worlds[1]
