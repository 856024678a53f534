"""Lists of one device that come in pages: activity only grows and none of it is lost; commands and notes are exact."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support import client_of, differing, make_tenant, manifest_of, mirrored, run_sync, true_rows

from kandji_mirror.report import Report
from kandji_mirror.sync.run import sync_devices
from kandji_schema.manifest import State
from kandji_schema.privacy import Privacy
from kandji_simulator import Fault, Tenant, World
from kandji_simulator import FaultKind as Trouble
from kandji_simulator.world.management import ENABLED, Json, Status

LISTS = ("device_activity", "device_commands", "device_notes", "lost_mode")
PAGE = 300


def begun(home: Path, devices: int = 8) -> Tenant:
    """A tenant whose device list is mirrored."""
    tenant = make_tenant(devices, apps=1)
    run_sync(home, tenant, "devices")
    tenant.requests.clear()
    return tenant


def renew(home: Path, tenant: Tenant, device: str, *names: str, **facts: Any) -> Report:
    client = client_of(tenant.handle, tenant.fetch)
    return sync_devices(home, "loopback", client, [device], names=names or ("device_activity",), **facts)


def happen(world: World, device: str, events: int) -> list[Json]:
    """So many more events, a second apart; they come at the end of the device's list."""
    for number in range(events):
        world.wait(timedelta(seconds=1))
        world.record_activity(world.device(device), "name_changed", {"to": f"name {number}"})
    return world.managed(device).activity


def asked(tenant: Tenant, last: str) -> list[dict[str, str]]:
    """The queries of requests for a list of a device, forgotten afterwards."""
    found = [dict(r.query) for r in tenant.requests if r.path.startswith("/api/v1/devices/") and r.path.endswith(last)]
    tenant.requests.clear()
    return found


def numbers(home: Path, device: str) -> set[int]:
    return {row[1] for row in mirrored(home, "device_activity") if row[0] == device}


def at(hours: float) -> Callable[[], datetime]:
    moment = datetime.now(UTC) + timedelta(hours=hours)
    return lambda: moment


@pytest.mark.slow
def test_every_list_of_every_device_is_exact_and_says_how_it_was_read(tmp_path: Path) -> None:
    tenant = begun(tmp_path, 20)
    happen(tenant.world, tenant.world.device_ids()[0], 650)
    run_sync(tmp_path, tenant, *LISTS)
    assert differing(tmp_path, tenant.world, tables=LISTS) == []
    states = [manifest_of(tmp_path).tables[name] for name in LISTS]
    assert {(s.state, s.method, s.error) for s in states} == {(State.OK, "sweep", None)}
    assert all(s.rows and not s.drift.unknown and not s.drift.odd for s in states)
    assert len(asked(tenant, "/activity")) == 20 + 2
    assert {row[0] for row in mirrored(tmp_path, "lost_mode")} == {
        d.id for d in tenant.world.devices.values() if d.lost_mode == ENABLED
    }


@pytest.mark.heavy
def test_of_a_long_activity_only_the_end_is_read_again(tmp_path: Path) -> None:
    tenant = begun(tmp_path)
    device = tenant.world.device_ids()[0]
    happen(tenant.world, device, 1_000)
    renew(tmp_path, tenant, device)
    assert len(asked(tenant, "/activity")) == 4
    known = len(numbers(tmp_path, device))
    happen(tenant.world, device, 3)
    file = manifest_of(tmp_path).tables["device_activity"].file
    renew(tmp_path, tenant, device)
    assert [int(query["offset"]) for query in asked(tenant, "/activity")] == [known - 100]
    assert (len(numbers(tmp_path, device)), manifest_of(tmp_path).tables["device_activity"].file != file) == (
        known + 3,
        True,
    )
    happen(tenant.world, device, 500)
    renew(tmp_path, tenant, device)
    assert len(asked(tenant, "/activity")) == 3
    assert len(numbers(tmp_path, device)) == known + 503


@pytest.mark.heavy
def test_events_that_arrive_while_pages_are_read_are_not_lost(tmp_path: Path) -> None:
    tenant = begun(tmp_path)
    device = tenant.world.device_ids()[0]
    happen(tenant.world, device, 590)
    tenant.between("/activity", lambda world: happen(world, device, 2))
    for _ in range(3):
        before = {event["id"] for event in tenant.world.managed(device).activity}
        renew(tmp_path, tenant, device)
        assert before <= numbers(tmp_path, device)


def test_an_event_that_comes_while_another_one_goes_hides_none_though_the_count_fits(tmp_path: Path) -> None:
    tenant = begun(tmp_path)
    device = tenant.world.device_ids()[0]
    happen(tenant.world, device, 590)
    exchanges = iter(range(2))

    def exchange(world: World) -> None:
        if next(exchanges, None) is not None:
            del happen(world, device, 1)[0]

    tenant.between("/activity", exchange)
    renew(tmp_path, tenant, device)
    assert {event["id"] for event in tenant.world.managed(device).activity} <= numbers(tmp_path, device)


ORDERS: dict[str, Callable[[list[Json]], None]] = {
    "oldest first": lambda events: events.sort(key=lambda e: str(e["created_at"])),
    "newest first": lambda events: events.sort(key=lambda e: str(e["created_at"]), reverse=True),
    "in no order": lambda events: random.Random(len(events)).shuffle(events),  # noqa: S311
}


@pytest.mark.heavy(quick_every=3)
@pytest.mark.parametrize("order", ORDERS)
def test_no_event_is_lost_whatever_the_order_and_whatever_the_provider_forgets(tmp_path: Path, order: str) -> None:
    tenant = begun(tmp_path)
    device, draw = tenant.world.device_ids()[0], random.Random(7)  # noqa: S311
    ever = {event["id"] for event in happen(tenant.world, device, 700)}
    for step in range(10):
        events = happen(tenant.world, device, draw.choice((0, 1, 2, 350)))
        ever |= {event["id"] for event in events}
        if step:  # the provider forgets as many of the oldest as it likes, also exactly as many as came
            events.sort(key=lambda e: str(e["created_at"]))
            del events[: draw.choice((0, 0, 1, 2, 350))]
        ORDERS[order](events)
        ever_listed = {event["id"] for event in events}
        renew(tmp_path, tenant, device)
        assert ever_listed <= numbers(tmp_path, device) <= ever
    assert len(numbers(tmp_path, device)) > len(ever_listed)


@pytest.mark.slow
def test_a_list_sorted_the_other_way_costs_a_page_more_and_not_all_of_it(tmp_path: Path) -> None:
    tenant = begun(tmp_path)
    device = tenant.world.device_ids()[0]
    for events in (2_000, 2):
        ORDERS["newest first"](happen(tenant.world, device, events))
        tenant.requests.clear()
        renew(tmp_path, tenant, device)
    assert [int(query["offset"]) for query in asked(tenant, "/activity")][-1] == 0
    assert len(numbers(tmp_path, device)) == len(tenant.world.managed(device).activity)


@pytest.mark.heavy
def test_a_count_that_never_fits_is_believed_once_and_costs_no_more(tmp_path: Path) -> None:
    tenant = begun(tmp_path)
    device = tenant.world.device_ids()[0]
    tenant.reshape("/activity", lambda body: {**body, "activity": {**body["activity"], "count": 46}})
    renew(tmp_path, tenant, device)
    assert len(asked(tenant, "/activity")) == 4
    happen(tenant.world, device, 1)
    tenant.reshape("/activity", lambda body: {**body, "activity": {**body["activity"], "count": 47}})
    renew(tmp_path, tenant, device)
    assert len(asked(tenant, "/activity")) == 1
    assert numbers(tmp_path, device) == {event["id"] for event in tenant.world.managed(device).activity}


@pytest.mark.heavy
def test_the_activity_of_a_device_that_is_gone_goes_with_it(tmp_path: Path) -> None:
    tenant = begun(tmp_path)
    run_sync(tmp_path, tenant, *LISTS)
    listed, silent = tenant.world.device_ids()[:2]
    tenant.world.remove(listed)
    run_sync(tmp_path, tenant, "devices", *LISTS)
    assert differing(tmp_path, tenant.world, tables=LISTS) == []
    tenant.world.remove(silent)  # the list does not tell yet
    run_sync(tmp_path, tenant, *LISTS, wall=at(25))
    assert {row[0] for name in LISTS for row in mirrored(tmp_path, name)}.isdisjoint({listed, silent})


@pytest.mark.heavy
def test_a_budget_counts_pages_and_the_device_that_checked_in_last_comes_first(tmp_path: Path) -> None:
    tenant = make_tenant(20, apps=1)
    for device in tenant.world.device_ids():
        happen(tenant.world, device, 650)
    latest = [device for device in tenant.world.device_ids() if tenant.world.device(device).checked_in][7]
    tenant.world.check_in(latest)
    run_sync(tmp_path, tenant, "devices")
    tenant.requests.clear()
    run_sync(tmp_path, tenant, everything=True, sweep=12)
    assert latest in {row[0] for row in mirrored(tmp_path, "device_activity")}
    spent = sum(r.path.startswith("/api/v1/devices/") for r in tenant.requests)
    assert spent <= 12 + 8 * 2  # what eight threads had begun is finished
    assert manifest_of(tmp_path).tables["device_activity"].state is State.PARTIAL


@pytest.mark.slow
def test_commands_follow_their_state_and_a_page_that_shifts_is_read_again(tmp_path: Path) -> None:
    tenant = begun(tmp_path)
    world = tenant.world
    device = next(d for d in world.devices.values() if d.platform == "Mac" and not d.missing and d.checked_in)
    for _ in range(PAGE):
        world.queue_command(device, "restart", "RestartDevice", "RestartDevice", {}, str)
    renew(tmp_path, tenant, device.id, "device_commands")
    waiting = [row for row in mirrored(tmp_path, "device_commands") if row[5] == "pending"]
    assert (len(waiting), {row[4] for row in waiting}) == (PAGE, {1})
    world.answer_commands(device.id, Status.FAILED)
    asked(tenant, "/commands")
    tenant.between("/commands", lambda world: world.managed(device.id).commands.pop(0))
    renew(tmp_path, tenant, device.id, "device_commands")
    tenant.between("/commands", None)
    rows = [row for row in mirrored(tmp_path, "device_commands") if row[0] == device.id]
    truth = [row for row in true_rows(world, "device_commands") if row[0] == device.id]
    assert len(truth) <= len(rows) < PAGE + 4
    assert {row[1] for row in truth} <= {row[1] for row in rows}
    assert "failed" in {row[5] for row in rows} <= {"failed", "completed"}


@pytest.mark.heavy
def test_a_note_is_read_by_the_day_and_not_at_each_check_in(tmp_path: Path) -> None:
    tenant = begun(tmp_path)
    run_sync(tmp_path, tenant, "device_notes")
    asked(tenant, "/notes")
    for device in tenant.world.device_ids():
        if tenant.world.device(device).checked_in:
            tenant.world.check_in(device)
    run_sync(tmp_path, tenant, "devices", "device_notes")
    assert asked(tenant, "/notes") == []
    written = next(device for device in tenant.world.device_ids() if tenant.world.managed(device).notes)
    tenant.world.managed(written).notes.clear()
    run_sync(tmp_path, tenant, "devices", "device_notes", wall=at(25))
    assert differing(tmp_path, tenant.world, tables=("device_notes",)) == []


@pytest.mark.heavy
@pytest.mark.parametrize("privacy", [Privacy.OFF, Privacy.ON])
def test_not_in_lost_mode_is_no_row_and_no_error_and_any_other_refusal_is_one(tmp_path: Path, privacy: Privacy) -> None:
    tenant = make_tenant(20, apps=1)
    lost = next(d for d in tenant.world.devices.values() if d.lost_mode == ENABLED)
    run_sync(tmp_path, tenant, "devices", "lost_mode", privacy=privacy)
    assert lost.id in {row[0] for row in mirrored(tmp_path, "lost_mode")}
    lost.lost_mode = ""
    renew(tmp_path, tenant, lost.id, "lost_mode", privacy=privacy)
    assert lost.id not in {row[0] for row in mirrored(tmp_path, "lost_mode")}
    tenant.faults.append(Fault("/lostmode", Trouble.BAD_REQUEST, times=99))
    report = run_sync(tmp_path, tenant, "lost_mode", everything=True, privacy=privacy)
    assert [o.table for o in report.failed] == ["lost_mode"]


@pytest.mark.heavy
def test_what_was_done_with_library_items_is_added_item_by_item_and_never_lost(tmp_path: Path) -> None:
    tenant = make_tenant(20, apps=1)
    run_sync(tmp_path, tenant, "blueprints", "blueprint_library_items", "library_item_activity")
    items = {row["id"] for row in tenant.world.truth("blueprint_library_items")}
    assert mirrored(tmp_path, "library_item_activity") == true_rows(tenant.world, "library_item_activity")
    tenant.world.advance(2)
    tenant.requests.clear()
    silent = sorted(items)[0]
    tenant.faults.append(Fault(f"{silent}/activity", Trouble.NOT_FOUND, times=9))
    run_sync(tmp_path, tenant, "library_item_activity")
    assert sum("/library-items/" in r.path for r in tenant.requests) == len(items)
    truth = [row for row in true_rows(tenant.world, "library_item_activity") if row[0] != silent]
    assert [row for row in mirrored(tmp_path, "library_item_activity") if row[0] != silent] == truth
    state = manifest_of(tmp_path).tables["library_item_activity"]
    assert (state.state, str(state.note).split(":")[0]) == (
        State.OK,
        f"1 of {len(items)} lists could not be read now",
    )
