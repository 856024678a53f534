"""One device read now: all its rows, in every table, at one moment, and nothing of the others."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support import client_of, differing, make_tenant, manifest_of, mirrored, run_sync, synced, true_rows, values_of

from kandji_mirror.capabilities import open_state
from kandji_mirror.report import Report
from kandji_mirror.sync.devices import find_device
from kandji_mirror.sync.run import sync_devices
from kandji_schema.errors import AuthenticationError, NothingMirrored, Suspicious, UnknownName, UsageError
from kandji_schema.manifest import State
from kandji_schema.registry import resources
from kandji_schema.tables.devices import DEVICES
from kandji_simulator import Fault, Tenant
from kandji_simulator import FaultKind as Trouble

SOME = (
    "devices",
    "apps",
    "prism_filevault",
    "prism_certificates",
    "prism_cellular",
    "device_details",
    "device_library_items",
)
"""One table of each way of reading; the others differ from them by their columns alone."""
FEW = ("devices", "apps", "prism_filevault")


def begun() -> Tenant:
    """The same tenant each time, byte for byte."""
    return make_tenant(8, apps=4)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with those tables of it."""
    home = tmp_path_factory.mktemp("whole")
    synced(home, 8, *SOME, apps=4)
    return home


@pytest.fixture
def tenant(tmp_path: Path, whole: Path) -> Tenant:
    """The tenant, mirrored in those tables."""
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    return begun()


def renew(home: Path, tenant: Tenant, *devices: str, **facts: Any) -> Report:
    client = client_of(tenant.handle, tenant.fetch)
    return sync_devices(home, "loopback", client, devices, **{"names": SOME, **facts})


def a_mac(tenant: Tenant, place: int = 0) -> str:
    return sorted({str(row["device_id"]) for row in tenant.world.truth("prism_filevault")})[place]


def of_others(home: Path, device: str) -> dict[str, list[Any]]:
    return {name: [row for row in mirrored(home, name) if device not in row] for name in SOME}


def changed_everywhere(tenant: Tenant, device: str) -> None:
    world = tenant.world
    world.wait(timedelta(hours=2))
    world.rename(device, "Quite another name")
    world.set_tags(device, ["loaner"] if "loaner" in world.tags else [next(iter(world.tags))])
    world.swap_app(device)
    world.set_status(device, next(iter(world.device(device).blueprint.items)), "ERROR")  # type: ignore[union-attr]


@pytest.mark.heavy
def test_a_device_is_exact_everywhere_and_the_others_are_as_they_were(tmp_path: Path, tenant: Tenant) -> None:
    device, other = a_mac(tenant), a_mac(tenant, 1)
    before = of_others(tmp_path, device)
    changed_everywhere(tenant, device)
    changed_everywhere(tenant, other)
    generation = manifest_of(tmp_path).generation
    report = renew(tmp_path, tenant, device)
    assert {o.state for o in report.outcomes} == {State.OK}
    assert manifest_of(tmp_path).generation == generation + 1
    for name in SOME:
        truth = [row for row in true_rows(tenant.world, name) if device in row]
        assert [row for row in mirrored(tmp_path, name) if device in row] == truth, name
    assert of_others(tmp_path, device) == before


@pytest.mark.heavy
def test_it_costs_one_request_a_list_and_one_a_category_of_the_platform(tmp_path: Path, tenant: Tenant) -> None:
    report = renew(tmp_path, tenant, a_mac(tenant))
    assert report.requests == len(tenant.requests) == len(SOME) - 1  # cellular is of iPhones and iPads
    assert sum(o.requests for o in report.outcomes) == report.requests
    assert not any(o.changed for o in report.outcomes)


@pytest.mark.heavy
def test_many_devices_share_the_requests_of_prism(tmp_path: Path, tenant: Tenant) -> None:
    macs = sorted({row["device_id"] for row in tenant.world.truth("prism_filevault")})[:3]
    for device in macs:
        changed_everywhere(tenant, device)
    renew(tmp_path, tenant, *macs, names=FEW)
    assert sum("/prism/" in request.path for request in tenant.requests) == 2
    assert len([r for r in mirrored(tmp_path, "devices") if "Quite another name" in r]) == 3


@pytest.mark.heavy
def test_what_is_due_and_where_increments_begin_does_not_move(tmp_path: Path, tenant: Tenant) -> None:
    before = manifest_of(tmp_path).tables
    device = a_mac(tenant)
    changed_everywhere(tenant, device)
    changed_everywhere(tenant, a_mac(tenant, 1))
    renew(tmp_path, tenant, device, names=FEW, wall=lambda: datetime.now(UTC) + timedelta(hours=1))
    after = manifest_of(tmp_path).tables
    facts = [(t.attempted_at, t.read_days, t.watermark, t.whole_at, t.requests) for t in after.values()]
    assert facts == [(t.attempted_at, t.read_days, t.watermark, t.whole_at, t.requests) for t in before.values()]
    assert [t.ttl_seconds for t in after.values()] == [t.ttl_seconds for t in before.values()]
    run_sync(tmp_path, tenant, *FEW)
    assert differing(tmp_path, tenant.world, volatile=False, tables=FEW) == []


@pytest.mark.slow
def test_a_device_that_is_gone_is_closed_everywhere(tmp_path: Path, tenant: Tenant) -> None:
    device = a_mac(tenant)
    tenant.world.remove(device)
    report = renew(tmp_path, tenant, device)
    assert {o.state for o in report.outcomes} == {State.OK}
    assert differing(tmp_path, tenant.world, tables=SOME) == []
    with open_state(tmp_path) as state:
        assert device not in state.ledger.readings("device_details")
    assert sum(request.path.startswith("/api/v1/devices") for request in tenant.requests) == 2


def test_a_404_of_a_listed_device_deletes_nothing(tmp_path: Path, tenant: Tenant) -> None:
    device = a_mac(tenant)
    before = manifest_of(tmp_path)
    tenant.faults.append(Fault(f"/devices/{device}(\\?|$)", Trouble.NOT_FOUND, times=9))
    with pytest.raises(Suspicious, match="is listed"):
        renew(tmp_path, tenant, device)
    assert manifest_of(tmp_path) == before


def test_a_new_device_is_added_everywhere(tmp_path: Path, tenant: Tenant) -> None:
    device = tenant.world.enrol(name="Brand new")
    renew(tmp_path, tenant, device, names=FEW)
    assert differing(tmp_path, tenant.world, tables=FEW) == []


def test_an_empty_answer_is_believed_at_the_second_look(tmp_path: Path, tenant: Tenant) -> None:
    device, apps = a_mac(tenant), mirrored(tmp_path, "apps")
    good = tenant.handle

    def once_empty(request: Any) -> Any:
        answer = good(request)
        if request.path.endswith("/prism/apps") and not emptied:
            emptied.append(request)
            return type(answer)(200, answer.headers, json.dumps({"data": [], "cursor": None, "total": 0}).encode())
        return answer

    emptied: list[Any] = []
    sync_devices(tmp_path, "loopback", client_of(once_empty), [device], names=["apps"])
    assert mirrored(tmp_path, "apps") == apps
    assert sum(request.path.endswith("/prism/apps") for request in tenant.requests) == 2


def test_a_table_that_cannot_be_asked_is_told_and_keeps_state_and_rows(tmp_path: Path, tenant: Tenant) -> None:
    device = a_mac(tenant)
    before = manifest_of(tmp_path).tables
    changed_everywhere(tenant, device)
    tenant.faults.append(Fault("prism/apps", Trouble.SERVER_ERROR, times=99))
    tenant.faults.append(Fault("prism/filevault", Trouble.FORBIDDEN, times=99))
    report = renew(tmp_path, tenant, device, names=FEW)
    states = {o.table: o.state for o in report.outcomes}
    assert (states.pop("apps"), states.pop("prism_filevault")) == (State.FAILED, State.FORBIDDEN)
    assert set(states.values()) == {State.OK}
    assert [o.table for o in report.failed] == ["apps"]
    after = manifest_of(tmp_path).tables
    assert (after["apps"], after["prism_filevault"]) == (before["apps"], before["prism_filevault"])
    assert after["devices"].file != before["devices"].file


@pytest.mark.slow
@pytest.mark.parametrize("trouble", [Trouble.BAD_REQUEST, Trouble.TOTAL_ABSENT])
def test_where_prism_ignores_or_refuses_the_filter_the_table_is_read_as_usual(
    tmp_path: Path, tenant: Tenant, trouble: Trouble
) -> None:
    device = a_mac(tenant)
    changed_everywhere(tenant, device)
    good = tenant.handle

    def deaf(request: Any) -> Any:
        query = dict(request.query)
        if trouble is Trouble.BAD_REQUEST and "device_id" in query.get("filter", ""):
            return type(good(request))(400, {}, b'{"detail":"Unknown filter."}')
        query.pop("filter", None)
        return good(type(request)(request.method, request.path, tuple(query.items()), request.headers, request.body))

    report = sync_devices(tmp_path, "loopback", client_of(deaf), [device], names=["apps", "prism_filevault"])
    assert {o.state for o in report.outcomes} == {State.OK}
    for name in ("apps", "prism_filevault"):
        assert differing(tmp_path, tenant.world, tables=[name]) == []


@pytest.mark.heavy
def test_named_tables_only_cost_what_they_need(tmp_path: Path, tenant: Tenant) -> None:
    device = a_mac(tenant)
    changed_everywhere(tenant, device)
    report = renew(tmp_path, tenant, device, names=["device_details"])
    assert (report.requests, {o.table for o in report.outcomes}) == (2, {"devices", "device_details"})
    assert values_of("devices", next(r for r in tenant.world.truth("devices") if r["device_id"] == device)) in mirrored(
        tmp_path, "devices"
    )


@pytest.mark.heavy
def test_a_table_that_is_not_mirrored_is_left_alone(tmp_path: Path) -> None:
    tenant = make_tenant(5, apps=3)
    run_sync(tmp_path, tenant, "devices")
    report = renew(tmp_path, tenant, tenant.world.device_ids()[0], names=["apps", "device_details"])
    assert {o.table: (o.state, o.rows) for o in report.outcomes} == {
        "devices": (State.OK, 5),
        "apps": (State.NEVER, 0),
        "device_details": (State.OK, 1),
    }
    assert manifest_of(tmp_path).tables["device_details"].state is State.PARTIAL
    assert manifest_of(tmp_path).tables["apps"].file is None


@pytest.mark.heavy
def test_without_prism_its_apps_come_from_the_device_itself(tmp_path: Path) -> None:
    tenant = make_tenant(6, apps=5)
    tenant.faults.append(Fault("/prism/", Trouble.FORBIDDEN, times=9_999))
    run_sync(tmp_path, tenant, "devices", "apps")
    device = a_mac(tenant)
    tenant.world.swap_app(device)
    tenant.requests.clear()
    report = renew(tmp_path, tenant, device, names=["apps"])
    assert {o.state for o in report.outcomes} == {State.OK}
    assert [r.path.rpartition("/")[2] for r in tenant.requests] == [device, "apps"]
    names = {row["app_name"] for row in tenant.world.apps_of(device)}
    column = [c.name for c in resources()["apps"].columns].index("name")
    assert {row[column] for row in mirrored(tmp_path, "apps") if device in row} == names


def test_a_wrong_token_and_an_empty_home_are_errors_of_the_run(tmp_path: Path, tenant: Tenant) -> None:
    device = a_mac(tenant)
    with pytest.raises(NothingMirrored, match="kandji-mirror sync"):
        renew(tmp_path / "empty", tenant, device)
    tenant.faults.append(Fault("/", Trouble.UNAUTHORIZED, times=99))
    with pytest.raises(AuthenticationError):
        renew(tmp_path, tenant, device)


@pytest.mark.parametrize(
    ("devices", "names", "error"),
    [((), (), UsageError), ((" ",), (), UsageError), (("x",), ("tags",), UsageError), (("x",), ("nope",), UnknownName)],
)
def test_a_wish_that_makes_no_sense_sends_nothing(
    tmp_path: Path, tenant: Tenant, devices: tuple[str, ...], names: tuple[str, ...], error: type[Exception]
) -> None:
    with pytest.raises(error):
        renew(tmp_path, tenant, *devices, names=names)
    assert not tenant.requests


# -- which device is meant -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["device_id", "serial_number", "device_name"])
def test_a_device_is_found_by_each_of_its_names_without_a_request(tmp_path: Path, tenant: Tenant, name: str) -> None:
    row = next(iter(tenant.world.truth("devices")))
    client = client_of(tenant.handle)
    assert find_device(tmp_path, client, f" {row[name].upper()} ") == row["device_id"]
    assert not tenant.requests


@pytest.mark.parametrize("name", ["device_id", "serial_number", "device_name"])
def test_a_device_that_is_not_mirrored_yet_is_asked_for(tmp_path: Path, tenant: Tenant, name: str) -> None:
    device = tenant.world.enrol(name="Brand new")
    row = next(row for row in tenant.world.truth("devices") if row["device_id"] == device)
    assert find_device(tmp_path, client_of(tenant.handle), row[name]) == device


def test_a_part_of_a_name_and_a_name_of_two_are_refused(tmp_path: Path, tenant: Tenant) -> None:
    client = client_of(tenant.handle)
    first = next(iter(tenant.world.truth("devices")))
    with pytest.raises(UsageError, match="There is no device"):
        find_device(tmp_path, client, first["serial_number"][:5])
    with pytest.raises(UsageError, match="IMEI, MAC address or phone number is not taken here: `search` tells whose"):
        find_device(tmp_path, client, "359123456789012")
    for device in tenant.world.device_ids()[:2]:
        tenant.world.rename(device, "Twin")
    run_sync(tmp_path, tenant, DEVICES.name)
    with pytest.raises(UsageError, match="2 devices are called 'twin'"):
        find_device(tmp_path, client, "twin")
