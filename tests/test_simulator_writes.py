"""Writes to the simulated tenant apart from actions: devices, notes, tags, and the reading of secrets."""

import json
from pathlib import Path
from typing import Any

import pytest
from naive_client import ask, get, get_json, said
from support import differing, make_tenant, run_sync

from kandji_simulator import Tenant
from kandji_simulator.api.actions import ACTIONS

EXAMPLES = Path(__file__).parent / "fixtures" / "writes"
NOWHERE = "00000000-0000-4000-8000-000000000000"
SECRETS = {
    "filevaultkey": {"key"},
    "unlockpin": {"pin"},
    "recoverypassword": {"recovery_password"},
    "bypasscode": {"user_based_albc", "device_based_albc"},
}


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant(12)


@pytest.fixture
def mac(tenant: Tenant) -> str:
    return tenant.world.enrol(platform="Mac")


def send(tenant: Tenant, method: str, path: str, body: object = None) -> tuple[int, Any]:
    return said(ask(tenant.handle, method, path, body))


def published(name: str) -> list[dict[str, Any]]:
    document = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    examples: list[dict[str, Any]] = document["examples"]
    return examples


def events(tenant: Tenant, target: str) -> list[tuple[str, str, str]]:
    """Action, component and kind of actor of what the log has on a target."""
    rows = [row for row in tenant.world.truth("audit_events") if row["target_id"] == target]
    return [(row["action"], row["target_component"], row["actor_type"]) for row in rows]


@pytest.mark.parametrize("action", ACTIONS)
def test_every_published_key_of_an_action_is_known(action: str) -> None:
    requests = [example.get("request") for example in published(f"post--devices-_device_id_-action-{action}")]
    keys = {key for request in requests if request for key in request["body"]}
    assert keys <= ACTIONS[action].keys.keys()


def test_a_device_is_changed_and_comes_back_as_published(tenant: Tenant, mac: str) -> None:
    world = tenant.world
    user, blueprint = world.user_ids()[0], world.blueprint_ids()[1]
    body = {"user": user, "asset_tag": "0042", "blueprint_id": blueprint, "tags": ["lab", "new one", "lab"]}
    status, row = send(tenant, "PATCH", f"/devices/{mac}", body)
    assert status == 200
    assert published("patch--devices-_device_id_")[0]["body"].keys() - row.keys() == set()
    assert row["user"]["email"] == world.users[user].email
    assert (row["asset_tag"], row["blueprint_id"], row["tags"]) == ("0042", blueprint, ["lab", "new one"])
    assert get_json(tenant.handle, f"/api/v1/devices/{mac}")["tags"] == ["lab", "new one"]
    assert "new one" in {tag["name"] for tag in world.truth("tags")}
    assert events(tenant, mac)[-4:] == [("update", "", "api_token")] * 4


def test_cleared_values_come_back_empty(tenant: Tenant, mac: str) -> None:
    send(tenant, "PATCH", f"/devices/{mac}", {"user": tenant.world.user_ids()[0], "asset_tag": "1", "tags": ["lab"]})
    status, row = send(tenant, "PATCH", f"/devices/{mac}", {"user": None, "asset_tag": None, "tags": []})
    assert (status, row["user"], row["asset_tag"], row["tags"]) == (200, "", "", [])


def test_only_what_is_sent_changes_and_other_keys_are_ignored(tenant: Tenant, mac: str) -> None:
    before = get_json(tenant.handle, f"/api/v1/devices/{mac}")
    assert send(tenant, "PATCH", f"/devices/{mac}", {"Asset_Tag": "9", "device_name": "x"})[0] == 200
    assert get_json(tenant.handle, f"/api/v1/devices/{mac}") == before


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({"user": 36600}, "user"),
        ({"user": NOWHERE}, "user"),
        ({"blueprint_id": NOWHERE}, "blueprint_id"),
        ({"blueprint_id": None}, "blueprint_id"),
        ({"asset_tag": 7}, "asset_tag"),
        ({"tags": "lab"}, "tags"),
        ({"tags": [7]}, "tags"),
    ],
)
def test_a_wrong_value_changes_nothing_at_all(tenant: Tenant, mac: str, body: dict[str, Any], member: str) -> None:
    before = list(tenant.world.truth("devices"))
    status, wrong = send(tenant, "PATCH", f"/devices/{mac}", {"asset_tag": "changed", **body})
    assert (status, list(wrong)) == (400, [member])
    assert list(tenant.world.truth("devices")) == before


def test_a_deleted_device_is_gone_everywhere(tenant: Tenant, mac: str) -> None:
    ask(tenant.handle, "POST", f"/devices/{mac}/action/restart")
    assert send(tenant, "DELETE", f"/devices/{mac}") == (204, None)
    tables = ("devices", "apps", "prism_device_information", "device_details", "prism_local_users")
    assert {row["device_id"] for table in tables for row in tenant.world.truth(table)} & {mac} == set()
    for path in ("", "/commands", "/notes", "/activity", "/secrets/unlockpin"):
        assert get(tenant.handle, f"/api/v1/devices/{mac}{path}").status == 404
    assert send(tenant, "DELETE", f"/devices/{mac}")[0] == 404
    assert tenant.world.answer_commands() == 0
    assert events(tenant, mac)[-1] == ("delete", "", "api_token")


def test_notes_are_written_read_edited_and_deleted(tenant: Tenant, mac: str) -> None:
    path = f"/devices/{mac}/notes"
    tenant.world.managed(mac).notes.clear()
    status, note = send(tenant, "POST", path, {"content": "<p>Grüße</p>"})
    assert status == 201
    assert note.keys() == published("post--devices-_device_id_-notes")[0]["body"].keys()
    listed = get(tenant.handle, f"/api/v1{path}", limit=300)
    assert json.loads(listed.body) == [note]
    assert listed.headers["x-total-count"] == "1"
    one = f"{path}/{note['note_id']}"
    assert send(tenant, "PATCH", one, {"content": "b"}) == (200, note | {"content": "b"})
    assert send(tenant, "GET", one)[1]["content"] == "b"
    status, gone = send(tenant, "DELETE", one)
    assert (status, gone.keys()) == (200, {"note_id", "deleted_at"})
    assert send(tenant, "GET", one)[0] == send(tenant, "DELETE", one)[0] == 404
    assert [event[:2] for event in events(tenant, mac)[-3:]] == [
        (action, "notes") for action in ("create", "update", "delete")
    ]


@pytest.mark.parametrize("body", [{}, {"content": ""}, {"content": None}, {"Content": "x"}])
def test_a_note_needs_content(tenant: Tenant, mac: str, body: dict[str, Any]) -> None:
    assert send(tenant, "POST", f"/devices/{mac}/notes", body)[0] == 400


def test_tags_are_created_renamed_and_deleted(tenant: Tenant, mac: str) -> None:
    status, tag = send(tenant, "POST", "/tags", {"name": "Großraum"})
    assert (status, tag.keys()) == (201, {"id", "name"})
    assert send(tenant, "POST", "/tags", {"name": "Großraum"})[0] == 400
    send(tenant, "PATCH", f"/devices/{mac}", {"tags": ["Großraum"]})
    assert send(tenant, "PATCH", f"/tags/{tag['id']}", {"name": "Werk"}) == (200, {"id": tag["id"], "name": "Werk"})
    assert get_json(tenant.handle, f"/api/v1/devices/{mac}")["tags"] == ["Werk"]
    assert send(tenant, "DELETE", f"/tags/{tag['id']}") == (204, None)
    assert get_json(tenant.handle, f"/api/v1/devices/{mac}")["tags"] == []
    assert send(tenant, "PATCH", f"/tags/{tag['id']}", {"name": "x"})[0] == 404
    assert [event[0] for event in events(tenant, tag["id"])] == ["create", "update", "delete"]


@pytest.mark.parametrize(("name", "members"), SECRETS.items())
def test_a_secret_is_told_by_its_endpoint_and_its_reading_logged(name: str, members: set[str]) -> None:
    tenant = make_tenant(60)
    assert published(f"get--devices-_device_id_-secrets-{name}")[0]["body"].keys() == members
    told = {i: get_json(tenant.handle, f"/api/v1/devices/{i}/secrets/{name}") for i in tenant.world.device_ids()}
    assert all(body.keys() == members for body in told.values())
    values = [value for body in told.values() for value in body.values()]
    assert None in values
    assert all(events(tenant, device_id)[-1] == ("update", "secrets", "api_token") for device_id in told)
    log = json.dumps(list(tenant.world.truth("audit_events")))
    assert not any(value in log for value in values if value)
    assert told == {i: get_json(tenant.handle, f"/api/v1/devices/{i}/secrets/{name}") for i in told}


def test_keys_are_kept_where_the_inventory_says_so() -> None:
    tenant = make_tenant(60)
    details = [row for row in tenant.world.truth("device_details") if row["general"]["platform"] == "Mac"]
    kept = {row["general"]["device_id"] for row in details if row["filevault"]["filevault_prk_escrowed"]}
    ids = tenant.world.device_ids()
    told = {i: get_json(tenant.handle, f"/api/v1/devices/{i}/secrets/filevaultkey")["key"] for i in ids}
    assert {i for i, key in told.items() if key} == kept
    assert 0 < len(kept) < len(details)


@pytest.mark.parametrize(
    ("method", "path", "other"),
    [
        ("GET", "/devices/{device_id}/secrets/filevaultkey", "/devices/{device_id}/secrets/unlockpin"),
        ("GET", "/devices/{device_id}/secrets/bypasscode", "/devices/{device_id}/secrets/recoverypassword"),
        ("GET", "/devices/{device_id}/commands", "/devices/{device_id}/activity"),
        ("POST", "/devices/{device_id}/action/lock", "/devices/{device_id}/action/restart"),
        ("DELETE", "/devices/{device_id}", "/devices/{device_id}/details/lostmode"),
    ],
)
def test_each_endpoint_is_a_permission(tenant: Tenant, mac: str, method: str, path: str, other: str) -> None:
    tenant.forbid(f"/api/v1{path}", method)
    asked = path.format(device_id=mac)
    assert send(tenant, method, asked) == (403, {"detail": "You do not have permission to perform this action."})
    assert send(tenant, method, other.format(device_id=mac))[0] in {200, 400}
    assert get(tenant.handle, f"/api/v1/devices/{mac}").status == 200
    tenant.allow(f"/api/v1{path}", method)
    assert send(tenant, method, asked)[0] in {200, 204}


def test_a_write_without_the_token_does_nothing(tenant: Tenant, mac: str) -> None:
    answer = ask(tenant.handle, "DELETE", f"/devices/{mac}", Authorization="Bearer wrong")
    assert answer.status == 401
    assert mac in tenant.world.devices


@pytest.mark.heavy
def test_the_next_sync_sees_what_was_written(tmp_path: Path, tenant: Tenant, mac: str) -> None:
    tables = ("devices", "tags", "blueprints", "audit_events", "prism_device_information")
    gone, phone = tenant.world.enrol(platform="Mac"), tenant.world.enrol(platform="iPhone")
    run_sync(tmp_path, tenant, *tables, everything=True)
    send(tenant, "POST", f"/devices/{mac}/action/setname", {"DeviceName": "Renamed"})
    send(tenant, "POST", f"/devices/{phone}/action/enablelostmode", {})
    tenant.world.answer_commands()
    change = {"user": tenant.world.user_ids()[1], "blueprint_id": tenant.world.blueprint_ids()[0], "tags": ["lab"]}
    send(tenant, "PATCH", f"/devices/{mac}", change)
    send(tenant, "DELETE", f"/devices/{gone}")
    run_sync(tmp_path, tenant, *tables)
    run_sync(tmp_path, tenant, *tables)
    assert differing(tmp_path, tenant.world, tables=tables, volatile=False) == []
    truth = {row["device_id"]: row for row in tenant.world.truth("devices")}
    assert truth[mac]["device_name"] == "Renamed"
    assert truth[phone]["lost_mode_status"] == "ENABLED"
    assert gone not in truth
