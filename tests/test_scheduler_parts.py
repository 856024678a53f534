"""The parts of the scheduler that decide: who reads what, who rests, what is asked for, when something is called."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from kandji_mirror.report import Outcome, Report
from kandji_mirror.scheduler.backoff import FIRST, LONGEST, Backoff
from kandji_mirror.scheduler.due import PRIORITIES
from kandji_mirror.scheduler.inbox import KEPT_SECONDS, Inbox, InboxEntry
from kandji_mirror.scheduler.queue import Batch, RefreshQueue, RefreshRequest
from kandji_mirror.scheduler.runner import Quota
from kandji_mirror.scheduler.timer import Job, Timer
from kandji_mirror.sync.request import SyncRequest
from kandji_schema import ddl
from kandji_schema.errors import AuthenticationError, Interrupted, MirrorError, StoreFull, SyncError, UnknownName
from kandji_schema.manifest import State, TableState
from kandji_schema.registry import tenant_tables

SOON = 10.0


class Clock:
    """A time that moves only by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def report_of(*tables: str) -> Report:
    outcomes = tuple(Outcome(t, State.OK, rows=1, requests=1, seconds=0.0, changed=True) for t in tables)
    return Report(
        datetime(2026, 11, 20, tzinfo=UTC), 0.1, outcomes, fresh=(), requests=1, remaining_hour=None, generation=1
    )


def batch_of(queue: RefreshQueue) -> Batch:
    batch = queue.next_batch()
    assert batch is not None
    return batch


# -- the queue ------------------------------------------------------------------------------------------------------


def test_no_table_is_given_to_two_runs() -> None:
    queue = RefreshQueue()
    assert queue.claim(["devices", "users"]) == ("devices", "users")
    assert queue.claim(["users", "tags"]) == ("tags",)
    queue.release(["users"])
    assert queue.claim(["users", "tags", "devices"]) == ("users",)


def test_a_request_waits_for_the_run_that_began_before_it() -> None:
    queue = RefreshQueue()
    queue.claim(["devices"])
    queue.add(RefreshRequest(("devices",)))
    assert queue.next_batch() is None
    queue.release(["devices"])
    assert batch_of(queue).sync_request == SyncRequest(("devices",), asked=True, sweep=None)


def test_what_someone_waits_for_is_not_given_away() -> None:
    queue = RefreshQueue()
    queue.add(RefreshRequest(("devices",)))
    assert queue.claim(["devices", "tags"]) == ("tags",)


def test_a_request_that_waits_for_one_table_leaves_its_other_ones_to_the_priorities() -> None:
    queue = RefreshQueue()
    queue.claim(["apps"])
    queue.add(RefreshRequest(("apps", "devices")))
    assert queue.claim(["devices"]) == ("devices",)


def test_requests_that_nobody_began_to_fulfil_share_a_run_and_get_their_part_of_its_report() -> None:
    queue = RefreshQueue()
    requests = [RefreshRequest(("devices",)), RefreshRequest(("users", "devices")), RefreshRequest(("users",))]
    for request in requests:
        queue.add(request)
    batch = batch_of(queue)
    assert (batch.sync_request.names, queue.next_batch()) == (("devices", "users"), None)
    batch.fulfil(report_of("devices", "users"))
    assert [[o.table for o in request.done.result(0).outcomes] for request in requests] == [
        ["devices"],
        ["devices", "users"],
        ["users"],
    ]


def test_a_request_for_everything_anew_has_a_run_of_its_own() -> None:
    queue = RefreshQueue()
    queue.add(RefreshRequest(("devices",)))
    queue.add(RefreshRequest(("users",), whole=True))
    assert [batch_of(queue).sync_request for _ in range(2)] == [
        SyncRequest(("devices",), asked=True, sweep=None),
        SyncRequest(("users",), asked=True, whole=True, sweep=None),
    ]


def test_a_request_taken_back_costs_nothing() -> None:
    queue = RefreshQueue()
    request = RefreshRequest(("devices",))
    queue.add(request)
    assert request.done.cancel()
    assert queue.next_batch() is None
    assert queue.claim(["devices"]) == ("devices",)


def test_a_closed_queue_tells_everyone_who_waits_and_who_comes() -> None:
    queue = RefreshQueue()
    requests = [RefreshRequest(("devices",)), RefreshRequest(("users",))]
    queue.add(requests[0])
    queue.close(Interrupted("Stopped."))
    queue.add(requests[1])
    assert [type(request.done.exception(0)) for request in requests] == [Interrupted, Interrupted]
    assert queue.next_batch() is None


def test_a_batch_tells_each_watcher_about_its_own_tables() -> None:
    seen: list[str] = []

    class Watcher:
        def planned(self, tables: Sequence[str]) -> None: ...

        def started(self, table: str) -> None:
            seen.append(f"started {table}")

        def advanced(self, table: str, *, pages: int, rows: int, total: int | None) -> None:
            seen.append(f"{table} {pages} {rows} {total}")

        def finished(self, outcome: Outcome) -> None:
            seen.append(f"finished {outcome.table}")

    batch = Batch((RefreshRequest(("devices",), progress=Watcher()), RefreshRequest(("users",))))
    for table in ("devices", "users"):
        batch.started(table)
        batch.advanced(table, pages=1, rows=2, total=3)
    for outcome in report_of("devices", "users").outcomes:
        batch.finished(outcome)
    assert seen == ["started devices", "devices 1 2 3", "finished devices"]


# -- priorities, backoff, the hour ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [None, "per device"])
def test_every_table_is_in_exactly_one_priority(method: str | None) -> None:
    for resource in tenant_tables().values():
        state = TableState(resource.name, ddl.statements(resource), 60, method=method)
        priorities = [priority.name for priority in PRIORITIES if priority.takes(resource, state)]
        assert len(priorities) == 1
        assert (priorities == ["sweep"]) == (resource.swept or method is not None)


def test_pauses_grow_with_every_failure_in_a_row_up_to_the_longest() -> None:
    clock = Clock()
    backoff = Backoff(clock, jitter=lambda: 0.0)
    lengths = []
    for _ in range(8):
        backoff.note_failure("devices")
        began = clock.now
        while backoff.is_active("devices"):
            clock.now += 30
        lengths.append(clock.now - began)
    assert lengths == [FIRST, 60, 120, 240, 480, LONGEST, LONGEST, LONGEST]


def test_a_pause_ends_with_the_first_success() -> None:
    backoff = Backoff(Clock(), jitter=lambda: 1.0)
    assert (backoff.note_failure("devices"), backoff.note_failure("devices")) == (True, False)
    assert (backoff.is_active("devices"), backoff.is_active("users")) == (True, False)
    assert (backoff.note_success("devices"), backoff.note_success("devices")) == (True, False)
    assert not backoff.is_active("devices")


def test_a_tight_hour_may_be_asked_about_every_five_minutes() -> None:
    clock = Clock()
    hour = Quota(clock)
    assert (hour.is_tight, hour.left) == (False, None)
    hour.note(1_999)
    hour.note(None)
    assert (hour.is_tight, hour.left, hour.may_probe()) == (True, 1_999, False)
    clock.now += 300
    assert (hour.may_probe(), hour.may_probe()) == (True, False)
    hour.note(2_000)
    assert not hour.is_tight


def test_a_request_about_devices_gets_its_tables_as_soon_as_they_are_free() -> None:
    queue = RefreshQueue()
    assert queue.claim(["apps"]) == ("apps",)
    queue.add(RefreshRequest(("devices", "apps"), devices=("a",)))
    queue.add(RefreshRequest(("devices", "apps"), devices=("b", "a")))
    assert queue.next_batch() is None
    assert queue.claim(["devices", "users"]) == ("users",)
    queue.release(["apps"])
    order = batch_of(queue).sync_request
    assert (order.names, order.devices) == (("devices", "apps"), ("a", "b"))


# -- requests of other processes -------------------------------------------------------------------------------------


def test_a_request_crosses_processes_whole(tmp_path: Path) -> None:
    request, report = (
        RefreshRequest(("devices", "apps"), whole=True, sweep=40, devices=("a", "b")),
        report_of("devices", "apps"),
    )
    with Inbox(tmp_path).leave(request) as sent:
        (entry,) = Inbox(tmp_path).pending()
        assert entry.read() == request
        assert sent.answer() is None
        entry.reply(report)
        assert sent.answer() == report
        assert Inbox(tmp_path).pending() == []
    assert list((tmp_path / "refresh").iterdir()) == []


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (AuthenticationError("wrong token"), AuthenticationError, "wrong token"),
        (StoreFull("no space"), StoreFull, "no space"),
        (KeyError("a bug"), SyncError, r"Unforeseen \(KeyError\); see its log\."),
    ],
)
def test_trouble_crosses_processes_as_what_it_is(
    tmp_path: Path, error: Exception, kind: type[MirrorError], words: str
) -> None:
    with Inbox(tmp_path).leave(RefreshRequest(("devices",))) as sent:
        Inbox(tmp_path).pending()[0].reply(error)
        with pytest.raises(kind, match=words) as met:
            sent.answer()
        assert type(met.value) is kind


def test_a_request_outlives_the_process_that_should_have_fulfilled_it(tmp_path: Path) -> None:
    with Inbox(tmp_path).leave(RefreshRequest(("devices",))):
        for _ in range(2):
            assert [entry.read().names for entry in Inbox(tmp_path).pending()] == [("devices",)]


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"names": [1]}', '{"names": "x"}', '{"names": ["devices"]}'])
def test_a_request_that_cannot_be_read_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "request.json"
    path.write_text(text)
    with pytest.raises((SyncError, UnknownName)):
        InboxEntry(path).read()


def test_leftovers_of_processes_that_are_gone_are_swept(tmp_path: Path) -> None:
    with Inbox(tmp_path).leave(RefreshRequest(("devices",))) as entry:
        leftover = entry.path.with_name("left.answer")
        leftover.write_text("{}")
        old = entry.path.stat().st_mtime - KEPT_SECONDS - 1
        os.utime(leftover, (old, old))
        assert Inbox(tmp_path).pending() == [entry]
        assert not leftover.exists()


# -- the timer -----------------------------------------------------------------------------------------------------


class Calls:
    """Counts calls; each waits until :attr:`go` is set."""

    def __init__(self) -> None:
        self.begun = 0
        self.first, self.third, self.go = Event(), Event(), Event()

    def __call__(self) -> None:
        self.begun += 1
        self.first.set()
        if self.begun >= 3:
            self.third.set()
        self.go.wait(SOON)


def started(timer: Timer) -> Callable[[], None]:
    timer.start()
    return timer.stop


def test_a_call_that_takes_longer_than_its_time_is_not_made_twice_at_once() -> None:
    slow, quick = Calls(), Calls()
    quick.go.set()
    stop = started(Timer([Job("slow", 0.02, slow), Job("quick", 0.02, quick)]))
    try:
        assert quick.third.wait(SOON)
        assert slow.begun == 1
    finally:
        slow.go.set()
        stop()


def test_a_job_can_be_called_now(tmp_path: Path) -> None:
    calls = Calls()
    calls.go.set()
    timer = Timer([Job("rare", 3_600, calls)])
    stop = started(timer)
    try:
        assert calls.first.wait(SOON)
        while not calls.third.is_set():
            timer.now("rare")
    finally:
        stop()


def test_a_clock_that_was_set_back_holds_up_nothing() -> None:
    calls = Calls()
    calls.go.set()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    timer = Timer([Job("rare", 3_600, calls)], wall=lambda: yesterday)
    stop = started(timer)
    try:
        assert calls.first.wait(SOON)
        while not calls.third.is_set():
            timer.keep_up()
    finally:
        stop()


def test_a_timer_is_late_only_where_nothing_calls_its_jobs() -> None:
    calls = Calls()
    calls.go.set()
    ahead = timedelta()
    timer = Timer([Job("rare", 3_600, calls)], wall=lambda: datetime.now(UTC) + ahead)
    assert not timer.is_late()  # it did not begin yet
    stop = started(timer)
    try:
        assert calls.first.wait(SOON)
        assert not timer.is_late()
        ahead = timedelta(hours=2)  # as if its thread had slept through the next call
        assert timer.is_late()
    finally:
        stop()
    assert not timer.is_late()


def test_a_job_that_fails_is_called_again() -> None:
    begun: Future[None] = Future()
    calls = []

    def fail() -> None:
        calls.append(1)
        if len(calls) == 3:
            begun.set_result(None)
        raise StoreFull("no space")

    stop = started(Timer([Job("failing", 0.02, fail)]))
    try:
        begun.result(SOON)
    finally:
        stop()


def test_stopping_waits_for_no_call() -> None:
    slow = Calls()
    timer = Timer([Job("slow", 0.02, slow)])
    stop = started(timer)
    assert slow.first.wait(SOON)
    stop()
    timer.now("slow")
    slow.go.set()
    assert slow.begun == 1
