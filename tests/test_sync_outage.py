"""A provider that answers nothing at all, and one with a single broken list: told apart within a minute."""

from pathlib import Path

import pytest
from support import Clock, Unlimited, differing, make_tenant

from kandji_mirror.api.client import Client
from kandji_mirror.report import Report
from kandji_mirror.sync.run import sync
from kandji_schema.http import Request, Response
from kandji_schema.manifest import State
from kandji_schema.registry import resources
from kandji_simulator import TOKEN, Fault, FaultKind, Tenant

ALWAYS = 10**6


NAMES = ("devices", "users", "blueprints", "tags", "apps", "custom_apps", "prism_filevault", "device_details")


TROUBLES = (
    (FaultKind.SERVER_ERROR, 0),
    (FaultKind.HTML_PAGE, 4),
    (FaultKind.RESET, 4),
    (FaultKind.RATE_LIMITED, 0),
    (FaultKind.HANGING, 4),
)
"""What everything is answered with, after how many good answers."""


def synced(home: Path, tenant: Tenant, *, slowly: Clock | None = None) -> tuple[Report, float]:
    """A run over eight tables and how many seconds it took by a clock that only waits move."""
    clock = slowly or Clock()
    client = Client(
        tenant.handle, TOKEN, Unlimited(), fetch=tenant.fetch, clock=clock.read, sleep=clock.sleep, jitter=lambda: 0.0
    )
    began = clock.read()
    return sync(home, "loopback", client, names=NAMES, everything=True), clock.read() - began


@pytest.mark.heavy
def test_an_outage_ends_the_run_within_a_minute_and_loses_nothing(tmp_path: Path) -> None:
    clock = Clock()
    tenant = make_tenant(5, apps=2, sleep=clock.sleep)
    synced(tmp_path, tenant)
    for kind, after in TROUBLES:
        hanging = kind is FaultKind.HANGING
        tenant.faults[:] = [Fault("", kind, times=ALWAYS, after=after, seconds=60.0 if hanging else 1.0)]
        report, took = synced(tmp_path, tenant, slowly=clock)
        assert report.outage, kind
        assert took < (600 if hanging else 240)  # the clock adds up what up to four threads (or eight) wait
        assert after or len(report.outcomes) < len(NAMES)
    assert differing(tmp_path, tenant.world, tables=NAMES) == []
    tenant.faults.clear()
    report, _ = synced(tmp_path, tenant)
    assert (report.outage, report.failed) == (None, ())


@pytest.mark.heavy(quick_every=3)
@pytest.mark.parametrize("table", ["devices", "users", "device_details"])
def test_one_broken_list_is_no_outage(tmp_path: Path, table: str) -> None:
    tenant = make_tenant(12, apps=2)
    path = resources()[table].path.replace("{device_id}", "[^/]+")
    tenant.faults.append(Fault(f"^{path}[?]", FaultKind.SERVER_ERROR, times=ALWAYS))
    report, _ = synced(tmp_path, tenant)
    assert report.outage is None
    assert {outcome.table for outcome in report.outcomes} == set(NAMES)
    assert table in [outcome.table for outcome in report.failed]
    assert State.OK in {outcome.state for outcome in report.outcomes}


@pytest.mark.heavy
def test_answers_that_cannot_be_taken_are_of_their_tables_alone(tmp_path: Path) -> None:
    clock, tenant, deep = Clock(), make_tenant(12, apps=2), b'{"data":[' + b'{"a":' * 9_000

    def send(request: Request) -> Response:
        response = tenant.handle(request)
        broken = request.path.endswith(("/blueprints", "/prism/apps", "/users"))
        return Response(200, response.headers, deep + b"1" + b"}" * 9_000 + b"]}") if broken else response

    client = Client(
        send, TOKEN, Unlimited(), fetch=tenant.fetch, clock=clock.read, sleep=clock.sleep, jitter=lambda: 0.0
    )
    report = sync(tmp_path, "loopback", client, names=NAMES, everything=True)
    assert report.outage is None
    assert {outcome.table for outcome in report.failed} == {"blueprints", "apps", "users"}
    assert all("nested too deeply" in str(outcome.error) for outcome in report.failed)
    assert clock.read() < 30
    assert len([request for request in tenant.requests if request.path.endswith("/users")]) == 2


@pytest.mark.heavy
def test_a_burst_of_short_waits_is_sat_out(tmp_path: Path) -> None:
    tenant = make_tenant(5, apps=2)
    tenant.faults.append(Fault("^/api/v1/users", FaultKind.RATE_LIMITED, times=20))
    report, _ = synced(tmp_path, tenant)
    assert (report.outage, report.failed) == (None, ())
