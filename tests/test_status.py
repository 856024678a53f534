"""``kandji-mirror status`` and the tool ``sync_status``: what is old, odd or missing, what it costs, who syncs."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from commands import environment, run
from mcp_calls import answer, opened, republish
from reads_home import SYNCED, small_fleet
from support import make_tenant, run_sync

from kandji_mirror.api.rate_limit import RateLimiter
from kandji_mirror.state import record_run
from kandji_mirror.store.lock import writer_lock
from kandji_schema.manifest import Drift, Manifest, Segment, State, manifest_path
from kandji_schema.utc import in_seconds
from kandji_simulator import ServerLimits

AGO = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=30, minutes=30)
ODD = Drift(
    unknown={f"field_{n}": n for n in range(1, 7)} | {"\x1b[2Jcolor": 900},
    odd={"last_check_in": 2},
    missing=("asset_tag", "lost_mode_status"),
)
SEGMENTS = tuple(
    Segment(f"{n}.duckdb", 1_500_000, AGO - timedelta(days=n), AGO, {"devices": 700, "apps": 5}) for n in (1, 40)
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    small_fleet(tmp_path)
    return tmp_path


def first(home: Path) -> Manifest:
    return Manifest.from_json(manifest_path(home, 1).read_bytes())


def document(home: Path) -> dict[str, Any]:
    done = run(home, "status", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def text(home: Path, **settings: str) -> list[str]:
    done = run(home, "status", **settings)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.fixture
def limiter(home: Path) -> Iterator[RateLimiter]:
    with RateLimiter(
        home, "https://tenant.example", per_second=50, per_hour=9_000, background_per_hour=3_000
    ) as limiter:
        yield limiter


def test_json_has_everything_the_manifest_says_of_a_table(home: Path) -> None:
    moment = "2026-11-20T12:00:00Z"
    facts = {"note": "n", "ttl_reason": "r", "checked_at": SYNCED, "whole_at": SYNCED, "drift": ODD, "error": "e"}
    republish(home, first(home), "devices", state=State.PARTIAL, ttl_seconds=900, requests=34, **facts)
    found = document(home)["tables"]["devices"]
    assert found.pop("age_seconds") > 0
    assert found == {
        "state": "partial",
        "rows": 4,
        "synced_at": moment,
        "ttl_seconds": 900,
        "ttl_reason": "r",
        "method": "full",
        "requests": 34,
        "whole_at": moment,
        "checked_at": moment,
        "drift": {"unknown": dict(ODD.unknown), "odd": {"last_check_in": 2}, "missing": list(ODD.missing)},
        "attempted_at": moment,
        "error": "e",
        "note": "n",
    }


def test_a_table_is_a_line_and_what_is_special_a_remark(home: Path) -> None:
    facts = {"checked_at": AGO, "ttl_reason": "the hour's budget goes to devices", "note": "2 repeated keys"}
    republish(home, first(home), "apps", synced_at=AGO, attempted_at=AGO, ttl_seconds=5_400, requests=1_234, **facts)
    lines = text(home)
    assert "apps ok 2 30 h 90 min* 30 h 30 h 1,234 full" in [" ".join(line.split()) for line in lines]
    assert [line for line in lines if line.startswith("apps:")] == [
        "apps: 2 repeated keys",
        "apps: * due after 90 min, stretched: the hour's budget goes to devices",
    ]


def test_drift_is_counted_by_field_and_harmless_to_a_terminal(home: Path) -> None:
    republish(home, first(home), "devices", drift=ODD)
    assert [line for line in text(home) if line.startswith("devices:")] == [
        "devices: unknown fields: \\u001b[2Jcolor (900), field_6 (6), field_5 (5), field_4 (4), field_3 (3) and 2 more"
        "; odd values: last_check_in (2); missing fields: asset_tag, lost_mode_status"
    ]


def test_a_failure_is_told_and_no_failure_of_the_report(home: Path) -> None:
    republish(home, first(home), "users", state=State.FAILED, error="503 from the provider")
    assert "users: 503 from the provider" in text(home)


def test_the_report_fits_a_terminal_of_120_columns(home: Path) -> None:
    manifest = first(home)
    worst: dict[str, Any] = {
        "state": State.FORBIDDEN,
        "file": None,
        "rows": 7_500_000,
        "synced_at": AGO,
        "attempted_at": AGO,
        "checked_at": AGO,
        "requests": 25_000,
        "method": "increments",
        "ttl_reason": "the budget of the hour " * 9,
        "error": "words " * 60,
        "drift": ODD,
    }
    tables = {name: replace(state, **worst) for name, state in manifest.tables.items()}
    newer = replace(manifest, generation=2, tables=tables, history=SEGMENTS)
    manifest_path(home, 2).write_bytes(newer.to_json())
    lines = text(home, COLUMNS="120")
    assert max(map(len, lines[:-1])) <= 120  # the last line ends with the path of the home


def test_requests_of_the_last_hour_are_counted_for_all_and_for_the_background(home: Path, limiter: RateLimiter) -> None:
    for _ in range(3):
        limiter.acquire(1)
    for _ in range(2):
        limiter.background().acquire(1)
    assert document(home)["budget"] == {
        "requests_last_hour": 5,
        "requests_per_hour": 9_000,
        "background_last_hour": 2,
        "background_share_percent": 30,
        "tenant_remaining": None,
    }
    assert (
        "Requests  5 of 9,000 in the last hour by all our processes, 2 of them in the background (its share: 30 %)"
        in text(home)
    )


def test_requests_of_an_earlier_hour_are_over(home: Path) -> None:
    with RateLimiter(home, "t", per_second=50, per_hour=9_000, wall=lambda: time.time() - 3_700) as limiter:
        limiter.acquire(1)
    assert document(home)["budget"]["requests_last_hour"] == 0


def test_before_the_first_request_nothing_is_counted(home: Path) -> None:
    assert document(home)["budget"]["requests_last_hour"] is None
    (home / "budget.sqlite").write_bytes(b"no database " * 100)
    assert "Requests  none counted yet" in text(home)


def test_the_history_is_told_with_its_size(home: Path) -> None:
    newer = replace(first(home), generation=2, history=SEGMENTS)
    manifest_path(home, 2).write_bytes(newer.to_json())
    since = min(segment.since for segment in SEGMENTS)
    assert document(home)["history"] == {
        "since": in_seconds(since),
        "until": in_seconds(AGO),
        "files": 2,
        "bytes": 3_000_000,
        "events": 1_410,
    }
    assert f"History   1,410 changes since {since:%Y-%m-%d} (41 d), 2 files, 3.0 MB" in text(home)


def test_the_process_that_syncs_is_named_while_it_does(home: Path) -> None:
    with writer_lock(home):
        holder = json.loads((home / "store" / "writer.json").read_text())
        since = in_seconds(datetime.fromisoformat(holder["since"]))
        assert document(home)["syncing"] == {"pid": holder["pid"], "since": since}
        assert any(line.startswith(f"Syncing   process {holder['pid']}, for ") for line in text(home))
    assert document(home)["syncing"] is None
    assert "Syncing   no process at this moment" in text(home)


def test_a_killed_process_does_not_sync_any_more(home: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait(timeout=30)
    left = {"pid": ended.pid, "since": AGO.isoformat()}
    (home / "store" / "writer.json").write_text(json.dumps(left))
    assert document(home)["syncing"] is None


def test_a_synced_tenant_is_all_there(tmp_path: Path) -> None:
    tenant = make_tenant(20, apps=2)
    report = run_sync(tmp_path, tenant, "devices", "blueprints")
    tables = document(tmp_path)["tables"]
    asked = {outcome.table: outcome.requests for outcome in report.outcomes}
    assert {name: tables[name]["requests"] for name in asked} == asked
    assert (tables["devices"]["state"], tables["devices"]["rows"]) == ("ok", 20)
    assert tables["users"]["state"] == "never synced"


def test_what_the_tenant_has_left_is_as_the_provider_last_said(home: Path) -> None:
    assert document(home)["budget"]["tenant_remaining"] is None
    tenant = make_tenant(3, apps=1, limits=ServerLimits(per_hour=5_000))
    report = run_sync(home / "other", tenant, "devices")
    record_run(home, report)
    assert document(home)["budget"]["tenant_remaining"] == report.remaining_hour == 4_999
    assert "Tenant    4,999 requests left in its hour when the provider last said so" in text(home)


def test_the_report_needs_neither_duckdb_nor_the_libraries_of_syncing(home: Path) -> None:
    script = (
        "import sys; sys.argv = ['kandji-mirror', 'status']\n"
        "from kandji_cli import run\n"
        "try: run()\nexcept SystemExit: pass\n"
        "heavy = {'duckdb', 'sqlmodel', 'sqlalchemy', 'httpx', 'mcp', 'pydantic', 'filelock'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=environment(home), capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_an_agent_gets_the_same_facts(home: Path, limiter: RateLimiter) -> None:
    facts = {"note": "n", "ttl_reason": "r", "checked_at": SYNCED, "drift": Drift({"colour": 3}, {"model": 1}, ("m",))}
    newer = republish(home, first(home), "devices", **facts)
    manifest_path(home, 2).write_bytes(replace(newer, history=SEGMENTS).to_json())
    limiter.background().acquire(1)
    with opened(home) as mirror, writer_lock(home):
        mirror.clock = lambda: datetime.now(UTC)
        found = answer(mirror, "auto", "sync_status", tables=["devices"])
    devices = found["details"]["devices"]
    names = ("note", "due_later_because", "counted_at", "values_that_did_not_fit", "unknown_fields", "missing_fields")
    assert {name: devices[name] for name in names} == {
        "note": "n",
        "due_later_because": "r",
        "counted_at": "2026-11-20T12:00:00Z",
        "values_that_did_not_fit": {"model": 1},
        "unknown_fields": {"colour": 3},
        "missing_fields": ["m"],
    }
    assert (found["syncing"], found["requests"], found["background_requests"]) == (True, 1, 1)
    assert found["changes_since"] == f"{min(s.since for s in SEGMENTS):%Y-%m-%dT%H:%M:%SZ}"


def test_the_mode_of_privacy_is_told_and_what_is_not_so_yet(home: Path) -> None:
    mirrored = sorted(name for name, state in first(home).tables.items() if state.file)
    for mode, waiting in (("off", []), ("agents", mirrored), ("on", mirrored)):
        done = run(home, "status", "--json", KANDJI_MIRROR_PRIVACY=mode)
        told = json.loads(done.stdout)["privacy"]
        assert (told["mode"], sorted(told["not_yet"])) == (mode, waiting)
    line = run(home, "status", KANDJI_MIRROR_PRIVACY="on").stdout
    assert f"never written to disk; {len(mirrored)} tables not yet: the next sync does it" in line


def test_the_command_line_shows_nothing_full_where_nobody_may_see_it(home: Path) -> None:
    refused = run(home, "sql", "FROM devices", KANDJI_MIRROR_PRIVACY="on")
    assert (refused.returncode, refused.stdout) == (7, "")
    assert "not masked yet" in refused.stderr
    assert run(home, "sql", "FROM devices", KANDJI_MIRROR_PRIVACY="agents").returncode == 0
