"""Large Prism tables read by export: few requests, and nothing partial replaces anything."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support import client_of, differing, make_tenant, manifest_of, mirrored, run_sync, true_rows

from kandji_mirror.sync.run import sync
from kandji_schema.http import Request, Response
from kandji_schema.manifest import State, TableState
from kandji_simulator import Fault, Quirks, Tenant, World
from kandji_simulator import FaultKind as Trouble


def paths(tenant: Tenant) -> Counter[str]:
    """How often each kind of request about apps was sent."""
    kinds = {"/api/v1/prism/apps": "page", "/api/v1/prism/count": "count", "/api/v1/prism/export": "order"}
    return Counter(kinds.get(request.path, "look") for request in tenant.requests)


def apps_of(home: Path) -> TableState:
    return manifest_of(home).tables["apps"]


def large(**facts: Any) -> Tenant:
    """A tenant with some thousand app rows."""
    return make_tenant(300, apps=30, **facts)


@pytest.mark.heavy
def test_a_large_category_is_exported_with_a_handful_of_requests(tmp_path: Path) -> None:
    tenant = large()
    run_sync(tmp_path, tenant, "apps")
    assert mirrored(tmp_path, "apps") == true_rows(tenant.world, "apps")
    assert (apps_of(tmp_path).method, apps_of(tmp_path).checked_at) == ("export", apps_of(tmp_path).whole_at)
    assert paths(tenant) == {"count": 1, "order": 1, "look": 2}


@pytest.mark.heavy
def test_a_refused_export_is_remembered_for_a_week(tmp_path: Path) -> None:
    tenant = large()
    tenant.exports.refused = frozenset({"apps"})
    run_sync(tmp_path, tenant, "apps")
    assert mirrored(tmp_path, "apps") == true_rows(tenant.world, "apps")
    assert apps_of(tmp_path).method == "full walk"
    tenant.requests.clear()
    run_sync(tmp_path, tenant, "apps", everything=True)
    assert paths(tenant)["order"] == 0


@pytest.mark.heavy
def test_a_failed_export_leaves_the_pages_this_time_only(tmp_path: Path) -> None:
    tenant = large()
    tenant.exports.error = "out of memory"
    run_sync(tmp_path, tenant, "apps")
    assert (mirrored(tmp_path, "apps"), apps_of(tmp_path).method) == (true_rows(tenant.world, "apps"), "full walk")
    tenant.exports.error = None
    run_sync(tmp_path, tenant, "apps", everything=True)
    assert apps_of(tmp_path).method == "export"


@pytest.mark.heavy(quick_every=3)
@pytest.mark.parametrize("keep", [0.0, 0.5, 0.97])
def test_a_partial_export_replaces_nothing(tmp_path: Path, keep: float) -> None:
    tenant = large()
    tenant.exports.keep = keep
    assert run_sync(tmp_path, tenant, "apps").failed == ()
    assert mirrored(tmp_path, "apps") == true_rows(tenant.world, "apps")
    assert apps_of(tmp_path).method == "full walk"


@pytest.mark.heavy
def test_an_export_cut_in_its_last_line_replaces_nothing(tmp_path: Path) -> None:
    tenant = large()
    tenant.exports.ragged = True
    assert run_sync(tmp_path, tenant, "apps").failed == ()
    assert mirrored(tmp_path, "apps") == true_rows(tenant.world, "apps")


def lose_an_app(world: World, device: str) -> None:
    world.remove_app(device, next(row["bundle_id"] for row in world.truth("apps") if row["device_id"] == device))
    world.swap_app(device)


@pytest.mark.heavy
def test_an_export_is_the_table_of_the_moment_it_was_ordered(tmp_path: Path) -> None:
    tenant = large()
    rows = true_rows(tenant.world, "apps")
    tenant.between("/prism/export/", lambda world: world.advance(1))
    run_sync(tmp_path, tenant, "apps")
    assert mirrored(tmp_path, "apps") == rows


@pytest.mark.heavy
def test_what_changes_between_counting_and_counting_again_is_caught_up_with(tmp_path: Path) -> None:
    tenant = large()
    devices = sorted({row["device_id"] for row in tenant.world.truth("apps")})

    def change(pattern: str, some: list[str]) -> None:
        def once(world: World) -> None:
            tenant.between(pattern, None)
            world.wait(timedelta(minutes=2))
            for device in some:
                lose_an_app(world, device)

        tenant.between(pattern, once)

    change("/prism/count", devices[:3])
    change("/prism/export/", devices[5:9])
    assert run_sync(tmp_path, tenant, "apps").failed == ()
    assert differing(tmp_path, tenant.world, volatile=False, tables=("apps",)) == []
    assert (apps_of(tmp_path).method, paths(tenant)["order"]) == ("export", 1)


@pytest.mark.heavy(quick_every=4)
@pytest.mark.parametrize(
    ("kind", "times"), [(Trouble.RESET, 1), (Trouble.TORN, 2), (Trouble.SERVER_ERROR, 1), (Trouble.FORBIDDEN, 1)]
)
def test_a_download_that_breaks_is_tried_again(tmp_path: Path, kind: Trouble, times: int) -> None:
    tenant = large()
    tenant.faults.append(Fault("/visibility-export/", kind, times=times))
    assert run_sync(tmp_path, tenant, "apps").failed == ()
    assert (mirrored(tmp_path, "apps"), apps_of(tmp_path).method) == (true_rows(tenant.world, "apps"), "export")


@pytest.mark.heavy
def test_an_expired_address_leaves_the_pages(tmp_path: Path) -> None:
    tenant = large()
    tenant.exports.valid_seconds = -1.0
    assert run_sync(tmp_path, tenant, "apps").failed == ()
    assert mirrored(tmp_path, "apps") == true_rows(tenant.world, "apps")


@pytest.mark.heavy
def test_without_an_exact_count_an_export_of_nearly_the_previous_size_is_taken(tmp_path: Path) -> None:
    tenant = large(quirks=Quirks(approximate_counts_from=1))
    run_sync(tmp_path, tenant, "apps")
    assert (mirrored(tmp_path, "apps"), apps_of(tmp_path).method) == (true_rows(tenant.world, "apps"), "export")
    assert apps_of(tmp_path).checked_at is None


@pytest.mark.heavy
def test_a_count_that_always_lies_does_not_keep_the_table_from_being_mirrored(tmp_path: Path) -> None:
    tenant = large()
    tenant.reshape("/prism/count", lambda body: {**body, "count": body["count"] + 77})
    for _ in range(2):  # a difference that is new may be rows of a fleet that moved
        assert run_sync(tmp_path, tenant, "apps").failed == ()
        assert mirrored(tmp_path, "apps") == true_rows(tenant.world, "apps")
    tenant.requests.clear()
    assert run_sync(tmp_path, tenant, "apps").failed == ()
    # one page of what changed, two of what was collected within the overlap
    assert (apps_of(tmp_path).surplus, paths(tenant)) == (77, {"page": 3, "count": 1})


@pytest.mark.slow
@pytest.mark.parametrize("rough", [100_000, 1])
def test_the_same_wrong_page_twice_removes_nothing_that_is_still_counted(tmp_path: Path, rough: int) -> None:
    tenant = make_tenant(60, quirks=Quirks(approximate_counts_from=rough))
    run_sync(tmp_path, tenant, "prism_local_users")
    known = mirrored(tmp_path, "prism_local_users")
    tenant.reshape("prism/local_users$", lambda page: {**page, "data": page["data"][:9], "cursor": None, "total": 9})
    (failed,) = run_sync(tmp_path, tenant, "prism_local_users", everything=True).failed
    assert "3 readings brought 9, 9, 9" in str(failed.error)
    assert mirrored(tmp_path, "prism_local_users") == known
    tenant.reshape("prism/local_users$", None)
    run_sync(tmp_path, tenant, "prism_local_users")
    assert differing(tmp_path, tenant.world, tables=("prism_local_users",)) == []


@pytest.mark.slow
def test_pages_that_do_not_fit_into_the_hour_leave_the_old_rows(tmp_path: Path) -> None:
    tenant = large()
    run_sync(tmp_path, tenant, "apps")
    rows = mirrored(tmp_path, "apps")
    tenant.exports.error = "out of memory"
    tenant.reshape("/prism/count", lambda body: {**body, "count": 600_000})
    tenant.world.advance(2)

    def nearly_spent(request: Request) -> Response:
        response = tenant.handle(request)
        return replace(response, headers={**response.headers, "x-ratelimit-remaining-hour": "1900"})

    client = client_of(nearly_spent, tenant.fetch)
    report = sync(tmp_path, "loopback", client, names=["apps"], everything=True)
    assert "2,000 pages do not fit into the 1,900 requests" in str(report.outcomes[0].error)
    assert (mirrored(tmp_path, "apps"), apps_of(tmp_path).state) == (rows, State.FAILED)


@pytest.mark.slow
def test_a_table_whose_rows_repeat_is_exact_and_always_read_as_a_whole(tmp_path: Path) -> None:
    tenant = make_tenant(200)
    for _ in range(2):
        run_sync(tmp_path, tenant, "prism_certificates")
        assert mirrored(tmp_path, "prism_certificates") == true_rows(tenant.world, "prism_certificates")
        tenant.world.advance(8)
    assert manifest_of(tmp_path).tables["prism_certificates"].method == "export"
