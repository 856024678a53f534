"""Several schedulers on one home: one syncs, the others wait, and what is asked of any of them is done."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from support import client_of, differing, make_tenant, manifest_of, run_sync

from kandji_mirror.connection import Connection
from kandji_mirror.report import Report
from kandji_mirror.scheduler.due import Priority, SyncPolicy
from kandji_mirror.scheduler.inbox import request_refresh, sync_or_request
from kandji_mirror.scheduler.queue import RefreshRequest
from kandji_mirror.scheduler.service import Intervals, Scheduler, scheduler_of
from kandji_mirror.store.opening import open_store
from kandji_schema.errors import (
    AlreadySyncing,
    ApiError,
    AuthenticationError,
    ConfigurationError,
    Interrupted,
    UnknownName,
    UsageError,
)
from kandji_schema.http import Request, Response
from kandji_schema.manifest import State
from kandji_schema.registry import resources
from kandji_schema.settings import Settings
from kandji_simulator import Fault, FaultKind, Tenant

SOON = 20.0
QUICK = Intervals(
    compete=0.05,
    watch=0.05,
    look=0.02,
    priorities=(Priority("few", 0.05, lambda resource, state: resource.name == "blueprints"),),
)

Start = Callable[..., Scheduler]


def connecting(send: Callable[[Request], Response]) -> Any:
    @contextmanager
    def connect(*, background: bool) -> Iterator[Connection]:
        yield Connection("loopback", "http://127.0.0.1", client_of(send))

    return connect


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant(5)


@pytest.fixture
def start(tmp_path: Path, tenant: Tenant) -> Iterator[Start]:
    """Starts a scheduler; all are stopped at the end of the test."""
    with ExitStack() as stack:

        def begin(send: Callable[[Request], Response] = tenant.handle) -> Scheduler:
            scheduler = Scheduler(
                tmp_path,
                "loopback",
                connecting(send),
                SyncPolicy(3_000),
                keep_days=30,
                intervals=QUICK,
                jitter=lambda: 0.0,
            )
            scheduler.start()
            stack.callback(scheduler.stop, SOON)
            return scheduler

        yield begin


def wait_until(condition: Callable[[], bool]) -> None:
    """Look again and again, for twenty seconds at most."""
    tick = Event()
    for _ in range(400):
        if condition():
            return
        tick.wait(0.05)
    raise AssertionError("It did not come about.")


def attempted(home: Path, table: str) -> Any:
    try:
        return manifest_of(home).tables[table].attempted_at
    except StopIteration:
        return None


def test_it_syncs_by_itself_and_lets_go_of_the_lock(tmp_path: Path, start: Start) -> None:
    scheduler = start()
    wait_until(lambda: attempted(tmp_path, "blueprints") is not None)
    assert scheduler.syncing
    assert scheduler.stop(SOON)
    assert not scheduler.syncing
    with open_store(tmp_path, "loopback", resources()) as store:
        assert store.current.tables["blueprints"].state is State.OK
    assert not list((tmp_path / "store").rglob("*.tmp*"))


def test_of_two_one_syncs_and_the_other_takes_over_when_it_ends(tmp_path: Path, start: Start, tenant: Tenant) -> None:
    first = start()
    wait_until(lambda: attempted(tmp_path, "blueprints") is not None)
    second = start()
    asked = len(tenant.requests)
    assert (first.syncing, second.syncing) == (True, False)
    first.stop(SOON)
    wait_until(lambda: second.syncing)
    assert len(tenant.requests) == asked  # nothing was due


@pytest.mark.slow
def test_a_refresh_is_done_by_whoever_syncs(tmp_path: Path, start: Start) -> None:
    first = start()
    wait_until(lambda: first.syncing)
    second = start()
    for scheduler in (first, second):
        before = attempted(tmp_path, "tags")
        (outcome,) = scheduler.refresh(["tags"]).result(SOON).outcomes
        assert (outcome.table, outcome.state) == ("tags", State.OK)
        assert attempted(tmp_path, "tags") != before


def test_a_refresh_of_something_unknown_is_refused_at_once(start: Start) -> None:
    with pytest.raises(UnknownName, match="Did you mean devices"):
        start().refresh(["device"])


def test_a_refresh_tells_its_progress(tmp_path: Path, start: Start) -> None:
    scheduler = start()
    seen: list[Any] = []

    class Watcher:
        def planned(self, tables: Sequence[str]) -> None: ...

        def started(self, table: str) -> None:
            seen.append(table)

        def advanced(self, table: str, *, pages: int, rows: int, total: int | None) -> None:
            seen.append(rows)

        def finished(self, outcome: Any) -> None:
            seen.append(outcome.state)

    wait_until(lambda: scheduler.syncing)
    scheduler.refresh(["tags"], progress=Watcher()).result(SOON)
    assert seen[0] == "tags"
    assert seen[-1] == State.OK


def test_a_wrong_token_reaches_who_asks_in_another_process_too(tmp_path: Path, start: Start) -> None:
    first = start(lambda request: Response(401, {}, b"{}"))
    wait_until(lambda: first.syncing)
    with pytest.raises(AuthenticationError):
        request_refresh(tmp_path, RefreshRequest(("tags",)))


def test_a_stop_ends_hanging_requests_and_those_who_wait_for_them(tmp_path: Path, start: Start) -> None:
    hanging, over = Event(), Event()

    def hang(request: Request) -> Response:
        hanging.set()
        over.wait(SOON)
        return Response(500, {}, b"")

    scheduler = start(hang)
    try:
        wait_until(lambda: scheduler.syncing)
        waiting = scheduler.refresh(["tags"])
        assert hanging.wait(SOON)
        assert scheduler.stop(2.0)
    finally:
        over.set()
    assert isinstance(waiting.exception(SOON), Interrupted)
    assert isinstance(scheduler.refresh(["tags"]).exception(SOON), Interrupted)
    assert not list((tmp_path / "store" / "manifests").iterdir())


def test_one_that_waits_for_another_process_is_let_go_when_it_stops(tmp_path: Path, start: Start) -> None:
    with open_store(tmp_path, "loopback", resources()):
        scheduler = start()
        waiting = scheduler.refresh(["tags"])
        assert scheduler.stop(SOON)
        assert isinstance(waiting.exception(SOON), Interrupted)


def test_a_home_of_another_tenant_is_told_once_and_left_alone(
    tmp_path: Path, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    run_sync(tmp_path, make_tenant(1), "tags")
    before = manifest_of(tmp_path).generation
    other = Scheduler(
        tmp_path, "acme", connecting(make_tenant(1).handle), SyncPolicy(3_000), keep_days=30, intervals=QUICK
    )
    other.start()
    wait_until(lambda: bool(caplog.messages))
    assert other.stop(SOON)
    (line,) = caplog.messages
    assert "mirrors the tenant 'loopback', the settings name 'acme'" in line
    assert manifest_of(tmp_path).generation == before


# -- asking from a process without a scheduler ---------------------------------------------------------------------


def test_a_sync_while_another_process_syncs_is_done_by_that_one(tmp_path: Path, start: Start, tenant: Tenant) -> None:
    scheduler = start()
    wait_until(lambda: scheduler.syncing)
    report = sync_or_request(tmp_path, RefreshRequest(("tags",)), lambda: run_sync(tmp_path, tenant, "tags"))
    assert [(o.table, o.state, o.rows) for o in report.outcomes] == [("tags", State.OK, tenant.world.count("tags"))]
    assert sum(request.path == "/api/v1/tags" for request in tenant.requests) == 1


def test_a_sync_that_nobody_else_does_is_done_here(tmp_path: Path, tenant: Tenant) -> None:
    report = sync_or_request(tmp_path, RefreshRequest(("tags",)), lambda: run_sync(tmp_path, tenant, "tags"))
    assert [o.table for o in report.outcomes] == ["tags"]


class Watch:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_when_the_other_process_goes_away_it_is_done_here_after_all(tmp_path: Path, tenant: Tenant) -> None:
    watch, tries = Watch(), []

    def attempt() -> Report:
        tries.append(watch.now)
        if watch.now < 12:
            raise AlreadySyncing("Another process.")
        return run_sync(tmp_path, tenant, "tags")

    report = request_refresh(
        tmp_path, RefreshRequest(("tags",)), instead=attempt, clock=lambda: watch.now, sleep=watch.sleep
    )
    assert [o.table for o in report.outcomes] == ["tags"]
    assert [round(moment) for moment in tries] == [5, 10, 15]
    assert not list((tmp_path / "refresh").iterdir())


def test_nobody_waits_for_ever(tmp_path: Path) -> None:
    watch = Watch()
    with pytest.raises(AlreadySyncing, match="has not answered within 60 s"):
        request_refresh(tmp_path, RefreshRequest(("tags",)), patience=60, clock=lambda: watch.now, sleep=watch.sleep)
    assert not list((tmp_path / "refresh").iterdir())


# -- some devices --------------------------------------------------------------------------------------------------


@pytest.mark.heavy
def test_devices_are_read_by_whoever_syncs_and_each_process_gets_the_report(
    tmp_path: Path, start: Start, tenant: Tenant
) -> None:
    run_sync(tmp_path, tenant, "devices")
    device = tenant.world.device_ids()[0]
    first = start()
    wait_until(lambda: first.syncing)
    second = start()
    for scheduler, name in ((first, "Here"), (second, "There")):
        tenant.world.rename(device, name)
        report = scheduler.refresh_devices([device], ["device_details"]).result(3 * SOON)
        assert [(o.table, o.state, o.method) for o in report.outcomes] == [
            ("devices", State.OK, "by device"),
            ("device_details", State.OK, "by device"),
        ]
        assert differing(tmp_path, tenant.world, tables=["devices"]) == []
    with pytest.raises(UsageError, match="not of devices"):
        first.refresh_devices([device], ["tags"])


def test_trouble_with_a_device_says_nothing_about_its_tables(tmp_path: Path, start: Start, tenant: Tenant) -> None:
    run_sync(tmp_path, tenant, "devices")
    scheduler = start()
    wait_until(lambda: scheduler.syncing)
    before = manifest_of(tmp_path).tables["devices"]
    tenant.faults.append(Fault("/devices/", FaultKind.BAD_REQUEST, times=9))
    with pytest.raises(ApiError):
        scheduler.refresh_devices([tenant.world.device_ids()[0]]).result(SOON)
    assert manifest_of(tmp_path).tables["devices"] == before


# -- from the settings ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(), "No tenant is set"),
        (Settings(subdomain="acme", api_token="t", mirror_ttl="devices"), "KANDJI_MIRROR_TTL: 'devices' must be"),
    ],
)
def test_settings_that_cannot_work_are_told_before_anything_starts(settings: Settings, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        scheduler_of(settings)
