"""A fleet that changes while it is read, and rows that are damaged: what is there stays."""

import shutil
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from moving_fleet import drifting, in_no_order, in_small_pages, keys
from support import client_of, make_tenant, manifest_of, mirrored, run_sync, synced, true_rows

from kandji_mirror.ingest.engine import Engine
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.sync.completeness import DeletionProof, refuse_unproven
from kandji_mirror.sync.run import sync
from kandji_queries.reader import Reader
from kandji_schema.errors import Suspicious
from kandji_schema.http import Request, Response
from kandji_schema.manifest import State, data_dir
from kandji_schema.registry import resource
from kandji_simulator import Fault, Quirks
from kandji_simulator import FaultKind as Trouble

TABLES = ("devices", "prism_filevault", "apps", "prism_certificates")


@pytest.mark.heavy
@pytest.mark.parametrize("seed", [0, 1, 2, 4, 5, 10, None])  # each mixture of paging, inserts and order, and a new one
def test_no_row_that_is_there_throughout_is_lost_while_devices_leave(tmp_path: Path, seed: int | None) -> None:
    seed = Random().randrange(10**6) if seed is None else seed  # noqa: S311  # the course of this run alone
    tenant = synced(tmp_path, 90, *TABLES, seed=1, apps=3, quirks=Quirks(prism_cursors=seed % 4 == 0))
    before = {table: keys(table, true_rows(tenant.world, table)) for table in TABLES}
    chance = Random(seed)  # noqa: S311  # a seeded course of events
    drifting(tenant, chance, inserts=seed % 2 == 1)
    send = in_small_pages(tenant, chance if seed % 5 == 0 else None)
    sync(tmp_path, "loopback", client_of(send, tenant.fetch), names=TABLES, everything=True)
    for table in TABLES:
        there = before[table] & keys(table, true_rows(tenant.world, table))
        assert there <= keys(table, mirrored(tmp_path, table)), (table, seed)
    tenant.between("", None)
    assert run_sync(tmp_path, tenant, *TABLES).failed == ()
    assert all(mirrored(tmp_path, table) == true_rows(tenant.world, table) for table in TABLES)
    removed = removed_of(tmp_path)
    assert removed
    assert removed.isdisjoint(tenant.world.device_ids())


@pytest.mark.heavy
@pytest.mark.parametrize("asked_by_device", [True, False])
def test_a_list_in_another_order_each_time_is_never_called_whole(tmp_path: Path, asked_by_device: bool) -> None:
    tenant = make_tenant(60, apps=3, quirks=Quirks(prism_cursors=False))
    shuffled = in_no_order(tenant, Random(3))  # noqa: S311  # a seeded order

    def send(request: Request) -> Response:
        of_devices = any(name == "filter" and "device_id" in value for name, value in request.query)
        return Response(400, {}, b"{}") if of_devices and not asked_by_device else shuffled(request)

    report = sync(tmp_path, "loopback", client_of(send, tenant.fetch), names=TABLES, everything=True)
    for outcome in report.outcomes:
        state, true = manifest_of(tmp_path).tables[outcome.table], len(true_rows(tenant.world, outcome.table))
        if state.rows == true:
            continue
        told = f"{state.error or ''} {state.note or ''}"
        assert state.state is State.FAILED or state.note, outcome.table
        assert str(true) in told or f"{true - state.rows} rows fewer" in told, told
        assert (state.checked_at, outcome.table) == (None, outcome.table)
    assert asked_by_device or {outcome.table for outcome in report.failed} >= {"devices", "apps"}
    run_sync(tmp_path, tenant, *TABLES)
    assert all(mirrored(tmp_path, table) == true_rows(tenant.world, table) for table in TABLES)


def removed_of(home: Path) -> set[str]:
    """Devices of which history tells that a row of them went."""
    with Reader(home) as reader:
        return {
            device for (device,) in reader.run("SELECT DISTINCT device_id FROM changes WHERE change = 'removed'").rows
        }


@pytest.mark.heavy
def test_a_broken_count_is_asked_for_again_and_told_where_it_stays_broken(tmp_path: Path) -> None:
    tenant = make_tenant(20)
    for kind in (Trouble.TRUNCATED_JSON, Trouble.HTML_PAGE, Trouble.OBJECT_BODY, Trouble.NUMBER_BODY):
        tenant.faults[:] = [Fault("prism/count", kind)]
        assert run_sync(tmp_path, tenant, "apps").failed == (), kind
        tenant.faults[:] = [Fault("prism/count", kind, times=99)]
        (failed,) = run_sync(tmp_path, tenant, "apps").failed
        assert "count" in str(failed.error)
        assert mirrored(tmp_path, "apps") == true_rows(tenant.world, "apps")


@pytest.mark.heavy
def test_a_row_whose_key_cannot_be_read_is_set_aside_and_the_old_one_stays(tmp_path: Path) -> None:
    tenant = make_tenant(20)
    run_sync(tmp_path, tenant, "devices", "apps", "threats")
    before = {table: mirrored(tmp_path, table) for table in ("apps", "threats")}

    def damaged(field: str) -> Any:
        def change(body: Any) -> Any:
            rows = body.get("data", body.get("results"))
            return {
                **body,
                **{k: [{**rows[0], field: {"odd": 1}}, *rows[1:]] for k in ("data", "results") if k in body},
            }

        return change

    tenant.reshape("prism/apps", damaged("bundle_id"))
    tenant.reshape("threat", damaged("detection_date"))
    run_sync(tmp_path, tenant, "apps", "threats", everything=True)
    assert {table: mirrored(tmp_path, table) for table in before} == before
    states = manifest_of(tmp_path).tables
    assert states["apps"].drift.odd["bundle_id"] == 1
    assert states["threats"].drift.odd["detection_date"] == 1


def test_one_row_nested_beyond_reason_does_not_end_the_run(tmp_path: Path) -> None:
    tenant = make_tenant(20)
    deep: Any = "end"
    for _ in range(900):
        deep = {"a": deep}
    tenant.reshape(
        "prism/filevault", lambda body: {**body, "data": [{**body["data"][0], "new": deep}, *body["data"][1:]]}
    )
    report = run_sync(tmp_path, tenant, "devices", "prism_filevault", "apps", "users")
    states = {outcome.table: outcome.state for outcome in report.outcomes}
    assert {states[name] for name in ("devices", "apps", "users")} == {State.OK}
    assert len(states) == 4


def test_a_file_that_lacks_a_row_without_proof_is_refused(tmp_path: Path) -> None:
    tenant = make_tenant(6)
    run_sync(tmp_path, tenant, "devices")
    live = data_dir(tmp_path) / str(manifest_of(tmp_path).tables["devices"].file)
    short, listed = tmp_path / "short.duckdb", resource("devices")
    gone = tenant.world.device_ids()[2]
    shutil.copyfile(live, short)
    with duckdb.connect(short) as con:
        con.execute("DELETE FROM devices WHERE device_id = ?", [gone])
    with Engine(tmp_path / "spill") as engine, Staging(listed, tmp_path / "scratch", engine=engine) as staging:
        for among in (None, [gone]):
            with pytest.raises(Suspicious, match="1 rows of devices would go"):
                refuse_unproven(engine, listed, live, short, DeletionProof(), among)
        proof = {gone: staging.missing(live)[gone]}
        refuse_unproven(engine, listed, live, short, DeletionProof(proven=proof), None)
        refuse_unproven(engine, listed, live, live, DeletionProof(), None)


def test_what_todays_answers_do_not_have_is_no_news(tmp_path: Path) -> None:
    """A remark that never goes away is not read, and those that are news stand beside it."""
    names = ("devices", "threats", "prism_device_information")
    run_sync(tmp_path, make_tenant(30, apps=1), *names)
    tables = manifest_of(tmp_path).tables
    unsent = {name: {column.name for column in resource(name).columns if column.unsent} for name in names}
    assert all(unsent.values())
    assert {name: set(tables[name].drift.missing) & unsent[name] for name in names} == {name: set() for name in names}
    assert "api_level" in tables["devices"].drift.missing, "there is no Android device among these"
