"""A broken answer is asked for again; where it stays broken it is never taken for "none", "absent" or "empty"."""

import re
from pathlib import Path
from typing import Any

import pytest
from support import make_tenant, manifest_of, mirrored, run_sync, slow_but

from kandji_schema.manifest import State
from kandji_schema.registry import resource, tenant_tables
from kandji_schema.resource import Paging
from kandji_simulator import Fault, FaultKind, Tenant

BROKEN = (FaultKind.HTML_PAGE, FaultKind.NUMBER_BODY)
"""Torn JSON and other objects are the same to a table; the tests of pages have all kinds."""


QUICK = ("devices", "users", "apps", "prism_filevault", "device_details", "audit_events", "blueprint_library_items")
"""One table of each way of reading."""
PAGED = [name for name, r in tenant_tables().items() if r.paging is not Paging.WHOLE]


@pytest.fixture(scope="module")
def tenant() -> Tenant:
    return make_tenant(20, apps=2)


@pytest.fixture(scope="module")
def home(tenant: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirror of everything; broken answers leave its rows as they are."""
    home = tmp_path_factory.mktemp("home")
    assert run_sync(home, tenant).failed == ()
    return home


def path_of(table: str) -> str:
    """A pattern for the requests that bring rows of the table."""
    return f"^{re.sub('{[a-z_]+}', '[^/?]+', resource(table).path)}([?]|$)"


def numbers(body: Any) -> Any:
    """The answer with a number in place of every row."""
    if isinstance(body, list):
        return [7 for _ in body]
    if not isinstance(body, dict):
        return 7
    lists = {name: numbers(value) for name, value in body.items() if isinstance(value, list)}
    inner = {name: numbers(value) for name, value in body.items() if isinstance(value, dict)}
    return {**body, **(lists or inner)} if lists or inner else 7


def failures_of(table: str) -> tuple[State, ...]:
    """What a table may be where nothing but broken answers came; a device that is not lost says so by an error."""
    return (State.FAILED, State.PARTIAL) if resource(table).empty_answer else (State.FAILED,)


@pytest.mark.parametrize("table", slow_but(*QUICK, of=tenant_tables(), tier=pytest.mark.many))
def test_a_table_whose_answers_stay_broken_fails_and_keeps_its_rows(tenant: Tenant, home: Path, table: str) -> None:
    rows = mirrored(home, table)
    for kind in BROKEN:
        tenant.faults[:] = [Fault(path_of(table), kind, times=9_999)]
        run_sync(home, tenant, table, everything=True)
        state = manifest_of(home).tables[table]
        assert state.state in failures_of(table), kind
        assert state.error
        assert mirrored(home, table) == rows
    tenant.faults[:] = [Fault(path_of(table), BROKEN[0])]
    assert run_sync(home, tenant, table, everything=True).failed == ()
    assert (manifest_of(home).tables[table].state, mirrored(home, table)) == (State.OK, rows)


@pytest.mark.parametrize("table", slow_but(*QUICK, of=PAGED, tier=pytest.mark.many))
def test_rows_that_are_numbers_are_no_rows(tenant: Tenant, home: Path, table: str) -> None:
    rows = mirrored(home, table)
    tenant.reshape(path_of(table), numbers)
    run_sync(home, tenant, table, everything=True)
    tenant.reshape(path_of(table), None)
    assert mirrored(home, table) == rows
    assert (manifest_of(home).tables[table].state is State.OK) == (not rows)


def test_one_broken_list_of_many_is_told(tenant: Tenant, home: Path) -> None:
    for table in ("library_item_activity", "blueprint_library_items"):
        rows = mirrored(home, table)
        tenant.faults[:] = [Fault(path_of(table).replace("[^/?]+", rows[0][0]), FaultKind.HTML_PAGE, times=99)]
        report = run_sync(home, tenant, table, everything=True)
        tenant.faults.clear()
        assert [outcome.table for outcome in report.failed] == [table]
        assert mirrored(home, table) == rows
