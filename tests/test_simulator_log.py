"""The audit log of the simulated tenant."""

from datetime import timedelta
from typing import Any

import pytest
from naive_client import get_json

from kandji_simulator import Tenant, World


def _events(world: World) -> list[dict[str, Any]]:
    return list(world.truth("audit_events"))


def test_identifiers_grow_with_time_and_some_times_are_equal() -> None:
    world = World(1, 50)
    world.advance(20)
    events = _events(world)
    ids, times = [row["id"] for row in events], [row["occurred_at"] for row in events]
    assert ids == sorted(set(ids))
    assert times == sorted(times)
    assert len(set(times)) < len(times)
    assert {len(i) for i in ids} == {26}


@pytest.mark.parametrize(
    ("verb", "action", "kind"),
    [
        (lambda world: world.enrol(), "create", "device"),
        (lambda world: world.remove(world.device_ids()[0]), "delete", "device"),
        (lambda world: world.assign_user(world.device_ids()[0], None), "update", "device"),
        (lambda world: world.add_user("Zoë"), "create", "user"),
        (lambda world: world.remove_user(world.user_ids()[0]), "delete", "user"),
        (lambda world: world.rename_blueprint(world.blueprint_ids()[0], "Pilot"), "update", "blueprint"),
        (lambda world: world.remove_blueprint(world.blueprint_ids()[0]), "delete", "blueprint"),
        (lambda world: world.assign_item(world.blueprint_ids()[0], "Nudge"), "update", "blueprint"),
        (lambda world: world.remove_tag("vip"), "delete", "tag"),
    ],
)
def test_a_verb_is_written_down(verb: Any, action: str, kind: str) -> None:
    world = World(1, 10)
    before = len(_events(world))
    verb(world)
    new = _events(world)[before:]
    assert [(row["action"], row["target_type"]) for row in new] == [(action, kind)]
    assert new[0]["occurred_at"] == "2026-01-12T09:00:00.000000Z"


def test_time_alone_fills_the_log() -> None:
    world = World(1, 0)
    world.advance(3)
    assert [row["target_type"] for row in _events(world)] == ["library_item"] * 6


def test_events_can_be_asked_for_by_date_and_direction() -> None:
    world = World(1, 50)
    send = Tenant(world, limits=None).handle
    world.wait(timedelta(days=2))
    world.add_user("New")
    path = "/api/v1/audit/events"
    newest = get_json(send, path, start_date="2026-01-13", sort_by="-occurred_at")["results"]
    assert [row["action"] for row in newest] == ["create"]
    older = get_json(send, path, end_date="2026-01-13", sort_by="-occurred_at", limit=5)["results"]
    assert len(older) == 5
    assert older == _events(world)[-2:-7:-1]


def test_a_year_is_kept() -> None:
    world = World(1, 50)
    world.wait(timedelta(days=366))
    assert _events(world) == []
