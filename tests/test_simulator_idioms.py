"""Lists and objects of every idiom, served from small declarations of their own."""

import json
from base64 import b64decode
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from naive_client import get, get_json, walk_table
from sqlmodel import SQLModel

from kandji_schema.columns import document, extra, integer, text
from kandji_schema.registry import resource
from kandji_schema.resource import Paging, Resource
from kandji_simulator import Quirks, Tenant, World


class _Note(SQLModel, table=True):
    """One row per note."""

    __tablename__ = "served_notes"

    id: str | None = text("Identifier.", key=True)
    author_name: str | None = text("Author.", source="author.name")
    author_city: str | None = text("City.", source="author.home.city")
    author: Any = document("Author as sent.", samples=({"since": 2020},))
    extra: Any = extra()


class _Part(SQLModel, table=True):
    """One row per device and part."""

    __tablename__ = "served_parts"

    device_id: str | None = text("Device.", key=True)
    name: str | None = text("Name.", key=True, samples=("screen", "battery"))
    extra: Any = extra()


class _Fault(SQLModel, table=True):
    """One row per device and fault."""

    __tablename__ = "served_faults"

    device_id: str | None = text("Device.", key=True)
    code: str | None = text("Code.", key=True, samples=("E1", "E2", "E3"))
    extra: Any = extra()


class _Sheet(SQLModel, table=True):
    """One row per device."""

    __tablename__ = "served_sheets"

    device_id: str | None = text("Device.", key=True)
    weight: int | None = integer("Weight.", source="body.weight")
    extra: Any = extra()


def _table(model: type[SQLModel], path: str, paging: Paging, **facts: Any) -> Resource:
    return Resource(model=model, path=path, paging=paging, ttl=timedelta(1), permission="Any", **facts)


_BELOW = {"parent": "devices", "parent_key": {"device_id": "device_id"}}
PARTS = _table(_Part, "/api/v1/devices/{device_id}/check", Paging.WHOLE, rows_at="parts", **_BELOW)
FAULTS = _table(_Fault, "/api/v1/devices/{device_id}/check", Paging.WHOLE, rows_at="faults", **_BELOW)
SHEETS = _table(_Sheet, "/api/v1/devices/{device_id}/sheet", Paging.WHOLE, **_BELOW)


def _notes(paging: Paging, **facts: Any) -> Tenant:
    notes = _table(_Note, "/api/v1/notes", paging, **facts)
    return Tenant(World(1, 5, resources={notes.name: notes}), limits=None)


def _below_devices(*tables: Resource) -> Tenant:
    known = {table.name: table for table in (resource("devices"), *tables)}
    return Tenant(World(1, 5, resources=known), limits=None)


@pytest.mark.parametrize("paging", [p for p in Paging if p is not Paging.PRISM])
@pytest.mark.parametrize("page_size", [0, 300])
def test_a_declared_list_is_walked_to_its_end(paging: Paging, page_size: int) -> None:
    tenant = _notes(paging, page_size=page_size)
    rows = walk_table(tenant.handle, tenant.world, "served_notes", 7)
    assert rows == list(tenant.world.truth("served_notes"))
    assert len(rows) == 24


def test_members_of_a_section_stand_in_the_section() -> None:
    row = get_json(_notes(Paging.WHOLE).handle, "/api/v1/notes")[0]
    assert set(row) == {"id", "author"}
    assert set(row["author"]) == {"since", "name", "home"}
    assert set(row["author"]["home"]) == {"city"}


def test_numbered_pages_know_no_limit_and_end_in_a_404() -> None:
    send = Tenant(World(1, 40, users=0), limits=None).handle
    path = "/api/v1/integrations/apple/ade/devices"
    page = get_json(send, path, limit=2)
    assert (page["count"], page["next"], page["previous"]) == (len(page["results"]), None, None)
    assert page["count"] > 2
    past = get(send, path, page=2)
    assert (past.status, past.body) == (404, b'{"detail":"Invalid page."}')


def test_numbered_pages_link_to_their_neighbours() -> None:
    send = Tenant(World(1, 1_300, apps_per_device=0), limits=None).handle
    page = get_json(send, "/api/v1/integrations/apple/ade/devices", page=2)
    numbers = [parse_qs(urlsplit(page[way]).query)["page"] for way in ("previous", "next")]
    assert (len(page["results"]), numbers) == (300, [["1"], ["3"]])


def test_sized_pages_leave_their_number_out_at_times() -> None:
    send = _notes(Paging.PAGE, page_size=10).handle
    pages = [get_json(send, "/api/v1/notes", page=n, size=50) for n in (1, 2, 3, 4)]
    heads = [{k: v for k, v in page.items() if k != "results"} for page in pages]
    assert heads == [
        {"total": 24, "size": 10},
        {"total": 24, "page": 2, "size": 10},
        {"total": 24, "size": 10},
        {"total": 24, "page": 4, "size": 10},
    ]
    assert [len(page["results"]) for page in pages] == [10, 10, 4, 0]


def test_after_is_found_in_the_link_to_the_web_app() -> None:
    page = get_json(_notes(Paging.AFTER).handle, "/api/v1/notes", size=10)
    link = urlsplit(page["next"])
    query = parse_qs(link.query)
    assert (link.netloc, query["size"], page["previous"]) == ("acme.kandji.io", ["10"], None)
    assert b64decode(query["after"][0]).decode() == f"p={page['results'][-1]['id']}"


def test_lists_by_offset_never_link_and_count_in_ways_of_their_own() -> None:
    tenant = Tenant(World(1, 400, apps_per_device=0), limits=None)
    heads = {}
    for path in ("/api/v1/threat-details", "/api/v1/behavioral-detections"):
        page = get_json(tenant.handle, path, limit=1)
        assert len(page.pop("results")) == 1
        heads[path] = page
    threats, behaviors = heads.values()
    assert set(threats) == {"count", "next", "previous", "malware_count", "pup_count"}
    assert set(behaviors) == {"total_count", "next", "previous", "malicious_count", "suspicious_count"}
    assert threats["count"] == threats["malware_count"] + threats["pup_count"] == tenant.world.count("threats") > 1
    assert (threats["next"], behaviors["next"]) == (None, None)


def test_two_tables_of_one_answer_are_two_members_of_it() -> None:
    tenant = _below_devices(PARTS, FAULTS)
    device = tenant.world.device_ids()[0]
    assert get_json(tenant.handle, f"/api/v1/devices/{device}/check") == {
        "device_id": device,
        "parts": [{"name": "battery"}, {"name": "screen"}],
        "faults": [{"code": "E1"}, {"code": "E2"}, {"code": "E3"}],
    }
    assert tenant.world.count("served_faults") == 15
    assert get(tenant.handle, "/api/v1/devices/nobody/check").status == 404


def test_one_row_a_device_is_an_object() -> None:
    tenant = _below_devices(SHEETS)
    truth = list(tenant.world.truth("served_sheets"))
    sheets = [get_json(tenant.handle, f"/api/v1/devices/{row['device_id']}/sheet") for row in truth]
    assert [{"device_id": row["device_id"], **sheet} for row, sheet in zip(truth, sheets, strict=True)] == truth
    assert set(sheets[0]) == {"body"}


def test_totals_can_be_left_unsaid_in_every_idiom() -> None:
    send = Tenant(World(1, 60), limits=None, quirks=Quirks(totals=False)).handle
    assert get_json(send, "/api/v1/vulnerability-management/vulnerabilities")["total"] is None
    assert set(get_json(send, "/api/v1/threat-details")) == {"next", "previous", "results"}
    assert "x-total-count" not in get(send, "/api/v1/devices").headers


def test_a_list_can_run_downwards_by_cursor() -> None:
    world = World(1, 60)
    world.advance(10)
    send = Tenant(world, limits=None).handle
    query: dict[str, str] = {"sort_by": "-occurred_at", "limit": "7"}
    ids: list[str] = []
    while True:
        page = get_json(send, "/api/v1/audit/events", **query)
        ids += [row["id"] for row in page["results"]]
        if not page["next"]:
            break
        query = {name: values[0] for name, values in parse_qs(urlsplit(page["next"]).query).items()}
    assert ids == [row["id"] for row in world.truth("audit_events")][::-1]
    assert ids == sorted(ids, reverse=True)


def test_answers_are_json_of_the_provider() -> None:
    body = get(_notes(Paging.COUNT).handle, "/api/v1/notes", limit=1).body
    assert json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":")).encode() == body
