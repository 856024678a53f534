"""What a damaged answer left out comes back at the next pass, though nothing says that it changed."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support import make_tenant, manifest_of, mirrored, run_sync, slow_but, true_rows

from kandji_simulator.api.drift import each_row, first_row, with_value

CASES = (
    ("prism_filevault", "prism/filevault", "status"),
    ("apps", "prism/apps", "version"),
    ("apps", "prism/apps", "bundle_id"),
    ("devices", "/devices([?]|$)", "device_name"),
    ("blueprint_library_items", "list-library-items", "name"),
    ("device_details", "/details$", "tags"),
    ("device_notes", "/notes", "content"),
    ("device_activity", "/activity", "action_type"),
    ("library_item_activity", "/library-items/.*/activity", "activity_type"),
    ("audit_events", "/audit/events", "action"),
)


FEW = 5


def spoiling(field: str) -> Callable[[Any], Any]:
    """The change that puts an object into that field of the first row of a few answers."""
    change, left = first_row(with_value(field, {"odd": 1})), iter(range(FEW))

    def spoil(body: Any) -> Any:
        if next(left, None) is None:
            return body
        inner = body.get("activity") if isinstance(body, dict) else None
        return {**body, "activity": change(inner)} if isinstance(inner, dict) else change(body)

    return spoil


@pytest.mark.many(quick_every=4, keeps="heavy")
@pytest.mark.parametrize("damaged_passes", slow_but(1, of=[1, 2]))
@pytest.mark.parametrize(("table", "path", "field"), CASES)
def test_damage_heals(tmp_path: Path, table: str, path: str, field: str, damaged_passes: int) -> None:
    tenant = make_tenant(20, apps=2)
    run_sync(tmp_path, tenant, "devices", "blueprints", "blueprint_library_items", table, everything=True)
    truth = true_rows(tenant.world, table)
    assert mirrored(tmp_path, table) == truth
    for number in range(damaged_passes):
        tenant.reshape(path, spoiling(field))
        run_sync(tmp_path, tenant, table, everything=not number)
        assert manifest_of(tmp_path).tables[table].drift.odd[field]
    tenant.reshape(path, None)
    run_sync(tmp_path, tenant, table)
    assert mirrored(tmp_path, table) == truth


def with_odd_version(device: str, row: dict[str, Any]) -> dict[str, Any]:
    """The row, with a list for its version where it is one of that device."""
    return {**row, "version": []} if row["device_id"] == device else row


@pytest.mark.heavy
def test_damage_that_moves_to_another_device_heals_too(tmp_path: Path) -> None:
    tenant = make_tenant(20, apps=2)
    run_sync(tmp_path, tenant, "devices", "apps")
    truth = true_rows(tenant.world, "apps")
    for device in tenant.world.device_ids()[:2]:  # as many odd values each time
        change = each_row(partial(with_odd_version, device))
        tenant.reshape("prism/apps", change)
        run_sync(tmp_path, tenant, "apps", everything=True)
        assert mirrored(tmp_path, "apps") != truth
    tenant.reshape("prism/apps", None)
    run_sync(tmp_path, tenant, "apps")
    assert mirrored(tmp_path, "apps") == truth


@pytest.mark.heavy
def test_what_never_fits_on_many_devices_is_asked_for_again_only_once(tmp_path: Path) -> None:
    tenant = make_tenant(20, apps=2)
    tenant.reshape("/details$", each_row(with_value("tags", {"odd": 1})))
    run_sync(tmp_path, tenant, "devices", "device_details", everything=True)
    spent = []
    for _ in range(3):
        tenant.requests.clear()
        run_sync(tmp_path, tenant, "device_details")
        spent.append(sum(request.path.endswith("/details") for request in tenant.requests))
    assert spent == [20, 0, 0]
