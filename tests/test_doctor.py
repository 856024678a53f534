"""``login`` and ``doctor`` as processes, against a simulated tenant over HTTP."""

import json
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import run
from owners_channels import hook, owners_file
from support import make_tenant, manifest_of, run_sync

from kandji_mirror.audit.log import Actor, AuditLog
from kandji_schema.audit import Event
from kandji_schema.errors import AuditUnavailable
from kandji_schema.registry import tenant_tables
from kandji_simulator import TOKEN, Fault, FaultKind, Server, Tenant, serve

WRONG = "an-invented-token-nobody-knows"


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant(5, apps=2)


@pytest.fixture
def server(tenant: Tenant) -> Iterator[Server]:
    with serve(tenant) as server:
        yield server


def log_in(home: Path, *options: str, token: str = TOKEN, **settings: str) -> subprocess.CompletedProcess[str]:
    return run(home, "login", "--token-stdin", *options, said=f"{token}\n", **settings)


def stored(home: Path) -> dict[str, str]:
    folder = home / "config" / "kandji-mirror"
    return {path.name: path.read_text() for path in folder.iterdir()} if folder.is_dir() else {}


def test_a_login_is_verified_with_one_request_and_stored_for_its_owner_alone(
    tmp_path: Path, server: Server, tenant: Tenant
) -> None:
    folder = tmp_path / "config" / "kandji-mirror"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('# mine\nmirror_mcp_rows = 7 # few\nsubdomain = "old"\n')

    done = log_in(tmp_path, "--api-url", server.url)

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert len(tenant.requests) == 1
    files = stored(tmp_path)
    assert files.pop("token") == f"{TOKEN}\n"
    assert files.pop("config.toml").startswith('# mine\nmirror_mcp_rows = 7 # few\nsubdomain = "old"\n')
    assert files.pop("token_host").endswith(f" {server.url}\n")
    assert files == {}
    assert stat.S_IMODE((folder / "token").stat().st_mode) == 0o600
    assert TOKEN not in done.stderr
    assert run(tmp_path, "sync", "blueprints").returncode == 0  # nothing but what was stored


def test_a_token_the_tenant_does_not_know_is_not_stored(tmp_path: Path, server: Server) -> None:
    done = log_in(tmp_path, "--api-url", server.url, token=WRONG)
    assert (done.returncode, stored(tmp_path)) == (3, {})
    assert WRONG not in done.stderr


def test_a_tenant_that_does_not_answer_is_told_and_offline_stores_all_the_same(tmp_path: Path) -> None:
    done = log_in(tmp_path, "--api-url", "http://127.0.0.1:9")
    assert (done.returncode, stored(tmp_path)) == (4, {})
    assert "Nothing was stored; `login --offline` stores without asking." in done.stderr
    done = log_in(tmp_path, "--subdomain", "acme", "--region", "eu", "--offline")
    assert done.returncode == 0, done.stderr
    assert stored(tmp_path)["config.toml"] == 'subdomain = "acme"\nregion = "eu"\n'


@pytest.mark.parametrize(
    ("options", "token", "code"),
    [
        (("--subdomain", "acme.example"), TOKEN, 3),
        (("--subdomain", "acme"), "two words", 3),
        (("--subdomain", "acme"), "", 3),
        ((), TOKEN, 2),
        (("--subdomain", "acme", "--keychain"), TOKEN, 3),
    ],
)
def test_what_cannot_be_right_is_not_stored(tmp_path: Path, options: tuple[str, ...], token: str, code: int) -> None:
    done = log_in(tmp_path, "--offline", *options, token=token)
    assert (done.returncode, "token" in stored(tmp_path)) == (code, False)
    assert "Traceback" not in done.stderr


def test_a_token_of_the_environment_wins_and_is_told(tmp_path: Path) -> None:
    done = log_in(tmp_path, "--subdomain", "acme", "--offline", KANDJI_API_TOKEN=WRONG)
    assert "warning: KANDJI_API_TOKEN is set" in done.stderr
    assert WRONG not in done.stderr


# -- doctor --------------------------------------------------------------------------------------------------------


def examined(home: Path, *options: str, **settings: str) -> tuple[int, dict[str, tuple[str, str]], str]:
    """Exit code, health and detail by check, and everything that was printed."""
    done = run(home, "doctor", "--json", *options, **settings)
    checks: list[dict[str, Any]] = json.loads(done.stdout)["checks"]
    return done.returncode, {c["check"]: (c["health"], c["detail"]) for c in checks}, done.stdout + done.stderr


def test_a_doctor_asks_once_a_permission_and_tells_which_are_missing(
    tmp_path: Path, server: Server, tenant: Tenant
) -> None:
    run_sync(tmp_path, make_tenant(2, apps=1), "devices")
    tenant.faults += [
        Fault("tags", FaultKind.FORBIDDEN, times=9),
        Fault("threat-details", FaultKind.FORBIDDEN, times=9),
    ]
    code, found, said = examined(tmp_path, KANDJI_API_URL=server.url, KANDJI_API_TOKEN=TOKEN)

    wanted = {resource.permission for resource in tenant_tables().values()}
    assert {name.removeprefix("permission: ") for name in found if name.startswith("permission: ")} == wanted
    assert len(tenant.requests) == len(wanted)
    not_ok = {name for name, (health, _) in found.items() if health != "ok" and name.startswith("permission")}
    assert not_ok == {"permission: Tags: list", "permission: Threat details"}
    assert found["tenant answers"][0] == "ok"
    assert "4 rows" not in found["mirror"][1]
    assert (code, TOKEN in said) == (0, False)


def test_a_token_that_is_refused_costs_one_request(tmp_path: Path, server: Server, tenant: Tenant) -> None:
    code, found, said = examined(tmp_path, KANDJI_API_URL=server.url, KANDJI_API_TOKEN=WRONG)
    assert (code, found["tenant answers"][0], WRONG in said) == (3, "failed", False)
    assert len(tenant.requests) == 1
    assert found["mirror"] == ("warning", found["mirror"][1])


def test_without_settings_a_doctor_says_what_is_missing(tmp_path: Path) -> None:
    code, found, _ = examined(tmp_path)
    assert code == 3
    assert {name for name, (health, _) in found.items() if health == "failed"} == {"tenant", "token"}
    assert "set KANDJI_SUBDOMAIN" in found["tenant"][1]
    assert "kandji-mirror login" in found["token"][1]


def test_offline_nothing_is_sent_and_the_store_is_looked_at(tmp_path: Path, server: Server, tenant: Tenant) -> None:
    run_sync(tmp_path, make_tenant(2, apps=1), "devices")
    manifest = manifest_of(tmp_path)
    credentials = {"KANDJI_API_URL": server.url, "KANDJI_API_TOKEN": TOKEN}
    code, found, _ = examined(tmp_path, "--offline", **credentials)
    assert (code, found["mirror"][0], len(tenant.requests)) == (0, "ok", 0)

    file = manifest.tables["devices"].file
    assert file is not None
    os.truncate(tmp_path / "store" / "data" / file, 100)
    code, found, _ = examined(tmp_path, "--offline", **credentials)
    assert (code, found["mirror"][0]) == (8, "failed")
    assert file in found["mirror"][1]


def test_a_doctor_speaks_to_people_too(tmp_path: Path) -> None:
    done = run(tmp_path, "doctor", "--offline", KANDJI_SUBDOMAIN="acme", KANDJI_API_TOKEN=TOKEN)
    assert done.returncode == 0
    assert "KANDJI_API_TOKEN in the environment" in done.stdout
    assert done.stderr.endswith("0 failed, 1 warning.\n")
    assert TOKEN not in done.stdout + done.stderr


# -- what live actions need ----------------------------------------------------------------------------------------

FREE = "http://127.0.0.1:9"


def channels(home: Path, *options: str, **config: str) -> tuple[int, dict[str, tuple[str, str]], str]:
    """What it says of the channels that the owner's file names."""
    owners_file(home, **config)
    return examined(home, *options, KANDJI_API_URL=FREE, KANDJI_API_TOKEN=TOKEN)


@pytest.mark.heavy
def test_a_channel_without_which_no_action_is_done_fails_where_it_leads_nowhere(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("")
    for config, words in (
        ({"mirror_confirm_code_url": f"{FREE}/hook"}, "CODE_URL: no connection"),
        ({"mirror_confirm_code_url": "http://hooks.example.com"}, "must be a URL with https"),
        ({"mirror_confirm_code_command": str(tmp_path / "none")}, "there is no program"),
        ({"mirror_confirm_code_command": str(plain)}, "may not be started"),
        ({"mirror_confirm_code_command": "mail it"}, "whole path"),
        ({"mirror_confirm_code_command": "/bin/true", "mirror_confirm_code_url": FREE}, "are both set"),
    ):
        code, found, said = channels(tmp_path, **config)
        assert (code, found["one-time codes"][0]) == (3, "failed"), config  # which comes before the tenant
        assert words in found["one-time codes"][1]
        assert "127.0.0.1:9/hook" not in said  # the address of a webhook is a secret
    with hook() as owner:
        code, found, _ = channels(tmp_path, mirror_confirm_code_url=owner.url)
        assert (found["one-time codes"][0], owner.got) == ("ok", [])
        assert "was not asked" in channels(tmp_path, "--offline", mirror_confirm_code_url=FREE)[1]["one-time codes"][1]


def test_a_place_for_heads_that_takes_none_is_told(tmp_path: Path) -> None:
    for config, health, words in (
        ({"mirror_audit_url": FREE}, "warning", "AUDIT_URL: no connection"),
        ({"mirror_audit_syslog": str(tmp_path / "nobody")}, "warning", "AUDIT_SYSLOG: No such file"),
        ({"mirror_audit_command": str(tmp_path / "none")}, "warning", "there is no program"),
        ({"mirror_audit_syslog": "nowhere"}, "failed", "host:port"),
        ({"mirror_audit_keychain": "on"}, "warning", "keychain cannot be used (NoKeyringError)"),
        ({"mirror_audit_command": "/bin/true"}, "ok", "/bin/true is there"),
    ):
        code, found, _ = channels(tmp_path, *(() if "mirror_audit_url" in config else ("--offline",)), **config)
        assert found["audit anchor"][0] == health, config
        assert words in found["audit anchor"][1]
        assert (code == 3) is (health == "failed") or "mirror_audit_url" in config
    owners_file(tmp_path, mirror_audit_syslog=str(tmp_path / "nobody"))
    done = run(tmp_path, "doctor", "--offline", KANDJI_API_URL=FREE, KANDJI_API_TOKEN=TOKEN)
    assert "All is well" not in done.stderr


def test_a_log_without_which_no_action_is_done_fails_where_it_was_altered(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, Actor("ann", "host", "tests"))
    log.append(Event.INTENT)
    assert channels(tmp_path, "--offline")[1]["audit log"] == ("ok", "1 record, whole in themselves")
    (tmp_path / "audit.sqlite").unlink()
    code, found, _ = channels(tmp_path, "--offline")
    assert (code, found["audit log"][0]) == (8, "failed")
    with pytest.raises(AuditUnavailable):
        log.append(Event.INTENT)


@pytest.mark.parametrize("variable", ["KANDJI_MIRROR_EXPORT_DIR", "KANDJI_MIRROR_BUDGET_DIR"])
def test_a_folder_that_cannot_be_made_is_told_before_something_is_to_go_there(tmp_path: Path, variable: str) -> None:
    (tmp_path / "taken").write_text("a file")
    done = run(
        tmp_path,
        "doctor",
        "--offline",
        KANDJI_API_TOKEN=TOKEN,
        KANDJI_API_URL=FREE,
        **{variable: str(tmp_path / "taken" / "x")},
    )
    assert done.returncode == 8
    assert f"{tmp_path / 'taken'} is no folder" in done.stdout + done.stderr
    assert variable in done.stdout + done.stderr
