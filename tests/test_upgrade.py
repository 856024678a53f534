"""A home that an earlier version wrote, with other columns: no row goes by the upgrade, and history stays true."""

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from support import client_of, differing, make_tenant, manifest_of, mirrored, run_sync, slow_but, synced, true_rows

from kandji_mirror.store.opening import open_store
from kandji_mirror.sync.run import sync
from kandji_queries.reader import Reader
from kandji_schema.manifest import State, data_dir
from kandji_schema.privacy import Privacy
from kandji_schema.registry import resources
from kandji_simulator import Tenant

LACKING = {
    "audit_events": "new_state",
    "device_details": "model_identifier",
    "devices": "asset_tag",
    "apps": "signature",
}
"""Columns that the earlier version did not have."""


def as_an_earlier_version_wrote_it(home: Path, tenant: str = "loopback", damage: str = "") -> None:
    """Take the columns out of data files, and out of the definitions in the manifest; ``damage`` is done to apps."""
    with open_store(home, tenant, resources()) as store:
        states = {}
        for table, column in LACKING.items():
            state = store.current.tables[table]
            path = data_dir(home) / str(state.file)
            with duckdb.connect(path) as con:
                con.execute(f'ALTER TABLE "{table}" DROP COLUMN "{column}"; {damage if table == "apps" else ""}')
            first = next(line for line in state.ddl[0].splitlines() if f'"{column}"' in line)
            ddl = (state.ddl[0].replace(f"{first}\n", ""), *(d for d in state.ddl[1:] if f'"{column}"' not in d))
            states[table] = replace(state, ddl=ddl, bytes=path.stat().st_size, digest=None)
        store.publish(states)


def removals(home: Path) -> list[tuple[str, int]]:
    with Reader(home) as reader:
        sql = "SELECT table_name, count(*) FROM changes WHERE change = 'removed' GROUP BY ALL"
        return reader.run(sql).rows


@pytest.fixture
def upgraded(tmp_path: Path) -> tuple[Path, Tenant]:
    tenant = synced(tmp_path, 20)
    as_an_earlier_version_wrote_it(tmp_path)
    return tmp_path, tenant


@pytest.mark.heavy
def test_what_the_provider_has_forgotten_meanwhile_stays(upgraded: tuple[Path, Tenant]) -> None:
    home, tenant = upgraded
    before = {row[0] for row in mirrored(home, "users")}
    with Reader(home) as reader:
        events = reader.run("SELECT id FROM audit_events").rows
    tenant.reshape("audit/events", lambda body: {**body, "results": body["results"][:5]})
    assert run_sync(home, tenant, "audit_events").failed == ()
    with Reader(home) as reader:
        assert set(reader.run("SELECT id FROM audit_events").rows) == set(events)
        assert reader.run("SELECT count(*) FROM audit_events WHERE new_state IS NOT NULL").rows[0][0] > 0
    assert {row[0] for row in mirrored(home, "users")} == before


@pytest.mark.heavy
def test_devices_that_a_sweep_has_not_come_to_keep_their_rows(upgraded: tuple[Path, Tenant]) -> None:
    home, tenant = upgraded
    with open_store(home, "loopback", resources()) as store:
        assert store.current.tables["device_details"].rows == 20
    client = client_of(tenant.handle, tenant.fetch)
    report = sync(home, "loopback", client, sweep=6)
    assert report.failed == ()
    state = manifest_of(home).tables["device_details"]
    assert (state.state, state.rows) == (State.PARTIAL, 20)
    assert removals(home) == []
    run_sync(home, tenant, "device_details")
    assert mirrored(home, "device_details") == true_rows(tenant.world, "device_details")


@pytest.mark.heavy
def test_the_next_pass_fills_the_new_columns_and_history_tells_of_no_removal(upgraded: tuple[Path, Tenant]) -> None:
    home, tenant = upgraded
    assert run_sync(home, tenant, *LACKING).failed == ()
    assert differing(home, tenant.world) == []
    assert removals(home) == []


@pytest.mark.many
def test_a_masked_home_is_taken_over_masked(tmp_path: Path) -> None:
    tenant = make_tenant(12)
    run_sync(tmp_path, tenant, privacy=Privacy.ON)
    before = mirrored(tmp_path, "users")
    as_an_earlier_version_wrote_it(tmp_path)
    run_sync(tmp_path, tenant, "devices", "apps", privacy=Privacy.ON)
    assert mirrored(tmp_path, "users") == before
    assert removals(tmp_path) == []


@pytest.mark.heavy
@pytest.mark.parametrize(
    "statement", slow_but('DROP TABLE "apps"', of=['ALTER TABLE "apps" DROP COLUMN "device_id"', 'DROP TABLE "apps"'])
)
def test_a_file_that_nobody_can_make_sense_of_stops_no_sync(tmp_path: Path, statement: str) -> None:
    tenant, home = make_tenant(20), tmp_path
    run_sync(home, tenant)
    as_an_earlier_version_wrote_it(home, damage=statement)
    report = run_sync(home, tenant, "devices", "apps")
    assert report.failed == ()
    assert any("apps cannot be taken over" in warning for warning in report.warnings)
    assert mirrored(home, "apps") == true_rows(tenant.world, "apps")
