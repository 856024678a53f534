"""``refresh``: reading from the tenant because an assistant asked, by the scheduler of the server's process."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp_calls import Era, answer, opened, refusal, said
from support import make_tenant, run_sync
from test_scheduler import connecting

from kandji_mcp_server.background import Background
from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.server import build_server
from kandji_mirror.scheduler.due import SyncPolicy
from kandji_mirror.scheduler.service import Intervals, Scheduler
from kandji_schema.http import Request, Response
from kandji_schema.settings import Settings
from kandji_simulator import Fault, FaultKind, Tenant

PATIENCE = 30.0

Start = Callable[..., ServerContext]


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant(5, apps=2)


@pytest.fixture
def start(tmp_path: Path, tenant: Tenant) -> Iterator[Start]:
    """Makes the mirror of a server whose scheduler reads only what it is asked for."""
    with opened(tmp_path) as mirror:
        schedulers: list[Scheduler] = []

        def begin(send: Callable[[Request], Response] = tenant.handle) -> ServerContext:
            intervals = Intervals(compete=0.05, watch=0.05, look=0.02, priorities=())
            scheduler = Scheduler(
                tmp_path, "loopback", connecting(send), SyncPolicy(3_000), keep_days=30, intervals=intervals
            )
            scheduler.start()
            schedulers.append(scheduler)
            mirror.background = Background(Settings(mirror_home=str(tmp_path)))
            mirror.background.scheduler = scheduler
            return mirror

        yield begin
        for scheduler in schedulers:
            scheduler.stop(PATIENCE)


@pytest.mark.heavy
def test_tables_are_read_now_and_the_answer_dates_them(start: Start, tenant: Tenant, era: Era) -> None:
    mirror = start()

    found = answer(mirror, era, "refresh", tables=["devices", "blueprints"])

    assert found["done"] is True
    lines = {line[0]: dict(zip(found["columns"], line, strict=True)) for line in found["tables"]}
    assert {name: (line["state"], line["error"]) for name, line in lines.items()} == {
        "devices": ("ok", None),
        "blueprints": ("ok", None),
    }
    assert lines["devices"]["rows"] == 5
    assert answer(mirror, era, "run_sql", sql="SELECT count(*) FROM devices")["rows"] == [[5]]


@pytest.mark.heavy
def test_everything_about_one_device_is_read_now(tmp_path: Path, start: Start, tenant: Tenant) -> None:
    run_sync(tmp_path, tenant, "devices")
    mirror, asked = start(), len(tenant.requests)
    device = sorted(row["device_id"] for row in tenant.world.truth("devices"))[0]
    tenant.world.rename(device, "Quite another name")

    found = answer(mirror, "auto", "refresh", device=device)

    assert found["done"] is True
    assert "devices" in {line[0] for line in found["tables"]}
    assert len(tenant.requests) - asked < 40
    profile = answer(mirror, "auto", "device_profile", device=device)
    assert profile["parts"]["device"]["device_name"] == "Quite another name"


def test_who_asks_for_the_same_waits_for_the_same_run(start: Start, tenant: Tenant, era: Era) -> None:
    gate, told = Event(), []

    def slow(request: Request) -> Response:
        gate.wait(PATIENCE)
        return tenant.handle(request)

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        told.append(progress)
        gate.set()

    async def talk(mirror: ServerContext) -> tuple[list[Any], Any]:
        wanted = {"tables": ["blueprints"], "wait_seconds": 0}
        async with Client(build_server(mirror), mode=era) as client:
            early = [await client.call_tool("refresh", wanted) for _ in range(3)]
            last = await client.call_tool("refresh", {"tables": ["blueprints"]}, progress_callback=listen)
            return early, last

    early, last = anyio.run(talk, start(slow))

    for found in early:
        document = json.loads(said(found))
        assert document["done"] is False
        assert document["notes"][0].startswith("Still reading after 0 s")
        assert "sync_status tells when it is done" in document["notes"][0]
    assert json.loads(said(last))["done"] is True
    assert len([entry for entry in tenant.requests if "blueprints" in entry.path]) == 1
    assert told
    assert told == sorted(set(told))


def test_a_table_that_could_not_be_read_is_told_with_the_reason(start: Start, tenant: Tenant, era: Era) -> None:
    tenant.faults.append(Fault("/blueprints", FaultKind.FORBIDDEN, times=99))

    found = answer(start(), era, "refresh", tables=["blueprints"])

    assert found["notes"][0] == "Not as it should be: blueprints; these kept their previous rows."
    assert dict(zip(found["columns"], found["tables"][0], strict=True))["state"] == "no permission"


def test_without_a_token_it_says_what_is_missing(tmp_path: Path, era: Era, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with opened(tmp_path) as mirror:
        mirror.background = Background(Settings(mirror_home=str(tmp_path), subdomain="acme"))
        assert "KANDJI_API_TOKEN" in refusal(mirror, era, "refresh", tables=["devices"])
        mirror.background.stop()


def test_where_syncing_is_switched_off_it_says_how_to_do_it(tmp_path: Path, era: Era) -> None:
    with opened(tmp_path) as mirror:
        mirror.background = Background(Settings(mirror_home=str(tmp_path), mirror_background=False))
        assert "`kandji-mirror sync` reads from the tenant" in refusal(mirror, era, "refresh", tables=["devices"])
