"""Faults of the simulated tenant: each does what its line says, where and as often as told."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from naive_client import get, get_json

from kandji_schema.errors import Unreachable
from kandji_schema.http import Response
from kandji_simulator import Fault, FaultKind, ServerLimits, Tenant, World
from kandji_simulator.api import drift
from kandji_simulator.api.faults import ELSEWHERE


class _Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.25

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def world() -> World:
    return World(1, 60, apps_per_device=12)


def _tenant(world: World, **facts: Any) -> Tenant:
    return Tenant(world, **{"limits": None, "sleep": lambda seconds: None, **facts})


@pytest.mark.parametrize(
    ("kind", "status", "content_type", "start"),
    [
        (FaultKind.SERVER_ERROR, 500, "text/html; charset=utf-8", b"\n<!doctype"),
        (FaultKind.BAD_GATEWAY, 502, "text/html; charset=utf-8", b"\n<!doctype"),
        (FaultKind.UNAVAILABLE, 503, "text/html; charset=utf-8", b"\n<!doctype"),
        (FaultKind.GATEWAY_TIMEOUT, 504, "text/html; charset=utf-8", b"\n<!doctype"),
        (FaultKind.HTML_PAGE, 200, "text/html; charset=utf-8", b"\n<!doctype"),
        (FaultKind.UNAUTHORIZED, 401, "application/json", b'{"error"'),
        (FaultKind.FORBIDDEN, 403, "application/json", b'{"detail"'),
        (FaultKind.NOT_FOUND, 404, "application/json", b'{"detail"'),
        (FaultKind.NOT_FOUND_PAGE, 404, "text/html; charset=utf-8", b"\n<!doctype"),
        (FaultKind.BAD_REQUEST, 400, "application/json", b'{"error"'),
        (FaultKind.RATE_LIMITED, 429, "application/json", b'{"message"'),
        (FaultKind.DELAY, 200, "application/json", b'[{"device_id"'),
        (FaultKind.SLOW, 200, "application/json", b'[{"device_id"'),
    ],
)
def test_a_fault_spoils_the_answer(world: World, kind: FaultKind, status: int, content_type: str, start: bytes) -> None:
    tenant = _tenant(world, sleep=lambda seconds: None)
    tenant.faults.append(Fault("devices", kind))
    response = get(tenant.handle, "/api/v1/devices")
    assert (response.status, response.headers["content-type"]) == (status, content_type)
    assert response.body.startswith(start)


def test_a_fault_strikes_where_when_and_as_often_as_told(world: World) -> None:
    tenant = _tenant(world)
    tenant.faults.append(Fault(r"devices\?.*offset=10$", FaultKind.SERVER_ERROR, times=2, after=1))
    struck = [get(tenant.handle, "/api/v1/devices", limit=10, offset=10).status for _ in range(4)]
    assert struck == [200, 500, 500, 200]
    assert get(tenant.handle, "/api/v1/devices", limit=10, offset=20).status == 200


def test_a_body_can_be_cut_or_empty(world: World) -> None:
    tenant = _tenant(world)
    whole = get(tenant.handle, "/api/v1/users").body
    tenant.faults += [Fault("users", FaultKind.TRUNCATED_JSON), Fault("users", FaultKind.EMPTY_BODY)]
    assert [get(tenant.handle, "/api/v1/users").body for _ in range(3)] == [whole[: len(whole) // 2], b"", whole]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (FaultKind.RATE_LIMITED, "42"),
        (FaultKind.RATE_LIMITED_UNTIL, "Fri, 15 Jan 2027 08:00:42 GMT"),
        (FaultKind.RATE_LIMITED_BARE, None),
    ],
)
def test_a_429_spells_its_retry_after_in_three_ways(world: World, kind: FaultKind, expected: str | None) -> None:
    tenant = _tenant(world, clock=_Clock())
    tenant.faults.append(Fault("", kind, seconds=42))
    assert get(tenant.handle, "/api/v1/users").headers.get("retry-after") == expected


@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.TORN])
def test_a_broken_connection_is_no_answer(world: World, kind: FaultKind) -> None:
    tenant = _tenant(world)
    tenant.faults.append(Fault("", kind))
    with pytest.raises(Unreachable):
        get(tenant.handle, "/api/v1/users")


def test_a_delay_sleeps_by_the_given_clock(world: World) -> None:
    slept: list[float] = []
    tenant = _tenant(world, sleep=slept.append)
    tenant.faults += [Fault("", FaultKind.DELAY, seconds=3), Fault("", FaultKind.SLOW, seconds=4)]
    get(tenant.handle, "/api/v1/users")
    get(tenant.handle, "/api/v1/users")
    assert slept == [3, 4]


def test_pages_can_be_reshaped_to_try_drift(world: World) -> None:
    tenant = _tenant(world)
    tenant.reshape("/blueprints$", lambda page: {**page, "results": [{**row, "new": 1} for row in page["results"]]})
    assert {row["new"] for row in get_json(tenant.handle, "/api/v1/blueprints")["results"]} == {1}
    tenant.reshape("/blueprints$", None)
    assert all("new" not in row for row in get_json(tenant.handle, "/api/v1/blueprints")["results"])


@pytest.mark.parametrize("kind", list(FaultKind))
def test_every_kind_of_fault_is_told_in_a_line_and_ends(world: World, kind: FaultKind) -> None:
    tenant = _tenant(world, clock=_Clock())
    good = get(tenant.handle, "/api/v1/prism/apps", limit=30)
    tenant.faults.append(Fault("prism/apps", kind, seconds=0.01))
    try:
        get(tenant.handle, "/api/v1/prism/apps", limit=30)
    except Unreachable:
        assert kind in {
            FaultKind.RESET,
            FaultKind.TORN,
            FaultKind.HANGING,
            FaultKind.UNHEARD_RESET,
            FaultKind.UNHEARD_HANGING,
        }
    assert 0 < len(kind.value) < 100
    if kind is not FaultKind.HOUR_SPENT:
        assert get(tenant.handle, "/api/v1/prism/apps", limit=30) == good


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FaultKind.OBJECT_BODY, b"{}"),
        (FaultKind.ARRAY_BODY, b"[]"),
        (FaultKind.NULL_BODY, b"null"),
        (FaultKind.TEXT_BODY, b'"text"'),
        (FaultKind.NUMBER_BODY, b"42"),
        (FaultKind.EMPTY_BODY, b""),
    ],
)
def test_a_body_can_be_of_the_wrong_type(world: World, kind: FaultKind, body: bytes) -> None:
    tenant = _tenant(world)
    tenant.faults.append(Fault("users", kind))
    response = get(tenant.handle, "/api/v1/users")
    assert (response.status, response.body) == (200, body)


@pytest.mark.parametrize(("kind", "status"), [(FaultKind.FOUND, 302), (FaultKind.TEMPORARY_REDIRECT, 307)])
def test_a_redirect_leads_to_another_host(world: World, kind: FaultKind, status: int) -> None:
    tenant = _tenant(world)
    tenant.faults.append(Fault("users", kind))
    response = get(tenant.handle, "/api/v1/users")
    assert (response.status, response.headers["location"]) == (status, f"https://{ELSEWHERE}/api/v1/devices")


def test_the_next_link_can_lead_to_another_host(world: World) -> None:
    tenant = _tenant(world)
    tenant.faults.append(Fault("blueprints", FaultKind.FOREIGN_NEXT))
    assert get_json(tenant.handle, "/api/v1/blueprints", limit=2)["next"] == (
        f"https://{ELSEWHERE}/api/v1/blueprints?limit=2&offset=2"
    )


def test_an_hour_others_have_spent_ends_with_the_hour(world: World) -> None:
    clock = _Clock()
    tenant = _tenant(world, limits=ServerLimits(), clock=clock)
    tenant.faults.append(Fault("users", FaultKind.HOUR_SPENT))
    refused = [get(tenant.handle, path) for path in ("/api/v1/users", "/api/v1/devices", "/api/v1/tags")]
    seen = [(r.status, r.headers["x-ratelimit-remaining-hour"], "retry-after" in r.headers) for r in refused]
    assert seen == [(429, "0", False)] * 3
    clock.now += 3_600
    assert get(tenant.handle, "/api/v1/users").headers["x-ratelimit-remaining-hour"] == "9999"


def test_an_hour_can_be_spent_where_there_are_no_limits(world: World) -> None:
    tenant = _tenant(world, clock=_Clock())
    tenant.faults.append(Fault("users", FaultKind.HOUR_SPENT))
    get(tenant.handle, "/api/v1/users")
    response = get(tenant.handle, "/api/v1/devices")
    assert (response.status, response.headers["x-ratelimit-remaining-hour"]) == (429, "0")


def test_a_page_can_come_again_and_again(world: World) -> None:
    tenant = _tenant(world)
    tenant.faults.append(Fault("prism/apps", FaultKind.REPEATED_PAGE, times=1_000))
    first = get(tenant.handle, "/api/v1/prism/apps", limit=20)
    cursor = json.loads(first.body)["cursor"]
    assert [get(tenant.handle, "/api/v1/prism/apps", limit=20, cursor=cursor) for _ in range(3)] == [first] * 3


@pytest.mark.parametrize(
    ("kind", "header", "total", "count"),
    [
        (FaultKind.TOTAL_TOO_HIGH, "601", 571, 41),
        (FaultKind.TOTAL_TOO_LOW, "1", 1, 1),
        (FaultKind.TOTAL_NULL, "null", None, None),
        (FaultKind.TOTAL_ABSENT, "-", "-", "-"),
    ],
)
def test_totals_can_lie_or_be_left_out(
    world: World, kind: FaultKind, header: str, total: object, count: object
) -> None:
    tenant = _tenant(world)
    tenant.faults.append(Fault("", kind, times=3))
    assert get(tenant.handle, "/api/v1/devices").headers.get("x-total-count", "-") == header
    assert get_json(tenant.handle, "/api/v1/prism/device_information", limit=2).get("total", "-") == total
    assert get_json(tenant.handle, "/api/v1/blueprints").get("count", "-") == count


def _first(response: Response) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(response.body)["results"][0]
    return row


@pytest.mark.parametrize(
    ("kind", "is_so"),
    [
        (FaultKind.UNKNOWN_FIELD, lambda row: row["brand_new_field"]["since"] == 2026),
        (FaultKind.MISSING_FIELD, lambda row: "icon" not in row),
        (FaultKind.MISTYPED, lambda row: row["icon"] == {"value": [1, 2]}),
        (FaultKind.LONG_TEXT, lambda row: len(row["icon"].encode()) == 2_000_000),
        (FaultKind.CONTROL_CHARACTERS, lambda row: row["icon"].startswith("a\x00b\x1b")),
        (FaultKind.INVALID_DATE, lambda row: row["created_at"] == "2026-02-31T25:61:00Z"),
        (FaultKind.KEYLESS, lambda row: "id" not in row),
    ],
)
def test_rows_can_change_their_shape(world: World, kind: FaultKind, is_so: Callable[[dict[str, Any]], bool]) -> None:
    tenant = _tenant(world)
    honest = _first(get(tenant.handle, "/api/v1/blueprints"))
    assert "icon" in honest
    tenant.faults.append(Fault("blueprints", kind))
    assert is_so(_first(get(tenant.handle, "/api/v1/blueprints")))


@pytest.mark.parametrize("name", sorted(drift.CHANGES))
@pytest.mark.parametrize("body", [[], None, "text", 42, {"results": []}, {"results": [], "next": None}, [None, 1]])
def test_a_change_of_shape_leaves_a_body_without_rows_alone(name: str, body: object) -> None:
    assert drift.CHANGES[name](body) == body


def test_a_change_can_be_made_for_one_field(world: World) -> None:
    tenant = _tenant(world)
    tenant.reshape("/blueprints$", drift.each_row(drift.with_value("color", 7)))
    assert {row["color"] for row in get_json(tenant.handle, "/api/v1/blueprints")["results"]} == {7}
    tenant.reshape("/blueprints$", drift.each_row(drift.without("color")))
    assert all("color" not in row for row in get_json(tenant.handle, "/api/v1/blueprints")["results"])


def test_a_hanging_answer_is_none(world: World) -> None:
    slept: list[float] = []
    tenant = _tenant(world, sleep=slept.append)
    tenant.faults.append(Fault("users", FaultKind.HANGING, seconds=30))
    with pytest.raises(Unreachable):
        get(tenant.handle, "/api/v1/users")
    assert (slept, tenant.requests[-1].status) == ([30], 0)


def test_the_world_can_change_between_the_pages_of_a_walk() -> None:
    world = World(1, 40)
    tenant = _tenant(world)
    tenant.between(r"devices\?", lambda world: world.enrol())
    for expected in (40, 41, 42):
        assert get(tenant.handle, "/api/v1/devices", limit=1).headers["x-total-count"] == str(expected)
    tenant.between(r"devices\?", None)
    get(tenant.handle, "/api/v1/devices")
    assert len(world.device_ids()) == 43


def test_a_device_can_vanish_between_list_and_detail() -> None:
    world = World(1, 5)
    tenant = _tenant(world)
    listed = get_json(tenant.handle, "/api/v1/devices")[0]["device_id"]
    tenant.between("tags", lambda world: world.remove(listed))
    statuses = [get(tenant.handle, path).status for path in (f"/api/v1/devices/{listed}/details", "/api/v1/tags")]
    assert [*statuses, get(tenant.handle, f"/api/v1/devices/{listed}/details").status] == [200, 200, 404]
