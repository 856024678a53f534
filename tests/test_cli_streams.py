"""Standard streams that are closed, broken or full: the work is done, and the exit code tells how it ended."""

import subprocess
from pathlib import Path

import pytest
from commands import COMMAND, environment
from reads_home import device, publish
from support import slow_but

from kandji_cli.app import app

ENDS = {
    "sql 'FROM devices' -f csv": 0,
    "sql - </dev/null": 2,
    "shell </dev/null": 0,
    "query stale_devices": 0,
    "changes": 0,
    "search uptime": 0,
    "tables": 0,
    "describe devices": 0,
    "show d1": 0,
    "overview": 0,
    "queries": 0,
    "status": 0,
    "settings": 0,
    "mcp-config": 0,
    "audit list": 0,
    "action list": 0,
    "secret filevaultkey d1": 3,
    "export devices --to out": 0,
    "report --nonsense": 2,
    "evidence --nonsense": 2,
    "check init": 0,
    "check list": 0,
    "feed list": 0,
    "doctor --offline": 3,
    "login --subdomain acme --offline": 2,
    "sync": 3,
    "serve --nonsense": 2,
    "reset --nonsense": 2,
    "mcp </dev/null": 0,
    "demo --nonsense": 2,
    "simulate --nonsense": 2,
    "backup --to kept": 0,
    "restore --nonsense": 2,
    "verify": 0,
    "disk": 0,
    "gc --dry-run": 0,
    "rules show": 0,
    "tenants": 0,
    "init": 2,
    "logout": 0,
    "service --nonsense": 2,
    "health --nonsense": 2,
    "monitoring alerts": 0,
    "completion bash": 0,
    "version": 0,
    "--help": 0,
    "help sql": 0,
    "nonsense": 2,
}
"""Every command, with the code it ends with in a home with devices and without a tenant."""

SOME = ("sql 'FROM devices' -f csv", "export devices --to out", "doctor --offline", "--help", "nonsense")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    publish(folder, {"devices": [device(number) for number in range(20)]})
    return folder


def ended(home: Path, arguments: str, streams: str) -> tuple[int, str]:
    """Exit code and what was said on either stream, of the command with a shell's ``streams``."""
    done = subprocess.run(
        ["/bin/bash", "-c", f"set -o pipefail; '{COMMAND}' {arguments} {streams}"],
        env=environment(home),
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_every_command_is_tried() -> None:
    assert {line.split()[0] for line in ENDS} >= set(app.commands)


@pytest.mark.many
def test_without_any_stream_every_command_ends_as_with_them(home: Path) -> None:
    for arguments, code in ENDS.items():
        closed = ">&- 2>&-" if "<" in arguments else "<&- >&- 2>&-"
        assert (arguments, *ended(home, arguments, closed)) == (arguments, code, "")
    assert (home / "out/devices.parquet").is_file()


@pytest.mark.heavy
@pytest.mark.parametrize("closed", slow_but(">&-", of=["<&-", ">&-", "2>&-"]))
def test_one_stream_less_changes_no_exit_code_and_raises_nothing(home: Path, closed: str) -> None:
    for arguments in SOME:
        code, said = ended(home, arguments, closed)
        assert (arguments, code, "Traceback" in said) == (arguments, ENDS[arguments], False)
        if closed == ">&-" and arguments.startswith("export"):
            assert "20 rows in 1 file" in said


@pytest.mark.heavy
@pytest.mark.parametrize("reader", ["| true", "2>&1 | true", "2> >(true)"])
def test_a_reader_that_has_seen_enough_is_no_failure(home: Path, reader: str) -> None:
    for arguments in (*SOME, "queries"):
        code, said = ended(home, arguments, reader)
        cut = "Traceback" in said or "Broken pipe" in said or "BrokenPipe" in said
        assert (arguments, code, cut) == (arguments, ENDS[arguments], False)


def test_a_name_in_a_message_moves_no_cursor(tmp_path: Path) -> None:
    publish(tmp_path, {"devices": [device(1, device_name="\x1b[2J\u202eevil")]})
    code, said = ended(tmp_path, "sql 'SELECT device_name::INT FROM devices'", "")
    assert (code, "\x1b" in said, "\u202e" in said, "\\u001b[2J\\u202eevil" in said) == (5, False, False, True)
    assert "\nLINE 1:" in said


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is full")
def test_a_full_disk_under_the_output_is_told(home: Path) -> None:
    code, said = ended(home, SOME[0], ">/dev/full")
    assert (code, "No space left" in said) == (8, True)
    assert ended(home, "sql 'SELECT nope'", "2>/dev/full") == (5, "")
