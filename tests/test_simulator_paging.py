"""Every paging idiom of the simulated tenant leads to the whole truth."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from naive_client import get, get_json, walk, walk_table

from kandji_schema.registry import tenant_tables
from kandji_schema.resource import Paging
from kandji_simulator import Quirks, Tenant, World


@pytest.fixture(scope="module")
def world() -> World:
    return World(7, 40, apps_per_device=12, users=650)


@pytest.fixture(scope="module")
def tenant(world: World) -> Tenant:
    return Tenant(world, limits=None)


@pytest.mark.parametrize("limit", [7, 300])
@pytest.mark.parametrize("table", sorted(tenant_tables()))
def test_walking_any_table_of_the_schema_gives_the_truth(world: World, tenant: Tenant, table: str, limit: int) -> None:
    truth = list(world.truth(table))
    assert walk_table(tenant.handle, world, table, limit) == truth
    assert world.count(table) == len(truth) > 0


@pytest.mark.parametrize("table", sorted(set(tenant_tables()) - {"licensing", "self_service_categories"}))
def test_an_empty_tenant_answers_every_list_without_rows(table: str) -> None:
    world = World(1, 0, blueprints=0, users=0)
    assert walk_table(Tenant(world, limits=None).handle, world, table, 300) == []


def test_the_device_list_tells_totals_and_links_in_its_headers(tenant: Tenant) -> None:
    headers = get(tenant.handle, "/api/v1/devices", limit=15, offset=15).headers
    base = "https://acme.api.kandji.io/api/v1/devices"
    assert dict(headers) == {
        "content-type": "application/json",
        "date": "Mon, 12 Jan 2026 09:00:00 GMT",
        "link": f'<{base}?limit=15&offset=30>; rel="next", <{base}?limit=15>; rel="prev"',
        "x-total-count": "40",
        "x-total-pages": "3",
    }


def test_a_page_past_the_end_is_empty_and_says_none_in_angle_brackets(tenant: Tenant) -> None:
    response = get(tenant.handle, "/api/v1/devices", limit=100, offset=100)
    assert (response.status, response.body) == (200, b"[]")
    assert response.headers["link"] == (
        '<None>; rel="next", <https://acme.api.kandji.io/api/v1/devices?limit=100>; rel="prev"'
    )


def test_a_count_envelope_past_the_end_keeps_its_count(tenant: Tenant) -> None:
    assert get_json(tenant.handle, "/api/v1/blueprints", limit=100, offset=100) == {
        "count": 4,
        "next": None,
        "previous": "https://acme.api.kandji.io/api/v1/blueprints?limit=100",
        "results": [],
    }


def test_a_limit_above_the_cap_is_cut_without_a_word(world: World, tenant: Tenant) -> None:
    assert world.count("apps") > 300
    assert len(get_json(tenant.handle, "/api/v1/prism/apps", limit=5_000)["data"]) == 300
    assert len(get_json(tenant.handle, "/api/v1/prism/apps")["data"]) == 25


def test_users_come_300_at_a_time_with_links_to_the_web_app(world: World, tenant: Tenant) -> None:
    page = get_json(tenant.handle, "/api/v1/users", limit=10)
    assert len(page["results"]) == 300
    assert page["previous"] is None
    link = urlsplit(page["next"])
    assert (link.scheme, link.netloc, link.path) == ("https", "acme.kandji.io", "/api/v1/users")
    assert re.fullmatch(r"limit=10&cursor=\w+%3D%3D", link.query)


def test_prism_pages_end_in_all_three_ways(world: World, tenant: Tenant) -> None:
    paths = [r.path for r in tenant_tables().values() if r.paging is Paging.PRISM and world.count(r.name) <= 300]
    ends = {get_json(tenant.handle, path, limit=300).get("cursor", "absent") for path in paths}
    assert ends == {None, "", "absent"}


def test_prism_says_either_offset_or_total(world: World, tenant: Tenant) -> None:
    pages = [get_json(tenant.handle, f"/api/v1/prism/{name}", limit=2) for name in ("filevault", "device_information")]
    assert [(p["offset"], p["limit"], p["total"]) for p in pages] == [
        (0, 2, None),
        (None, 2, world.count("prism_device_information")),
    ]


def test_prism_can_be_walked_by_offset(world: World) -> None:
    tenant = Tenant(world, limits=None, quirks=Quirks(prism_cursors=False))
    path = "/api/v1/prism/apps"
    assert not get_json(tenant.handle, path, limit=300).get("cursor")
    assert list(_by_offset(tenant, path)) == list(world.truth("apps"))


def _by_offset(tenant: Tenant, path: str) -> Iterator[object]:
    offset = 0
    while page := get_json(tenant.handle, path, limit=100, offset=offset)["data"]:
        yield from page
        offset += 100


def test_a_prism_cursor_survives_changes_around_it() -> None:
    world = World(3, 30, apps_per_device=12)
    send = Tenant(world, limits=None).handle
    first = get_json(send, "/api/v1/prism/device_information", limit=10)
    seen = [row["device_id"] for row in first["data"]]
    world.remove(seen[-1])
    world.remove(seen[0])
    second = get_json(send, "/api/v1/prism/device_information", limit=300, cursor=first["cursor"])
    truth = list(world.truth("prism_device_information"))
    assert second["data"] == [row for row in truth if row["device_id"] > seen[-1]]


def test_prism_counts_are_the_numbers_of_rows(world: World, tenant: Tenant) -> None:
    path = "/api/v1/prism/count"
    assert get_json(tenant.handle, path, category="apps") == {"count": world.count("apps"), "approximate": False}
    assert get(tenant.handle, path, category="nonsense").status == 400


def test_large_prism_counts_are_approximate_from_where_one_says(world: World) -> None:
    tenant = Tenant(world, limits=None, quirks=Quirks(approximate_counts_from=300))
    counts = {name: get_json(tenant.handle, "/api/v1/prism/count", category=name) for name in ("apps", "filevault")}
    assert world.count("apps") == 387
    assert counts == {
        "apps": {"count": 390, "approximate": True},
        "filevault": {"count": world.count("prism_filevault"), "approximate": False},
    }


@pytest.mark.parametrize("minutes", [1, 200, 60 * 24 * 30])
def test_the_total_of_a_filtered_walk_is_the_number_of_its_rows(minutes: int) -> None:
    world = World(5, 60, apps_per_device=20)
    world.advance(8)
    send = Tenant(world, limits=None).handle
    since = (world.now - timedelta(minutes=minutes)).isoformat()
    for name in ("apps", "local_users", "device_information"):
        query = {"filter": json.dumps({"updated_at": {"gte": since}})}
        path = f"/api/v1/prism/{name}"
        rows = list(walk(send, path, Paging.PRISM, 20, **query))
        assert get_json(send, path, limit=1, **query)["total"] == len(rows)
        truth = world.truth(name)
        assert rows == [row for row in truth if row["updated_at"] >= f"{since[:19]}.000000+00:00"]


@pytest.mark.parametrize(
    ("query", "field", "wanted"),
    [
        ({"platform": "iPad"}, "platform", "iPad"),
        ({"serial_number": "7"}, "serial_number", "7"),
        ({"device_name": "drop table"}, "device_name", "DROP TABLE"),
    ],
)
def test_device_filters_mean_contains(
    world: World, tenant: Tenant, query: dict[str, str], field: str, wanted: str
) -> None:
    rows = list(walk(tenant.handle, "/api/v1/devices", Paging.ARRAY, 10, **query))
    assert rows == [row for row in world.truth("devices") if wanted in row[field]]
    assert rows


def test_devices_can_be_ordered_both_ways(tenant: Tenant) -> None:
    ids = [row["device_id"] for row in get_json(tenant.handle, "/api/v1/devices", ordering="device_id")]
    assert ids == sorted(ids)
    assert [row["device_id"] for row in get_json(tenant.handle, "/api/v1/devices", ordering="-device_id")] == ids[::-1]


@pytest.mark.parametrize("name", ["updated_at", "device_id", "name", "path", "version"])
def test_every_operator_of_a_prism_filter_agrees_with_plain_python(world: World, tenant: Tenant, name: str) -> None:
    truth = [row for row in world.truth("apps") if row[name] is not None]
    pivot = sorted(row[name] for row in truth)[len(truth) // 3]
    operators: dict[str, Callable[[str], bool]] = {
        "eq": lambda value: value == pivot,
        "in": lambda value: value in {pivot},
        "gte": lambda value: value >= pivot,
        "lt": lambda value: value < pivot,
        "like": lambda value: pivot.lower() in value.lower(),
    }
    for operator, passes in operators.items():
        value = [pivot] if operator in {"in", "like"} else pivot
        found = walk(
            tenant.handle, "/api/v1/prism/apps", Paging.PRISM, 300, filter=json.dumps({name: {operator: value}})
        )
        assert list(found) == [row for row in truth if passes(row[name])], operator


def test_prism_is_cut_by_family_and_blueprint(world: World, tenant: Tenant) -> None:
    blueprint = next(row["blueprint_id"] for row in world.truth("prism_device_information") if row["blueprint_id"])
    path = "/api/v1/prism/device_information"
    rows = list(world.truth("prism_device_information"))
    assert list(walk(tenant.handle, path, Paging.PRISM, 5, device_families="tvOS,iPad")) == [
        row for row in rows if row["device__family"] in {"AppleTV", "iPad"}
    ]
    assert list(walk(tenant.handle, path, Paging.PRISM, 5, blueprint_ids=blueprint)) == [
        row for row in rows if row["blueprint_id"] == blueprint
    ]


def test_a_filter_may_be_ignored_without_a_word(world: World) -> None:
    tenant = Tenant(world, limits=None, quirks=Quirks(filters=False))
    nobody = json.dumps({"device_id": {"in": ["nobody"]}})
    assert len(list(walk(tenant.handle, "/api/v1/prism/filevault", Paging.PRISM, 300, filter=nobody))) == world.count(
        "prism_filevault"
    )


@pytest.mark.parametrize("query", [{"filter": "{"}, {"filter": '{"name":{"sounds_like":"x"}}'}, {"cursor": "!"}])
def test_nonsense_in_a_prism_query_is_a_bad_request(tenant: Tenant, query: dict[str, str]) -> None:
    response = get(tenant.handle, "/api/v1/prism/apps", **query)
    assert response.status == 400
    assert set(json.loads(response.body)) == {"detail"}
