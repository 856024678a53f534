"""The real processes: ``serve``, the MCP server, and what happens when one is ended or killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest
from commands import run
from support import make_tenant, manifest_of, recorded_runs, slow_but
from test_mcp_stdio import COMMAND, GREETING, call, conversation, environment, exchanged

from kandji_mirror.store.opening import open_store
from kandji_schema.manifest import State
from kandji_schema.registry import resources
from kandji_simulator import TOKEN, Fault, FaultKind, Server, Tenant, serve

SERVE = "from kandji_cli.serve import serve; serve(mcp=False)"
COMPETE = """
import sys
from kandji_mirror.scheduler.due import Priority
from kandji_mirror.scheduler.service import Intervals, scheduler_of
from kandji_schema.settings import load
priority = Priority("few", 0.1, lambda resource, state: resource.name == "blueprints")
scheduler = scheduler_of(load(), Intervals(compete=0.3, priorities=(priority,)))
scheduler.start()
print("ready", flush=True)
for line in sys.stdin:
    report = scheduler.refresh([line.strip()]).result(60)
    print(report.outcomes[0].state.value, flush=True)
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant(5, apps=2)


@pytest.fixture
def server(tenant: Tenant) -> Iterator[Server]:
    with serve(tenant) as server:
        yield server


@contextmanager
def python(home: Path, code: str, server: Server) -> Iterator[subprocess.Popen[str]]:
    """A process of our own; killed at the end if it is still there."""
    pipe = subprocess.PIPE
    variables = environment(home, KANDJI_API_URL=server.url, KANDJI_API_TOKEN=TOKEN)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=pipe, stdout=pipe, stderr=pipe, env=variables, cwd=home, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def say(process: subprocess.Popen[str], line: str) -> str:
    """One line to a process, and its answer."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def wait_until(condition: Callable[[], bool]) -> None:
    """Look again and again, for forty seconds at most."""
    tick = Event()
    for _ in range(400):
        if condition():
            return
        tick.wait(0.1)
    raise AssertionError("It did not come about.")


def state_of(home: Path, table: str) -> State:
    try:
        return manifest_of(home).tables[table].state
    except StopIteration:
        return State.NEVER


def lock_is_free(home: Path) -> bool:
    with open_store(home, "loopback", resources()):
        return True


def ended(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, float]:
    """Exit code after a signal, and the seconds it took."""
    began = time.monotonic()
    process.send_signal(number)
    return process.wait(20), time.monotonic() - began


@pytest.mark.heavy
def test_when_the_syncing_process_is_killed_another_one_takes_over(
    tmp_path: Path, server: Server, tenant: Tenant
) -> None:
    with python(tmp_path, COMPETE, server) as first, python(tmp_path, COMPETE, server) as second:
        for process in (first, second):
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        wait_until(lambda: state_of(tmp_path, "blueprints") is State.OK)
        holder = json.loads((tmp_path / "store" / "writer.json").read_text())["pid"]
        (killed, left) = (first, second) if holder == first.pid else (second, first)
        assert say(left, "tags") == "ok"
        killed.kill()
        killed.wait(20)
        assert say(left, "custom_apps") == "ok"
        assert json.loads((tmp_path / "store" / "writer.json").read_text())["pid"] == left.pid


@pytest.mark.heavy
@pytest.mark.parametrize("number", slow_but(signal.SIGTERM, of=[signal.SIGTERM, signal.SIGINT]))
def test_serve_keeps_a_home_in_sync_until_it_is_told_to_end(
    tmp_path: Path, server: Server, number: signal.Signals
) -> None:
    with python(tmp_path, SERVE, server) as process:
        wait_until(lambda: state_of(tmp_path, "devices") is State.OK)
        code, seconds = ended(process, number)
        out, log = process.communicate()
    assert (code, out) == (0, "")
    assert seconds < 4
    lines = [json.loads(line) for line in log.splitlines()]  # for programs, as nothing of it is a terminal
    assert lines[0]["text"].startswith(f"Keeping {tmp_path} in sync until Ctrl-C.")
    assert {"serve.syncing", "sync.begun", "run.ended", "serve.stopping"} <= {line["event"] for line in lines}
    assert all(datetime.fromisoformat(line["time"]).tzinfo == UTC and line["time"].endswith("Z") for line in lines)
    runs = [line for line in lines if line["event"] == "run.ended"]
    assert sum(run["requests"] for run in runs) > 10
    assert "devices" in {table for run in runs for table in run["tables"]}
    assert {run["run"] for run in runs} <= {record["started_at"] for record in recorded_runs(tmp_path)}
    assert "Traceback" not in log
    assert TOKEN not in log
    assert lock_is_free(tmp_path)


@pytest.mark.heavy
def test_a_bare_sync_and_a_full_one_beside_serve_are_handed_over_and_answered(tmp_path: Path, server: Server) -> None:
    account = {"KANDJI_API_URL": server.url, "KANDJI_API_TOKEN": TOKEN, "KANDJI_MIRROR_SWEEP_REQUESTS": "0"}
    with python(tmp_path, SERVE, server) as process:
        wait_until(lambda: state_of(tmp_path, "prism_filevault") is State.OK)
        bare = run(tmp_path, "sync", "--json", **account)
        assert (bare.returncode, json.loads(bare.stdout)["outage"]) == (0, None), bare.stderr
        full = run(tmp_path, "sync", "--full", "--json", **account)
        assert full.returncode == 0, full.stderr
        told = json.loads(full.stdout)
        assert len(told["outcomes"]) > 30
        assert "asked to do this now" in full.stderr
        assert ended(process, signal.SIGTERM)[0] == 0
        process.communicate()


@pytest.mark.heavy
def test_serve_ends_while_the_provider_hangs(tmp_path: Path, server: Server, tenant: Tenant) -> None:
    tenant.faults.append(Fault("devices", FaultKind.HANGING, times=1_000, seconds=30))
    with python(tmp_path, SERVE, server) as process:
        wait_until(lambda: len(tenant.requests) > 0)
        code, seconds = ended(process, signal.SIGTERM)
    assert (code, seconds < 15) == (0, True)
    assert state_of(tmp_path, "devices") is State.NEVER
    assert lock_is_free(tmp_path)


# -- beside an AI client -------------------------------------------------------------------------------------------


@contextmanager
def mcp(home: Path, variables: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    pipe = subprocess.PIPE
    with subprocess.Popen(
        COMMAND, stdin=pipe, stdout=pipe, stderr=pipe, env={**environment(home), **variables}, cwd=home
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def credentials(server: Server) -> dict[str, str]:
    return {"KANDJI_API_URL": server.url, "KANDJI_API_TOKEN": TOKEN, "KANDJI_MIRROR_BACKGROUND": "on"}


@pytest.mark.heavy
@pytest.mark.parametrize("number", slow_but(signal.SIGTERM, of=[signal.SIGTERM, signal.SIGINT, signal.SIGHUP]))
def test_the_mcp_server_syncs_beside_the_conversation_until_a_signal(
    tmp_path: Path, server: Server, number: signal.Signals
) -> None:
    with mcp(tmp_path, credentials(server)) as process:
        exchanged(process, GREETING)
        wait_until(lambda: state_of(tmp_path, "devices") is State.OK)
        answer = exchanged(process, call(1, "run_sql", sql="SELECT count(*) FROM devices"))
        assert answer["result"]["structuredContent"]["rows"] == [[5]]
        began = time.monotonic()
        process.send_signal(number)
        out, log = process.communicate(timeout=20)
    assert time.monotonic() - began < 15
    assert (process.returncode, out, log) == (0, b"", b"")
    assert lock_is_free(tmp_path)


@pytest.mark.heavy
def test_the_mcp_server_lets_go_of_the_lock_when_the_client_leaves(tmp_path: Path, server: Server) -> None:
    with mcp(tmp_path, credentials(server)) as process:
        exchanged(process, GREETING)
        wait_until(lambda: state_of(tmp_path, "devices") is State.OK)
        began = time.monotonic()
        out, log = process.communicate(timeout=20)
    assert time.monotonic() - began < 15
    assert (process.returncode, out, log) == (0, b"", b"")
    assert lock_is_free(tmp_path)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "No tenant is set"),
        ({"KANDJI_SUBDOMAIN": "acme"}, "No API token"),
        ({"KANDJI_SUBDOMAIN": "acme", "KANDJI_API_TOKEN": "t", "KANDJI_MIRROR_TTL": "x"}, "KANDJI_MIRROR_TTL"),
    ],
)
def test_without_credentials_the_mcp_server_only_reads_and_says_so_once(
    tmp_path: Path, variables: dict[str, str], words: str
) -> None:
    with mcp(tmp_path, {**variables, "KANDJI_MIRROR_BACKGROUND": "on"}) as process:
        exchanged(process, GREETING)
        assert process.stderr is not None
        line = json.loads(process.stderr.readline())
        answer = exchanged(process, call(1, "fleet_overview"))
        _, log = process.communicate(timeout=20)
    assert (line["level"], line["event"]) == ("warning", "sync.off")
    assert line["text"].startswith("Only reading, nothing is synced from here: ")
    assert words in line["text"]
    assert answer["result"]["isError"] is True
    assert (process.returncode, log) == (0, b"")


@pytest.mark.heavy
def test_background_syncing_can_be_switched_off(tmp_path: Path, server: Server, tenant: Tenant) -> None:
    variables = {**credentials(server), "KANDJI_MIRROR_BACKGROUND": "off"}
    answers, code, log = conversation(tmp_path, GREETING + call(1, "fleet_overview"), COMMAND, **variables)
    assert set(answers) == {0, 1}
    assert (code, log, list(tenant.requests)) == (0, "", [])


@pytest.mark.heavy
def test_a_short_conversation_is_answered_whole_also_with_syncing_about_to_begin(
    tmp_path: Path, server: Server
) -> None:
    asked = GREETING + b"".join(call(number, "fleet_overview") for number in range(1, 20))
    answers, code, _ = conversation(tmp_path, asked, COMMAND, **credentials(server))
    assert (set(answers), code) == (set(range(20)), 0)


@pytest.mark.heavy
def test_nothing_of_syncing_is_loaded_before_the_first_answer(tmp_path: Path) -> None:
    code = (
        "import sys; import kandji_mcp_server.background, kandji_mcp_server.main, kandji_mcp_server.stdio\n"
        "print(sorted({'duckdb', 'sqlmodel', 'apscheduler', 'httpx'} & set(sys.modules)))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path, env=dict(os.environ)
    )
    assert loaded.stdout == "[]\n"
