"""Tables that the token may not read: asked for once, remembered, told in one line, with their true cost."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from commands import run
from live_tenant import live
from support import client_of, make_tenant

from kandji_mirror.capabilities import forget_refusals
from kandji_mirror.report import Report
from kandji_mirror.sync.run import sync
from kandji_schema.manifest import State
from kandji_simulator import Fault, FaultKind, Tenant

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def due_ones(home: Path, tenant: Tenant, hours: float) -> tuple[Report, list[str]]:
    """A sync of what is due some hours later, and the paths it asked for."""
    seen = len(tenant.requests)
    wall = NOW + timedelta(hours=hours)
    report = sync(home, "loopback", client_of(tenant.handle, tenant.fetch), sweep=0, wall=lambda: wall)
    return report, [journal.path for journal in list(tenant.requests)[seen:]]


@pytest.mark.heavy
def test_a_refusal_is_remembered_for_a_day_and_every_request_is_counted(tmp_path: Path) -> None:
    tenant = make_tenant(4, apps=2)
    for path in ("/api/v1/users", "/api/v1/blueprints", "/api/v1/prism/filevault"):
        tenant.forbid(path)
    tenant.faults.append(Fault("/api/v1/integrations/apple/ade", FaultKind.NOT_FOUND_PAGE, times=10**6))
    report, asked = due_ones(tmp_path, tenant, 0)
    assert (report.failed, len(asked)) == ((), report.requests)
    assert sum(outcome.requests for outcome in report.outcomes) == report.requests
    assert {"users", "blueprints", "blueprint_library_items", "prism_filevault"} <= set(report.not_permitted)
    assert {"ade_integrations", "ade_devices"} <= set(report.not_offered)
    again, asked = due_ones(tmp_path, tenant, 5)
    refused = {*report.not_permitted, *report.not_offered}
    assert not any("users" in path or "blueprints" in path or "ade" in path or "filevault" in path for path in asked)
    assert not refused & {outcome.table for outcome in again.outcomes}
    assert (set(again.not_permitted), set(again.not_offered)) == (set(report.not_permitted), set(report.not_offered))
    tenant.allow("/api/v1/users")
    tenant.allow("/api/v1/blueprints")
    forget_refusals(tmp_path, ("blueprints",))
    report, _ = due_ones(tmp_path, tenant, 6)
    assert "users" in report.not_permitted  # it is a day before somebody looks
    assert not {"blueprints", "blueprint_library_items"} & set(report.not_permitted)
    report, _ = due_ones(tmp_path, tenant, 30)
    assert "users" not in report.not_permitted
    assert State.FAILED not in {outcome.state for outcome in report.outcomes}


@pytest.mark.slow
def test_the_command_tells_it_in_one_line_and_fails_only_where_it_was_named(tmp_path: Path) -> None:
    with live(tmp_path, 4) as there:
        there.tenant.forbid("/api/v1/users")
        there.tenant.forbid("/api/v1/tags")
        first = run(tmp_path, "sync", "users", "tags", "devices", **there.environment())
        assert first.returncode == 4
        assert "2 tables not permitted: tags, users; `kandji-mirror doctor` says which boxes to tick." in first.stderr
        assert "users: no permission, 0 rows, 1 request\n" in first.stderr
        second = run(tmp_path, "sync", "--json", **there.environment(KANDJI_MIRROR_SWEEP_REQUESTS="0"))
        assert second.returncode == 0
        told = json.loads(second.stdout)
        assert told["not_permitted"] == ["tags", "users"]
        assert told["requests"] == sum(outcome["requests"] for outcome in told["outcomes"])
        there.tenant.allow("/api/v1/users")
        run(tmp_path, "doctor", **there.environment())
        third = run(tmp_path, "sync", "--json", **there.environment(KANDJI_MIRROR_SWEEP_REQUESTS="0"))
        assert json.loads(third.stdout)["not_permitted"] == ["tags"]
