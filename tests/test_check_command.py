"""``kandji-mirror check``, status and `serve` as people meet them: what is printed, and the exit codes."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from checks_home import mac
from checks_targets import webhook
from commands import run
from http_serving import KNOWN, asked, serving
from reads_home import publish

from kandji_watch.definition import built_in
from kandji_watch.lock import teller_lock

SILENT = '[check.syncer_silent]\nafter = "520w"\n'
"""Nothing is found."""

FOUND = '[check.table]\nwhen = "older"\ntitle = "Old tables"\n'
"""Something is found, without a process for statements."""


def home_with(folder: Path, checks: str, url: str = "") -> Path:
    publish(folder, {"devices": [mac("d1"), mac("d2")]})
    target = f'[target.ops]\nkind = "slack"\nurl = "{url}"\n' if url else ""
    path = folder / "checks.toml"
    path.write_text(f"{'tell = [' + chr(34) + 'ops' + chr(34) + ']' if url else ''}\n{target}{checks}")
    path.chmod(0o600)
    return folder


def test_the_first_minutes(tmp_path: Path) -> None:
    publish(tmp_path, {"devices": [mac("d1")]})
    begun = run(tmp_path, "check", "init")
    assert (begun.returncode, begun.stdout) == (0, f"{tmp_path}/checks.toml\n")
    assert run(tmp_path, "check", "init").returncode == 2
    listed = run(tmp_path, "check", "list")
    assert [line.split()[1] for line in listed.stdout.splitlines()[2:]] == ["off"] * len(built_in())
    assert run(tmp_path, "check", "run").returncode == 0
    path = tmp_path / "checks.toml"
    path.write_text(path.read_text().replace("# [check.tables_too_old]", "[check.tables_too_old]"))
    ran = run(tmp_path, "check", "run")
    assert ran.returncode == 10, ran.stderr
    assert ran.stdout.splitlines()[0] == "tables_too_old: 1 new, 1 in all"
    assert ran.stdout.splitlines()[1].startswith("log: told ")
    assert json.loads((tmp_path / "checks.jsonl").read_text())["new_count"] == 1
    history = run(tmp_path, "check", "history", "tables_too_old", "--json").stdout
    assert sorted(row["event"] for row in json.loads(history)) == ["began", "told: done"]


@pytest.mark.slow
def test_a_statement_runs_in_a_process_of_its_own_within_the_guard(tmp_path: Path) -> None:
    checks = '[check.macs]\nsql = "FROM devices"\n[check.files]\nsql = "FROM read_csv(\'/etc/passwd\')"\n'
    ran = run(home_with(tmp_path, checks), "check", "run", "--json")
    document = json.loads(ran.stdout)
    assert ran.returncode == document["exit_code"] == 11
    macs, files = document["round"]["asked"]
    assert (macs["began"], macs["trouble"]) == (2, "")
    assert "read_csv" in files["trouble"]


def test_exit_codes_tell_what_is_found_and_what_was_not_told(tmp_path: Path) -> None:
    with webhook(500) as hook:
        home = home_with(tmp_path, SILENT, hook.url)
        assert run(home, "check", "run").returncode == 0
        home_with(tmp_path, FOUND, hook.url)
        ran = run(home, "check", "run", "--all")
        assert ran.returncode == 11
        assert "ops: not told" in ran.stdout
        assert "the webhook answered 500" in ran.stdout
        status = run(home, "status").stdout
        assert "Checks    1 check on; 1 finding in 1; 1 delivery waits" in status
        assert json.loads(run(home, "status", "--json").stdout)["checks"]["waiting"] == 1
        hook.answers[:] = [200]
        tried = run(home, "check", "test", "table")
        assert (tried.returncode, tried.stdout[:10]) == (0, "ops: told ")
        assert "TEST of Old tables" in hook.got[-1]["text"]
        hook.answers[:] = [403]
        assert run(home, "check", "test", "table").returncode == 11
        assert run(home, "check", "test", "tabel").returncode == 2
        assert run(home, "check", "test", "table", "--to", "opps").returncode == 2
        everything = [run(home, "check", *what) for what in (["list"], ["history"], ["list", "--json"])]
        assert [done.returncode for done in everything] == [0, 0, 0]
        assert "SECRET" not in "".join(done.stdout + done.stderr for done in everything) + status


def test_one_process_of_a_home_tells(tmp_path: Path) -> None:
    home = home_with(tmp_path, FOUND)
    with teller_lock(home):
        ran = run(home, "check", "run", "--all")
        assert f"told by process {os.getpid()} since" in ran.stderr
        assert ran.returncode == 0
    assert run(home, "check", "run").returncode == 10
    with teller_lock(home):
        assert run(home, "check", "run").returncode == 10  # by what the other one found


def test_what_is_wrong_in_the_file_is_printed_and_the_rest_goes_on(tmp_path: Path) -> None:
    home = home_with(tmp_path, FOUND + "[check.wrong]\nevry = 1\n")
    ran = run(home, "check", "run")
    assert ran.returncode == 11
    assert "checks.toml, check wrong: a key is 'evry'; it must be one of every" in ran.stderr
    (home / "checks.toml").write_text("[")
    assert run(home, "check", "run").returncode == 3


@pytest.mark.heavy
def test_serve_tells_in_the_background_and_shows_it(tmp_path: Path) -> None:
    with webhook() as hook:
        home = home_with(tmp_path, FOUND, hook.url)
        with serving(home, "--no-sync") as server:
            until(lambda: bool(hook.got))
            assert "Old tables" in hook.got[0]["text"]
            page = asked(server.url, "GET", "/status", **KNOWN)
            assert page.status == 200
            assert '<th scope="row">table</th><td class="warn">findings</td>' in page.text
            assert "1 check on; 1 finding in 1" in page.text
            other = run(home, "check", "run")
            assert f"process {server.process.pid}" in other.stderr
            assert other.returncode == 10
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(20)
        assert run(home, "check", "run").returncode == 10
        assert len(hook.got) == 1


def test_a_dead_syncer_is_told_by_cron(tmp_path: Path) -> None:
    with webhook() as hook:
        home = home_with(tmp_path, '[check.syncer_silent]\nafter = "1h"\n', hook.url)
        assert run(home, "check", "run").returncode == 10
        assert "Nothing heard from the process that syncs: heard 2026-11-20 12:00 UTC" in hook.got[0]["text"]


def until(happened: Callable[[], bool]) -> None:
    for _ in range(600):
        if happened():
            return
        time.sleep(0.05)
    pytest.fail("it did not happen within 30 s")
