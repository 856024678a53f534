"""kill -9 in the middle of telling: nothing is lost, and nothing told twice without saying so.

The webhook itself kills the process that posts to it, before or after its answer; a watcher kills others at any moment.
"""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread, Timer
from typing import Any

import pytest
from checks_home import mac
from checks_targets import webhook
from commands import run
from reads_home import publish

from kandji_schema.registry import resources

KILLED = -signal.SIGKILL
TABLES = sorted(resources())


def written(home: Path, url: str, tables: int) -> None:
    """A check that finds so many tables that were never read: it needs no process for statements."""
    path = home / "checks.toml"
    path.write_text(
        f'tell = ["ops"]\n[target.ops]\nkind = "webhook"\nurl = "{url}"\n[check.old]\nwhen = "older"\nrows = 50\n'
        f"tables = {json.dumps(TABLES[:tables])}\n"
    )
    path.chmod(0o600)


def teller(home: Path) -> int | None:
    with suppress(OSError, ValueError):
        return int(json.loads((home / "checks.holder").read_text())["pid"])
    return None


def kill(home: Path) -> None:
    pid = teller(home)
    if pid and pid != os.getpid():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def killed_after(home: Path, seconds: float) -> Iterator[None]:
    """Kill the one that tells so long after it began to."""
    (home / "checks.holder").unlink(missing_ok=True)
    over = Event()

    def watch() -> None:
        while not over.is_set() and teller(home) is None:
            time.sleep(0.0005)
        if not over.wait(seconds):
            kill(home)

    thread = Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def told(got: list[dict[str, Any]]) -> Counter[str]:
    """How many texts tell of each table, the same text sent again left out; it must say so itself."""
    seen: set[str] = set()
    found: Counter[str] = Counter()
    for document in got:
        assert document["may_have_been_told_before"] or document["id"] not in seen, "told twice in silence"
        if document["id"] not in seen:
            found.update(entry["row"]["table"] for entry in document["new"])
        seen.add(document["id"])
    return found


@pytest.mark.heavy
def test_twenty_kills_lose_nothing_and_repeat_nothing_in_silence(tmp_path: Path) -> None:
    publish(tmp_path, {"devices": [mac("d1")]})
    killed = 0
    with webhook() as hook:

        def before(_: dict[str, Any]) -> int:
            kill(tmp_path)
            return 200

        def after(_: dict[str, Any]) -> int:
            Timer(0.001, kill, (tmp_path,)).start()
            return 200

        number = 0
        while killed < 20:
            number += 1
            written(tmp_path, hook.url, number)
            kind = number % 4
            first: list[Any] = [200, before, after, 200]
            hook.answers[:] = [first[kind], 200]
            if kind in {1, 2}:
                ended = run(tmp_path, "check", "run", "--all")
            else:
                with killed_after(tmp_path, 0.004 * (number % 12)):
                    ended = run(tmp_path, "check", "run", "--all")
            killed += ended.returncode == KILLED
            assert number < len(TABLES), f"only {killed} kills struck"
        hook.answers[:] = [200]
        assert run(tmp_path, "check", "run", "--all").returncode == 10
        assert json.loads(run(tmp_path, "check", "run", "--all", "--json").stdout)["waiting"] == []
        assert told(hook.got) == Counter(TABLES[:number])
        assert any(document["may_have_been_told_before"] for document in hook.got)


@pytest.mark.heavy
def test_a_command_that_kills_who_started_it_gets_the_same_text_again(tmp_path: Path) -> None:
    publish(tmp_path, {"devices": [mac("d1")]})
    program = tmp_path / "program"
    program.write_text(
        f"#!/bin/sh\ncat >> {tmp_path}/got\n[ -e {tmp_path}/once ] || {{ : > {tmp_path}/once; kill -9 $PPID; }}\n"
    )
    program.chmod(0o700)
    path = tmp_path / "checks.toml"
    path.write_text(f'[target.ops]\nkind = "command"\ncommand = ["{program}"]\n[check.tables_too_old]\ntell = "ops"\n')
    path.chmod(0o600)
    assert run(tmp_path, "check", "run").returncode == KILLED
    assert run(tmp_path, "check", "run").returncode == 10
    first, second = map(json.loads, (tmp_path / "got").read_text().splitlines())
    assert first["id"] == second["id"]
    assert (first["may_have_been_told_before"], second["may_have_been_told_before"]) == (False, True)
