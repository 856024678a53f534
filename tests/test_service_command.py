"""`kandji-mirror service`: what it writes, with odd paths and no secret, and what it asks of the service manager."""

import json
import os
import plistlib
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from commands import configure, run

from kandji_cli.service.launchd import Launchd
from kandji_cli.service.plan import Plan, memory_mb, program, service_name
from kandji_cli.service.systemd import Systemd, quoted
from kandji_schema.errors import UsageError
from kandji_schema.installation import mirror_version
from kandji_schema.settings import Settings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither systemd nor launchd")

ODD = '/srv/a b%h\'s "é😀" $HOME <&>'
SECRET = "an-invented-token-that-is-secret"

FAKE = """#!/bin/sh
echo "$(basename "$0") $*" >> "$FAKE_CALLS"
case "$*" in
  *ActiveState*) echo "ActiveState=$FAKE_STATE"; echo "StatusText=In sync."; echo "MemoryCurrent=[not set]";;
  "print "*/local.*) [ "$FAKE_STATE" = active ] && printf '\\tstate = running\\n\\tpid = 7\\n' || exit 113;;
esac
"""


def plan(*, user: str = "", name: str = "kandji-mirror") -> Plan:
    folders = (Path(ODD), Path("/var/lib/state"))
    return Plan(name, (f"{ODD}/bin/kandji-mirror", "serve"), {"KANDJI_MIRROR_HOME": ODD}, folders, 2_048, user)


class Machine:
    """A home with a stored token, and fakes of the programs that speak to a service manager."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.calls = home / "calls"
        (home / "bin").mkdir()
        for name in ("systemctl", "launchctl", "journalctl", "tail"):
            fake = home / "bin" / name
            fake.write_text(FAKE)
            fake.chmod(0o755)
        configure(home, subdomain="acme", api_token=SECRET)
        (home / "config/kandji-mirror/config.toml").chmod(0o600)

    def __call__(self, *arguments: str, state: str = "active", **settings: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.home / 'bin'}:{os.environ['PATH']}"
        known = {"PATH": path, "FAKE_CALLS": str(self.calls), "FAKE_STATE": state}
        return run(self.home, "service", *arguments, **known, **settings)

    def called(self) -> list[str]:
        found = self.calls.read_text().splitlines() if self.calls.exists() else []
        self.calls.unlink(missing_ok=True)
        return found

    @property
    def unit(self) -> Path:
        return self.home / "config" / "systemd" / "user" / "kandji-mirror.service"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


# -- what is written -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["", "root"])
def test_the_unit_is_one_that_systemd_takes(tmp_path: Path, user: str) -> None:
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        pytest.skip("There is no systemd-analyze on this machine.")
    there = plan(user=user)
    there = Plan(**{**vars(there), "command": (shutil.which("true") or "/bin/true", "serve", ODD)})
    file = tmp_path / "kandji-mirror.service"
    file.write_text(Systemd(system=bool(user)).text(there))
    scope = [] if user else ["--user"]
    done = subprocess.run(
        [analyze, *scope, "verify", str(file)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_is_hardened_and_writes_only_where_it_must() -> None:
    lines = Systemd(system=False).text(plan()).splitlines()
    for wanted in (
        "Type=notify",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "PrivateTmp=yes",
        "MemoryMax=2048M",
        "UMask=0077",
        "LimitCORE=0",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
        "Restart=on-failure",
        "StartLimitBurst=5",
        "WatchdogSec=120",
        'ReadWritePaths="/var/lib/state"',
        "WantedBy=default.target",
    ):
        assert wanted in lines
    assert sum(line.startswith("ReadWritePaths=") for line in lines) == 2
    assert any(mirror_version() in line for line in lines), "of another version it is another text: started again"
    shared = replace(plan(), folders=(Path("/var/tmp/mirror"),))  # noqa: S108  # where PrivateTmp would hide it
    assert "PrivateTmp=no" in Systemd(system=False).text(shared).splitlines()
    system = Systemd(system=True).text(plan(user="mirror")).splitlines()
    assert {"User=mirror", "CapabilityBoundingSet=", "WantedBy=multi-user.target"} <= {*system}


def test_a_word_of_a_unit_is_read_back_as_it_was() -> None:
    assert quoted('a "b" 100%\\') == '"a \\"b\\" 100%%\\\\"'
    assert quoted("$HOME", variables=True) == '"$$HOME"'
    with pytest.raises(UsageError, match="control character"):
        quoted("a\nExecStartPre=/bin/evil")


def test_the_property_list_is_one_and_says_what_launchd_is_to_do() -> None:
    found = plistlib.loads(Launchd(system=False).text(plan()).encode())
    assert found["Label"] == "local.kandji-mirror"
    assert mirror_version() in Launchd(system=False).text(plan())
    assert found["ProgramArguments"] == [f"{ODD}/bin/kandji-mirror", "serve"]
    assert found["EnvironmentVariables"] == {"KANDJI_MIRROR_HOME": ODD}
    assert found["KeepAlive"] == {"SuccessfulExit": False}
    assert (found["Umask"], found["ThrottleInterval"], found["ProcessType"]) == (0o077, 30, "Background")
    assert found["SoftResourceLimits"]["Core"] == 0
    assert found["StandardErrorPath"].endswith("/Library/Logs/kandji-mirror/kandji-mirror.log")
    assert "UserName" not in found
    assert plistlib.loads(Launchd(system=True).text(plan(user="mirror")).encode())["UserName"] == "mirror"
    control = Plan(**{**vars(plan()), "command": ("/bin/a\x01b",)})
    with pytest.raises(UsageError, match="cannot stand in a property list"):
        Launchd(system=False).text(control)


def test_memory_is_for_all_statements_at_one_time_and_leaves_the_machine_some() -> None:
    assert memory_mb([Settings(mirror_query_memory_mb=512)], 64_000) == 1_024 + 4 * 512
    assert memory_mb([Settings()], 4_000) == 3_200


def test_a_program_in_a_cache_is_refused_with_what_to_do(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    (cache / "uv" / "archive-v0" / "x").mkdir(parents=True)
    (cache / "CACHEDIR.TAG").write_text("Signature: 8a477f597d28d172789f06886806bc55")
    with pytest.raises(UsageError, match="uv tool install kandji-mirror"):
        program(cache / "uv" / "archive-v0" / "x")
    own = tmp_path / "tool"
    own.mkdir()
    (own / "CACHEDIR.TAG").write_text("uv marks each environment that it makes")
    assert program(own, "/opt/tool/bin/python") == ("/opt/tool/bin/python", "-m", "kandji_cli")
    assert service_name("acme") == "kandji-mirror@acme"


# -- what is asked of the service manager --------------------------------------------------------------------------


@pytest.mark.slow
def test_it_is_installed_once_changed_where_something_changed_and_removed(machine: Machine) -> None:
    first = machine("install", "--manager", "systemd", KANDJI_API_TOKEN=SECRET)
    assert first.returncode == 0, first.stderr
    assert "is new" in first.stderr
    assert "KANDJI_API_TOKEN of the environment is a secret and is not written" in first.stderr
    assert "enable-linger" in first.stderr
    user = "systemctl --user"
    reload, enable = f"{user} daemon-reload", f"{user} enable --now kandji-mirror.service"
    ask = f"{user} show --property=Version"
    assert machine.called() == [ask, reload, enable]
    text = machine.unit.read_text()
    assert SECRET not in text
    assert f'Environment="KANDJI_MIRROR_HOME={machine.home}"' in text
    assert machine.unit.stat().st_mode & 0o777 == 0o644
    assert "is as it was" in machine("install", "--manager", "systemd").stderr
    assert machine.called() == [ask, reload, enable]
    changed = machine("install", "--manager", "systemd", KANDJI_MIRROR_TTL="devices=1h")
    assert "KANDJI_MIRROR_TTL=devices=1h of the environment is written" in changed.stderr
    assert '+ Environment="KANDJI_MIRROR_TTL=devices=1h"' in changed.stderr
    assert machine.called() == [ask, reload, enable, f"{user} restart kandji-mirror.service"]
    removed = machine("remove", "--manager", "systemd")
    assert "The mirror, the settings and the token stay" in removed.stderr
    assert machine.called()[:2] == [f"{user} disable --now kandji-mirror.service", reload]
    assert not machine.unit.exists()
    assert (machine.home / "config/kandji-mirror/config.toml").exists()
    assert "No service is installed" in machine("remove", "--manager", "systemd").stderr


@pytest.mark.slow
def test_how_it_is_and_what_it_said_is_shown(machine: Machine) -> None:
    assert machine("status", "--manager", "systemd").returncode == 1
    machine("install", "--manager", "systemd")
    told = machine("status", "--manager", "systemd", "--json")
    assert json.loads(told.stdout) == {
        "file": str(machine.unit),
        "running": True,
        "ActiveState": "active",
        "StatusText": "In sync.",
    }
    failed = machine("status", "--manager", "systemd", state="failed")
    assert (failed.returncode, "The service does not run" in failed.stderr) == (1, True)
    machine.called()
    assert machine("logs", "--manager", "systemd", "-n", "5", "-f").returncode == 0
    assert machine.called() == ["journalctl --user --unit kandji-mirror.service --lines 5 --output cat -f"]


@pytest.mark.slow
def test_launchd_is_asked_in_its_own_words(machine: Machine) -> None:
    label, domain = "local.kandji-mirror", f"gui/{os.getuid()}"
    agent = machine.home / "Library" / "LaunchAgents" / f"{label}.plist"
    assert machine("install", "--manager", "launchd", state="none").returncode == 0
    assert machine.called() == [
        f"launchctl print {domain}",
        f"launchctl print {domain}/{label}",
        f"launchctl enable {domain}/{label}",
        f"launchctl bootstrap {domain} {agent}",
    ]
    assert SECRET.encode() not in agent.read_bytes()
    assert plistlib.loads(agent.read_bytes())["RunAtLoad"] is True
    assert "state: running" in machine("status", "--manager", "launchd").stdout
    machine.called()
    machine("remove", "--manager", "launchd")
    assert machine.called() == [f"launchctl bootout {domain}/{label}"]
    assert not agent.exists()


def test_several_tenants_are_one_service_and_one_that_is_named_has_its_own(machine: Machine) -> None:
    file = machine.home / "config/kandji-mirror/config.toml"
    tables = (f'[tenants.{name}]\nsubdomain = "{name}"\napi_token = "{SECRET}"\n' for name in ("acme", "globex"))
    file.write_text("".join(tables))
    shown = machine("show", "--manager", "systemd", KANDJI_MIRROR_HOME="")
    assert shown.returncode == 0, shown.stderr
    assert SECRET not in shown.stdout
    assert "KANDJI_MIRROR_TENANT" not in shown.stdout
    one = machine("install", "--manager", "systemd", "--tenant", "acme", KANDJI_MIRROR_HOME="")
    assert one.returncode == 0, one.stderr
    unit = machine.unit.with_name("kandji-mirror@acme.service").read_text()
    assert 'Environment="KANDJI_MIRROR_TENANT=acme"' in unit
    assert machine.called()[-1] == "systemctl --user enable --now kandji-mirror@acme.service"
    assert machine("status", "--manager", "systemd", "--tenant", "acme").returncode == 0
    assert machine("status", "--manager", "systemd", "--tenant", "globex").returncode == 1


def test_without_a_stored_token_it_is_refused_and_nothing_is_written(machine: Machine) -> None:
    (machine.home / "config/kandji-mirror/config.toml").write_text('subdomain = "acme"\n')
    done = machine("install", "--manager", "systemd", KANDJI_API_TOKEN=SECRET)
    assert (done.returncode, "`kandji-mirror login` stores it" in done.stderr) == (3, True)
    assert SECRET not in done.stderr
    assert not machine.unit.exists()
    assert machine.called() == []
    shown = machine("show", "--manager", "systemd", KANDJI_API_TOKEN=SECRET)
    assert (shown.returncode, "warning: The service would not find a token" in shown.stderr) == (0, True)


def test_where_no_manager_answers_nothing_is_changed(machine: Machine) -> None:
    (machine.home / "bin" / "systemctl").write_text("#!/bin/sh\necho 'Failed to connect to bus' >&2; exit 1\n")
    done = machine("install", "--manager", "systemd")
    assert (done.returncode, "nothing was changed" in done.stderr) == (1, True)
    assert not machine.unit.exists()


def test_a_service_of_the_machine_needs_a_user_that_is_there(machine: Machine) -> None:
    done = machine("show", "--manager", "systemd", "--system", "--user", "nobody-of-that-name")
    assert (done.returncode, "useradd --system" in done.stderr) == (3, True)
    assert machine("show", "--user", "root").returncode == 2
