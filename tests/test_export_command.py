"""``kandji-mirror export`` as people and cron meet it."""

import hashlib
import json
import os
import pty
import resource
import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from commands import COMMAND, environment, run
from reads_home import device, publish, small_fleet
from support import slow_but

from kandji_cli import options
from kandji_queries.export.copy_files import FORMS
from kandji_queries.export.folder import LOCK, locked
from kandji_schema.manifest import data_dir, manifest_path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    small_fleet(folder)
    return folder


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose named queries and files take a while: 200,000 rows of apps."""
    folder = tmp_path_factory.mktemp("large")
    manifest = publish(folder, {"devices": [device(1)], "apps": []})
    state = manifest.tables["apps"]
    file = data_dir(folder) / str(state.file)
    with duckdb.connect(file) as con:
        con.execute(
            "INSERT INTO apps (device_id, name, path) SELECT i, hash(i), md5(i::VARCHAR) FROM range(200000) t(i)"
        )
    tables = {**manifest.tables, "apps": replace(state, bytes=file.stat().st_size, rows=200_000)}
    manifest_path(folder, 2).write_bytes(replace(manifest, generation=2, tables=tables).to_json())
    return folder


def until_it_writes(process: subprocess.Popen[Any], out: Path) -> None:
    """Wait until the process has begun its first file."""
    while not list(out.glob(".kandji-export-*/files/*")):
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)


@pytest.mark.parametrize("command", [("export", "devices"), ("audit", "export")])
@pytest.mark.parametrize("to", ["s3://bucket/x", "file:///tmp/x", "gs:/bucket//x", "", " "])
def test_what_is_no_place_on_this_machine_is_named_as_it_was_typed(
    home: Path, command: tuple[str, ...], to: str
) -> None:
    before = sorted(home.iterdir())
    done = run(home, *command, "--to", to)
    assert (done.returncode, done.stdout) == (2, "")
    assert (repr(to) if to.strip() else "Name a ") in done.stderr
    assert sorted(home.iterdir()) == before


def test_paths_are_on_stdout_and_all_else_on_stderr(home: Path, tmp_path: Path) -> None:
    done = run(home, "export", "fleet", "apps_on_device", "-p", "device=d1", "-f", "csv", "--to", str(tmp_path / "out"))
    assert (done.returncode, done.stdout.split()) == (
        0,
        [str(tmp_path / "out/fleet.csv"), str(tmp_path / "out/apps_on_device.csv")],
    )
    assert "prism_gatekeeper_and_xprotect, prism_startup_settings, users: never synced" in done.stderr
    assert "5 rows in 2 files" in done.stderr
    assert "apps 2026-11-20T12:00:00Z" in done.stderr
    assert "\r" not in done.stderr


def test_json_is_the_report(home: Path, tmp_path: Path) -> None:
    done = run(home, "export", "devices", "--to", str(tmp_path / "out"), "--json", "--dated", "--keep", "1")
    report = json.loads(done.stdout)
    assert (report["rows"], report["exports"][0]["as_of"]) == (4, {"devices": "2026-11-20T12:00:00Z"})
    assert Path(report["folder"]).parent == tmp_path / "out"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["devices"], 2, "--to"),
        (["--to", "out"], 2, "--all"),
        (["devices", "--all", "--to", "out"], 2, "--all"),
        (["devices", "--to", "store/x"], 2, "store"),
        (["devices", "--to", "/proc/nowhere"], 8, "could not be written"),
    ],
)
def test_a_mistake_is_named_with_the_remedy(tmp_path: Path, arguments: list[str], code: int, message: str) -> None:
    small_fleet(tmp_path)
    done = run(tmp_path, "export", *arguments)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("out/[!.]*"))


def test_before_the_first_sync_the_command_to_type_is_named(tmp_path: Path) -> None:
    done = run(tmp_path, "export", "--all", "--to", str(tmp_path / "out"))
    assert (done.returncode, "kandji-mirror sync" in done.stderr, (tmp_path / "out").exists()) == (7, True, False)


@pytest.mark.heavy
@pytest.mark.parametrize("form", ["jsonl", "duckdb"])
def test_a_disk_without_room_leaves_what_was_there(large: Path, tmp_path: Path, form: str) -> None:
    out = tmp_path / "out"
    assert run(large, "export", "devices", "-f", form, "--to", str(out)).returncode == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    done = subprocess.run(
        [COMMAND, "export", "devices", "apps", "-f", form, "--to", str(out)],
        env=environment(large),
        cwd=large,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000)),
    )
    assert (done.returncode, "could not be written" in done.stderr) == (8, True), done.stderr
    assert "Traceback" not in done.stderr
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize("number", slow_but(signal.SIGTERM, of=[signal.SIGINT, signal.SIGTERM, signal.SIGKILL]))
def test_an_export_that_is_ended_leaves_nothing_half(large: Path, tmp_path: Path, number: signal.Signals) -> None:
    out = tmp_path / "out"
    command = [COMMAND, "export", "apps", "-f", "jsonl", "--to", str(out)]
    with subprocess.Popen(command, env=environment(large), stderr=subprocess.PIPE, text=True) as process:
        until_it_writes(process, out)
        process.send_signal(number)
        assert process.stderr
        said = process.stderr.read()
        assert process.wait(timeout=30) == (-signal.SIGKILL if number == signal.SIGKILL else 130)
    assert not list(out.glob("[!.]*"))
    if number != signal.SIGKILL:
        assert ("nothing was exported" in said, [path.name for path in out.iterdir()]) == (True, [LOCK])
    assert run(large, "export", "devices", "--to", str(out)).returncode == 0
    assert sorted(path.name for path in out.iterdir()) == [LOCK, "devices.parquet", "manifest.json"]


def test_an_export_beside_another_to_the_same_folder_is_refused(large: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with locked(out):  # as long as another one writes
        done = run(large, "export", "devices", "--to", str(out))
    assert (done.returncode, "Another export is writing" in done.stderr, done.stdout) == (8, True, ""), done.stderr
    assert run(large, "export", "devices", "--to", str(out)).returncode == 0


@pytest.mark.heavy
def test_exports_to_one_folder_at_the_same_time_do_not_mix(large: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    names = ["apps", "devices"]
    commands = [[COMMAND, "export", name, "-f", "jsonl", "--to", str(out)] for name in names]
    null = subprocess.DEVNULL
    running = [subprocess.Popen(command, env=environment(large), stdout=null, stderr=null) for command in commands]
    ended = dict(zip(names, (process.wait(timeout=60) for process in running), strict=True))
    assert set(ended.values()) <= {0, 8}
    assert 0 in ended.values()
    written = json.loads((out / "manifest.json").read_text())["exports"]
    assert {entry["name"] for entry in written} == {name for name, code in ended.items() if code == 0}
    for file in (file for entry in written for file in entry["files"]):
        assert hashlib.sha256((out / file["path"]).read_bytes()).hexdigest() == file["sha256"]


@pytest.mark.heavy
def test_a_terminal_shows_how_far_it_is(large: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [COMMAND, "export", "apps", "-f", "jsonl", "--to", str(tmp_path / "out")]
    settings = environment(large, TERM="xterm")
    with subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        said = b""
        while chunk := _read(ours):
            said += chunk
        assert process.wait(timeout=60) == 0
        assert process.stdout
        assert process.stdout.read().decode().strip() == str(tmp_path / "out/apps.jsonl")
    assert b"apps" in said
    assert b"%" in said


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65_536)
    except OSError:  # Linux says so when the other end is closed
        return b""


def test_the_forms_offered_are_the_forms_there_are() -> None:
    assert options.EXPORT_FORMS == FORMS
