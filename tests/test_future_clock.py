"""A clock that was, or is, wrong: what was read by it is due, named, and never has an age below zero."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from commands import run
from support import client_of, make_tenant, manifest_of

from kandji_mirror.api.budget import Limiter, Unlimited
from kandji_mirror.api.client import Client
from kandji_mirror.api.wire import Request, Response
from kandji_mirror.simulator.tenant import TOKEN
from kandji_mirror.state import Fact, Learned
from kandji_mirror.sync.run import sync
from kandji_schema.ages import age, ago, in_words

LATER = timedelta(days=1_200)


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
    tenant = make_tenant(4, apps=2)
    passed = [0.0]

    def send(request: Request) -> Response:
        passed[0] += 3.0
        answer = tenant.handle(request)
        date = (truth + timedelta(seconds=passed[0])).strftime("%a, %d %b %Y %H:%M:%S GMT")
        return Response(answer.status, {**answer.headers, "date": date}, answer.body)

    def wall() -> datetime:
        return truth + LATER + timedelta(seconds=passed[0])

    client = Client(send, TOKEN, Unlimited(), fetch=tenant.fetch, wall=lambda: wall().timestamp())
    report = sync(tmp_path, "loopback", client, names=("devices", "users", "tags"), wall=wall)
    assert report.warnings == (
        "This machine's clock is 1200 d ahead of the provider's. Set it. What was read is dated by the provider's.",
    )
    for name in ("devices", "users", "tags"):
        state = manifest_of(tmp_path).tables[name]
        for moment in (state.synced_at, state.attempted_at):
            assert moment is not None
            assert truth <= moment <= truth + timedelta(minutes=2)


def test_a_fact_learnt_in_the_future_is_not_believed(tmp_path: Path) -> None:
    Learned(tmp_path, lambda: datetime.now(UTC) + LATER).learn("apps", Fact.NOT_PERMITTED)
    assert not Learned(tmp_path).holds("apps", Fact.NOT_PERMITTED)


def test_permits_given_in_the_future_hold_nobody_up(tmp_path: Path) -> None:
    now = [LATER.total_seconds()]
    with Limiter(tmp_path, "x", per_second=50, per_hour=3, wall=lambda: now[0] + 1_000_000.0) as limiter:
        for _ in range(3):
            limiter.acquire(0)
        now[0] = 0.0
        limiter.acquire(0)


@pytest.mark.parametrize(("seconds", "words"), [(-3_600, "in the future"), (-30, "0 s"), (0, "0 s"), (7_200, "2 h")])
def test_an_age_is_never_below_zero(seconds: int, words: str) -> None:
    now = datetime(2026, 11, 29, tzinfo=UTC)
    then = now - timedelta(seconds=seconds)
    assert (in_words(seconds), age(then, now)) == (words, words)
    assert ago(then, now) == (words if words == "in the future" else f"{words} ago")
