"""A confirmed action is sent once, in the provider's spelling, and what became of it is told and recorded."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from action_tenant import (
    KEY,
    MAC,
    NOW,
    PHONE,
    PIN,
    ActionTenant,
    command,
    confirmed,
    done,
    events,
    fault,
    log_at,
    preview_of,
    said,
    service_at,
    status_of,
    torn,
)

from kandji_schema.actions import actions
from kandji_schema.actions.record import TargetKind
from kandji_schema.errors import (
    AuditUnavailable,
    NotConfirmed,
    OutcomeUnknown,
    PermissionMissing,
    RateLimited,
    Rejected,
    TargetRefused,
    Unreachable,
    UsageError,
)
from kandji_schema.http import Response

GIVEN: dict[str, dict[str, Any]] = {
    "lock": {"message": "Call IT", "phone_number": "555"},
    "setname": {"device_name": "New"},
    "unlockaccount": {"user_name": "jane"},
    "deleteuser": {"user_name": "jane"},
    "remotedesktop": {"enable_remote_desktop": True},
    "update": {"asset_tag": "0042", "tags": ["a", "b"]},
    "addnote": {"content": "hi"},
    "editnote": {"note_id": "00000000-0000-0000-0000-00000000004d", "content": "hi"},
    "deletenote": {"note_id": "00000000-0000-0000-0000-00000000004d"},
    "createtag": {"name": "new"},
    "renametag": {"name": "new"},
}
BODIES = {
    "lock": {"Message": "Call IT", "PhoneNumber": "555"},
    "setname": {"DeviceName": "New"},
    "unlockaccount": {"UserName": "jane"},
    "deleteuser": {"UserName": "jane", "DeleteAllUsers": False, "ForceDeletion": False},
    "remotedesktop": {"EnableRemoteDesktop": True},
    "update": {"asset_tag": "0042", "tags": ["a", "b"]},
    "addnote": {"content": "hi"},
    "editnote": {"content": "hi"},
    "createtag": {"name": "new"},
    "renametag": {"name": "new"},
}


@pytest.mark.parametrize("name", [a.name for a in actions().values() if a.method != "GET"])
def test_every_confirmed_write_is_one_request_with_its_path_and_body(tmp_path: Path, name: str) -> None:
    tenant, record = ActionTenant(), actions()[name]
    service = service_at(tmp_path, tenant)
    device = MAC if not record.platforms or "Mac" in record.platforms else PHONE
    target = {TargetKind.DEVICE: device, TargetKind.TAG: "lab", TargetKind.TENANT: ""}[record.target]
    performed = done(service, name, target, **GIVEN.get(name, {}))
    assert performed.error is None
    (sent,) = tenant.sent
    tag, note = "00000000-0000-0000-0000-000000000005", "00000000-0000-0000-0000-00000000004d"
    assert (sent.method, sent.path) == (record.method, record.path.format(device_id=device, tag_id=tag, note_id=note))
    assert (json.loads(sent.body) if sent.body else None) == BODIES.get(name)
    assert ("Content-Type" in sent.headers) == bool(sent.body)
    assert [event for event, *_ in events(tmp_path)] == ["intent", "outcome"]
    assert log_at(tmp_path).verify().green


def test_an_erase_has_only_the_keys_that_were_given(tmp_path: Path) -> None:
    tenant = ActionTenant()
    given = {
        "pin": "123456",
        "return_to_service": True,
        "return_to_service_profile_id": MAC,
        "preserve_data_plan": False,
    }
    done(service_at(tmp_path, tenant), "erase", **given)
    sent = {"Enabled": True, "ProfileId": MAC}
    assert json.loads(tenant.sent[0].body) == {"PIN": "123456", "PreserveDataPlan": False, "ReturnToService": sent}
    assert b"123456" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_cleared_attributes_are_null_and_an_empty_list(tmp_path: Path) -> None:
    tenant = ActionTenant()
    done(service_at(tmp_path, tenant), "update", user="", asset_tag="", tags="")
    assert json.loads(tenant.sent[0].body) == {"user": None, "asset_tag": None, "tags": []}


def test_a_lock_shows_its_pin_once_and_keeps_it_nowhere(tmp_path: Path) -> None:
    service = service_at(tmp_path, ActionTenant())
    performed = done(service, "lock")
    assert performed.result.secrets == {"unlock_pin": PIN}
    assert PIN not in repr(performed) + performed.result.detail
    assert "A PIN was returned" in log_at(tmp_path).records()[-1]["detail"]
    assert PIN.encode() not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


@pytest.mark.parametrize("spoil", [torn, fault])
def test_a_write_whose_answer_is_lost_is_looked_up_and_never_sent_again(tmp_path: Path, spoil: Any) -> None:
    tenant = ActionTenant()
    tenant.after.append(spoil)
    service = service_at(tmp_path, tenant)
    performed = done(service, "restart")
    assert len(tenant.sent) == 1
    assert performed.result.outcome == "unknown"
    assert performed.observed is not None
    assert performed.observed.state == "pending"
    assert "RestartDevice" in performed.observed.words
    assert performed.error is None
    assert "RestartDevice" in log_at(tmp_path).records()[-1]["detail"]


def test_an_unknown_outcome_that_nothing_shows_stays_an_error(tmp_path: Path) -> None:
    tenant = ActionTenant()
    tenant.executes = False
    tenant.after.append(torn)
    tenant.commands[MAC] = [command("restart", at=NOW.replace(hour=11))]  # an older one is not ours
    performed = done(service_at(tmp_path, tenant), "restart")
    assert isinstance(performed.error, OutcomeUnknown)
    assert len(tenant.sent) == 1


def test_a_command_that_was_there_before_is_not_taken_for_this_one(tmp_path: Path) -> None:
    tenant = ActionTenant()
    service = service_at(tmp_path, tenant)
    done(service, "restart")
    tenant.executes = False
    tenant.after.append(torn)
    performed = done(service, "restart")
    assert performed.observed is not None
    assert performed.observed.state == "not found"


def test_of_two_commands_of_one_kind_each_is_told_from_the_other(tmp_path: Path) -> None:
    tenant = ActionTenant()
    service = service_at(tmp_path, tenant)
    done(service, "restart")
    tenant.commands[MAC][0]["status"] = 3
    tenant.commands[MAC].append(command("restart", at=NOW + timedelta(minutes=1)))
    (attempt,) = log_at(tmp_path).attempts()
    found = status_of(service, attempt)
    assert found is not None
    assert found.state == "completed"


def test_what_is_pending_already_is_told_with_the_command_that_waits(tmp_path: Path) -> None:
    tenant = ActionTenant()
    tenant.commands[MAC] = [command("restart", at=NOW - timedelta(days=n)) for n in (9, 1)]
    tenant.instead = [said("Command already running", 400)]
    service = service_at(tmp_path, tenant)
    performed = done(service, "restart")
    (attempt,) = log_at(tmp_path).attempts()
    for found in (performed.observed, status_of(service, attempt)):
        assert found is not None
        assert "2026-11-19" in found.words


def test_a_command_of_others_is_not_taken_for_one_that_was_refused(tmp_path: Path) -> None:
    tenant = ActionTenant()
    tenant.instead = [said("Command is not allowed for current device", 400)]
    service = service_at(tmp_path, tenant)
    done(service, "restart")
    tenant.commands[MAC] = [command("restart")]
    (attempt,) = log_at(tmp_path).attempts()
    assert status_of(service, attempt) is None


def test_a_lost_answer_to_a_delete_is_told_from_the_device_being_gone(tmp_path: Path) -> None:
    tenant = ActionTenant()
    tenant.after.append(torn)
    performed = done(service_at(tmp_path, tenant), "delete")
    assert performed.observed is not None
    assert performed.observed.state == "done"


def test_a_lost_answer_to_an_update_is_told_from_the_row(tmp_path: Path) -> None:
    tenant = ActionTenant()
    tenant.after.append(fault)
    performed = done(service_at(tmp_path, tenant), "update", asset_tag="7", user="")
    assert performed.observed is not None
    assert performed.observed.state == "done"


ANSWERS = [
    (said("Command already running", 400), "already pending", None),
    (said(["Disable lost mode is already pending for this device."], 400), "already pending", None),
    (said("This device is already locked.", 400), "rejected", Rejected),
    (said("Command is not allowed for current device", 400), "rejected", Rejected),
    (said({"detail": "You do not have permission to perform this action."}, 403), "rejected", PermissionMissing),
    (said({"message": "API rate limit exceeded"}, 429), "not sent", RateLimited),
    (Response(302, {"location": "https://elsewhere.example/"}), "rejected", Rejected),
    (Response(307, {"location": "https://elsewhere.example/"}), "rejected", Rejected),
]


@pytest.mark.parametrize(("answer", "outcome", "error"), ANSWERS)
def test_every_answer_has_its_own_end(tmp_path: Path, answer: Response, outcome: str, error: type | None) -> None:
    tenant = ActionTenant()
    tenant.instead.append(answer)
    service = service_at(tmp_path, tenant)
    performed = done(service, "lock")
    assert performed.result.outcome == outcome
    assert type(performed.error) is (error or type(None))
    assert len(tenant.sent) == 1
    assert events(tmp_path)[-1] == ("outcome", "lock", outcome)


def test_a_lock_whose_answer_is_lost_says_where_the_pin_is(tmp_path: Path) -> None:
    tenant = ActionTenant()
    tenant.after.append(torn)
    assert "secret unlockpin C02JANE" in done(service_at(tmp_path, tenant), "lock").notes[0]


def test_a_lock_of_a_locked_mac_says_where_the_pin_is(tmp_path: Path) -> None:
    tenant = ActionTenant()
    tenant.instead.append(said("This device is already locked.", 400))
    assert "kandji-mirror secret unlockpin C02JANE" in done(service_at(tmp_path, tenant), "lock").result.detail


def test_a_connection_that_was_never_made_sent_nothing(tmp_path: Path) -> None:
    def refused(_: Response) -> Response:
        raise Unreachable("no connection", sent=False)

    tenant = ActionTenant()
    tenant.after.append(refused)
    performed = done(service_at(tmp_path, tenant), "restart")
    assert performed.result.outcome == "not sent"
    assert isinstance(performed.error, Unreachable)


def test_an_interrupted_wait_is_recorded_as_unknown(tmp_path: Path) -> None:
    def interrupted(_: Response) -> Response:
        raise KeyboardInterrupt

    tenant = ActionTenant()
    tenant.after.append(interrupted)
    service = service_at(tmp_path, tenant)
    with pytest.raises(KeyboardInterrupt):
        done(service, "restart")
    assert events(tmp_path)[-1] == ("outcome", "restart", "unknown")


def test_a_secret_is_read_once_and_only_that_it_was_read_is_kept(tmp_path: Path) -> None:
    tenant = ActionTenant()
    service = service_at(tmp_path, tenant)
    performed = done(service, "filevaultkey", MAC, "ticket 1")
    assert performed.result.secrets == {"filevault_key": KEY}
    assert [r.path for r in tenant.sent] == [f"/api/v1/devices/{MAC}/secrets/filevaultkey"]
    assert KEY.encode() not in b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert events(tmp_path) == [("intent", "filevaultkey", None), ("outcome", "filevaultkey", "done")]


def test_a_secret_that_was_never_escrowed_is_told_so(tmp_path: Path) -> None:
    tenant = ActionTenant()
    tenant.secrets["filevaultkey"] = {"key": None}
    performed = done(service_at(tmp_path, tenant), "filevaultkey")
    assert performed.result.secrets == {"filevault_key": None}
    assert "nothing is escrowed" in performed.result.detail


def test_a_page_in_place_of_a_secret_is_no_secret(tmp_path: Path) -> None:
    tenant = ActionTenant()
    tenant.instead.append(Response(200, {"content-type": "text/html"}, b"<title>Welcome</title>"))
    performed = done(service_at(tmp_path, tenant), "filevaultkey")
    assert performed.error is not None
    assert not performed.result.secrets


def test_a_yes_to_one_plan_does_not_fit_another(tmp_path: Path) -> None:
    tenant = ActionTenant()
    service = service_at(tmp_path, tenant)
    preview, other = preview_of(service, "restart"), preview_of(service, "erase")
    with pytest.raises(NotConfirmed):
        service.perform(other, confirmed(service, preview, "C02JANE"))
    assert tenant.sent == []
    assert events(tmp_path)[-1][:2] == ("refused", "erase")


@pytest.mark.parametrize("typed", ["", " ", "yes", "true", "C02TWIN", "C02JANE2", MAC])
def test_only_the_serial_number_confirms(tmp_path: Path, typed: str) -> None:
    tenant = ActionTenant()
    service = service_at(tmp_path, tenant)
    with pytest.raises(NotConfirmed):
        confirmed(service, preview_of(service, "erase"), typed)
    assert tenant.sent == []
    assert [event for event, *_ in events(tmp_path)] == ["refused"]


def test_a_device_removed_between_preview_and_yes_gets_nothing(tmp_path: Path) -> None:
    tenant = ActionTenant()
    service = service_at(tmp_path, tenant)
    preview = preview_of(service, "erase")
    confirmation = confirmed(service, preview, "C02JANE")
    del tenant.devices[MAC]
    with pytest.raises(TargetRefused):
        service.perform(preview, confirmation)
    assert tenant.sent == []


def test_without_a_record_nothing_is_sent(tmp_path: Path) -> None:
    tenant = ActionTenant()
    service = service_at(tmp_path, tenant)
    preview = preview_of(service, "erase")
    confirmation = confirmed(service, preview, "C02JANE")
    (tmp_path / "audit.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(AuditUnavailable):
        service.perform(preview, confirmation)
    assert tenant.sent == []


BAD = [
    ("lock", {"message": "x" * 10_000}),
    ("lock", {"message": "a\x00b"}),
    ("lock", {"message": "a\u202eb"}),
    ("lock", {"message": ""}),
    ("lock", {"Message": "x"}),
    ("lock", {"message": 7}),
    ("erase", {"pin": "12345"}),
    ("erase", {"pin": "1234567"}),
    ("erase", {"pin": "12345a"}),
    ("erase", {"pin": "١٢٣٤٥٦"}),
    ("erase", {"pin": 123456}),
    ("erase", {"erase_mode": "WIPE"}),
    ("erase", {"return_to_service_profile_id": MAC}),
    ("erase", {"return_to_service": "maybe"}),
    ("setname", {}),
    ("update", {}),
    ("update", {"user": "36600"}),
    ("deleteuser", {}),
    ("deleteuser", {"user_name": "x", "delete_all_users": True}),
    ("deletenote", {"note_id": "../../secrets/filevaultkey"}),
    ("enablelostmode", {}),
    ("filevaultkey", {"pin": "1"}),
]


@pytest.mark.parametrize(("name", "given"), BAD)
def test_bad_arguments_are_refused_and_recorded(tmp_path: Path, name: str, given: dict[str, Any]) -> None:
    tenant = ActionTenant()
    service = service_at(tmp_path, tenant)
    with pytest.raises(UsageError) as refusal:
        preview_of(service, name, **given)
    assert len(str(refusal.value)) < 600
    assert tenant.sent == []
    assert [event for event, *_ in events(tmp_path)] == ["refused"]
    if given.get("pin"):
        assert str(given["pin"]) not in str(refusal.value)
