"""Prism tables kept up to date by what changed: as few requests as possible, and exact."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support import client_of, differing, manifest_of, mirrored, run_sync, synced, true_rows

from kandji_mirror.capabilities import Capability, open_state
from kandji_mirror.store.opening import open_store
from kandji_mirror.sync.run import SyncRequest, run_request, sync
from kandji_schema.manifest import State, TableState
from kandji_schema.registry import resources
from kandji_simulator import Fault, Quirks, Tenant
from kandji_simulator import FaultKind as Trouble

INCREMENTED = tuple(r.name for r in resources().values() if r.category and not r.repeats)
SOME = ("devices", "prism_device_information", "prism_filevault", "apps", "prism_local_users")


ASKED = {"changes": "updated_at", "collected": "last_collected_at", "devices": "device_id"}
"""What a request for rows is after, by the column of its filter."""


def started(home: Path, devices: int = 40, *, tables: tuple[str, ...] = SOME, **facts: Any) -> Tenant:
    """A tenant of which these tables are mirrored, and which has seen no request yet."""
    return synced(home, devices, *tables, **facts)


def asked(tenant: Tenant, table: str) -> list[str]:
    """What was asked of a category since the journal was emptied."""
    category = resources()[table].category
    found = []
    for request in tenant.requests:
        query = dict(request.query)
        if request.path == f"/api/v1/prism/{category}":
            wanted = json.loads(query.get("filter", "{}"))
            found.append(next((what for what, column in ASKED.items() if column in wanted), "pages"))
        elif query.get("category") == category:
            found.append("count")
    return found


def state_of(home: Path, table: str) -> TableState:
    return manifest_of(home).tables[table]


def collected(tenant: Tenant) -> list[str]:
    """Devices whose apps Prism knows."""
    return sorted({row["device_id"] for row in tenant.world.truth("apps")})


@pytest.mark.heavy
def test_a_pass_without_a_change_costs_few_requests_a_category_and_writes_nothing(tmp_path: Path) -> None:
    tenant = started(tmp_path, tables=INCREMENTED)
    before = {name: state_of(tmp_path, name) for name in INCREMENTED}
    report = run_sync(tmp_path, tenant, *INCREMENTED)
    several = [n for n in INCREMENTED if resources()[n].key != ("device_id",) and before[n].rows]
    expected = {name: 3 if name in several else 2 for name in INCREMENTED}
    assert Counter(name for name in INCREMENTED for _ in asked(tenant, name)) == expected
    for outcome in (o for o in report.outcomes if o.rows):
        after = state_of(tmp_path, outcome.table)
        assert (outcome.method, outcome.requests, outcome.changed) == ("increment", expected[outcome.table], False)
        assert after.file == before[outcome.table].file
        assert after.synced_at == after.checked_at
        assert str(after.synced_at) > str(before[outcome.table].synced_at)


@pytest.mark.heavy
def test_what_changed_comes_with_the_next_pass(tmp_path: Path) -> None:
    tables = ("devices", *(name for name in INCREMENTED if name != "prism_local_users"))
    tenant = started(tmp_path, 100, tables=tables)
    for _ in range(3):
        tenant.world.advance(2)
        assert run_sync(tmp_path, tenant, *tables).failed == ()
        assert differing(tmp_path, tenant.world, volatile=False, tables=tables) == []


@pytest.mark.heavy
def test_values_that_could_not_be_read_for_once_are_read_again(tmp_path: Path) -> None:
    tenant = started(tmp_path, tables=("devices", "apps"))
    tenant.world.advance(2)
    tenant.reshape("prism/apps$", lambda page: {**page, "data": [{**row, "bundle_size": "?"} for row in page["data"]]})
    run_sync(tmp_path, tenant, "devices", "apps")
    tenant.reshape("prism/apps$", None)
    run_sync(tmp_path, tenant, "apps")
    assert differing(tmp_path, tenant.world, tables=("apps",)) == []
    assert run_sync(tmp_path, tenant, "apps").outcomes[0].method == "increment"


@pytest.mark.heavy
def test_rows_of_one_row_categories_are_exact_to_the_last_collection(tmp_path: Path) -> None:
    tenant = started(tmp_path)
    tenant.world.advance(3)
    run_sync(tmp_path, tenant, *SOME)
    assert differing(tmp_path, tenant.world, tables=("prism_filevault", "prism_device_information")) == []


@pytest.mark.heavy
def test_the_rows_of_a_removed_device_go_without_a_further_request(tmp_path: Path) -> None:
    tenant = started(tmp_path)
    tenant.world.remove(collected(tenant)[3])
    run_sync(tmp_path, tenant, *SOME)
    assert differing(tmp_path, tenant.world, volatile=False, tables=SOME) == []
    assert {what for name in SOME[1:] for what in asked(tenant, name)} == {"changes", "collected", "count"}


@pytest.mark.heavy
def test_a_device_that_left_the_list_keeps_its_rows_as_long_as_prism_counts_them(tmp_path: Path) -> None:
    tenant = started(tmp_path)
    gone = collected(tenant)[3]
    tenant.reshape("/api/v1/devices$", lambda page: [row for row in page if row["device_id"] != gone])
    tenant.faults.append(Fault(f"/devices/{gone}", Trouble.NOT_FOUND, times=9))
    run_sync(tmp_path, tenant, *SOME)
    assert gone not in {row[0] for row in mirrored(tmp_path, "devices")}
    assert differing(tmp_path, tenant.world, volatile=False, tables=SOME[1:]) == []


@pytest.mark.heavy
def test_a_vanished_row_is_looked_for_among_the_devices_that_reported_something(tmp_path: Path) -> None:
    tenant = started(tmp_path, 200)
    device = collected(tenant)[3]
    tenant.world.wait(timedelta(minutes=30))
    tenant.world.swap_app(device)
    run_sync(tmp_path, tenant, "apps")
    assert mirrored(tmp_path, "apps", volatile=False) == true_rows(tenant.world, "apps", volatile=False)
    assert asked(tenant, "apps") == ["changes", "collected", "count", "devices"]


@pytest.mark.slow
def test_a_vanished_row_of_a_silent_device_is_found_by_reading_everything_when_someone_asked(tmp_path: Path) -> None:
    tenant = started(tmp_path)
    with open_state(tmp_path) as state:
        state.capabilities.note_lack("prism_local_users", Capability.COLLECTED_AT_FILTER)
    tenant.world.wait(timedelta(minutes=30))
    assert tenant.world.remove_row(collected(tenant)[3], "local_users")
    report = run_sync(tmp_path, tenant, "prism_local_users")
    assert differing(tmp_path, tenant.world, tables=("prism_local_users",)) == []
    assert report.outcomes[0].method == "full walk"


@pytest.mark.heavy
def test_hundreds_of_rows_with_one_timestamp_all_come(tmp_path: Path) -> None:
    tenant = started(tmp_path, 450, apps=40)
    tenant.world.wait(timedelta(hours=1))
    assert tenant.world.roll_out("com.google.Chrome", "199.0.1") > 100
    run_sync(tmp_path, tenant, "apps")
    assert differing(tmp_path, tenant.world, volatile=False, tables=("apps",)) == []


@pytest.mark.parametrize("minutes", [5, 40, 119])
def test_rows_stamped_in_the_past_are_found_by_their_number(tmp_path: Path, minutes: int) -> None:
    tenant = started(tmp_path)
    tenant.world.stamp_behind(timedelta(minutes=minutes))
    tenant.world.wait(timedelta(minutes=1))
    assert tenant.world.add_row(collected(tenant)[0], "local_users")
    run_sync(tmp_path, tenant, "prism_local_users")
    assert differing(tmp_path, tenant.world, volatile=False, tables=("prism_local_users",)) == []
    assert state_of(tmp_path, "prism_local_users").method == "increment"


def test_rows_collected_again_unchanged_are_not_asked_for_while_nobody_waits(tmp_path: Path) -> None:
    tenant = started(tmp_path)
    tenant.world.wait(timedelta(hours=1))
    for device in collected(tenant):
        tenant.world.check_in(device)
    in_background(tmp_path, tenant, "apps")
    assert asked(tenant, "apps") == ["changes", "count"]
    assert differing(tmp_path, tenant.world, volatile=False, tables=("apps",)) == []


@pytest.mark.heavy
def test_what_people_edit_is_seen_though_prism_does_not_stamp_it(tmp_path: Path) -> None:
    tenant = started(tmp_path)
    first, second, third = collected(tenant)[:3]
    tenant.world.wait(timedelta(hours=1))
    tenant.world.rename(first, "Renamed")
    tenant.world.assign_user(second, tenant.world.user_ids()[0])
    tenant.world.assign_blueprint(third, tenant.world.blueprint_ids()[-1])
    run_sync(tmp_path, tenant, *SOME)
    assert differing(tmp_path, tenant.world, volatile=False, tables=SOME) == []
    assert asked(tenant, "prism_device_information") == ["changes", "devices", "count"]
    assert asked(tenant, "prism_filevault") == ["changes", "count"]


# -- what the provider does not honour ------------------------------------------------------------------------------


@pytest.mark.heavy
def test_an_ignored_filter_is_noticed_remembered_and_the_table_read_as_a_whole(tmp_path: Path) -> None:
    tenant = started(tmp_path, quirks=Quirks(filters=False))
    tenant.world.advance(3)
    run_sync(tmp_path, tenant, "prism_filevault")
    assert asked(tenant, "prism_filevault") == ["changes", "count", "pages", "devices", "pages"]
    assert differing(tmp_path, tenant.world, tables=("prism_filevault",)) == []
    tenant.requests.clear()
    run_sync(tmp_path, tenant, "prism_filevault")
    assert asked(tenant, "prism_filevault") == ["count", "pages"]


@pytest.mark.slow
def test_a_refused_filter_is_tried_again_a_day_later(tmp_path: Path) -> None:
    tenant = started(tmp_path)
    tenant.faults.append(Fault("filevault\\?.*filter", Trouble.BAD_REQUEST))
    run_sync(tmp_path, tenant, "prism_filevault")
    tenant.requests.clear()
    tomorrow = datetime.now(UTC) + timedelta(hours=25)
    run_sync(tmp_path, tenant, "apps", "prism_filevault", wall=lambda: tomorrow)
    run_sync(tmp_path, tenant, "prism_filevault", wall=lambda: tomorrow)
    assert asked(tenant, "prism_filevault")[-2:] == ["changes", "count"]


@pytest.mark.heavy
def test_an_approximate_count_proves_nothing_but_gone_devices_are_asked_for(tmp_path: Path) -> None:
    tenant = started(tmp_path, quirks=Quirks(approximate_counts_from=1))
    tenant.world.remove(collected(tenant)[3])
    run_sync(tmp_path, tenant, "devices", "apps")
    assert asked(tenant, "apps") == ["changes", "collected", "count", "devices"]
    assert differing(tmp_path, tenant.world, tables=("apps",)) == []
    assert (state_of(tmp_path, "apps").checked_at, state_of(tmp_path, "apps").note) == (None, None)
    in_background(tmp_path, tenant, "apps")
    assert "counts it only roughly" in str(state_of(tmp_path, "apps").note)


@pytest.mark.heavy
@pytest.mark.parametrize("rough", [100_000, 1])
def test_rows_collected_again_unchanged_are_exact_when_someone_asks(tmp_path: Path, rough: int) -> None:
    tenant = started(tmp_path, quirks=Quirks(approximate_counts_from=rough))
    tenant.world.wait(timedelta(hours=3))
    for device in collected(tenant)[:6]:
        tenant.world.check_in(device)
    in_background(tmp_path, tenant, "apps", "prism_local_users")
    assert set(asked(tenant, "apps")) == {"changes", "count"}
    tenant.requests.clear()
    run_sync(tmp_path, tenant, "apps", "prism_local_users")
    assert asked(tenant, "apps")[:3] == ["changes", "collected", "count"]
    assert differing(tmp_path, tenant.world, tables=("apps", "prism_local_users")) == []


@pytest.mark.heavy
@pytest.mark.parametrize(("behind", "requests"), [(0, ["changes", "collected", "collected", "count"]), (6, None)])
def test_of_many_rows_collected_lately_only_those_that_are_news_are_read(
    tmp_path: Path, behind: int, requests: list[str] | None
) -> None:
    """Six minutes late a device's rows are stamped before the newest that is known: then all are read, by export."""
    tenant = started(tmp_path, 40, apps=150)  # more pages in all than an export costs
    devices = collected(tenant)
    tenant.world.wait(timedelta(hours=3))
    for device in devices[:-1]:
        tenant.world.check_in(device)
    run_sync(tmp_path, tenant, "devices", "apps")
    assert state_of(tmp_path, "apps").method == "export"
    tenant.world.wait(timedelta(minutes=1))
    tenant.world.stamp_behind(timedelta(minutes=behind))
    tenant.world.check_in(devices[-1])
    tenant.requests.clear()
    run_sync(tmp_path, tenant, "devices", "apps")
    assert asked(tenant, "apps") == (requests or asked(tenant, "apps"))
    assert state_of(tmp_path, "apps").method == ("increment" if requests else "export")
    assert differing(tmp_path, tenant.world, tables=("devices", "apps")) == []
    tenant.requests.clear()
    run_sync(tmp_path, tenant, "apps")
    assert asked(tenant, "apps") == ["changes", "collected", "collected", "count"]


@pytest.mark.heavy
def test_of_a_fleet_that_reports_all_the_time_only_the_news_are_read(tmp_path: Path) -> None:
    tenant, devices = all_reported_lately(tmp_path)
    tenant.world.wait(timedelta(minutes=2))
    for device in devices[::10]:
        tenant.world.check_in(device)
    in_background(tmp_path, tenant, "prism_device_information")
    assert asked(tenant, "prism_device_information") == ["changes", "changes", "count"]
    assert differing(tmp_path, tenant.world, tables=("prism_device_information",)) == []


@pytest.mark.heavy(quick_every=3)
@pytest.mark.parametrize("gone", [0, 1, 2])
def test_a_row_that_came_late_is_seen_though_others_vanished_meanwhile(tmp_path: Path, gone: int) -> None:
    """One device more and one less in the window leave its number as it was."""
    tenant, devices = all_reported_lately(tmp_path, silent=1)
    tenant.world.wait(timedelta(minutes=1))
    tenant.world.stamp_behind(timedelta(minutes=5))
    tenant.world.check_in(devices[-1])
    for device in devices[:gone]:
        tenant.world.remove(device)
    run_sync(tmp_path, tenant, "devices", "prism_device_information")
    assert differing(tmp_path, tenant.world, tables=("devices", "prism_device_information")) == []
    assert state_of(tmp_path, "prism_device_information").method == "increment"


def all_reported_lately(home: Path, silent: int = 0) -> tuple[Tenant, list[str]]:
    """A tenant all of whose devices, but for the last ``silent`` ones, reported just now; the mirror knows of it."""
    tables = ("devices", "prism_device_information")
    tenant = started(home, 800, tables=tables, apps=2)
    devices = sorted(row["device_id"] for row in tenant.world.truth("prism_device_information"))
    assert len(devices) > 2 * 300  # more than two pages
    tenant.world.wait(timedelta(hours=3))
    for place, device in enumerate(devices[: len(devices) - silent]):
        if place == len(devices) // 2:
            tenant.world.wait(timedelta(seconds=30))
        tenant.world.check_in(device)
    run_sync(home, tenant, *tables)
    tenant.requests.clear()
    return tenant, devices


@pytest.mark.heavy
def test_what_was_uninstalled_goes_without_an_exact_count_too(tmp_path: Path) -> None:
    tenant = started(tmp_path, quirks=Quirks(approximate_counts_from=1))
    tenant.world.wait(timedelta(hours=3))
    for device in collected(tenant)[:5]:
        tenant.world.swap_app(device)
    assert tenant.world.remove_row(collected(tenant)[7], "local_users")
    run_sync(tmp_path, tenant, "apps", "prism_local_users")
    assert asked(tenant, "apps") == ["changes", "collected", "count", "devices"]
    assert differing(tmp_path, tenant.world, tables=("apps", "prism_local_users")) == []


@pytest.mark.heavy
def test_a_row_that_one_device_lost_and_another_got_costs_one_request_more(tmp_path: Path) -> None:
    tenant = started(tmp_path)
    tenant.world.wait(timedelta(hours=3))
    tenant.world.swap_app(collected(tenant)[2])
    assert tenant.world.remove_row(collected(tenant)[5], "local_users")
    run_sync(tmp_path, tenant, "apps", "prism_local_users")
    assert asked(tenant, "prism_local_users") == ["changes", "collected", "count", "devices"]
    assert differing(tmp_path, tenant.world, tables=("apps", "prism_local_users")) == []


@pytest.mark.heavy
@pytest.mark.parametrize("trouble", ["refused", "ignored"])
def test_where_prism_does_not_filter_by_collection_changes_come_all_the_same(tmp_path: Path, trouble: str) -> None:
    tenant = started(tmp_path)
    tenant.world.advance(2)
    good = tenant.handle

    def deaf(request: Any) -> Any:
        if "last_collected_at" not in dict(request.query).get("filter", ""):
            return good(request)
        if trouble == "refused":
            return type(good(request))(400, {}, b'{"detail":"Unknown filter."}')
        query = tuple((name, value) for name, value in request.query if name != "filter")
        return good(replace(request, query=query))

    for _ in range(2):
        sync(tmp_path, "loopback", client_of(deaf), names=("apps",))
    with open_state(tmp_path) as state:
        assert state.capabilities.lacks("apps", Capability.COLLECTED_AT_FILTER)
    assert asked(tenant, "apps").count("changes") == 2
    assert differing(tmp_path, tenant.world, volatile=False, tables=("apps",)) == []


@pytest.mark.heavy
def test_an_empty_answer_about_devices_deletes_nothing_unless_the_count_agrees(tmp_path: Path) -> None:
    tenant = started(tmp_path)
    device = collected(tenant)[3]
    tenant.world.wait(timedelta(hours=1))
    tenant.world.swap_app(device)
    tenant.reshape("prism/apps", lambda page: page if len(page["data"]) > 3 else {**page, "data": []})
    before = len(mirrored(tmp_path, "apps"))
    run_sync(tmp_path, tenant, "apps")
    assert len(mirrored(tmp_path, "apps")) >= before - 3
    tenant.reshape("prism/apps", None)
    run_sync(tmp_path, tenant, "apps")
    assert differing(tmp_path, tenant.world, volatile=False, tables=("apps",)) == []


# -- while nobody waits ---------------------------------------------------------------------------------------------


def in_background(home: Path, tenant: Tenant, *names: str) -> None:
    with open_store(home, "loopback", resources()) as store:
        run_request(store, client_of(tenant.handle, tenant.fetch), SyncRequest(names))


@pytest.mark.slow
def test_with_little_left_of_the_hour_a_difference_is_noted_and_found_when_someone_asks(tmp_path: Path) -> None:
    tenant = started(tmp_path)
    tenant.world.wait(timedelta(minutes=30))
    assert tenant.world.remove_row(collected(tenant)[3], "local_users")
    answer = tenant.handle

    def spent(request: Any) -> Any:
        response = answer(request)
        response.headers["x-ratelimit-remaining-hour"] = "3000"  # type: ignore[index]  # a dict here
        return response

    with open_store(tmp_path, "loopback", resources()) as store:
        run_request(store, client_of(spent), SyncRequest(("prism_local_users",)))
    known = state_of(tmp_path, "prism_local_users")
    assert (known.state, known.note) == (
        State.OK,
        "It has 1 rows more than the provider counts; they are found at the next whole read.",
    )
    assert asked(tenant, "prism_local_users") == ["changes", "count"]
    run_sync(tmp_path, tenant, "prism_local_users")
    assert differing(tmp_path, tenant.world, volatile=False, tables=("prism_local_users",)) == []


@pytest.mark.slow
def test_with_enough_left_the_background_finds_vanished_rows_too(tmp_path: Path) -> None:
    tenant = started(tmp_path)
    tenant.world.wait(timedelta(minutes=30))
    assert tenant.world.remove_row(collected(tenant)[3], "local_users")
    in_background(tmp_path, tenant, "prism_local_users")
    assert differing(tmp_path, tenant.world, tables=("prism_local_users",)) == []


@pytest.mark.slow
def test_a_damaged_data_file_is_made_anew_by_the_next_change(tmp_path: Path) -> None:
    tenant = started(tmp_path)
    state = state_of(tmp_path, "apps")
    path = tmp_path / "store" / "data" / str(state.file)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:12_288] + bytes(state.bytes - 12_288))
    tenant.world.advance(2)
    assert run_sync(tmp_path, tenant, "apps").failed == ()
    assert differing(tmp_path, tenant.world, volatile=False, tables=("apps",)) == []
