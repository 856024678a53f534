"""Tables that cost a request a device: read slowly, exact for what was read, and told as far as they are."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support import Clock, client_of, differing, make_tenant, manifest_of, mirrored, run_sync, synced, true_rows

from kandji_mirror.api.client import Client
from kandji_mirror.api.rate_limit import Sleep
from kandji_mirror.store.opening import open_store
from kandji_mirror.sync.run import SyncRequest, run_request, sync
from kandji_mirror.sync.swept_table import part_in
from kandji_schema.manifest import State, TableState
from kandji_schema.registry import resources
from kandji_simulator import TOKEN, Fault, Tenant
from kandji_simulator import FaultKind as Trouble

SWEPT = tuple(r.name for r in resources().values() if r.swept)
STATUS = ("device_library_items", "device_parameters")


def state_of(home: Path, table: str) -> TableState:
    return manifest_of(home).tables[table]


def per_device(tenant: Tenant, last: str = "(details|status|apps)") -> int:
    return sum(bool(re.fullmatch(f"/api/v1/devices/[^/]+/{last}", request.path)) for request in tenant.requests)


def begun(home: Path, devices: int = 20) -> Tenant:
    """A tenant whose device list is mirrored."""
    return synced(home, devices, "devices")


def at(hours: float) -> Callable[[], datetime]:
    moment = datetime.now(UTC) + timedelta(hours=hours)
    return lambda: moment


@pytest.mark.heavy
def test_every_device_is_read_and_one_answer_fills_both_tables_of_its_path(tmp_path: Path) -> None:
    tenant = begun(tmp_path)
    run_sync(tmp_path, tenant, *SWEPT)
    assert differing(tmp_path, tenant.world, tables=SWEPT) == []
    assert (per_device(tenant, "details"), per_device(tenant, "status")) == (20, 20)
    assert {state_of(tmp_path, name).method for name in SWEPT} == {"sweep"}


@pytest.mark.heavy
def test_a_budget_is_shared_and_what_is_unread_is_told(tmp_path: Path) -> None:
    tenant = begun(tmp_path)
    run_sync(tmp_path, tenant, everything=True, sweep=24)
    details = state_of(tmp_path, "device_details")
    assert (per_device(tenant), per_device(tenant, ".*")) == (8, 24)
    assert (details.state, details.rows) == (State.PARTIAL, 4)
    assert details.note == (
        "4 of 20 devices read; `kandji-mirror sync device_details` reads the rest at one request each"
    )
    assert part_in(details.note) == "4 of 20"


@pytest.mark.heavy
def test_a_sweep_goes_on_where_it_was_and_then_follows_what_the_list_tells(tmp_path: Path) -> None:
    tenant = begun(tmp_path)
    run_sync(tmp_path, tenant, everything=True, sweep=24)
    tenant.requests.clear()
    run_sync(tmp_path, tenant, "device_details")
    assert (per_device(tenant), state_of(tmp_path, "device_details").state) == (16, State.OK)
    tenant.requests.clear()
    tenant.world.wait(timedelta(hours=1))
    tenant.world.update_os(tenant.world.device_ids()[0])
    run_sync(tmp_path, tenant, "devices", "device_details")
    assert per_device(tenant) == 1
    assert differing(tmp_path, tenant.world, tables=("device_details",)) == []


@pytest.mark.heavy
def test_a_table_is_as_old_as_the_oldest_reading_of_its_devices(tmp_path: Path) -> None:
    tenant = begun(tmp_path)
    run_sync(tmp_path, tenant, "device_details", wall=(first := at(0)))
    tenant.world.check_in(tenant.world.device_ids()[0])
    run_sync(tmp_path, tenant, "devices", "device_details", wall=(second := at(1)))
    state = state_of(tmp_path, "device_details")
    assert (state.synced_at, state.attempted_at) == (first(), second())


@pytest.mark.heavy
def test_a_day_later_every_device_is_read_again(tmp_path: Path) -> None:
    tenant = begun(tmp_path)
    run_sync(tmp_path, tenant, "device_details")
    tenant.requests.clear()
    run_sync(tmp_path, tenant, "device_details")
    assert per_device(tenant) == 0
    run_sync(tmp_path, tenant, "device_details", wall=at(25))
    assert per_device(tenant) == 20


@pytest.mark.heavy
def test_a_device_that_left_the_list_takes_its_rows_with_it(tmp_path: Path) -> None:
    tenant = begun(tmp_path)
    run_sync(tmp_path, tenant, *SWEPT)
    tenant.world.remove(tenant.world.device_ids()[2])
    run_sync(tmp_path, tenant, "devices", *SWEPT)
    assert differing(tmp_path, tenant.world, tables=SWEPT) == []


@pytest.mark.heavy
def test_a_device_that_went_between_list_and_detail_takes_its_rows_with_it(tmp_path: Path) -> None:
    tenant = begun(tmp_path)
    run_sync(tmp_path, tenant, *SWEPT)
    gone = tenant.world.device_ids()[2]
    tenant.world.remove(gone)
    run_sync(tmp_path, tenant, *SWEPT, wall=at(25))
    assert gone not in {row[0] for name in SWEPT for row in mirrored(tmp_path, name)}


@pytest.mark.heavy
def test_a_device_that_is_there_but_has_no_answer_keeps_its_rows(tmp_path: Path) -> None:
    tenant = begun(tmp_path)
    run_sync(tmp_path, tenant, *SWEPT)
    rows = mirrored(tmp_path, "device_details")
    tenant.faults.append(Fault(f"{tenant.world.device_ids()[2]}/details", Trouble.NOT_FOUND, times=9))
    run_sync(tmp_path, tenant, "device_details", everything=True)
    assert (mirrored(tmp_path, "device_details"), state_of(tmp_path, "device_details").state) == (rows, State.OK)


@pytest.mark.slow
def test_an_empty_answer_is_believed_at_the_second_look(tmp_path: Path) -> None:
    tenant = begun(tmp_path)
    run_sync(tmp_path, tenant, *STATUS)
    tenant.faults.append(Fault("/status", Trouble.ARRAY_BODY, times=1))
    run_sync(tmp_path, tenant, *STATUS, everything=True)
    assert differing(tmp_path, tenant.world, tables=STATUS) == []


@pytest.mark.heavy
def test_a_device_whose_answer_fails_is_read_the_next_time(tmp_path: Path) -> None:
    tenant = begun(tmp_path)
    tenant.faults.append(Fault(f"{tenant.world.device_ids()[2]}/details", Trouble.SERVER_ERROR, times=6))
    run_sync(tmp_path, tenant, "device_details")
    state = state_of(tmp_path, "device_details")
    assert (state.state, state.rows) == (State.PARTIAL, 19)
    assert str(state.error).startswith("1 device could not be read now:")
    tenant.requests.clear()
    run_sync(tmp_path, tenant, "device_details")
    assert (per_device(tenant), differing(tmp_path, tenant.world, tables=("device_details",))) == (1, [])


def test_a_server_that_fails_every_device_is_given_up(tmp_path: Path) -> None:
    tenant = begun(tmp_path, 60)
    tenant.faults.append(Fault("/details", Trouble.SERVER_ERROR, times=9_999))
    (failed,) = run_sync(tmp_path, tenant, "device_details").failed
    assert "500" in str(failed.error)
    assert per_device(tenant) < 60 * 6


def test_a_sweep_without_permission_is_a_state(tmp_path: Path) -> None:
    tenant = begun(tmp_path)
    tenant.faults.append(Fault("/details", Trouble.FORBIDDEN, times=9_999))
    assert run_sync(tmp_path, tenant, "device_details").failed == ()
    state = state_of(tmp_path, "device_details")
    assert state.state is State.FORBIDDEN
    assert str(state.error).startswith("No permission or not licensed: ")


@pytest.mark.heavy
def test_a_lost_data_file_is_read_anew_whatever_the_ledger_says(tmp_path: Path) -> None:
    tenant = begun(tmp_path)
    run_sync(tmp_path, tenant, "device_details")
    (tmp_path / "store" / "data" / str(state_of(tmp_path, "device_details").file)).unlink()
    run_sync(tmp_path, tenant, "device_details")
    assert differing(tmp_path, tenant.world, tables=("device_details",)) == []


def test_a_sweep_without_a_device_list_says_what_it_needs(tmp_path: Path) -> None:
    (failed,) = run_sync(tmp_path, make_tenant(5), "device_details").failed
    assert failed.error == "device_details needs devices, which could not be read yet."


# -- apps without Prism ---------------------------------------------------------------------------------------------


def identities(home: Path) -> set[tuple[object, ...]]:
    columns = [c.name for c in resources()["apps"].columns if c.name != "extra"]
    wanted = [columns.index(name) for name in ("device_id", "name", "bundle_id", "version")]
    return {tuple(row[place] for place in wanted) for row in mirrored(home, "apps")}


def test_apps_come_device_by_device_where_the_token_may_not_read_prism(tmp_path: Path) -> None:
    tenant = begun(tmp_path)
    tenant.forbid("/api/v1/prism")
    report = run_sync(tmp_path, tenant, "apps")
    assert (report.failed, state_of(tmp_path, "apps").method) == ((), "per device")
    assert per_device(tenant, "apps") == 20
    per_device_rows = identities(tmp_path)
    tenant.allow("/api/v1/prism")
    run_sync(tmp_path, tenant, "apps")
    assert identities(tmp_path) <= per_device_rows
    assert mirrored(tmp_path, "apps") == true_rows(tenant.world, "apps")


@pytest.mark.slow
def test_one_refusal_does_not_give_up_the_rows_of_prism(tmp_path: Path) -> None:
    tenant = begun(tmp_path)
    run_sync(tmp_path, tenant, "apps")
    rows = mirrored(tmp_path, "apps")
    tenant.forbid("/api/v1/prism")
    run_sync(tmp_path, tenant, "apps")
    assert (mirrored(tmp_path, "apps"), state_of(tmp_path, "apps").state) == (rows, State.FORBIDDEN)
    in_background(tmp_path, tenant, at(0))
    assert (per_device(tenant, "apps"), state_of(tmp_path, "apps").method) == (5, "per device")
    assert len(mirrored(tmp_path, "apps")) > len(rows) / 2


@pytest.mark.heavy
def test_in_the_background_prism_is_tried_again_a_day_later(tmp_path: Path) -> None:
    tenant = begun(tmp_path)
    tenant.forbid("/api/v1/prism")
    in_background(tmp_path, tenant, at(0))
    assert (per_device(tenant, "apps"), state_of(tmp_path, "apps").state) == (5, State.PARTIAL)
    tenant.allow("/api/v1/prism")
    in_background(tmp_path, tenant, at(0))
    assert state_of(tmp_path, "apps").method == "per device"
    in_background(tmp_path, tenant, at(25))
    assert mirrored(tmp_path, "apps") == true_rows(tenant.world, "apps")
    assert state_of(tmp_path, "apps").method == "full walk"


def in_background(home: Path, tenant: Tenant, wall: Callable[[], datetime]) -> None:
    with open_store(home, "loopback", resources(), wall) as store:
        request = SyncRequest(("apps",), sweep=5)
        run_request(store, client_of(tenant.handle, tenant.fetch), request)


@pytest.mark.parametrize("table", ["prism_filevault", "threats"])
def test_a_table_without_another_way_names_why_it_cannot_be_read(tmp_path: Path, table: str) -> None:
    tenant = begun(tmp_path)
    tenant.forbid(resources()[table].path)
    assert run_sync(tmp_path, tenant, table).failed == ()
    says = "Not licensed or no permission: " if table == "threats" else "No permission or not licensed: "
    assert str(state_of(tmp_path, table).error).startswith(says)


def test_a_list_the_provider_does_not_have_is_a_state_too(tmp_path: Path) -> None:
    tenant = begun(tmp_path)
    tenant.faults.append(Fault("/threat-details", Trouble.NOT_FOUND_PAGE, times=9))
    assert run_sync(tmp_path, tenant, "threats").failed == ()
    assert state_of(tmp_path, "threats").state is State.ABSENT


@pytest.mark.heavy
def test_a_long_sweep_is_published_every_minute(tmp_path: Path) -> None:
    tenant = make_tenant(200, apps=1)
    run_sync(tmp_path, tenant, "devices")
    clock = Clock()

    class Slow:
        def acquire(self, timeout: float, sleep: Sleep = clock.sleep) -> None:
            sleep(1.0)

    client = Client(tenant.handle, TOKEN, Slow(), fetch=tenant.fetch, clock=clock.read, sleep=clock.sleep)
    before = manifest_of(tmp_path).generation
    report = sync(tmp_path, "loopback", client, names=("device_details",))
    assert (report.failed, state_of(tmp_path, "device_details").state) == ((), State.OK)
    assert manifest_of(tmp_path).generation - before >= 4  # 200 devices of a second each
