"""Threats where the provider moved them: the newer endpoint takes the older one's place, and that is remembered."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import make_tenant, manifest_of, mirrored, run_sync, true_rows

from kandji_schema.manifest import State
from kandji_schema.registry import resource
from kandji_simulator import Fault, Tenant
from kandji_simulator import FaultKind as Trouble

OLDER, NEWER = "/api/v1/threat-details", "/api/v2/threat/threat-details"
SHAPES: dict[str, Callable[[Any], Any]] = {
    "results": lambda body: body,
    "data": lambda body: {"data": body["results"]},
    "results in data": lambda body: {"data": body},
    "array": lambda body: body["results"],
}


def moved(kind: Trouble = Trouble.NOT_FOUND) -> Tenant:
    """A tenant whose older endpoint is no more."""
    tenant = make_tenant(60, apps=1)
    tenant.faults.append(Fault(OLDER, kind, times=999))
    return tenant


def asked(tenant: Tenant) -> list[str]:
    found = [request.path for request in tenant.requests if "threat-details" in request.path]
    tenant.requests.clear()
    return found


@pytest.mark.parametrize("shape", SHAPES)
def test_rows_come_from_the_newer_endpoint_in_any_shape_and_it_is_asked_first_from_then_on(
    tmp_path: Path, shape: str
) -> None:
    tenant = moved(Trouble.GONE if shape == "data" else Trouble.NOT_FOUND)
    tenant.reshape(NEWER, SHAPES[shape])
    run_sync(tmp_path, tenant, "devices", "threats")
    state = manifest_of(tmp_path).tables["threats"]
    assert (state.state, state.error, state.drift.unknown) == (State.OK, None, {})
    newer = [c.name for c in resource("threats").columns].index
    rows = mirrored(tmp_path, "threats")
    assert len(rows) == len(true_rows(tenant.world, "threats")) > 1
    assert {row[newer("severity")] for row in rows} <= {"high", "medium", "low"}
    assert len({row[newer("id")] for row in rows}) == len(rows)
    assert asked(tenant) == [OLDER, NEWER]
    run_sync(tmp_path, tenant, "threats")
    assert (set(asked(tenant)), mirrored(tmp_path, "threats")) == ({NEWER}, rows)


def test_the_older_endpoint_is_asked_again_where_the_newer_one_is_no_more(tmp_path: Path) -> None:
    tenant = moved()
    run_sync(tmp_path, tenant, "devices", "threats")
    tenant.faults[:] = [Fault(NEWER, Trouble.NOT_FOUND, times=999)]
    asked(tenant)
    run_sync(tmp_path, tenant, "threats")
    assert set(asked(tenant)) == {NEWER, OLDER}
    assert mirrored(tmp_path, "threats") == true_rows(tenant.world, "threats")
    tenant.faults.append(Fault(OLDER, Trouble.NOT_FOUND, times=999))
    run_sync(tmp_path, tenant, "threats")
    assert manifest_of(tmp_path).tables["threats"].state is State.ABSENT
