"""A token confirms one preview, once, for a few minutes, and nothing else."""

import multiprocessing
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from action_tenant import MAC, NOW, TWIN, ActionTenant, events, preview_of, service_at

from kandji_mirror.actions.confirmations import PendingConfirmations
from kandji_mirror.actions.policy import ConfirmedBy
from kandji_mirror.actions.preview import Preview
from kandji_mirror.actions.service import ActionService
from kandji_schema.errors import MirrorError, NotConfirmed, TargetRefused


def redeemed(service: ActionService, preview: Preview, token: str) -> None:
    confirmation = service.confirm(preview, ConfirmedBy.AGENT, lambda: preview.target.proof, token=token)
    service.perform(preview, confirmation)


def test_another_process_makes_the_same_plan_again_from_the_token(tmp_path: Path) -> None:
    tenant = ActionTenant()
    first = service_at(tmp_path, tenant)
    preview = preview_of(first, "erase", "C02JANE", "stolen", pin="123456")
    token = first.offer(preview)
    assert tenant.sent == []
    second = service_at(tmp_path, tenant)
    again = second.pending(token)
    assert (again.binding, again.reason, again.id) == (preview.binding, "stolen", preview.id)
    redeemed(second, again, token)
    assert b'"PIN":"123456"' in tenant.sent[0].body
    files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"123456" not in files
    assert token.encode() not in files
    assert [event for event, *_ in events(tmp_path)] == ["offered", "intent", "outcome"]


def test_a_token_is_good_once(tmp_path: Path) -> None:
    tenant = ActionTenant()
    service = service_at(tmp_path, tenant)
    preview = preview_of(service, "restart")
    token = service.offer(preview)
    redeemed(service, preview, token)
    for use in (lambda: redeemed(service, preview, token), lambda: service.pending(token)):
        with pytest.raises(NotConfirmed, match="used already"):
            use()
    assert len(tenant.sent) == 1
    assert [event for event, *_ in events(tmp_path)][-2:] == ["refused", "refused"]


@pytest.mark.parametrize(
    "altered",
    [lambda t: t[:-1] + ("0" if t[-1] != "0" else "1"), lambda t: t.upper() + "x", lambda t: "", lambda t: "é"],
)
def test_an_altered_token_is_none(tmp_path: Path, altered: Callable[[str], str]) -> None:
    tenant = ActionTenant()
    service = service_at(tmp_path, tenant)
    preview = preview_of(service, "restart")
    with pytest.raises(NotConfirmed, match="never given out"):
        redeemed(service, preview, altered(service.offer(preview)))
    assert tenant.sent == []
    assert events(tmp_path)[-1][0] == "refused"


def test_a_late_token_is_told_and_recorded_as_expired(tmp_path: Path) -> None:
    now = [NOW]

    def clock() -> datetime:
        return now[0]

    tenant = ActionTenant()
    service = service_at(tmp_path, tenant, clock=clock)
    preview = preview_of(service, "restart")
    token = service.offer(preview)
    now[0] = NOW + timedelta(minutes=5)
    with pytest.raises(NotConfirmed, match="older than 5 minutes"):
        redeemed(service, preview, token)
    assert tenant.sent == []
    assert events(tmp_path)[-1][0] == "expired"


@pytest.mark.parametrize(
    ("name", "target", "given"),
    [("erase", MAC, {}), ("lock", TWIN, {"message": "a"}), ("lock", MAC, {"message": "b"}), ("lock", MAC, {})],
)
def test_a_token_fits_no_other_action_device_or_arguments(
    tmp_path: Path, name: str, target: str, given: dict[str, str]
) -> None:
    tenant = ActionTenant()
    service = service_at(tmp_path, tenant)
    token = service.offer(preview_of(service, "lock", MAC, message="a"))
    with pytest.raises(NotConfirmed, match="other arguments or for another device"):
        redeemed(service, preview_of(service, name, target, **given), token)
    assert tenant.sent == []


def test_a_device_that_changed_meanwhile_is_not_the_one_of_the_token(tmp_path: Path) -> None:
    tenant = ActionTenant()
    service = service_at(tmp_path, tenant)
    token = service.offer(preview_of(service, "erase"))
    tenant.devices[MAC]["serial_number"] = "C02NEW"
    with pytest.raises(TargetRefused, match="changed meanwhile"):
        service.pending(token)
    del tenant.devices[MAC]
    with pytest.raises(TargetRefused, match="removed"):
        service.pending(token)


def take(home: Path, token: str, gate: object) -> bool:
    gate.wait()  # type: ignore[attr-defined]  # a barrier of multiprocessing has no public type
    try:
        PendingConfirmations(home, clock=lambda: NOW).use(token)
    except MirrorError:
        return False
    return True


def _taking(home: Path, token: str, gate: object, results: object) -> None:
    results.put(take(home, token, gate))  # type: ignore[attr-defined]  # likewise a queue


def test_of_two_processes_at_once_one_gets_the_token(tmp_path: Path) -> None:
    service = service_at(tmp_path, ActionTenant())
    token = service.offer(preview_of(service, "restart"))
    context = multiprocessing.get_context("fork")
    gate, results = context.Barrier(3), context.Queue()
    processes = [context.Process(target=_taking, args=(tmp_path, token, gate, results)) for _ in range(3)]
    for process in processes:
        process.start()
    taken = sorted(results.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(60)
    assert taken == [False, False, True]
