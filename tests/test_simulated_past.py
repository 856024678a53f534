"""A simulated tenant with a past, a pace, boxes that are not ticked and faults: what it becomes in a home."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support import Rows, run_sync, true_rows

from kandji_cli.options import FAULTS
from kandji_cli.simulated import Fleet, days_of, simulate_fleet
from kandji_mirror.history.given import GivenChange
from kandji_mirror.store.past import give_past
from kandji_queries.reader import Reader
from kandji_schema.errors import UnknownName, UsageError
from kandji_schema.http import Request
from kandji_schema.registry import tenant_tables
from kandji_simulator import TOKEN, Tenant, World
from kandji_simulator.api.fault_words import SHORT, fault_of
from kandji_simulator.simulation.past import Past

TRACKED = {name: resource for name, resource in tenant_tables().items() if resource.tracked}
DAYS = 12
BEGAN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
WATCHED = ("devices", "apps", "prism_filevault", "prism_certificates")
Truth = dict[str, Rows]


def truth(world: World) -> Truth:
    return {table: true_rows(world, table, volatile=False) for table in WATCHED}


def of_columns(table: str) -> str:
    ours = {"extra", "ordinal"} if tenant_tables()[table].repeats else {"extra"}
    names = [c.name for c in tenant_tables()[table].columns if c.name not in ours and not c.volatile]
    return ", ".join(f'"{name}"' for name in names)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[datetime, Truth]]:
    """A home with a past, and the truth at the end of some of its days."""
    home, world = tmp_path_factory.mktemp("lived"), World(5, 60, apps_per_device=6, start=BEGAN)
    truths, changes = {BEGAN: truth(world)}, []
    for change in Past(world, DAYS, TRACKED).live():
        if change.at not in truths and (change.at - BEGAN).days % 5 == 0:
            truths[change.at] = truth(world)
        changes.append(GivenChange(TRACKED[change.table], change.at, change.before, change.after))
    assert run_sync(home, Tenant(world, limits=None), *WATCHED).failed == ()
    give_past(home, "loopback", changes, since=BEGAN)
    return home, truths


@pytest.mark.heavy
def test_the_past_of_every_table_is_what_the_tenant_was(lived: tuple[Path, dict[datetime, Truth]]) -> None:
    home, truths = lived
    assert len(truths) == 3
    with Reader(home) as reader:
        for at, tables in truths.items():
            for table, rows in tables.items():
                moment = at.replace(tzinfo=None).isoformat(" ")
                found = reader.run(f"SELECT {of_columns(table)} FROM {table}_as_of('{moment}')").rows
                assert sorted(found, key=repr) == rows, (table, at)


@pytest.mark.heavy
def test_every_day_of_the_past_was_read_and_told(lived: tuple[Path, dict[datetime, Truth]]) -> None:
    with Reader(lived[0]) as reader:
        told = reader.run(
            "SELECT count(DISTINCT changed_at::DATE), min(changed_at) > $began FROM changes_by_thing",
            {"began": BEGAN.replace(tzinfo=None)},
        )
        assert told.rows == [(DAYS, True)]
        assert (
            reader.run("SELECT count(*) FROM changes WHERE change = 'changed' AND table_name = 'apps'").rows[0][0] > 10
        )


def test_the_same_seed_has_the_same_past() -> None:
    told = [[*Past(World(3, 15, apps_per_device=3, start=BEGAN), 4, TRACKED).live()] for _ in range(2)]
    assert told[0] == told[1] != []


def request(path: str, tenant: Tenant, method: str = "GET") -> int:
    return tenant.handle(Request(method, path, (), {"authorization": f"Bearer {TOKEN}"}, b"")).status


def alive(seed: int, moments: list[float], pace: float = 600) -> World:
    """A world that was asked at these seconds."""
    now = [0.0]
    world = World(seed, 40, apps_per_device=3, start=BEGAN)
    tenant = Tenant(world, limits=None, clock=lambda: now[0], pace=pace)
    for now[0] in moments:
        assert request("/api/v1/devices", tenant) == 200
    return world


def rows(world: World) -> list[Any]:
    return [json.dumps(row) for row in world.truth("devices")]


def test_a_living_tenant_changes_by_its_clock_and_seed_alone() -> None:
    first, last = alive(1, [600.0]), alive(1, [200.0, 400.0, 600.0])
    assert rows(first) == rows(last) != rows(World(1, 40, apps_per_device=3, start=BEGAN))
    assert BEGAN + timedelta(seconds=590) < first.now <= BEGAN + timedelta(seconds=600)
    assert first.steps == 400
    assert rows(first) != rows(alive(2, [600.0]))
    assert rows(alive(1, [600.0], pace=0)) == rows(World(1, 40, apps_per_device=3, start=BEGAN))


def test_a_long_pause_is_lived_in_few_steps() -> None:
    assert alive(1, [90_000.0]).steps == 500


@pytest.mark.parametrize(
    ("name", "refused", "open_still"),
    [
        ("users", "/api/v1/users", "/api/v1/devices"),
        ("device LIST", "/api/v1/devices", "/api/v1/blueprints"),
        ("apps", "/api/v1/prism/filevault", "/api/v1/devices"),
    ],
)
def test_a_box_that_is_not_ticked_is_that_of_a_table_or_a_permission(name: str, refused: str, open_still: str) -> None:
    tenant = simulate_fleet(Fleet(devices=3, apps=1, seed=1, forbidden=(name,))).tenant
    assert (request(refused, tenant), request(open_still, tenant)) == (403, 200)


def test_an_action_can_be_forbidden() -> None:
    tenant = simulate_fleet(Fleet(devices=3, apps=1, seed=1, forbidden=("Lock",))).tenant
    device = tenant.world.device_ids()[0]
    assert request(f"/api/v1/devices/{device}/action/lock", tenant, "POST") == 403
    assert request(f"/api/v1/devices/{device}", tenant) == 200


def test_so_many_requests_go_wrong_as_were_asked_for() -> None:
    tenant = simulate_fleet(Fleet(devices=3, apps=1, seed=1, faults=("500:20%",))).tenant
    statuses = [request("/api/v1/tags", tenant) for _ in range(40)]
    assert 2 <= statuses.count(500) <= 16
    assert statuses.count(200) == 40 - statuses.count(500)


def test_faults_have_the_names_that_help_lists() -> None:
    assert tuple(SHORT) == FAULTS
    assert [fault_of(text).kind.name for text in ("broken-json", "server_error:1", "Total-Null:0.5")] == [
        "TRUNCATED_JSON",
        "SERVER_ERROR",
        "TOTAL_NULL",
    ]


def refusals() -> Iterator[Any]:
    yield fault_of, "fast", UnknownName, "kind of fault 'fast'"
    yield fault_of, "429:2", UsageError, "0 to 1"
    yield fault_of, "429:", UsageError, "0 to 1"
    yield days_of, "90", UsageError, "90d, 12w"
    yield days_of, "5000d", UsageError, "400d"
    yield lambda name: simulate_fleet(Fleet(devices=1, apps=0, seed=1, forbidden=(name,))), "user", UnknownName, "users"


@pytest.mark.parametrize(("ask", "text", "error", "words"), [*refusals()])
def test_what_cannot_be_simulated_is_refused(ask: Any, text: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        ask(text)
