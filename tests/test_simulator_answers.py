"""What the simulated tenant says besides data: authentication, permissions, limits, faults; and the shapes of data."""

import json
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from naive_client import get, get_as, get_json

from kandji_schema.http import Request
from kandji_simulator import TOKEN, LoggedRequest, Quirks, RetryAfter, ServerLimits, Tenant, World

FIXTURES = Path(__file__).parent / "fixtures"
EXAMPLES = Path(__file__).parents[2] / "shared" / "api" / "examples"


@pytest.fixture(scope="module")
def world() -> World:
    return World(1, 60, apps_per_device=12)


def _tenant(world: World, **facts: Any) -> Tenant:
    return Tenant(world, **{"limits": None, **facts})


@pytest.mark.parametrize("authorization", ["", TOKEN, "Bearer wrong", f"bearer{TOKEN}"])
def test_a_wrong_token_is_unauthorized(world: World, authorization: str) -> None:
    response = get_as(_tenant(world).handle, authorization, "/api/v1/devices")
    assert (response.status, response.body) == (401, b'{"error":"Unauthorized"}')


def test_permissions_are_missing_by_path_until_allowed(world: World) -> None:
    tenant = _tenant(world)
    tenant.forbid("/api/v1/prism/apps")
    paths = ("/api/v1/prism/apps", "/api/v1/prism/filevault")
    assert [get(tenant.handle, path).status for path in paths] == [403, 200]
    tenant.allow("/api/v1/prism/apps")
    assert [get(tenant.handle, path).status for path in paths] == [200, 200]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/devices/nobody", b'{"detail":"Not found."}'),
        ("/api/v1/users/nobody", b'{"detail":"Not found."}'),
        ("/api/v1/blueprints/nobody/list-library-items", b'{"detail":"Not found."}'),
        ("/api/v1/blueprints/nobody", b"<title>Not Found</title>"),
        ("/api/v3/devices", b'{"message":"no Route matched with those values"'),
        ("/api/v1/devices/", b'{"message":"no Route matched with those values"'),
    ],
)
def test_what_is_not_there_is_404_in_one_of_the_providers_ways(world: World, path: str, body: bytes) -> None:
    response = get(_tenant(world).handle, path)
    assert response.status == 404
    assert body in response.body


def test_one_row_can_be_asked_for_by_its_id(world: World) -> None:
    send = _tenant(world).handle
    for name in ("devices", "users", "blueprints"):
        row = next(world.truth(name))
        key = row.get("device_id") or row["id"]
        assert get_json(send, f"/api/v1/{name}/{key}") == row


def test_another_method_is_not_allowed(world: World) -> None:
    request = Request("DELETE", "/api/v1/devices", headers={"Authorization": f"Bearer {TOKEN}"})
    assert _tenant(world).handle(request).status == 405


def test_the_log_keeps_what_was_asked_and_answered(world: World) -> None:
    tenant = _tenant(world)
    get(tenant.handle, "/api/v1/devices", limit=1)
    get(tenant.handle, "/nowhere")
    assert list(tenant.requests) == [
        LoggedRequest("GET", "/api/v1/devices", (("limit", "1"),), 200),
        LoggedRequest("GET", "/nowhere", (), 404),
    ]


class _Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.25

    def __call__(self) -> float:
        return self.now


def test_every_answer_says_what_is_left_of_second_and_hour(world: World) -> None:
    clock = _Clock()
    tenant = _tenant(world, limits=ServerLimits(per_second=3, per_hour=4), clock=clock)
    get(tenant.handle, "/api/v1/users/nobody")
    headers = get(tenant.handle, "/api/v1/users/nobody").headers
    assert {k: v for k, v in headers.items() if "ratelimit" in k} == {
        "x-ratelimit-limit-hour": "4",
        "x-ratelimit-remaining-hour": "2",
        "x-ratelimit-limit-second": "3",
        "x-ratelimit-remaining-second": "1",
        "ratelimit-limit": "3",
        "ratelimit-remaining": "1",
        "ratelimit-reset": "1",
    }


def test_the_fourth_request_of_a_second_is_refused_and_the_next_second_is_free(world: World) -> None:
    clock = _Clock()
    tenant = _tenant(world, limits=ServerLimits(per_second=3), clock=clock)
    answers = [get(tenant.handle, "/api/v1/devices") for _ in range(4)]
    assert [a.status for a in answers] == [200, 200, 200, 429]
    assert answers[3].body == b'{"message":"API rate limit exceeded"}'
    assert answers[3].headers["retry-after"] == "1"
    clock.now += 1
    assert get(tenant.handle, "/api/v1/devices").status == 200


def test_a_spent_hour_says_how_long_it_lasts(world: World) -> None:
    clock = _Clock()
    tenant = _tenant(world, limits=ServerLimits(per_hour=1, retry_after=RetryAfter.DATE), clock=clock)
    get(tenant.handle, "/api/v1/devices")
    headers = get(tenant.handle, "/api/v1/devices").headers
    assert headers["x-ratelimit-remaining-hour"] == "0"
    assert parsedate_to_datetime(headers["retry-after"]).timestamp() % 3_600 == 0


def test_limits_may_count_without_headers_or_refusals(world: World) -> None:
    tenant = _tenant(world, limits=ServerLimits(per_second=1, enforced=False, headers=False))
    answers = [get(tenant.handle, "/api/v1/users") for _ in range(3)]
    assert [(a.status, set(a.headers)) for a in answers] == [(200, {"content-type", "date"})] * 3


@pytest.mark.parametrize(
    ("quirks", "date"),
    [
        (Quirks(), "Mon, 12 Jan 2026 09:00:00 GMT"),
        (Quirks(clock=timedelta(days=-2)), "Sat, 10 Jan 2026 09:00:00 GMT"),
        (Quirks(clock=timedelta(hours=2)), "Mon, 12 Jan 2026 11:00:00 GMT"),
        (Quirks(dates=False), None),
    ],
)
def test_every_answer_is_dated_by_the_providers_clock(world: World, quirks: Quirks, date: str | None) -> None:
    assert get(_tenant(world, quirks=quirks).handle, "/nowhere").headers.get("date") == date


PROVIDER_ROWS: dict[str, dict[str, Any]] = json.loads((FIXTURES / "provider_rows.json").read_text(encoding="utf-8"))
_NOT_PUBLISHED = {
    "blueprints": {"missing_computers_count", "created_at", "updated_at"},
}
"""Fields the contract knows of although the published row lacks them."""


def _richest(world: World, table: str, **wanted: str) -> dict[str, Any]:
    rows = (row for row in world.truth(table) if wanted.items() <= row.items())
    return max(rows, key=len)


@pytest.mark.parametrize("table", sorted(set(PROVIDER_ROWS) - {"devices_windows"}))
def test_a_row_has_the_fields_of_the_providers_published_row(world: World, table: str) -> None:
    ours = _richest(world, table, **({"platform": "Mac"} if table == "devices" else {}))
    added = {"blueprint_id"} if table == "blueprint_library_items" else set()
    assert set(ours) - _NOT_PUBLISHED.get(table, set()) - added == set(PROVIDER_ROWS[table])


def test_a_windows_row_has_the_fields_of_the_providers(world: World) -> None:
    larger = World(1, 200)
    assert set(_richest(larger, "devices", platform="Windows")) == set(PROVIDER_ROWS["devices_windows"])


def _spelling(value: Any) -> str:
    """Digits and letters of a text as 0 and a: two timestamps of one spelling look the same."""
    return "".join("0" if c.isdigit() else "a" if c.isalpha() else c for c in str(value))


@pytest.mark.parametrize(
    ("table", "field"),
    [
        ("devices", "device_id"),
        ("devices", "last_check_in"),
        ("devices", "first_enrollment"),
        ("devices", "last_enrollment"),
        ("users", "created_at"),
        ("users", "updated_at"),
        ("users", "deprecated_user_id"),
        ("apps", "created_at"),
        ("apps", "updated_at"),
        ("apps", "last_collected_at"),
        ("prism_filevault", "updated_at"),
        ("prism_device_information", "last_checkin"),
        ("prism_device_information", "first_enrollment_date"),
    ],
)
def test_a_value_is_spelled_as_the_provider_spells_it(world: World, table: str, field: str) -> None:
    digits = str.maketrans("abcdef", "000000") if field == "device_id" else {}
    published = _spelling(str(PROVIDER_ROWS[table][field]).translate(digits))
    rows = [row for row in world.truth(table) if row[field] not in {"", None}]
    assert {_spelling(str(row[field]).translate(digits)) for row in rows} == {published}


def test_kinds_of_values_agree_with_the_published_app_row(world: World) -> None:
    published = PROVIDER_ROWS["apps"]
    ours = next(row for row in world.truth("apps") if row["bundle_id"] == "com.google.Chrome")
    assert {name: type(value) for name, value in ours.items() if name in published} == {
        name: type(value) for name, value in published.items()
    } | {"device__user_name": type(ours["device__user_name"]), "device__user_email": type(ours["device__user_email"])}


ENVELOPES: dict[str, Any] = json.loads((FIXTURES / "provider_envelopes.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("published", "path", "rows"),
    [
        ("users", "/api/v1/users", "results"),
        ("blueprints past the end", "/api/v1/blueprints", ""),
        ("prism apps", "/api/v1/prism/apps", "data"),
    ],
)
def test_an_envelope_has_the_published_fields(world: World, published: str, path: str, rows: str) -> None:
    assert set(get_json(_tenant(world).handle, path)) == set(ENVELOPES[published]) | ({rows} - {""})


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the provider's example bodies are not beside this checkout")
def test_the_fixtures_are_the_published_examples() -> None:
    for table, file in {"apps": "get--prism-apps.json", "prism_filevault": "get--prism-filevault.json"}.items():
        example = json.loads((EXAMPLES / file).read_text(encoding="utf-8"))["examples"][0]["body"]["data"][0]
        assert PROVIDER_ROWS[table] == example
