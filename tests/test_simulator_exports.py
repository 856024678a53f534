"""Prism exports of the simulated tenant: jobs, signed URLs, and files that are what was asked for."""

import ast
import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from naive_client import get, get_json

from kandji_schema.errors import Rejected, ServerFault, Unreachable
from kandji_schema.http import Request
from kandji_schema.registry import resources
from kandji_simulator import TOKEN, Fault, FaultKind, Tenant, World
from kandji_simulator.api.exports import Fetched
from kandji_simulator.tables.prism import Header, Spelling

Json = dict[str, Any]


class _Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def world() -> World:
    return World(1, 60, apps_per_device=20)


@pytest.fixture
def tenant(world: World) -> Tenant:
    return Tenant(world, limits=None, clock=_Clock(), sleep=lambda seconds: None)


def _post(tenant: Tenant, body: bytes) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    response = tenant.handle(Request("POST", "/api/v1/prism/export", headers=headers, body=body))
    return response.status, json.loads(response.body)


def _order(tenant: Tenant, category: str, **facts: Any) -> Json:
    status, job = _post(tenant, json.dumps({"category": category, **facts}).encode())
    assert status == 200, job
    return dict(job)


def _poll(tenant: Tenant, job: Json) -> Json:
    return dict(get_json(tenant.handle, f"/api/v1/prism/export/{job['id']}"))


def _url(tenant: Tenant, job: Json) -> str:
    answers = [_poll(tenant, job) for _ in range(3)]
    return str(answers[-1]["signed_url"])


def _read(tenant: Tenant, job: Json, folder: Path) -> list[dict[str, str]]:
    target = folder / "file.csv"
    tenant.fetch(_url(tenant, job), target)
    with target.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _spelled(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


def _cells(rows: list[Json]) -> list[dict[str, str]]:
    """The rows as an export spells them: what a row leaves out is empty."""
    names = {name: None for row in rows for name in row}
    return [{name: _spelled(row.get(name)) for name in names} for row in rows]


@pytest.mark.parametrize("category", sorted(str(r.category) for r in resources().values() if r.category))
def test_an_exported_file_is_the_truth(tmp_path: Path, world: World, tenant: Tenant, category: str) -> None:
    truth = list(world.truth(category))
    found = _read(tenant, _order(tenant, category), tmp_path)
    assert [{k: row[k] for k in wanted} for row, wanted in zip(found, _cells(truth), strict=True)] == _cells(truth)


def test_an_export_is_pending_then_done_with_a_url(tenant: Tenant) -> None:
    job = _order(tenant, "apps", device_families=["Mac"])
    assert (job["status"], job["signed_url"]) == ("pending", None)
    assert job["args"] == {
        "filter": {},
        "columns": [],
        "sort_by": "",
        "blueprint_ids": [],
        "device_families": ["Mac"],
    }
    first, second = _poll(tenant, job), _poll(tenant, job)
    assert (first["status"], first["signed_url"], second["status"]) == ("pending", None, "success")
    assert second["signed_url"].startswith(f"https://acme-exports.s3.example.net/{second['path']}?X-Amz-Algorithm=")
    assert second["path"].endswith(f"export-2026-01-12-apps-{job['id']}.csv")


def test_an_export_takes_as_many_polls_and_seconds_as_told(tenant: Tenant) -> None:
    clock = _Clock()
    tenant = Tenant(tenant.world, limits=None, clock=clock)
    tenant.exports.pending_polls, tenant.exports.pending_seconds = 2, 60
    tenant.exports.waiting_status = "processing"
    job = _order(tenant, "apps")
    assert [_poll(tenant, job)["status"] for _ in range(3)] == ["processing"] * 3
    clock.now += 60
    assert _poll(tenant, job)["status"] == "success"


def test_success_may_come_before_the_url(tenant: Tenant) -> None:
    tenant.exports.pending_polls, tenant.exports.polls_without_url = 0, 2
    job = _order(tenant, "apps")
    seen = [(answer["status"], bool(answer["signed_url"])) for answer in (_poll(tenant, job) for _ in range(3))]
    assert seen == [("success", False), ("success", False), ("success", True)]


def test_an_export_can_fail_with_a_reason(tenant: Tenant) -> None:
    tenant.exports.pending_polls, tenant.exports.error = 0, "Query timed out"
    job = _poll(tenant, _order(tenant, "apps"))
    assert (job["status"], job["error_msg"], job["signed_url"]) == ("failed", "Query timed out", None)


def test_an_unknown_or_refused_category_is_told(tenant: Tenant) -> None:
    tenant.exports.refused = frozenset({"filevault"})
    assert _post(tenant, b'{"category":"filevault"}') == (400, {"detail": "Invalid category: filevault"})
    assert _post(tenant, b'{"category":"nonsense"}') == (400, {"detail": "Invalid category: nonsense"})
    assert _post(tenant, b"{")[0] == 400
    assert get(tenant.handle, "/api/v1/prism/export/nobody").status == 404


def test_an_export_is_the_world_as_it_was_ordered(tmp_path: Path, world: World, tenant: Tenant) -> None:
    before = _cells(list(world.truth("apps")))
    job = _order(tenant, "apps")
    for device in world.device_ids()[:20]:
        world.remove(device)
    world.rename_blueprint(world.blueprint_ids()[0], "Renamed")
    world.remove_user(world.user_ids()[0])
    world.advance(3)
    assert _read(tenant, job, tmp_path) == before


@pytest.mark.parametrize(
    ("facts", "is_in"),
    [
        ({"device_families": ["iPad", "tvOS"]}, lambda row: row["device__family"] in {"iPad", "AppleTV"}),
        ({"filter": {"name": {"like": ["chrome"]}}}, lambda row: "chrome" in row["name"].lower()),
        ({"filter": {"path": {"is_null": True}}}, lambda row: row["path"] is None),
        ({"filter": {"updated_at": {"gte": "2026-01-10"}}}, lambda row: row["updated_at"] >= "2026-01-10"),
    ],
)
def test_an_export_can_be_cut(
    tmp_path: Path, world: World, tenant: Tenant, facts: Json, is_in: Callable[[Json], bool]
) -> None:
    wanted = [row for row in world.truth("apps") if is_in(row)]
    assert _read(tenant, _order(tenant, "apps", **facts), tmp_path) == _cells(wanted)
    assert wanted


def test_columns_can_be_chosen(tmp_path: Path, world: World, tenant: Tenant) -> None:
    names = ["device_id", "updated_at", "name", "path"]
    for category in ("apps", "local_users"):
        chosen = [n for n in names if n in next(world.truth(category))]
        wanted = [{n: row[n] for n in chosen} for row in world.truth(category)]
        assert _read(tenant, _order(tenant, category, columns=names), tmp_path) == _cells(wanted)


def test_headers_can_be_titles(tmp_path: Path, tenant: Tenant) -> None:
    tenant.exports.header = Header.TITLES
    row = _read(tenant, _order(tenant, "filevault"), tmp_path)[0]
    assert {"Device Id", "Device Name", "Updated At", "Key Escrowed"} <= set(row)


def test_lists_can_be_spelled_as_python_does(tmp_path: Path, world: World, tenant: Tenant) -> None:
    tenant.exports.spelling = Spelling.PYTHON
    row = _read(tenant, _order(tenant, "installed_profiles"), tmp_path)[0]
    assert ast.literal_eval(row["profile_data"]) == next(world.truth("installed_profiles"))["profile_data"]


def test_a_partial_file_looks_whole(tmp_path: Path, world: World, tenant: Tenant) -> None:
    tenant.exports.keep = 0.5
    rows = _read(tenant, _order(tenant, "filevault"), tmp_path)
    assert rows == _cells(list(world.truth("filevault")))[: len(rows)]
    assert len(rows) == world.count("filevault") // 2
    tenant.exports.ragged = True
    job = _order(tenant, "filevault")
    tenant.fetch(_url(tenant, job), tmp_path / "cut.csv")
    assert not (tmp_path / "cut.csv").read_bytes().endswith(b"\n")


def test_the_storage_refuses_a_token_an_unknown_url_and_an_old_one(tmp_path: Path, world: World) -> None:
    clock = _Clock()
    tenant = Tenant(world, limits=None, clock=clock)
    url = _url(tenant, _order(tenant, "filevault"))
    path, query = url.removeprefix(tenant.storage.base).split("?")
    assert tenant.storage.answer(path, query, {"authorization": "Bearer x"}).response.status == 400
    with pytest.raises(Rejected):
        tenant.fetch(url.replace("Signature=", "Signature=1"), tmp_path / "file")
    with pytest.raises(Rejected):
        tenant.fetch(f"{tenant.storage.base}/nothing", tmp_path / "file")
    with pytest.raises(Unreachable):
        tenant.fetch("https://example.com/file.csv", tmp_path / "file")
    clock.now += 172_801
    with pytest.raises(Rejected) as error:
        tenant.fetch(url, tmp_path / "file")
    assert error.value.status == 403
    assert not (tmp_path / "file").exists()
    assert tenant.storage.requests[0] == Fetched(path, 400, True)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.TORN, Unreachable),
        (FaultKind.RESET, Unreachable),
        (FaultKind.HANGING, Unreachable),
        (FaultKind.UNAVAILABLE, ServerFault),
        (FaultKind.FORBIDDEN, Rejected),
        (FaultKind.FOUND, Rejected),
    ],
)
def test_downloads_can_go_wrong_once(tmp_path: Path, tenant: Tenant, kind: FaultKind, error: type[Exception]) -> None:
    url = _url(tenant, _order(tenant, "filevault"))
    tenant.faults.append(Fault("^/visibility-export/", kind))
    with pytest.raises(error):
        tenant.fetch(url, tmp_path / "one")
    tenant.fetch(url, tmp_path / "two")
    whole = (tmp_path / "two").read_bytes()
    if kind is FaultKind.TORN:
        assert (tmp_path / "one").read_bytes() == whole[: len(whole) // 2]


def test_a_download_can_be_a_page_of_html(tmp_path: Path, tenant: Tenant) -> None:
    url = _url(tenant, _order(tenant, "filevault"))
    tenant.faults.append(Fault("visibility-export", FaultKind.HTML_PAGE))
    tenant.fetch(url, tmp_path / "file")
    assert b"<!doctype html>" in (tmp_path / "file").read_bytes()


def test_downloads_are_no_requests_of_the_api(tmp_path: Path, tenant: Tenant) -> None:
    _read(tenant, _order(tenant, "filevault"), tmp_path)
    assert [entry.method for entry in tenant.requests] == ["POST", "GET", "GET", "GET"]
    assert [entry.status for entry in tenant.storage.requests] == [200]
