"""Live actions on the command line: shown first, confirmed by the serial number at a terminal, sent once."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from action_tenant import preview_of
from commands import configure, run
from live_tenant import Live, live
from support import manifest_of, run_sync
from terminal import typed

from kandji_cli.actions import arguments
from kandji_mirror.actions.factory import open_service
from kandji_schema.actions import action
from kandji_schema.errors import UsageError
from kandji_schema.privacy import Privacy
from kandji_simulator import Fault, FaultKind

PROMPT = "Type the target's serial number"


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Live]:
    with live(tmp_path) as served:
        yield served


def test_without_the_setting_the_commands_say_how_to_switch_on(tmp_path: Path) -> None:
    for command in (["action", "lock", "X"], ["secret", "filevaultkey", "X", "--reason", "r"]):
        ended = run(tmp_path, *command)
        assert ended.returncode == 3
        assert "KANDJI_MIRROR_ACTIONS=on" in ended.stderr
    listed = run(tmp_path, "action", "list")
    assert (listed.returncode, "lock " in listed.stdout, "KANDJI_MIRROR_ACTIONS=on" in listed.stderr) == (0, True, True)
    assert not (tmp_path / "audit.sqlite").exists()


@pytest.mark.heavy
def test_a_lost_mac_is_locked_its_pin_shown_and_all_of_it_proven(tenant: Live) -> None:
    device, settings = tenant.device(), tenant.environment()
    asked = ["action", "lock", device.serial, "--arg", "message=Lost. Call IT.", "--reason", "Q40"]
    code, shown = typed(tenant.home, asked, {PROMPT: device.serial}, **settings)
    assert code == 0, shown
    assert '"Message": "Lost. Call IT."' in shown
    pin = re.search(r"unlock_pin: (\d{6})", shown)
    assert pin is not None
    assert [(r.method, r.path) for r in tenant.writes()] == [("POST", f"/api/v1/devices/{device.id}/action/lock")]
    tenant.tenant.world.answer_commands(device.id)
    followed = run(tenant.home, "action", "status", device.serial, **settings)
    assert "completed: " in followed.stdout
    assert run(tenant.home, "audit", "verify").stdout.startswith("GREEN: 3 records")
    listed = json.loads(run(tenant.home, "audit", "list", "--format", "jsonl").stdout)
    assert (listed["action"], listed["serial_number"], listed["outcome"]) == ("lock", device.serial, "done")
    assert (listed["confirmed_by"], listed["reason"]) == ("terminal", "Q40")
    assert pin[1].encode() not in tenant.files()


def test_the_mirror_shows_what_was_done(tenant: Live) -> None:
    assert run_sync(tenant.home, tenant.tenant, "devices", "apps").failed == ()
    device = tenant.device()
    asked = ["action", "update", device.serial, "--arg", "asset_tag=0042", "--serial", device.serial]
    ended = run(tenant.home, *asked, **tenant.environment())
    assert ended.returncode == 0, ended.stderr
    assert "refreshed" not in ended.stderr
    statement = f"SELECT asset_tag FROM devices WHERE device_id = '{device.id}'"
    assert run(tenant.home, "sql", statement, "--format", "csv").stdout == "asset_tag\n0042\n"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "argument"), [("update", "asset_tag=0042"), ("renametag", "name=Loaner")])
def test_what_is_read_again_is_masked_as_all_else(tenant: Live, name: str, argument: str) -> None:
    tables = ("devices", "tags")
    assert run_sync(tenant.home, tenant.tenant, *tables, privacy=Privacy.ON).failed == ()
    before = manifest_of(tenant.home)
    target = tenant.device().serial if name == "update" else next(iter(tenant.tenant.world.truth("tags")))["name"]
    asked = ["action", name, target, "--arg", argument, "--serial", target]
    ended = run(tenant.home, *asked, **tenant.environment(KANDJI_MIRROR_PRIVACY="on"))
    assert ended.returncode == 0, ended.stderr
    after = manifest_of(tenant.home)
    assert after.generation > before.generation
    assert {after.tables[table].privacy for table in tables} == {Privacy.ON}
    people = [row["user"]["email"] for row in tenant.tenant.world.truth("devices") if row.get("user")]
    assert not [email for email in people if email.encode() in tenant.files()]


def test_a_refresh_that_fails_changes_nothing_about_what_was_done(tenant: Live) -> None:
    assert run_sync(tenant.home, tenant.tenant, "devices").failed == ()
    device = tenant.device()
    (tenant.home / "state.sqlite").unlink(missing_ok=True)
    (tenant.home / "state.sqlite").mkdir()
    asked = ["action", "update", device.serial, "--arg", "asset_tag=0042", "--serial", device.serial]
    ended = run(tenant.home, *asked, **tenant.environment())
    assert ended.returncode == 0, ended.stderr
    assert "update " in ended.stdout
    assert tenant.records()[-1]["outcome"] == "done"


@pytest.mark.heavy
@pytest.mark.parametrize("answer", ["yes", "C02NOTIT"])
def test_another_answer_sends_nothing(tenant: Live, answer: str) -> None:
    code, shown = typed(
        tenant.home,
        ["action", "erase", tenant.device().serial, "--reason", "r"],
        {PROMPT: answer},
        **tenant.environment(),
    )
    assert (code, tenant.writes()) == (6, []), shown
    assert tenant.events() == [("refused", "erase")]


def test_without_a_terminal_nothing_is_sent(tenant: Live) -> None:
    serial = tenant.device().serial
    for more in ([], ["--serial", "C02NOTIT"], ["--serial", serial]):
        ended = run(tenant.home, "action", "erase", serial, *more, **tenant.environment())
        assert ended.returncode == 6, ended.stderr
        assert "EVERYTHING" in ended.stderr
    assert tenant.writes() == []
    assert tenant.events() == [("refused", "erase")] * 3


def test_a_script_may_confirm_what_can_be_undone(tenant: Live) -> None:
    device = tenant.device()
    ended = run(tenant.home, "action", "lock", device.serial, "--serial", device.serial, **tenant.environment())
    assert ended.returncode == 0, ended.stderr
    assert len(tenant.writes()) == 1
    assert tenant.records()[0]["confirmed_by"] == "flag"
    assert "unlock_pin" not in ended.stdout  # no terminal
    assert "kandji-mirror secret unlockpin" in ended.stderr


def test_where_agents_confirm_a_script_may_erase(tenant: Live) -> None:
    serial = tenant.device().serial
    erase = ["action", "erase", serial, "--serial", serial]
    ended = run(tenant.home, *erase, **tenant.environment(KANDJI_MIRROR_CONFIRM="agent"))
    assert (ended.returncode, tenant.writes()) == (6, [])  # whoever starts a program sets its environment
    configure(tenant.home, mirror_confirm="agent")
    ended = run(tenant.home, *erase, **tenant.environment())
    assert ended.returncode == 0, ended.stderr
    assert len(tenant.writes()) == 1


def test_a_batch_is_shown_and_confirmed_as_a_whole_and_sent_one_by_one(tenant: Live) -> None:
    serials = [d.serial for d in tenant.tenant.world.devices.values() if d.platform == "Mac" and not d.removed][:2]
    asked = ["action", "restart", *serials]
    refused = run(tenant.home, *asked, "--serial", serials[0], "--serial", serials[1], **tenant.environment())
    assert refused.returncode == 2
    two = tenant.environment(KANDJI_MIRROR_ACTION_DEVICES="2")
    half = run(tenant.home, *asked, "--serial", serials[0], **two)
    assert (half.returncode, tenant.writes()) == (6, [])
    ended = run(tenant.home, *asked, "--serial", serials[0], "--serial", serials[1], **two)
    assert ended.returncode == 0, ended.stderr
    assert all(ended.stderr.count(f"serial number {serial}") == 1 for serial in serials)
    assert len(tenant.writes()) == 2
    assert [event for event, _ in tenant.events()][-4:] == ["intent", "outcome"] * 2


@pytest.mark.heavy
def test_a_secret_goes_to_a_terminal_and_nowhere_else(tenant: Live) -> None:
    device, settings = tenant.device(), tenant.environment()
    asked = ["secret", "filevaultkey", device.serial, "--reason", "ticket 4711"]
    piped = run(tenant.home, *asked, **settings)
    assert (piped.returncode, tenant.writes()) == (2, [])
    assert "--to-stdout" in piped.stderr
    code, shown = typed(tenant.home, asked, {PROMPT: device.serial}, **settings)
    assert code == 0, shown
    assert "filevault_key: " in shown
    assert [r.path for r in tenant.writes()] == [f"/api/v1/devices/{device.id}/secrets/filevaultkey"]
    found = re.search(r"filevault_key: (\S+-\S+)", shown)
    assert found is None or found[1].encode() not in tenant.files()
    assert tenant.events() == [("refused", "filevaultkey"), ("intent", "filevaultkey"), ("outcome", "filevaultkey")]


@pytest.mark.heavy
def test_what_an_ai_client_asked_for_is_confirmed_by_a_human_at_a_terminal(tenant: Live) -> None:
    device, settings = tenant.device(), tenant.environment()
    with open_service(tenant.settings(), "assistant 1") as service:
        token = service.offer(preview_of(service, "lock", device.serial, "Q40", message="Lost"))
    scripted = run(tenant.home, "action", "confirm", token, "--serial", device.serial, **settings)
    assert (scripted.returncode, tenant.writes()) == (6, [])
    code, shown = typed(tenant.home, ["action", "confirm", token], {PROMPT: device.serial}, **settings)
    assert code == 0, shown
    assert "unlock_pin: " in shown
    again = run(tenant.home, "action", "confirm", token, **settings)
    assert again.returncode == 6
    assert len(tenant.writes()) == 1
    assert [event for event, _ in tenant.events()] == ["offered", "refused", "intent", "outcome", "refused"]


@pytest.mark.heavy
def test_a_pin_is_asked_for_unseen(tenant: Live) -> None:
    serial = tenant.device().serial
    asked = ["action", "erase", serial, "--arg", "pin=-"]
    answers = {"pin": "914632", "Why, for the audit log": "stolen", PROMPT: serial}
    code, shown = typed(tenant.home, asked, answers, **tenant.environment())
    assert code == 0, shown
    assert "914632" not in shown
    assert b"914632" not in tenant.files()


def test_an_answer_that_is_lost_ends_with_what_was_found(tenant: Live) -> None:
    serial = tenant.device().serial
    asked = ["action", "restart", serial, "--serial", serial]
    tenant.tenant.faults.append(Fault("/action/restart", FaultKind.EXECUTED_BAD_GATEWAY, times=9))
    ended = run(tenant.home, *asked, **tenant.environment())
    assert ended.returncode == 0, ended.stderr
    assert "unknown" in ended.stdout
    assert "RestartDevice" in ended.stdout
    tenant.tenant.faults[:] = [Fault("/action/restart", FaultKind.UNHEARD_RESET, times=9)]
    tenant.tenant.world.answer_commands()
    lost = run(tenant.home, *asked, **tenant.environment())
    assert lost.returncode == 4
    assert len(tenant.writes()) == 2


def test_an_action_that_does_not_exist_names_the_nearest(tmp_path: Path) -> None:
    ended = run(tmp_path, "action", "lok", "X", KANDJI_MIRROR_ACTIONS="on")
    assert ended.returncode == 2
    assert "lock" in ended.stderr


@pytest.mark.parametrize("pairs", [["123456"], ["pin=123456"], ["pin=123456", "pin=123456"]])
def test_a_pin_in_the_wrong_place_is_not_repeated(pairs: list[str]) -> None:
    with pytest.raises(UsageError) as refused:
        arguments(action("erase"), pairs)
    assert "123456" not in str(refused.value)
