"""What does not fit its column is NULL, kept as sent, and counted, whichever way it came in."""

import csv
import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from support import looking_at

from kandji_mirror.api.paging import read_page
from kandji_mirror.ingest.engine import Engine
from kandji_mirror.ingest.projection import reshape_per_device
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.privacy.key import Key
from kandji_schema.http import Response
from kandji_schema.registry import resource

APP = {"device_id": "d", "bundle_id": "b", "path": "/p"}
DEVICE = {"device_id": "d"}

FLAGS = ["maybe", 2, {"a": 1}, [True]]
MOMENTS = ["2024-13-45", "2024-02-30T00:00:00Z", "99999-01-01T00:00:00Z", "1 month ago", {"a": 1}]
WHOLES = [12.7, "12 MB", "NaN", float("nan"), float("inf"), 10**30, {"a": 1}, [1]]
OBJECTS = [{"a": 1}, {"a": None, "b": "it's"}, ["a"], [{"a": 1}], [["a"]], {}, []]
LISTS = [{"a": 1}, [{"a": 1}], ["a", {"b": 1}], ["a", 1], ["a", True], ["a", None], [["a"]], "a", 5]

OF_APPS: dict[str, list[Any]] = {
    "validated": FLAGS,
    "updated_at": MOMENTS,
    "bundle_size": WHOLES,
    "version": OBJECTS,
    "tags": LISTS,
}
PRISM = [("apps", APP, field, value) for field, values in OF_APPS.items() for value in values]
KEYS = [
    (table, {"device_id": "d", **others}, field, value)
    for table, others, field in (
        ("apps", {"path": "/p"}, "bundle_id"),
        ("prism_local_users", {}, "generated_uid"),
        ("prism_certificates", {"common_name": "c"}, "identity_certificate"),
    )
    for value in ({"a": 1}, ["a"])
]
PAGED = [
    ("vulnerabilities", {"cve_id": "c"}, "cvss_score", value)
    for value in ("high", "NaN", float("nan"), float("-inf"), "1e400", {"a": 1}, True)
] + [
    ("devices", DEVICE, "user", {"id": "1", "email": value, "is_archived": archived})
    for value, archived in (({"a": 1}, None), (["a"], False), ("e", "maybe"))
]


def page_of(table: str, rows: list[dict[str, Any]]) -> str:
    """A page as the ingest gets it from an answer of these rows."""
    members: Any = {"data": rows, "results": rows} if table != "devices" else rows
    return read_page(Response(200, {}, json.dumps(members).encode()), resource(table)).text


def export_of(rows: list[dict[str, Any]]) -> bytes:
    """A CSV file of these rows: objects and lists as Python prints them."""
    lines = StringIO(newline="")
    cells = [["" if value is None else value for value in row.values()] for row in rows]
    csv.writer(lines).writerows([rows[0], *cells])
    return lines.getvalue().encode()


@pytest.fixture(params=["clear", "masked"])
def staging_of(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    masked = request.param == "masked"
    with Engine(tmp_path / "spill", key=Key(bytes(range(32)))) as engine:
        yield lambda table: Staging(resource(table), tmp_path / "scratch.tmp", engine=engine, masked=masked)


def counted(staging: Staging) -> dict[str, int]:
    """Fields by rows with something that did not fit, whether those stand in the table or were set aside."""
    staging.drop_duplicates()
    return staging.leftovers()


@pytest.mark.many(quick_every=4)
@pytest.mark.parametrize(("table", "row", "field", "value"), PRISM + KEYS + PAGED)
def test_in_pages(staging_of: Any, table: str, row: dict[str, Any], field: str, value: Any) -> None:
    with staging_of(table) as staging:
        staging.add(page_of(table, [{**row, field: value}]))
        assert counted(staging) == {field: 1}


@pytest.mark.many(quick_every=4)
@pytest.mark.parametrize(("table", "row", "field", "value"), PRISM + KEYS)
def test_in_exports(staging_of: Any, tmp_path: Path, table: str, row: dict[str, Any], field: str, value: Any) -> None:
    export = tmp_path / "export.csv"
    export.write_bytes(export_of([{**row, field: value}]))
    with staging_of(table) as staging:
        staging.add_csv(export)
        assert counted(staging) == {field: 1}


@pytest.mark.many(quick_every=4, keeps="heavy")
@pytest.mark.parametrize(
    ("table", "sections"),
    [
        ("device_details", {"mdm": {"supervised": "maybe"}}),
        ("device_details", {"mdm": {"install_date": "2024-13-45", "new": 1}}),
        ("device_details", {"general": {"os_version": {"a": 1}}}),
        ("device_details", {"general": "text"}),
        ("device_details", {"security": {"encryption_status": ["a"]}}),
        ("ade_integrations", {"device_counts": {"total": "many"}}),
        ("ade_integrations", {"device_counts": {"total": {"a": 1}}}),
    ],
)
def test_in_sections_that_are_held_whole(staging_of: Any, table: str, sections: dict[str, Any]) -> None:
    row = {"id": "1", "general": {}, **sections}
    with staging_of(table) as staging:
        staging.add(json.dumps({"data": [row]}), ("d",) if table == "device_details" else ())
        assert counted(staging) == dict.fromkeys(sections, 1)


@pytest.mark.parametrize("name", ["[1.0]", "{90160000-008C-0000-1000-0000000FF1CE}", "[Adobe] it's", "{", "[", "a [b]"])
def test_a_text_that_only_begins_like_a_list_is_one(staging_of: Any, tmp_path: Path, name: str) -> None:
    row = {**APP, "path": name, "version": name}
    export = tmp_path / "export.csv"
    export.write_bytes(export_of([row]))
    with staging_of("apps") as staging:
        staging.add_csv(export)
        staging.add(page_of("apps", [{**row, "bundle_id": "c"}]))
        assert (counted(staging), staging.rows) == ({}, 2)


def test_a_flag_is_no_name(staging_of: Any) -> None:
    with staging_of("apps") as staging:
        staging.add(page_of("apps", [{**APP, "bundle_id": True}]))
        assert (counted(staging), staging.rows) == ({"bundle_id": 1}, 0)


@pytest.mark.parametrize("value", OBJECTS)
def test_in_answers_of_a_device_that_stand_in_for_prism(staging_of: Any, value: Any) -> None:
    row = {"device_id": "d", "app_name": "a", "bundle_id": "b", "version": value, "bundle_size": 10**30}
    with staging_of("apps") as staging:
        staging.add(
            reshape_per_device([row, {**row, "bundle_id": value, "version": "1", "bundle_size": ""}], resource("apps"))
        )
        assert counted(staging) == {"version": 1, "bundle_size": 1, "bundle_id": 1}
        assert staging.rows == 1


@pytest.mark.parametrize("way", ["page", "export"])
def test_what_does_not_fit_is_kept_as_it_was_sent(tmp_path: Path, way: str) -> None:
    row = {**APP, "version": {"a": [1, None]}, "tags": ["a", 1], "validated": "maybe"}
    export = tmp_path / "export.csv"
    export.write_bytes(export_of([row]))
    with Staging(resource("apps"), tmp_path / "scratch.tmp") as staging:
        if way == "page":
            staging.add(page_of("apps", [row]))
        else:
            staging.add_csv(export)
        staging.write(tmp_path / "next.tmp")
    with looking_at(tmp_path / "next.tmp") as con:
        ((*values, extra),) = con.execute("SELECT version, tags, validated, extra FROM looked_at.apps").fetchall()
    assert values == [None, None, None]
    assert json.loads(extra) == {"version": {"a": [1, None]}, "tags": ["a", 1], "validated": "maybe"}
