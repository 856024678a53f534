"""A clock that was, or is, wrong: what was read by it is due, named, and never has an age below zero."""

import json
import os
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from action_tenant import NOW, ActionTenant, confirmed, events, preview_of, service_at
from commands import run
from owners_channels import hook
from support import Unlimited, client_of, make_tenant, manifest_of

from kandji_mirror.actions.codes import Codes
from kandji_mirror.api.client import Client
from kandji_mirror.api.rate_limit import RateLimiter, shared_limiter
from kandji_mirror.api.responses import sent_at
from kandji_mirror.api.server_clock import ServerClock
from kandji_mirror.api.usage import Usage, usage
from kandji_mirror.capabilities import Capability, open_state
from kandji_mirror.channels import webhook
from kandji_mirror.scheduler.inbox import Inbox
from kandji_mirror.sync.run import sync
from kandji_schema.durations import age, ago, in_words
from kandji_schema.errors import NotConfirmed
from kandji_schema.http import Request, Response
from kandji_simulator import TOKEN

LATER = timedelta(days=1_200)


@pytest.mark.heavy
def test_what_was_read_in_the_future_is_due_again_and_named_everywhere(tmp_path: Path) -> None:
    tenant = make_tenant(4, apps=2)
    sync(
        tmp_path,
        "loopback",
        client_of(tenant.handle, tenant.fetch),
        names=("devices", "users"),
        wall=lambda: datetime.now(UTC) + LATER,
    )
    account = {"KANDJI_API_URL": "http://127.0.0.1:1", "KANDJI_API_TOKEN": TOKEN}
    status = json.loads(run(tmp_path, "status", "--json", **account).stdout)
    assert status["tables"]["users"]["age_seconds"] is None
    shown = run(tmp_path, "status", **account).stdout
    assert "in the future" in shown
    assert "-" not in shown.split("users", 1)[1].splitlines()[0].replace("2026-", "")
    asked = run(tmp_path, "sql", "SELECT age_seconds, is_fresh FROM freshness WHERE table_name = 'users'", **account)
    assert "false" in asked.stdout.lower()
    assert "in the future" in run(tmp_path, "sql", "SELECT count(*) FROM users", **account).stderr
    assert "read in the future" in run(tmp_path, "doctor", "--offline", **account).stdout
    report = sync(tmp_path, "loopback", client_of(tenant.handle, tenant.fetch), sweep=0)
    assert {"devices", "users"} <= {outcome.table for outcome in report.outcomes}
    synced_at = manifest_of(tmp_path).tables["users"].synced_at
    assert synced_at is not None
    assert synced_at <= datetime.now(UTC)


def test_a_run_under_a_wrong_clock_is_dated_by_the_provider_and_says_so(tmp_path: Path) -> None:
    truth = datetime(2026, 11, 29, 12, tzinfo=UTC)
    tenant = make_tenant(1_500, apps=0)  # some pages of people, which are asked for one after the other
    passed = [0.0]

    def send(request: Request) -> Response:
        passed[0] += 3.0
        answer = tenant.handle(request)
        date = (truth + timedelta(seconds=passed[0])).strftime("%a, %d %b %Y %H:%M:%S GMT")
        return Response(answer.status, {**answer.headers, "date": date}, answer.body)

    def wall() -> datetime:
        return truth + LATER + timedelta(seconds=passed[0])

    client = Client(send, TOKEN, Unlimited(), fetch=tenant.fetch, wall=lambda: wall().timestamp())
    report = sync(tmp_path, "loopback", client, names=("users",), wall=wall)
    assert report.warnings == (
        "This machine's clock is 1200 d ahead of the provider's. Set it. What was read is dated by the provider's.",
    )
    state = manifest_of(tmp_path).tables["users"]
    for moment in (state.synced_at, state.attempted_at):
        assert moment is not None
        assert truth <= moment <= truth + timedelta(minutes=2)


def moments_of_a_run(home: Path, seconds: float, *, moves: bool = True, runs: int = 1) -> list[datetime]:
    """Read tags so often, ``seconds`` long each and a minute apart, by a clock that is ahead; when they were read."""
    tenant, passed = make_tenant(4, apps=2), [0.0]

    def send(request: Request) -> Response:
        passed[0] += seconds / 2
        answer = tenant.handle(request)
        date = (TRUTH + timedelta(seconds=passed[0] if moves else 0)).strftime("%a, %d %b %Y %H:%M:%S GMT")
        return Response(answer.status, {**answer.headers, "date": date}, answer.body)

    def wall() -> datetime:
        return TRUTH + LATER + timedelta(seconds=passed[0])

    found = []
    for _ in range(runs):
        client = Client(send, TOKEN, Unlimited(), fetch=tenant.fetch, wall=lambda: wall().timestamp())
        sync(home, "loopback", client, names=("tags",), wall=wall)
        found.append(manifest_of(home).tables["tags"].synced_at or TRUTH)
        passed[0] += 60
    return found


TRUTH = datetime(2026, 11, 29, 12, tzinfo=UTC)


def test_a_run_of_one_question_is_dated_by_what_the_run_before_saw(tmp_path: Path) -> None:
    first, second, third = moments_of_a_run(tmp_path, 0.2, runs=3)
    assert first - TRUTH >= LATER  # one answer alone may come from a cache; such a moment is due and named
    for moment in (second, third):
        assert timedelta(0) <= moment - TRUTH < timedelta(minutes=5)


def test_a_clock_that_stands_still_dates_no_run(tmp_path: Path) -> None:
    assert all(moment - TRUTH >= LATER for moment in moments_of_a_run(tmp_path, 0.2, moves=False, runs=3))


def test_a_run_that_sees_the_second_change_is_dated_by_the_provider(tmp_path: Path) -> None:
    client = ServerClock()
    client.note(TRUTH, TRUTH + LATER)
    client.note(TRUTH, TRUTH + LATER + timedelta(seconds=0.5))
    assert client.proven is None
    client.note(TRUTH + timedelta(seconds=1), TRUTH + LATER + timedelta(seconds=0.9))
    assert client.proven is not None


def test_an_answer_out_of_a_cache_tells_the_time_with_its_age() -> None:
    kept = Response(200, {"date": "Sun, 29 Nov 2026 12:00:00 GMT", "age": "90"})
    assert sent_at(kept) == TRUTH + timedelta(seconds=90)


def test_a_lack_noted_in_the_future_is_not_believed(tmp_path: Path) -> None:
    with open_state(tmp_path, lambda: datetime.now(UTC) + LATER) as state:
        state.capabilities.note_lack("apps", Capability.PERMISSION)
    with open_state(tmp_path) as state:
        assert not state.capabilities.lacks("apps", Capability.PERMISSION)


@pytest.mark.parametrize("ahead", [LATER, timedelta(minutes=10), timedelta(seconds=30)])
def test_permits_given_in_the_future_hold_nobody_up(tmp_path: Path, ahead: timedelta) -> None:
    now = [1_000_000.0 + ahead.total_seconds()]
    with RateLimiter(tmp_path, "x", per_second=3, per_hour=100, wall=lambda: now[0]) as limiter:
        for _ in range(3):
            limiter.acquire(0)
        now[0] = 1_000_000.0
        limiter.acquire(0)
        assert usage(tmp_path, datetime.fromtimestamp(now[0], UTC)) == Usage(1, 0)


def test_permits_given_in_the_future_are_not_counted_as_this_hours(tmp_path: Path) -> None:
    with RateLimiter(tmp_path, "x", per_second=3, per_hour=100, wall=lambda: 1_000_000.0 + 600) as limiter:
        limiter.acquire(0)
    assert usage(tmp_path, datetime.fromtimestamp(1_000_000.0, UTC)) == Usage(0, 0)


def test_a_budget_that_was_last_used_in_the_future_is_removed_as_an_old_one_is(tmp_path: Path) -> None:
    limits = {"per_second": 3, "per_hour": 100, "background_per_hour": 50}
    for name in ("old", "young", "future", "soon"):
        with shared_limiter(tmp_path, name, **limits):
            pass
    files = {name: tmp_path / sha256(name.encode()).hexdigest()[:16] / "budget.sqlite" for name in ("old", "future")}
    moments = {"old": -2 * timedelta(days=1), "future": LATER}
    for name, file in files.items():
        at = (datetime.now(UTC) + moments[name]).timestamp()
        os.utime(file, (at, at))
    with shared_limiter(tmp_path, "mine", **limits):
        assert not any(file.exists() for file in files.values())
    assert len(list(tmp_path.iterdir())) == 3


def test_a_confirmation_given_out_in_the_future_is_none(tmp_path: Path) -> None:
    now = [NOW + LATER]

    def clock() -> datetime:
        return now[0]

    tenant = ActionTenant()
    with hook() as owner:
        service = service_at(tmp_path, tenant, clock=clock, codes=Codes(webhook("HOOK", owner.url), clock=clock))
        preview = preview_of(service, "restart")
        token = service.offer(preview)
        service.send_code(preview)
        for ahead in (LATER, timedelta(minutes=2)):
            now[0] = NOW + LATER - ahead
            with pytest.raises(NotConfirmed, match="in the future"):
                service.pending(token)
            with pytest.raises(NotConfirmed, match="older than"):
                confirmed(service, preview, "C02JANE", lambda: owner.code)
        assert tenant.sent == []
        assert {event for event, *_ in events(tmp_path)[1:]} == {"offered", "expired"}
        now[0] = NOW + LATER - timedelta(seconds=30)  # a clock that was set a little
        assert service.pending(token).id == preview.id
        now[0] = NOW
        service.offer(preview_of(service, "restart"))
        with pytest.raises(NotConfirmed, match="never given out"):
            service.pending(token)  # not kept for years


def test_an_edit_noticed_in_the_future_is_read_once_and_then_forgotten(tmp_path: Path) -> None:
    now = datetime(2026, 11, 29, tzinfo=UTC)
    with open_state(tmp_path) as state:
        state.edits.note({("a", "device_name")}, now + LATER)
        state.edits.note({("b", "device_name")}, now)
        assert state.edits.since(now, {"device_name"}) == ["a", "b"]
        state.edits.note((), now + timedelta(days=4))
        assert state.edits.since(now, {"device_name"}) == []


def test_what_was_left_in_the_inbox_in_the_future_is_swept(tmp_path: Path) -> None:
    folder = tmp_path / "refresh"
    folder.mkdir()
    later = (datetime.now(UTC) + LATER).timestamp()
    for name in ("a.answer", "a.json.tmp"):
        (folder / name).write_text("{}")
        os.utime(folder / name, (later, later))
    assert Inbox(tmp_path).pending() == []
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("seconds", "words"), [(-3_600, "in the future"), (-30, "0 s"), (0, "0 s"), (7_200, "2 h")])
def test_an_age_is_never_below_zero(seconds: int, words: str) -> None:
    now = datetime(2026, 11, 29, tzinfo=UTC)
    then = now - timedelta(seconds=seconds)
    assert (in_words(seconds), age(then, now)) == (words, words)
    assert ago(then, now) == (words if words == "in the future" else f"{words} ago")
