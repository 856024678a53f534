"""The audit log only grows, at its front: reading stops at what is known, and nothing is ever deleted."""

from datetime import timedelta
from pathlib import Path

import pytest
from support import make_tenant, manifest_of, mirrored, run_sync, true_rows

from kandji_simulator import Tenant


def pages(tenant: Tenant) -> int:
    return sum(request.path == "/api/v1/audit/events" for request in tenant.requests)


def eventful(devices: int = 700) -> Tenant:
    """A tenant with several pages of events."""
    tenant = make_tenant(devices)
    happen(tenant, 1_300)
    return tenant


def happen(tenant: Tenant, events: int) -> None:
    """So many events, one after the other."""
    device, (blueprint, *_) = tenant.world.device_ids()[0], tenant.world.blueprint_ids()
    for _ in range(events):
        tenant.world.wait(timedelta(seconds=2))
        tenant.world.assign_blueprint(device, blueprint)


@pytest.mark.slow
def test_the_first_time_everything_is_read_and_then_one_page(tmp_path: Path) -> None:
    tenant = eventful()
    run_sync(tmp_path, tenant, "audit_events")
    assert mirrored(tmp_path, "audit_events") == true_rows(tenant.world, "audit_events")
    assert pages(tenant) >= 3
    tenant.requests.clear()
    file = manifest_of(tmp_path).tables["audit_events"].file
    run_sync(tmp_path, tenant, "audit_events")
    assert (pages(tenant), manifest_of(tmp_path).tables["audit_events"].file) == (1, file)


@pytest.mark.heavy
def test_new_events_are_added_and_many_are_read_to_the_known_ones(tmp_path: Path) -> None:
    tenant = make_tenant(50)
    run_sync(tmp_path, tenant, "audit_events")
    for count, needed in ((3, 1), (700, 2)):
        happen(tenant, count)
        tenant.requests.clear()
        run_sync(tmp_path, tenant, "audit_events")
        assert mirrored(tmp_path, "audit_events") == true_rows(tenant.world, "audit_events")
        assert pages(tenant) == needed


def test_events_the_provider_no_longer_lists_stay(tmp_path: Path) -> None:
    tenant = make_tenant(50)
    run_sync(tmp_path, tenant, "audit_events")
    before = mirrored(tmp_path, "audit_events")
    tenant.reshape("/audit/events", lambda page: {**page, "results": page["results"][:2], "next": None})
    run_sync(tmp_path, tenant, "audit_events", everything=True)
    assert mirrored(tmp_path, "audit_events") == before
    assert manifest_of(tmp_path).tables["audit_events"].method == "newest first"
