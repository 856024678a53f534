"""The command line as a user meets it: real processes, real HTTP on loopback, documented exit codes."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import COMMAND, environment, run
from support import differing, make_tenant, run_sync, synced

from kandji_cli import options
from kandji_cli.app import app
from kandji_queries.results import formats
from kandji_schema.manifest import data_dir, generations, manifest_path
from kandji_schema.settings import SETTINGS
from kandji_simulator import TOKEN, Fault, FaultKind, Tenant, serve


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    synced(folder)
    return folder


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def url(tenant: Tenant) -> Iterator[str]:
    with serve(tenant) as server:
        yield server.url


@pytest.mark.heavy
def test_a_statement_is_answered_with_its_age(home: Path) -> None:
    done = run(home, "sql", "SELECT count(*) AS n FROM devices", "--arrays")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["columns"], answer["rows"]) == (0, [{"name": "n", "type": "BIGINT"}], [[50]])
    assert set(answer["as_of"]) == {"devices"}


@pytest.mark.slow(quick_every=5)
@pytest.mark.parametrize("form", options.FORMATS)
def test_every_format_prints_rows_on_stdout_only(home: Path, form: str) -> None:
    done = run(home, "query", "devices_by_platform", "--format", form)
    assert done.returncode == 0
    assert "Mac" in done.stdout
    assert "Mac" not in done.stderr


def test_a_statement_can_come_from_standard_input(home: Path) -> None:
    assert run(home, "sql", "-", "-f", "csv", said="SELECT 7 AS n").stdout.splitlines() == ["n", "7"]


def test_parameters_are_bound_and_never_spliced(home: Path) -> None:
    done = run(home, "sql", "SELECT $name AS name", "-p", "name=x'; DROP TABLE devices;--", "-f", "jsonl")
    assert json.loads(done.stdout) == {"name": "x'; DROP TABLE devices;--"}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["sql", "DROP TABLE devices"], 5, "read-only"),
        (["sql", "SELECT * FROM devicez"], 5, "devices"),
        (["sql", "SELECT nam FROM devices"], 5, "nam"),
        (["sql", "  "], 2, "no statement"),
        (["query", "devices_by_platfrom"], 2, "devices_by_platform"),
        (["query", "stale_devices", "-p", "days=soon"], 2, "days"),
        (["query", "stale_devices", "-p", "days"], 2, "name=value"),
        (["describe", "fleeet"], 2, "fleet"),
        (["sync", "devicez"], 2, "devices"),
        (["frobnicate"], 2, "frobnicate"),
        (["sql", "SELECT 1", "--format", "xml"], 2, "xml"),
    ],
)
def test_a_mistake_is_named_with_the_remedy(home: Path, arguments: list[str], code: int, message: str) -> None:
    settings = {"KANDJI_API_URL": "http://127.0.0.1:9", "KANDJI_API_TOKEN": "t"}
    done = run(home, *arguments, **settings)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_before_the_first_sync_the_command_to_type_is_named(tmp_path: Path) -> None:
    for arguments in (["sql", "FROM devices"], ["query", "devices_by_platform"], ["tables"], ["status"]):
        done = run(tmp_path, *arguments)
        assert (done.returncode, "kandji-mirror sync" in done.stderr) == (7, True), done.stderr


def test_the_catalogues_need_no_mirror(tmp_path: Path) -> None:
    assert "stale_devices" in run(tmp_path, "queries").stdout
    assert all(setting.name in run(tmp_path, "settings").stdout for setting in SETTINGS[:3])


@pytest.mark.heavy
def test_a_sync_over_http_equals_the_tenant(tmp_path: Path, tenant: Tenant, url: str) -> None:
    sweeps = {"KANDJI_MIRROR_SWEEP_REQUESTS": "500"}
    done = run(tmp_path, "sync", "--json", KANDJI_API_URL=url, KANDJI_API_TOKEN=TOKEN, **sweeps)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["generation"] >= 1
    assert differing(tmp_path, tenant.world) == []


def test_status_tells_state_and_age_of_every_table(tmp_path: Path, tenant: Tenant, url: str) -> None:
    tenant.forbid("/api/v1/users")
    run(tmp_path, "sync", KANDJI_API_URL=url, KANDJI_API_TOKEN=TOKEN)
    tables = json.loads(run(tmp_path, "status", "--json").stdout)["tables"]
    assert (tables["devices"]["state"], tables["devices"]["rows"]) == ("ok", 50)
    assert tables["users"]["state"] == "no permission"


@pytest.mark.parametrize(
    ("settings", "code", "message"),
    [
        ({}, 3, "KANDJI_SUBDOMAIN"),
        ({"KANDJI_SUBDOMAIN": "acme"}, 3, "KANDJI_API_TOKEN"),
        ({"KANDJI_API_URL": "http://example.com", "KANDJI_API_TOKEN": "t"}, 3, "https"),
        ({"KANDJI_API_URL": "http://127.0.0.1:9", "KANDJI_API_TOKEN": "t"}, 4, "no connection"),
        ({"KANDJI_REGION": "mars"}, 3, "us, eu"),
        ({"KANDJI_MIRROR_MCP_ROWS": "many"}, 3, "KANDJI_MIRROR_MCP_ROWS"),
    ],
)
def test_a_wrong_configuration_is_named(tmp_path: Path, settings: dict[str, str], code: int, message: str) -> None:
    done = run(tmp_path, "sync", **settings)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_token_is_told_without_showing_it(tmp_path: Path, url: str) -> None:
    done = run(tmp_path, "sync", KANDJI_API_URL=url, KANDJI_API_TOKEN="wrong-secret-token")
    assert done.returncode == 3
    assert "wrong-secret-token" not in done.stderr + done.stdout


def test_the_token_lands_in_no_file_and_no_output(tmp_path: Path, tenant: Tenant, url: str) -> None:
    tenant.faults.append(Fault("/api/v1/users", FaultKind.FORBIDDEN, times=9))
    done = run(tmp_path, "sync", "--json", KANDJI_API_URL=url, KANDJI_API_TOKEN=TOKEN)
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert not any(TOKEN.encode() in data for data in [*files, done.stdout.encode(), done.stderr.encode()])


def test_a_partial_sync_has_its_own_exit_code(tmp_path: Path, tenant: Tenant, url: str) -> None:
    tenant.faults.append(Fault("/api/v1/users", FaultKind.BAD_REQUEST, times=9))
    done = run(tmp_path, "sync", KANDJI_API_URL=url, KANDJI_API_TOKEN=TOKEN)
    assert done.returncode == 4
    assert "users could not be synced" in done.stderr


@pytest.mark.heavy
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_sync_ends_at_once_and_keeps_what_was_complete(
    tmp_path: Path, tenant: Tenant, url: str, number: signal.Signals
) -> None:
    tenant.faults.append(Fault("/api/v1/prism/apps", FaultKind.RATE_LIMITED, times=99, seconds=60))
    settings = environment(tmp_path, KANDJI_API_URL=url, KANDJI_API_TOKEN=TOKEN)
    with subprocess.Popen([COMMAND, "sync"], env=settings, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        process.stderr.readline()
        process.send_signal(number)
        rest = process.stderr.read()
        assert process.wait(timeout=60) == 130
    assert "Stopped." in rest
    assert "Traceback" not in rest
    assert run(tmp_path, "sql", "SELECT count(*) FROM devices").returncode == 0


@pytest.mark.slow
def test_ctrl_c_in_a_long_statement_ends_without_a_traceback(home: Path) -> None:
    statement = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range = 7"
    command = [COMMAND, "sql", statement]
    with subprocess.Popen(command, env=environment(home), stderr=subprocess.PIPE, text=True) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=2)
        process.send_signal(signal.SIGINT)
        assert process.stderr
        # click first ends the line on which a terminal shows ^C
        ended = process.stderr.read().lstrip("\n"), process.wait(timeout=60)
    # Within the statement the signal ends the process, before it, on a busy machine, Python does: 130 in a shell.
    assert ended in {("", -signal.SIGINT), ("kandji-mirror: Stopped.\n", 130)}


def test_without_a_command_the_help_is_shown(home: Path) -> None:
    assert "Usage: kandji-mirror" in run(home).stdout + run(home).stderr


@pytest.mark.heavy
def test_a_damaged_manifest_or_data_file_does_not_stop_answers(tmp_path: Path) -> None:
    tenant = synced(tmp_path, 50, "devices", "users")
    tenant.world.advance(4)
    run_sync(tmp_path, tenant, "devices", "users")
    newest = max(data_dir(tmp_path).glob("devices.*"))
    newest.chmod(0o600)
    newest.write_bytes(newest.read_bytes()[:9_000])
    done = run(tmp_path, "sql", "SELECT count(*) > 0 FROM devices", "-f", "csv")
    assert (done.returncode, done.stdout.split()[-1], "warning" in done.stderr) == (0, "true", True)
    for generation in generations(tmp_path):
        manifest_path(tmp_path, generation).write_text("torn")
    done = run(tmp_path, "sql", "FROM devices")
    assert (done.returncode, "sync" in done.stderr, "Traceback" in done.stderr) == (8, True, False)


def test_a_reader_of_our_output_may_leave_early(home: Path) -> None:
    command = f"'{COMMAND}' sql 'FROM range(100000)' -f csv | head -1"
    done = subprocess.run(
        ["/bin/sh", "-c", command], env=environment(home), capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("range\n", "")


def test_a_full_disk_under_our_output_is_told(home: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("w") as full:
        command = [COMMAND, "sql", "SELECT 1", "-f", "csv"]
        done = subprocess.run(
            command, env=environment(home), stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert (done.returncode, done.stderr) == (8, "kandji-mirror: No space left on device.\n")


def test_a_home_that_is_no_folder_is_told(tmp_path: Path) -> None:
    for arguments in (["status"], ["sql", "FROM devices"]):
        done = run(tmp_path, *arguments, KANDJI_MIRROR_HOME="/dev/null")
        assert (done.returncode, "/dev/null/store/manifests cannot be read" in done.stderr) == (8, True), done.stderr


def test_every_command_has_help_with_an_example() -> None:
    for name, command in app.commands.items():
        assert f"Example: kandji-mirror {name}" in str(command.help)


def test_the_formats_offered_are_the_formats_there_are() -> None:
    assert options.FORMATS == formats.FORMATS


def test_a_query_does_not_import_what_it_does_not_use(home: Path) -> None:
    script = (
        "import sys; sys.argv = ['kandji-mirror', 'sql', 'FROM devices LIMIT 1']\n"
        "from kandji_cli import run\n"
        "try: run()\nexcept SystemExit: pass\n"
        "heavy = {'sqlmodel', 'sqlalchemy', 'httpx', 'mcp', 'apscheduler', 'pydantic', 'rich', 'sqlglot'}\n"
        "heavy |= {'prompt_toolkit', 'pygments'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(home), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.heavy
def test_one_device_is_synced_by_its_serial_number(tmp_path: Path, tenant: Tenant, url: str) -> None:
    settings = {"KANDJI_API_URL": url, "KANDJI_API_TOKEN": TOKEN}
    assert run(tmp_path, "sync", "devices", "device_details", **settings).returncode == 0
    device = tenant.world.device_ids()[3]
    serial = next(row["serial_number"] for row in tenant.world.truth("devices") if row["device_id"] == device)
    tenant.world.rename(device, "Renamed")
    done = run(tmp_path, "sync", "device_details", "--device", serial.lower(), "--json", **settings)
    report = json.loads(done.stdout)
    assert (done.returncode, report["requests"]) == (0, 2)
    assert differing(tmp_path, tenant.world, tables=["devices", "device_details"]) == []
    for wrong, words in (("nobody", "There is no device 'nobody'"), ("", "Name at least one device")):
        refused = run(tmp_path, "sync", "--device", wrong, **settings)
        assert (refused.returncode, words in refused.stderr) == (2, True)
    both = run(tmp_path, "sync", "--full", "--device", serial, **settings)
    assert (both.returncode, "leave one of them out" in both.stderr) == (2, True)
