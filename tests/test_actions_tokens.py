"""A token confirms one plan, once, for a few minutes, and nothing else."""

import multiprocessing
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from action_tenant import MAC, NOW, TWIN, ActionTenant, desk_at, events, plan_of

from kandji_mirror.actions.confirmations import Confirmations
from kandji_mirror.actions.desk import Desk
from kandji_mirror.actions.plan import Plan
from kandji_schema.errors import MirrorError, NotConfirmed, TargetRefused


def redeemed(desk: Desk, plan: Plan, token: str) -> None:
    yes = desk.confirm(plan, plan.subject.proof, "agent")
    desk.redeem(plan, token)
    desk.perform(plan, yes)


def test_another_process_makes_the_same_plan_again_from_the_token(tmp_path: Path) -> None:
    tenant = ActionTenant()
    first = desk_at(tmp_path, tenant)
    plan = plan_of(first, "erase", "C02JANE", "stolen", pin="123456")
    token = first.offer(plan)
    assert tenant.sent == []
    second = desk_at(tmp_path, tenant)
    again = second.awaited(token)
    assert (again.binding, again.reason, again.id) == (plan.binding, "stolen", plan.id)
    redeemed(second, again, token)
    assert b'"PIN":"123456"' in tenant.sent[0].body
    files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"123456" not in files
    assert token.encode() not in files
    assert [event for event, *_ in events(second)] == ["offered", "intent", "outcome"]


def test_a_token_is_good_once(tmp_path: Path) -> None:
    tenant = ActionTenant()
    desk = desk_at(tmp_path, tenant)
    plan = plan_of(desk, "restart")
    token = desk.offer(plan)
    redeemed(desk, plan, token)
    for use in (lambda: redeemed(desk, plan, token), lambda: desk.awaited(token)):
        with pytest.raises(NotConfirmed, match="used already"):
            use()
    assert len(tenant.sent) == 1
    assert [event for event, *_ in events(desk)][-2:] == ["refused", "refused"]


@pytest.mark.parametrize(
    "altered",
    [lambda t: t[:-1] + ("0" if t[-1] != "0" else "1"), lambda t: t.upper() + "x", lambda t: "", lambda t: "é"],
)
def test_an_altered_token_is_none(tmp_path: Path, altered: Callable[[str], str]) -> None:
    tenant = ActionTenant()
    desk = desk_at(tmp_path, tenant)
    plan = plan_of(desk, "restart")
    with pytest.raises(NotConfirmed, match="never given out"):
        redeemed(desk, plan, altered(desk.offer(plan)))
    assert tenant.sent == []
    assert events(desk)[-1][0] == "refused"


def test_a_late_token_is_told_and_recorded_as_expired(tmp_path: Path) -> None:
    now = [NOW]

    def clock() -> datetime:
        return now[0]

    tenant = ActionTenant()
    desk = desk_at(tmp_path, tenant, clock=clock)
    plan = plan_of(desk, "restart")
    token = desk.offer(plan)
    now[0] = NOW + timedelta(minutes=5)
    with pytest.raises(NotConfirmed, match="older than 5 minutes"):
        redeemed(desk, plan, token)
    assert tenant.sent == []
    assert events(desk)[-1][0] == "expired"


@pytest.mark.parametrize(
    ("name", "target", "given"),
    [("erase", MAC, {}), ("lock", TWIN, {"message": "a"}), ("lock", MAC, {"message": "b"}), ("lock", MAC, {})],
)
def test_a_token_fits_no_other_action_device_or_arguments(
    tmp_path: Path, name: str, target: str, given: dict[str, str]
) -> None:
    tenant = ActionTenant()
    desk = desk_at(tmp_path, tenant)
    token = desk.offer(plan_of(desk, "lock", MAC, message="a"))
    with pytest.raises(NotConfirmed, match="other arguments or for another device"):
        redeemed(desk, plan_of(desk, name, target, **given), token)
    assert tenant.sent == []


def test_a_device_that_changed_meanwhile_is_not_the_one_of_the_token(tmp_path: Path) -> None:
    tenant = ActionTenant()
    desk = desk_at(tmp_path, tenant)
    token = desk.offer(plan_of(desk, "erase"))
    tenant.devices[MAC]["serial_number"] = "C02NEW"
    with pytest.raises(TargetRefused, match="changed meanwhile"):
        desk.awaited(token)
    del tenant.devices[MAC]
    with pytest.raises(TargetRefused, match="removed"):
        desk.awaited(token)


def take(home: Path, token: str, gate: object) -> bool:
    gate.wait()  # type: ignore[attr-defined]  # a barrier of multiprocessing has no public type
    try:
        Confirmations(home, clock=lambda: NOW).take(token)
    except MirrorError:
        return False
    return True


def _taking(home: Path, token: str, gate: object, results: object) -> None:
    results.put(take(home, token, gate))  # type: ignore[attr-defined]  # likewise a queue


def test_of_two_processes_at_once_one_gets_the_token(tmp_path: Path) -> None:
    desk = desk_at(tmp_path, ActionTenant())
    token = desk.offer(plan_of(desk, "restart"))
    context = multiprocessing.get_context("fork")
    gate, results = context.Barrier(3), context.Queue()
    processes = [context.Process(target=_taking, args=(tmp_path, token, gate, results)) for _ in range(3)]
    for process in processes:
        process.start()
    taken = sorted(results.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(60)
    assert taken == [False, False, True]
