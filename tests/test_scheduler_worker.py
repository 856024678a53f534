"""What the syncing process reads, and when: without threads and without a timer, in a time that moves by hand."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from support import client_of, make_tenant, manifest_of, mirrored, recorded_runs, true_rows

from kandji_mirror.api.client import Client
from kandji_mirror.connection import Connection
from kandji_mirror.report import Report
from kandji_mirror.run_log import passes_after
from kandji_mirror.scheduler.backoff import Backoff
from kandji_mirror.scheduler.due import PRIORITIES, Priority, SyncPolicy
from kandji_mirror.scheduler.inbox import Inbox
from kandji_mirror.scheduler.queue import RefreshQueue, RefreshRequest
from kandji_mirror.scheduler.runner import Quota, Runner
from kandji_mirror.scheduler.worker import SyncWorker
from kandji_mirror.store.opening import open_store
from kandji_mirror.store.store import Store
from kandji_mirror.sync.run import run_request
from kandji_schema.errors import AuthenticationError, Interrupted, StoreFull, Unreachable
from kandji_schema.http import Request, Response, Send
from kandji_schema.manifest import State
from kandji_schema.registry import resources
from kandji_simulator import Tenant

FEW = ("tags", "blueprints")
FIRST_DUE = Priority("few", 1, lambda resource, state: resource.name in FEW)
SWEEP = next(priority for priority in PRIORITIES if priority.sweeps)
LOG = "kandji_mirror.scheduler"
START = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Rig:
    """A syncing process without its timer. ``seconds`` passed since the start; ``send`` may be replaced."""

    def __init__(self, home: Path, tenant: Tenant, store: Store, per_hour: int, read: Any) -> None:
        self.home, self.tenant, self.store = home, tenant, store
        self.send: Send = tenant.handle
        self.queue = RefreshQueue()
        self.clients: list[tuple[bool, Client]] = []
        self.quota, backoff = Quota(self.clock), Backoff(self.clock, jitter=lambda: 0.0)
        self.runner = Runner(store, self.connect, read, self.quota, keep_days=30)
        self.worker = SyncWorker(store, self.runner, self.queue, self.quota, backoff, SyncPolicy(per_hour), self.clock)

    @contextmanager
    def connect(self, *, background: bool) -> Iterator[Connection]:
        client = client_of(lambda request: self.send(request))
        self.clients.append((background, client))
        yield Connection("loopback", "http://127.0.0.1", client)

    def clock(self) -> float:
        return (self.store.wall() - START).total_seconds()

    def turn(self, priority: Priority = FIRST_DUE) -> int:
        """One turn of a priority; returns the requests it took."""
        before = len(self.tenant.requests)
        self.worker.sync_due(priority)
        return len(self.tenant.requests) - before


class Wall:
    """The time of day, moved by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def open_rig(tmp_path: Path, wall: Wall) -> Iterator[Callable[..., Rig]]:
    """Makes the rig of a home, whose lock is held until the test ends."""
    with open_store(tmp_path, "loopback", resources(), wall) as store:

        def make(tenant: Tenant | None = None, per_hour: int = 3_000, read: Any = run_request) -> Rig:
            return Rig(tmp_path, tenant or make_tenant(20), store, per_hour, read)

        yield make


def wait_for(thread: Thread) -> None:
    thread.join(20)
    assert not thread.is_alive()


# -- what is due ---------------------------------------------------------------------------------------------------


def test_a_data_directory_that_is_gone_is_not_made_anew_and_goes_on_once_it_is_back(
    open_rig: Callable[..., Rig], wall: Wall, caplog: pytest.LogCaptureFixture
) -> None:
    rig, elsewhere = open_rig(), open_rig().home.with_name("elsewhere")
    rig.home.rename(elsewhere)
    assert rig.turn() == 0
    assert not rig.clients
    assert not rig.home.exists()
    assert "is gone, such as a disk that is not mounted" in caplog.text
    elsewhere.rename(rig.home)
    wall.forward(hours=1)
    assert rig.turn() == 2


def test_a_priority_reads_what_is_due_as_one_run_and_nothing_else(open_rig: Callable[..., Rig], wall: Wall) -> None:
    rig = open_rig()
    assert rig.turn() == 2
    assert rig.turn() == 0
    assert manifest_of(rig.home).generation == 1
    assert {n: t.state for n, t in manifest_of(rig.home).tables.items() if t.attempted_at} == dict.fromkeys(
        FEW, State.OK
    )
    wall.forward(minutes=29)
    assert rig.turn() == 0
    wall.forward(minutes=1)
    assert rig.turn() == 2


def test_after_three_days_of_sleep_everything_is_read_once(open_rig: Callable[..., Rig], wall: Wall) -> None:
    rig = open_rig()
    rig.turn()
    wall.forward(days=3)
    assert [rig.turn() for _ in range(3)] == [2, 0, 0]


def test_a_clock_that_was_two_days_ahead_holds_up_nothing(open_rig: Callable[..., Rig], wall: Wall) -> None:
    rig = open_rig()
    rig.turn()
    wall.forward(days=-2)
    assert [rig.turn() for _ in range(3)] == [2, 0, 0]


def test_what_was_read_equals_the_tenant(open_rig: Callable[..., Rig], wall: Wall) -> None:
    rig = open_rig()
    rig.turn()
    rig.tenant.world.advance(5)
    wall.forward(hours=1)
    rig.turn()
    assert {name: mirrored(rig.home, name) for name in FEW} == {name: true_rows(rig.tenant.world, name) for name in FEW}


def test_lists_asked_for_once_a_parent_row_wait_for_their_parent(open_rig: Callable[..., Rig]) -> None:
    rig = open_rig()
    items = Priority("items", 1, lambda resource, state: resource.name == "blueprint_library_items")
    assert rig.turn(items) == 0
    rig.turn()
    assert rig.turn(items) > 0


def test_background_runs_have_background_clients_and_each_its_own(open_rig: Callable[..., Rig], wall: Wall) -> None:
    rig = open_rig()
    rig.turn()
    wall.forward(hours=1)
    rig.turn()
    assert [background for background, _ in rig.clients] == [True, True]
    assert rig.clients[0][1] is not rig.clients[1][1]


def test_a_share_too_small_is_told_in_the_status(open_rig: Callable[..., Rig], wall: Wall) -> None:
    rig = open_rig(per_hour=1)
    rig.turn()
    wall.forward(hours=30)
    rig.turn()
    state = manifest_of(rig.home).tables["tags"]
    assert state.ttl_seconds == 86_400
    assert str(state.ttl_reason).startswith("Read every 1 d instead of 30 min: ")


def test_every_run_is_one_line_in_the_log_and_in_the_record(
    open_rig: Callable[..., Rig], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LOG)
    rig = open_rig()
    rig.turn()
    (line,) = caplog.messages
    assert line.startswith("few: 2 ok, 2 changed, 2 requests in ")
    assert {record["resource"] for record in recorded_runs(rig.home)} == set(FEW)


# -- trouble -------------------------------------------------------------------------------------------------------


def refusing(status: int, body: bytes = b"{}") -> Send:
    return lambda request: Response(status, {}, body)


def test_a_wrong_token_is_told_once_and_tried_ever_more_rarely(
    open_rig: Callable[..., Rig], wall: Wall, caplog: pytest.LogCaptureFixture
) -> None:
    rig = open_rig()
    asked: list[datetime] = []

    def refuse(request: Request) -> Response:
        asked.append(wall.now)
        return Response(401, {}, b"{}")

    rig.send = refuse
    for _ in range(3_600):
        rig.worker.sync_due(FIRST_DUE)
        wall.forward(seconds=1)
    gaps = [round((later - earlier).total_seconds()) for earlier, later in pairwise(asked)]
    assert gaps == [30, 60, 120, 240, 480, 900, 900]
    (line,) = caplog.messages
    assert line.startswith("Syncing rests and will be tried again: ")
    states = {manifest_of(rig.home).tables[name].state for name in FEW}
    errors = {str(manifest_of(rig.home).tables[name].error) for name in FEW}
    assert states == {State.FAILED}
    assert all("token" in error for error in errors)
    recorded = passes_after(rig.home, 0)
    assert len(recorded) == len(FEW) * len(asked)
    assert {(each.outcome, each.error_kind, each.requests) for each in recorded} == {
        ("failed", "authentication_error", 0)
    }


def test_a_token_that_is_right_again_is_noticed_and_told(
    open_rig: Callable[..., Rig], wall: Wall, caplog: pytest.LogCaptureFixture
) -> None:
    rig = open_rig()
    rig.send = refusing(401)
    rig.turn()
    rig.send = rig.tenant.handle
    assert rig.turn() == 0
    wall.forward(seconds=31)
    caplog.set_level(logging.INFO, LOG)
    assert rig.turn() == 2
    assert "Syncing goes on." in caplog.messages
    assert {manifest_of(rig.home).tables[name].state for name in FEW} == {State.OK}


def test_a_token_revoked_later_is_no_missing_permission(open_rig: Callable[..., Rig], wall: Wall) -> None:
    rig = open_rig()
    rig.turn()
    rig.send = refusing(401)
    wall.forward(hours=1)
    rig.turn()
    assert {manifest_of(rig.home).tables[name].state for name in FEW} == {State.FAILED}


@pytest.mark.heavy
def test_a_table_that_fails_rests_while_the_others_go_on(
    open_rig: Callable[..., Rig], wall: Wall, caplog: pytest.LogCaptureFixture
) -> None:
    rig = open_rig()
    asked: list[str] = []

    def without_tags(request: Request) -> Response:
        asked.append(request.path)
        return Response(400, {}, b"{}") if "tags" in request.path else rig.tenant.handle(request)

    rig.send = without_tags
    for _ in range(1_900):
        rig.worker.sync_due(FIRST_DUE)
        wall.forward(seconds=1)
    assert sum("tags" in path for path in asked) == 7
    assert sum("blueprints" in path for path in asked) == 2
    assert [line.partition(":")[0] for line in caplog.messages] == ["tags could not be synced and keeps its rows"]


def test_a_network_that_is_gone_is_asked_for_one_table_only(open_rig: Callable[..., Rig], wall: Wall) -> None:
    rig = open_rig()
    asked: list[str] = []

    def gone(request: Request) -> Response:
        asked.append(request.path)
        raise Unreachable("no connection", sent=False)

    rig.send = gone
    rig.turn()
    rig.turn()
    assert len(set(asked)) == 1


def test_a_full_disk_rests_the_priority_and_heals(
    open_rig: Callable[..., Rig], wall: Wall, caplog: pytest.LogCaptureFixture
) -> None:
    full = True

    def read(*arguments: Any, **facts: Any) -> Report:
        if full:
            raise StoreFull("No space left.")
        return run_request(*arguments, **facts)

    rig = open_rig(read=read)
    for _ in range(100):
        rig.turn()
    assert caplog.messages == ["Syncing rests and will be tried again: No space left."]
    full = False
    wall.forward(seconds=31)
    assert rig.turn() == 2


def test_a_bug_in_one_run_ends_nothing(
    open_rig: Callable[..., Rig], wall: Wall, caplog: pytest.LogCaptureFixture
) -> None:
    def read(*arguments: Any, **facts: Any) -> Report:
        raise ZeroDivisionError

    rig = open_rig(read=read)
    for _ in range(100):
        rig.turn()
    assert caplog.messages == ["Syncing met with a bug and will be tried again."]
    assert manifest_of(rig.home).tables["tags"].error == "Unforeseen (ZeroDivisionError); see the log."
    assert rig.queue.claim(FEW) == FEW


@pytest.mark.heavy
def test_a_tenant_with_little_left_of_its_hour_is_left_alone_but_for_a_question_in_five_minutes(
    open_rig: Callable[..., Rig], wall: Wall
) -> None:
    rig = open_rig()
    left, asked = 1_900, list[str]()

    def telling(request: Request) -> Response:
        asked.append(request.path)
        answer = rig.tenant.handle(request)
        return Response(answer.status, {**answer.headers, "x-ratelimit-remaining-hour": str(left)}, answer.body)

    rig.send = telling
    rig.turn()
    asked.clear()
    wall.forward(hours=1)
    for _ in range(900):
        rig.worker.sync_due(FIRST_DUE)
        wall.forward(seconds=1)
    assert asked == ["/api/v1/devices"] * 3
    left = 9_000
    wall.forward(seconds=300)
    assert rig.turn() == 3


# -- sweeps --------------------------------------------------------------------------------------------------------


def test_sweeps_spend_what_the_plan_leaves(open_rig: Callable[..., Rig], wall: Wall) -> None:
    orders: list[int | None] = []

    def read(store: Store, client: Client, order: Any, **facts: Any) -> Report:
        orders.append(order.sweep)
        return Report(wall(), 0.0, (), fresh=(), requests=0, remaining_hour=None, generation=None)

    devices = Priority("devices", 1, lambda resource, state: resource.name == "devices")
    open_rig().turn(devices)
    rig = open_rig(per_hour=1_200, read=read)
    left = rig.worker.planned().sweep_per_hour
    assert left > 500
    for _ in range(3):
        rig.turn(SWEEP)
        wall.forward(minutes=2)
    assert orders == [int(left / 6), int(left / 30), int(left / 30)]  # of ten minutes, the most to save up; then of two


def test_without_a_device_list_nothing_is_swept(open_rig: Callable[..., Rig]) -> None:
    assert open_rig().turn(SWEEP) == 0


# -- what people ask for -------------------------------------------------------------------------------------------


def test_a_request_is_fulfilled_with_the_budget_of_people(open_rig: Callable[..., Rig]) -> None:
    rig = open_rig()
    rig.turn()
    request = RefreshRequest(FEW)
    rig.queue.add(request)
    rig.worker.fulfil_requests()
    assert sorted(o.table for o in request.done.result(0).outcomes) == ["blueprints", "tags"]
    assert [background for background, _ in rig.clients] == [True, False]


def test_a_request_made_during_a_run_is_fulfilled_by_the_next_one(open_rig: Callable[..., Rig], wall: Wall) -> None:
    begun, go = Event(), Event()

    def read(*arguments: Any, **facts: Any) -> Report:
        begun.set()
        assert go.wait(20)
        return run_request(*arguments, **facts)

    rig = open_rig(read=read)
    priority = Thread(target=rig.worker.sync_due, args=(FIRST_DUE,))
    priority.start()
    assert begun.wait(20)
    requests = [RefreshRequest(("tags",)), RefreshRequest(("tags",))]
    wall.forward(seconds=1)
    for request in requests:
        rig.queue.add(request)
    rig.worker.fulfil_requests()
    assert not any(request.done.done() for request in requests)
    go.set()
    wait_for(priority)
    rig.worker.fulfil_requests()
    assert [request.done.result(0).started_at for request in requests] == [START + timedelta(seconds=1)] * 2
    assert sum(request.path == "/api/v1/tags" for request in rig.tenant.requests) == 2


def test_a_request_of_another_process_is_fulfilled_and_answered_once(open_rig: Callable[..., Rig]) -> None:
    rig = open_rig()
    with Inbox(rig.home).leave(RefreshRequest(("tags",))) as entry:
        rig.worker.fulfil_requests()
        assert entry.answer()
        rig.worker.fulfil_requests()
    assert len(rig.tenant.requests) == 1


def test_who_asks_is_told_what_stands_against_it(open_rig: Callable[..., Rig]) -> None:
    rig = open_rig()
    rig.send = refusing(401)
    request = RefreshRequest(("tags",))
    rig.queue.add(request)
    with Inbox(rig.home).leave(RefreshRequest(("tags",))) as entry:
        rig.worker.fulfil_requests()
        with pytest.raises(AuthenticationError):
            entry.answer()
    assert isinstance(request.done.exception(0), AuthenticationError)


def test_a_request_nobody_can_read_is_answered_too(open_rig: Callable[..., Rig]) -> None:
    rig = open_rig()
    folder = rig.home / "refresh"
    folder.mkdir()
    (folder / "odd.json").write_text("nonsense")
    rig.worker.fulfil_requests()
    assert [path.name for path in folder.iterdir()] == ["odd.answer"]


# -- the end -------------------------------------------------------------------------------------------------------


def test_a_stop_ends_a_run_that_waits_for_the_network_and_publishes_nothing_of_it(
    open_rig: Callable[..., Rig],
) -> None:
    rig = open_rig()
    hanging, over = Event(), Event()

    def hang(request: Request) -> Response:
        hanging.set()
        over.wait(20)
        raise Unreachable("The connection was given up.", sent=True)

    rig.send = hang
    request = RefreshRequest(("tags",))
    rig.queue.add(request)
    threads = [Thread(target=rig.worker.sync_due, args=(FIRST_DUE,)), Thread(target=rig.worker.fulfil_requests)]
    try:
        for thread in threads:
            thread.start()
        assert hanging.wait(20)
        rig.runner.stop()
        for thread in threads:
            wait_for(thread)
    finally:
        over.set()
    assert isinstance(request.done.exception(0), Interrupted)
    assert list((rig.home / "store" / "manifests").iterdir()) == []
    assert rig.turn() == 0


def test_a_request_of_another_process_is_left_to_the_next_one_that_syncs(open_rig: Callable[..., Rig]) -> None:
    rig = open_rig()
    rig.runner.stop()
    with Inbox(rig.home).leave(RefreshRequest(("tags",))) as entry:
        rig.worker.fulfil_requests()
        assert not entry.answer()
        assert Inbox(rig.home).pending() == [entry]
