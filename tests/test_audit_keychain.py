"""Heads of the audit log that a key in the keychain signs: who has the files, and not the keychain, is found out."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import COMMAND, environment, run
from live_tenant import Live, live
from owners_channels import owners_file
from test_audit_anchors import rebuilt

pytest.importorskip("keyring", reason="the extra `keyring`, which `dev` has too")
import keychain_in_a_file

TESTS = Path(__file__).parent


class Machine:
    """A home whose live actions sign, and the keychain outside of it."""

    def __init__(self, folder: Path, tenant: Live) -> None:
        self.keychain = folder / "keychain.json"
        self.home = tenant.home
        self.tenant = tenant
        self.settings = {
            **tenant.environment(),
            "PYTHON_KEYRING_BACKEND": "keychain_in_a_file.Keyring",
            "PYTHONPATH": str(TESTS),
            keychain_in_a_file.PLACE: str(self.keychain),
        }
        owners_file(self.home, mirror_audit_keychain="on")

    def restart(self) -> subprocess.CompletedProcess[str]:
        """A live action, which writes two records."""
        serial = self.tenant.device().serial
        ended = run(self.home, "action", "restart", serial, "--serial", serial, **self.settings)
        assert ended.returncode == 0, ended.stderr
        return ended

    def verify(self, *options: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return run(self.home, "audit", "verify", *options, **{**self.settings, **settings})

    def entries(self) -> dict[str, str]:
        return dict(json.loads(self.keychain.read_text()))


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    home = tmp_path / "home"
    home.mkdir()
    with live(home) as tenant:
        yield Machine(tmp_path, tenant)


@pytest.mark.heavy
def test_each_head_is_signed_by_a_key_that_is_in_the_keychain_alone(machine: Machine) -> None:
    machine.restart()
    (text,) = machine.entries().values()
    key = json.loads(text)["key"]
    assert len(bytes.fromhex(key)) == 32
    files = [path for path in machine.home.rglob("*") if path.is_file()]
    assert not [path for path in files if key.encode() in path.read_bytes() or bytes.fromhex(key) in path.read_bytes()]
    assert len((machine.home / "audit.signed").read_text().splitlines()) == 2
    assert (machine.home / "audit.signed").stat().st_mode & 0o077 == 0
    whole = machine.verify()
    assert whole.returncode == 0, whole.stderr
    assert "The keychain signed for records 1 to 2" in whole.stdout
    machine.restart()
    assert json.loads(*machine.entries().values())["key"] == key
    assert "records 1 to 4" in machine.verify("--against", str(machine.home / "audit.signed")).stdout


@pytest.mark.heavy
def test_a_log_made_anew_is_found_though_every_file_of_it_was_written_to_match(machine: Machine) -> None:
    machine.restart()
    machine.restart()
    rebuilt(machine.home, drop=2)
    ended = machine.verify()
    assert ended.returncode == 8
    assert "Missing: 4" in ended.stderr
    owners_file(machine.home)  # who may write files may also switch it off
    assert machine.verify().returncode == 8


@pytest.mark.many
def test_a_log_that_was_cut_is_told_at_the_next_action_and_its_head_stays_known(machine: Machine) -> None:
    machine.restart()
    before = machine.entries()
    for path in machine.home.glob("audit.*"):
        path.unlink()
    told = machine.restart().stderr
    assert "the keychain knows record 2 of this log as another one" in told
    assert "keyring del kandji-mirror 'audit " in told
    assert machine.entries() == before
    assert machine.verify().returncode == 8
    assert [event for event, _ in machine.tenant.events()] == ["intent", "unanchored", "outcome"]
    machine.keychain.unlink()  # the owner says that it was they
    machine.restart()
    assert "records 1 to" in machine.verify().stdout


@pytest.mark.many
def test_a_line_that_another_key_signed_is_found(machine: Machine) -> None:
    machine.restart()
    file = machine.home / "audit.signed"
    lines = file.read_text().splitlines()
    for forged in (f"{lines[0][:-1]}x", lines[0].replace("1:", "3:"), "rubbish", f"{lines[0]}é"):
        file.write_text("\n".join([*lines, forged]))
        ended = machine.verify()
        assert ended.returncode == 8, forged
        assert "1 of 3 lines" in ended.stderr
    file.write_text("\n".join(lines))
    assert machine.verify().returncode == 0
    machine.keychain.unlink()
    lost = machine.verify()
    assert (lost.returncode, "the keychain has no key" in lost.stderr) == (8, True)
    assert "the keychain has no key" in machine.restart().stderr  # nor is another one made
    assert not machine.keychain.exists()


@pytest.mark.heavy
def test_a_keychain_that_says_no_loses_nothing_and_is_told(machine: Machine) -> None:
    machine.restart()
    known = machine.keychain.read_text()
    machine.keychain.write_text("locked")
    assert "KANDJI_MIRROR_AUDIT_KEYCHAIN: the keychain cannot be used (KeyringLocked)" in machine.restart().stderr
    ended = machine.verify()
    assert (ended.returncode, "cannot be checked" in ended.stderr) == (3, True)
    machine.keychain.write_text(known)
    machine.restart()
    assert "records 1 to 7" in machine.verify().stdout


@pytest.mark.heavy
def test_processes_that_sign_at_once_lose_no_head(machine: Machine) -> None:
    serial = machine.tenant.device().serial
    command = [COMMAND, "action", "restart", serial, "--serial", serial]
    started = [
        subprocess.Popen(command, env=environment(machine.home, **machine.settings), cwd=machine.home,
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]  # fmt: skip
    said = [process.communicate(timeout=60)[1] for process in started]
    assert not [text for text in said if "not saved" in text]
    assert len((machine.home / "audit.signed").read_text().splitlines()) == 6
    assert "records 1 to 6" in machine.verify().stdout


@pytest.mark.heavy
def test_where_the_extra_is_missing_it_is_named_before_anything_is_sent(machine: Machine, tmp_path: Path) -> None:
    without = tmp_path / "without"
    without.mkdir()
    (without / "sitecustomize.py").write_text(
        "import sys\nsys.modules['keyring'] = None\n"  # how Python itself says that there is none
    )
    serial = machine.tenant.device().serial
    settings = {**machine.settings, "PYTHONPATH": os.pathsep.join([str(without), str(TESTS)])}
    ended = run(machine.home, "action", "restart", serial, "--serial", serial, **settings)
    assert (ended.returncode, "pip install 'kandji-mirror[keyring]'" in ended.stderr) == (3, True), ended.stderr
    assert machine.tenant.writes() == []
