"""After a healthy pass the mirror equals the tenant; after an unhealthy one it equals what it was."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import support
from support import client_of, make_tenant, manifest_of, mirrored, slow_but, true_rows

from kandji_mirror.report import Report
from kandji_mirror.sync.run import sync
from kandji_schema import ddl
from kandji_schema.errors import AuthenticationError, ConfigurationError
from kandji_schema.http import Request, Response
from kandji_schema.manifest import NO_OBJECT, State, data_dir, manifest_path
from kandji_schema.registry import resource, tenant_tables
from kandji_simulator import Fault, Quirks, Tenant, World
from kandji_simulator import FaultKind as Trouble

SOME = (
    "devices",
    "blueprints",
    "users",
    "prism_device_information",
    "prism_filevault",
    "apps",
    "blueprint_library_items",
)
"""One table of each kind that is no sweep, those that others hang on first."""


def run_sync(home: Path, tenant: Tenant, *names: str, **facts: Any) -> Report:
    """One run over the named tables, or over some, anew unless said otherwise."""
    return support.run_sync(home, tenant, *(names or SOME), **{"everything": True, **facts})


def synced(home: Path, devices: int = 50, **made: Any) -> Tenant:
    """A tenant, and those tables of it as a first run leaves them."""
    return support.synced(home, devices, *SOME, facts={"everything": True}, **made)


def differing(home: Path, world: World) -> list[str]:
    return support.differing(home, world, tables=SOME)


@pytest.mark.heavy
@pytest.mark.parametrize("devices", [0, 1, 50, pytest.param(301, marks=pytest.mark.many)])
def test_the_mirror_equals_the_tenant_row_for_row(tmp_path: Path, devices: int) -> None:
    tenant = support.synced(tmp_path, devices)  # no table failed
    assert support.differing(tmp_path, tenant.world) == []
    tables = manifest_of(tmp_path).tables
    assert {tables[name].state for name in tenant_tables()} == {State.OK}


@pytest.mark.heavy
def test_a_thousand_devices_are_mirrored_row_for_row(tmp_path: Path) -> None:
    tenant = make_tenant(1_000)
    run_sync(tmp_path, tenant)
    assert differing(tmp_path, tenant.world) == []


@pytest.mark.heavy
def test_a_first_sync_asks_for_nothing_needless(tmp_path: Path) -> None:
    tenant = make_tenant(700, apps=20)
    support.run_sync(tmp_path, tenant, sweep=0)
    lists = [r for r in tenant_tables().values() if r.parent is None and r.category is None]
    pages = sum(max(1, -(-tenant.world.count(r.name) // (r.page_size or 300))) for r in lists)
    assert count(tenant, "(?!prism|blueprints/|library/library-items/).*") == pages
    assert count(tenant, "blueprints/.*") == tenant.world.count("blueprints")
    categories = [r for r in tenant_tables().values() if r.category]
    walked = [r for r in categories if tenant.world.count(r.name) <= 600]
    assert count(tenant, "prism/count") == len(categories)
    assert count(tenant, "prism/(?!count|export).*") == sum(
        max(1, -(-tenant.world.count(r.name) // 300)) for r in walked
    )
    assert count(tenant, "prism/export") == len(categories) - len(walked)


def count(tenant: Tenant, path: str) -> int:
    return sum(bool(re.fullmatch(f"/api/v1/{path}", request.path)) for request in tenant.requests)


@pytest.mark.many
@pytest.mark.heavy
def test_the_mirror_follows_a_changing_tenant(tmp_path: Path) -> None:
    tenant = make_tenant(60)
    for _ in range(3):
        support.run_sync(tmp_path, tenant)
        assert support.differing(tmp_path, tenant.world) == []
        tenant.world.advance(4)


@pytest.mark.heavy
@pytest.mark.parametrize("quirks", [Quirks(totals=False), Quirks(prism_cursors=False)])
def test_servers_without_totals_or_cursors_are_mirrored_too(tmp_path: Path, quirks: Quirks) -> None:
    tenant = make_tenant(400, quirks=quirks)
    run_sync(tmp_path, tenant)
    assert differing(tmp_path, tenant.world) == []


@pytest.mark.heavy
def test_a_table_that_did_not_change_keeps_its_file(tmp_path: Path) -> None:
    tenant = synced(tmp_path)
    before = {t.name: t.file for t in manifest_of(tmp_path).tables.values()}
    tenant.world.rename(tenant.world.device_ids()[0], "renamed")
    run_sync(tmp_path, tenant)
    after = {t.name: t.file for t in manifest_of(tmp_path).tables.values()}
    assert {name for name in after if after[name] != before[name]} == {"devices", "prism_device_information"}


@pytest.mark.slow
def test_all_tables_of_a_run_appear_in_one_manifest(tmp_path: Path) -> None:
    report = run_sync(tmp_path, make_tenant())
    assert report.generation == manifest_of(tmp_path).generation == 1


@pytest.mark.heavy
def test_only_what_is_due_is_read(tmp_path: Path) -> None:
    tenant = make_tenant()
    run_sync(tmp_path, tenant)
    tenant.requests.clear()
    report = support.run_sync(tmp_path, tenant, everything=False)
    assert {outcome.table for outcome in report.outcomes} == {*tenant_tables()} - {*SOME}
    tenant.requests.clear()
    report = support.run_sync(tmp_path, tenant, everything=False)
    assert (len(tenant.requests), report.outcomes, report.generation) == (0, (), None)


@pytest.mark.slow
def test_named_tables_are_read_whether_due_or_not(tmp_path: Path) -> None:
    tenant = synced(tmp_path)
    assert [o.table for o in run_sync(tmp_path, tenant, "users").outcomes] == ["users"]


# -- deletions -----------------------------------------------------------------------------------------------------


@pytest.mark.heavy
def test_a_removed_device_goes_after_the_provider_said_it_is_gone(tmp_path: Path) -> None:
    tenant = synced(tmp_path)
    gone = tenant.world.device_ids()[7]
    tenant.world.remove(gone)
    tenant.requests.clear()
    run_sync(tmp_path, tenant)
    assert differing(tmp_path, tenant.world) == []
    assert [(r.path, r.status) for r in tenant.requests if gone in r.path] == [(f"/api/v1/devices/{gone}", 404)]


def test_a_device_the_list_skipped_stays(tmp_path: Path) -> None:
    tenant = synced(tmp_path)
    tenant.reshape("/api/v1/devices$", lambda page: page[1:])
    report = run_sync(tmp_path, tenant, "devices")
    assert (report.failed, mirrored(tmp_path, "devices")) == ((), true_rows(tenant.world, "devices"))


@pytest.mark.heavy
def test_a_list_that_lost_most_devices_is_not_believed(tmp_path: Path) -> None:
    tenant = synced(tmp_path, 200, quirks=Quirks(totals=False))
    tenant.reshape("/api/v1/devices$", lambda page: page[:10])
    (failed,) = run_sync(tmp_path, tenant, "devices").failed
    assert "190 of 200 rows of devices did not come" in str(failed.error)
    assert mirrored(tmp_path, "devices") == true_rows(tenant.world, "devices")


@pytest.mark.heavy
def test_many_removed_devices_cost_a_sample_of_questions(tmp_path: Path) -> None:
    tenant = synced(tmp_path, 400)
    for device in tenant.world.device_ids()[:120]:
        tenant.world.remove(device)
    tenant.requests.clear()
    run_sync(tmp_path, tenant)
    assert differing(tmp_path, tenant.world) == []
    assert sum(bool(re.fullmatch("/api/v1/devices/.+", r.path)) for r in tenant.requests) == 20


@pytest.mark.heavy
def test_without_the_right_to_ask_for_one_device_two_absences_mean_gone(tmp_path: Path) -> None:
    tenant = synced(tmp_path)
    tenant.forbid("/api/v1/devices/")
    tenant.world.remove(tenant.world.device_ids()[0])
    run_sync(tmp_path, tenant)
    assert differing(tmp_path, tenant.world) == []


@pytest.mark.heavy
def test_a_provider_without_an_endpoint_for_one_row_is_walked_twice(tmp_path: Path) -> None:
    tenant = synced(tmp_path)
    tenant.world.remove_user(tenant.world.user_ids()[0])

    def no_route(request: Request) -> Response:
        if re.fullmatch("/api/v1/(users|devices)/.+", request.path):
            return Response(404, {}, b'{"message": "no Route matched with those values"}')
        return tenant.handle(request)

    assert sync(tmp_path, "loopback", client_of(no_route), everything=True).failed == ()
    assert differing(tmp_path, tenant.world) == []


@pytest.mark.slow
def test_a_prism_category_that_shrank_without_the_count_agreeing_is_not_believed(tmp_path: Path) -> None:
    tenant = synced(tmp_path, 100)
    calls = iter(range(1, 100))

    def shrinking(page: dict[str, Any]) -> dict[str, Any]:
        return {**page, "data": page["data"][: 20 + next(calls)], "total": None}

    tenant.reshape("/api/v1/prism/filevault", shrinking)
    (failed,) = run_sync(tmp_path, tenant, "prism_filevault").failed
    assert "The previous rows are kept" in str(failed.error)
    assert mirrored(tmp_path, "prism_filevault") == true_rows(tenant.world, "prism_filevault")


@pytest.mark.slow
def test_a_removed_blueprint_takes_its_library_items_with_it(tmp_path: Path) -> None:
    tenant = synced(tmp_path)
    tenant.world.remove_blueprint(tenant.world.blueprint_ids()[0])
    run_sync(tmp_path, tenant)
    assert differing(tmp_path, tenant.world) == []


# -- trouble -------------------------------------------------------------------------------------------------------


@pytest.mark.heavy
def test_a_resource_without_permission_is_a_state_and_stops_nothing(tmp_path: Path) -> None:
    tenant = synced(tmp_path)
    rows = mirrored(tmp_path, "prism_filevault")
    tenant.forbid("/api/v1/prism/filevault")
    tenant.world.advance(4)
    report = run_sync(tmp_path, tenant)
    assert report.failed == ()
    assert manifest_of(tmp_path).tables["prism_filevault"].state is State.FORBIDDEN
    assert mirrored(tmp_path, "prism_filevault") == rows
    assert differing(tmp_path, tenant.world) == ["prism_filevault"]


@pytest.mark.slow
def test_a_failing_resource_keeps_its_rows_and_the_others_go_on(tmp_path: Path) -> None:
    tenant = synced(tmp_path)
    synced_at = manifest_of(tmp_path).tables["users"].synced_at
    tenant.faults.append(Fault("/api/v1/users", Trouble.UNAVAILABLE, times=99))
    tenant.world.advance(4)
    report = run_sync(tmp_path, tenant)
    state = manifest_of(tmp_path).tables["users"]
    assert [o.table for o in report.failed] == ["users"]
    assert (state.state, state.synced_at) == (State.FAILED, synced_at)
    assert "503" in str(state.error)


@pytest.mark.heavy(quick_every=3)
@pytest.mark.parametrize(
    "trouble",
    slow_but(
        Trouble.TRUNCATED_JSON,
        Trouble.RATE_LIMITED,
        Trouble.RESET,
        of=[
            Trouble.SERVER_ERROR,
            Trouble.BAD_GATEWAY,
            Trouble.UNAVAILABLE,
            Trouble.GATEWAY_TIMEOUT,
            Trouble.HTML_PAGE,
            Trouble.TRUNCATED_JSON,
            Trouble.EMPTY_BODY,
            Trouble.RATE_LIMITED,
            Trouble.RATE_LIMITED_UNTIL,
            Trouble.RATE_LIMITED_BARE,
            Trouble.RESET,
            Trouble.TORN,
        ],
    ),
)
def test_passing_trouble_on_any_page_is_not_seen_in_the_mirror(tmp_path: Path, trouble: Trouble) -> None:
    tenant = make_tenant(350)
    paths = ("/devices\\?", "/prism/apps", "/users", "/blueprints\\?", "/list-library-items", "/prism/filevault")
    tenant.faults.extend(Fault(f"/api/v1{path}" if path[1] != "l" else path, trouble, times=2) for path in paths)
    assert run_sync(tmp_path, tenant).failed == ()
    assert differing(tmp_path, tenant.world) == []


def test_one_blueprint_whose_list_fails_keeps_its_items(tmp_path: Path) -> None:
    tenant = synced(tmp_path)
    before = mirrored(tmp_path, "blueprint_library_items")
    broken = tenant.world.blueprint_ids()[0]
    tenant.faults.append(Fault(f"{broken}/list-library-items", Trouble.SERVER_ERROR, times=99))
    (failed,) = run_sync(tmp_path, tenant, "blueprint_library_items").failed
    assert "1 of" in str(failed.error)
    assert mirrored(tmp_path, "blueprint_library_items") == before


def test_a_wrong_token_stops_the_run(tmp_path: Path) -> None:
    tenant = make_tenant(token="another")
    with pytest.raises(AuthenticationError):
        run_sync(tmp_path, tenant)
    assert len(tenant.requests) == 1


@pytest.mark.slow
def test_a_token_that_stops_working_leaves_what_was_complete(tmp_path: Path) -> None:
    tenant = make_tenant()
    tenant.faults.append(Fault("/api/v1/prism", Trouble.UNAUTHORIZED, times=99))
    report = run_sync(tmp_path, tenant)
    assert {o.state for o in report.outcomes if o.table.startswith("prism")} == {State.FORBIDDEN}
    assert mirrored(tmp_path, "devices") == true_rows(tenant.world, "devices")


def test_a_home_of_another_tenant_is_refused(tmp_path: Path) -> None:
    tenant = synced(tmp_path)
    with pytest.raises(ConfigurationError, match="mirrors the tenant 'loopback', the settings name 'acme'"):
        sync(tmp_path, "acme", client_of(tenant.handle))


@pytest.mark.slow
def test_rows_that_are_no_objects_and_rows_without_any_key_are_noticed(tmp_path: Path) -> None:
    tenant = make_tenant()
    tenant.reshape("/api/v1/users", lambda page: {**page, "results": [*page["results"], 7, None]})
    tenant.reshape("/api/v1/prism/filevault", lambda page: {**page, "data": [{"x": 1} for _ in page["data"]]})
    report = run_sync(tmp_path, tenant)
    assert [o.table for o in report.failed] == ["prism_filevault"]
    assert manifest_of(tmp_path).tables["users"].drift.odd == {NO_OBJECT: 2}
    assert mirrored(tmp_path, "users") == true_rows(tenant.world, "users")


def test_a_page_with_rows_of_something_else_amid_good_ones_is_refused(tmp_path: Path) -> None:
    tenant = make_tenant(310, apps=1)
    run_sync(tmp_path, tenant, "devices")
    tenant.reshape("/api/v1/devices$", lambda page: page if len(page) == 300 else [{"name": "x", "id": 7}] * len(page))
    (failed,) = run_sync(tmp_path, tenant, "devices").failed
    assert "of a page of devices has a device_id. The previous rows are kept" in str(failed.error)
    assert mirrored(tmp_path, "devices") == true_rows(tenant.world, "devices")


@pytest.mark.slow
def test_new_fields_are_reported_and_kept(tmp_path: Path) -> None:
    tenant = make_tenant()
    tenant.reshape("/api/v1/devices$", lambda page: [{**row, "colour": "blue"} for row in page])
    run_sync(tmp_path, tenant)
    assert manifest_of(tmp_path).tables["devices"].drift.unknown == {"colour": 50}


@pytest.mark.heavy
def test_a_cut_or_lost_data_file_is_made_anew(tmp_path: Path) -> None:
    tenant = make_tenant()
    run_sync(tmp_path, tenant)
    files = {t.name: data_dir(tmp_path) / str(t.file) for t in manifest_of(tmp_path).tables.values()}
    files["users"].unlink()
    files["devices"].write_bytes(files["devices"].read_bytes()[:4096])
    report = support.run_sync(tmp_path, tenant, everything=False)
    assert {o.table for o in report.outcomes} & {*SOME} == {"users", "devices"}
    assert len(report.warnings) == 2
    assert differing(tmp_path, tenant.world) == []


@pytest.mark.slow
def test_a_data_file_whose_bytes_were_altered_is_not_taken_for_unchanged(tmp_path: Path) -> None:
    tenant = synced(tmp_path)
    path = data_dir(tmp_path) / str(manifest_of(tmp_path).tables["devices"].file)
    data = bytearray(path.read_bytes())
    data[12_288:] = bytes(len(data) - 12_288)
    path.chmod(0o600)
    path.write_bytes(data)
    run_sync(tmp_path, tenant)
    assert differing(tmp_path, tenant.world) == []


def test_a_link_to_another_host_is_never_followed(tmp_path: Path) -> None:
    tenant = make_tenant(700)
    paths: list[str] = []

    def watched(request: Request) -> Response:
        paths.append(request.path)
        return tenant.handle(request)

    sync(tmp_path, "loopback", client_of(watched), names=["users"])
    assert set(paths) == {"/api/v1/users"}


@pytest.mark.heavy
def test_a_table_whose_columns_changed_with_the_version_is_due_and_read_anew(tmp_path: Path) -> None:
    tenant = make_tenant()
    run_sync(tmp_path, tenant)
    manifest = manifest_of(tmp_path)
    older = replace(manifest.tables["users"], ddl=('CREATE TABLE "users" ("id" VARCHAR)',))
    manifest_path(tmp_path, 2).write_bytes(
        replace(manifest, generation=2, tables={**manifest.tables, "users": older}).to_json()
    )
    report = support.run_sync(tmp_path, tenant, everything=False)
    assert {o.table for o in report.outcomes} & {*SOME} == {"users"}
    assert manifest_of(tmp_path).tables["users"].ddl == ddl.statements(resource("users"))
    assert differing(tmp_path, tenant.world) == []
