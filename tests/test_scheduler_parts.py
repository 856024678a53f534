"""The parts of the scheduler that decide: who reads what, who rests, what is asked for, when something is called."""

import os
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from kandji_mirror.report import Outcome, Report
from kandji_mirror.scheduler.desk import Batch, Desk, Wish
from kandji_mirror.scheduler.hour import Hour
from kandji_mirror.scheduler.lanes import LANES
from kandji_mirror.scheduler.mailbox import KEPT_SECONDS, Letter, Mailbox
from kandji_mirror.scheduler.pauses import FIRST, LONGEST, Pauses
from kandji_mirror.scheduler.timer import Job, Timer
from kandji_mirror.sync.request import SyncRequest
from kandji_schema import ddl
from kandji_schema.errors import AuthenticationError, Interrupted, MirrorError, StoreFull, SyncError, UnknownName
from kandji_schema.manifest import State, TableState
from kandji_schema.registry import resources

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


def batch_of(desk: Desk) -> Batch:
    batch = desk.next_batch()
    assert batch is not None
    return batch


# -- the desk ------------------------------------------------------------------------------------------------------


def test_no_table_is_given_to_two_runs() -> None:
    desk = Desk()
    assert desk.claim(["devices", "users"]) == ("devices", "users")
    assert desk.claim(["users", "tags"]) == ("tags",)
    desk.release(["users"])
    assert desk.claim(["users", "tags", "devices"]) == ("users",)


def test_a_wish_waits_for_the_run_that_began_before_it() -> None:
    desk = Desk()
    desk.claim(["devices"])
    desk.ask(Wish(("devices",)))
    assert desk.next_batch() is None
    desk.release(["devices"])
    assert batch_of(desk).order == SyncRequest(("devices",), asked=True, sweep=None)


def test_what_someone_waits_for_is_not_given_away() -> None:
    desk = Desk()
    desk.ask(Wish(("devices",)))
    assert desk.claim(["devices", "tags"]) == ("tags",)


def test_a_wish_that_waits_for_one_table_leaves_its_other_ones_to_the_lanes() -> None:
    desk = Desk()
    desk.claim(["apps"])
    desk.ask(Wish(("apps", "devices")))
    assert desk.claim(["devices"]) == ("devices",)


def test_wishes_that_nobody_began_to_fulfil_share_a_run_and_get_their_part_of_its_report() -> None:
    desk = Desk()
    wishes = [Wish(("devices",)), Wish(("users", "devices")), Wish(("users",))]
    for wish in wishes:
        desk.ask(wish)
    batch = batch_of(desk)
    assert (batch.order.names, desk.next_batch()) == (("devices", "users"), None)
    batch.fulfil(report_of("devices", "users"))
    assert [[o.table for o in wish.done.result(0).outcomes] for wish in wishes] == [
        ["devices"],
        ["devices", "users"],
        ["users"],
    ]


def test_a_wish_for_everything_anew_has_a_run_of_its_own() -> None:
    desk = Desk()
    desk.ask(Wish(("devices",)))
    desk.ask(Wish(("users",), whole=True))
    assert [batch_of(desk).order for _ in range(2)] == [
        SyncRequest(("devices",), asked=True, sweep=None),
        SyncRequest(("users",), asked=True, whole=True, sweep=None),
    ]


def test_a_wish_taken_back_costs_nothing() -> None:
    desk = Desk()
    wish = Wish(("devices",))
    desk.ask(wish)
    assert wish.done.cancel()
    assert desk.next_batch() is None
    assert desk.claim(["devices"]) == ("devices",)


def test_a_closed_desk_tells_everyone_who_waits_and_who_comes() -> None:
    desk = Desk()
    wishes = [Wish(("devices",)), Wish(("users",))]
    desk.ask(wishes[0])
    desk.close(Interrupted("Stopped."))
    desk.ask(wishes[1])
    assert [type(wish.done.exception(0)) for wish in wishes] == [Interrupted, Interrupted]
    assert desk.next_batch() is None


def test_a_batch_tells_each_watcher_about_its_own_tables() -> None:
    seen: list[str] = []

    class Watcher:
        def started(self, table: str) -> None:
            seen.append(f"started {table}")

        def advanced(self, table: str, *, pages: int, rows: int, total: int | None) -> None:
            seen.append(f"{table} {pages} {rows} {total}")

        def finished(self, outcome: Outcome) -> None:
            seen.append(f"finished {outcome.table}")

    batch = Batch((Wish(("devices",), progress=Watcher()), Wish(("users",))))
    for table in ("devices", "users"):
        batch.started(table)
        batch.advanced(table, pages=1, rows=2, total=3)
    for outcome in report_of("devices", "users").outcomes:
        batch.finished(outcome)
    assert seen == ["started devices", "devices 1 2 3", "finished devices"]


# -- lanes, pauses, the hour ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [None, "per device"])
def test_every_table_is_in_exactly_one_lane(method: str | None) -> None:
    for resource in resources().values():
        state = TableState(resource.name, ddl.statements(resource), 60, method=method)
        lanes = [lane.name for lane in LANES if lane.takes(resource, state)]
        assert len(lanes) == 1
        assert (lanes == ["sweep"]) == (resource.swept or method is not None)


def test_pauses_grow_with_every_failure_in_a_row_up_to_the_longest() -> None:
    clock = Clock()
    pauses = Pauses(clock, jitter=lambda: 0.0)
    lengths = []
    for _ in range(8):
        pauses.failed("devices")
        began = clock.now
        while pauses.resting("devices"):
            clock.now += 30
        lengths.append(clock.now - began)
    assert lengths == [FIRST, 60, 120, 240, 480, LONGEST, LONGEST, LONGEST]


def test_a_pause_ends_with_the_first_success() -> None:
    pauses = Pauses(Clock(), jitter=lambda: 1.0)
    assert (pauses.failed("devices"), pauses.failed("devices")) == (True, False)
    assert (pauses.resting("devices"), pauses.resting("users")) == (True, False)
    assert (pauses.passed("devices"), pauses.passed("devices")) == (True, False)
    assert not pauses.resting("devices")


def test_a_tight_hour_may_be_asked_about_every_five_minutes() -> None:
    clock = Clock()
    hour = Hour(clock)
    assert (hour.tight, hour.left) == (False, None)
    hour.note(1_999)
    hour.note(None)
    assert (hour.tight, hour.left, hour.may_ask()) == (True, 1_999, False)
    clock.now += 300
    assert (hour.may_ask(), hour.may_ask()) == (True, False)
    hour.note(2_000)
    assert not hour.tight


def test_a_wish_about_devices_gets_its_tables_as_soon_as_they_are_free() -> None:
    desk = Desk()
    assert desk.claim(["apps"]) == ("apps",)
    desk.ask(Wish(("devices", "apps"), devices=("a",)))
    desk.ask(Wish(("devices", "apps"), devices=("b", "a")))
    assert desk.next_batch() is None
    assert desk.claim(["devices", "users"]) == ("users",)
    desk.release(["apps"])
    order = batch_of(desk).order
    assert (order.names, order.devices) == (("devices", "apps"), ("a", "b"))


# -- wishes of other processes -------------------------------------------------------------------------------------


def test_a_wish_crosses_processes_whole(tmp_path: Path) -> None:
    wish, report = Wish(("devices", "apps"), whole=True, sweep=40, devices=("a", "b")), report_of("devices", "apps")
    with Mailbox(tmp_path).put(wish) as sent:
        (letter,) = Mailbox(tmp_path).letters()
        assert letter.read() == wish
        assert sent.answer() is None
        letter.reply(report)
        assert sent.answer() == report
        assert Mailbox(tmp_path).letters() == []
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
    with Mailbox(tmp_path).put(Wish(("devices",))) as sent:
        Mailbox(tmp_path).letters()[0].reply(error)
        with pytest.raises(kind, match=words) as met:
            sent.answer()
        assert type(met.value) is kind


def test_a_wish_outlives_the_process_that_should_have_fulfilled_it(tmp_path: Path) -> None:
    with Mailbox(tmp_path).put(Wish(("devices",))):
        for _ in range(2):
            assert [letter.read().names for letter in Mailbox(tmp_path).letters()] == [("devices",)]


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"names": [1]}', '{"names": "x"}', '{"names": ["devices"]}'])
def test_a_letter_that_cannot_be_read_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "letter.json"
    path.write_text(text)
    with pytest.raises((SyncError, UnknownName)):
        Letter(path).read()


def test_leftovers_of_processes_that_are_gone_are_swept(tmp_path: Path) -> None:
    with Mailbox(tmp_path).put(Wish(("devices",))) as letter:
        leftover = letter.path.with_name("left.answer")
        leftover.write_text("{}")
        old = letter.path.stat().st_mtime - KEPT_SECONDS - 1
        os.utime(leftover, (old, old))
        assert Mailbox(tmp_path).letters() == [letter]
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
