"""Every published example body of a mirrored table arrives without loss."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from support import Rows, client_of, ordered, values_of

from kandji_mirror.api.paging import walk
from kandji_mirror.ingest.staging import Staging
from kandji_schema.columns import Kind
from kandji_schema.http import Request, Response
from kandji_schema.prism import PrismRow
from kandji_schema.registry import tenant_tables
from kandji_schema.resource import Paging, Resource

EXAMPLES = Path(__file__).parent / "fixtures" / "examples"
"""Published bodies and recorded answers of the provider; people, serial numbers and codes in them are invented."""

OF_ANOTHER_CATEGORY = frozenset({"prism_activation_lock", "prism_desktop_and_screensaver"})
"""Where the provider publishes a row of device_information instead: its fields are unknown here and must be kept."""


TOLD_WITHOUT_EXAMPLE = {
    "devices": "is_supervised is_dep_enrolled api_level security_patch_level full_software_version",
    "blueprints": "missing_computers_count created_at updated_at",
    "custom_apps": "self_service_category_id self_service_recommended sha256",
    "custom_profiles": "runs_on_android runs_on_windows",
    "custom_scripts": "show_in_self_service self_service_category_id self_service_recommended",
    "prism_activation_lock": "activation_lock_supported activation_lock_allowed_while_supervised bypass_code_failed "
    "device_activation_lock_enabled user_activation_lock_enabled",
    "prism_desktop_and_screensaver": "screensaver_interval",
    "prism_kernel_extensions": "bundle_id path version",
    "audit_events": "old_state",
    "device_activity": "user_id user_name user_email",
    "threats": "id severity management_state tags",
}
"""Columns the provider's contract names in words, or in answers to other requests, but no published list shows."""


def shape(path: str | None) -> str:
    """A path whatever the names in its braces."""
    return re.sub(r"{\w+}", "{}", path or "")


def readers() -> Iterator[tuple[str, Resource]]:
    """Every endpoint that gives rows of a table: its list, and the one that confirms a single row."""
    for resource in tenant_tables().values():
        yield shape(resource.path), resource
        yield shape(resource.confirm), replace(resource, paging=Paging.ARRAY, path=resource.confirm or "")


def bodies() -> Iterator[Any]:
    """Resource and body of every example."""
    for path in sorted(EXAMPLES.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        endpoint = shape(document["endpoint"].removeprefix("GET "))
        for number, example in enumerate(document["examples"]):
            for resource in [r for known, r in readers() if known == endpoint]:
                yield pytest.param(resource, example["body"], id=f"{path.stem}-{number}-{resource.name}")


EVERY = list(bodies())


def rows_in(resource: Resource, body: Any) -> list[dict[str, Any]]:
    """The rows of any envelope."""
    inner = body[resource.rows_at] if resource.rows_at else body
    if isinstance(inner, list):
        return inner
    return next((inner[name] for name in ("data", "results") if name in inner), [inner])


def only_page(body: Any) -> Any:
    """The body without the links and counts of the longer answer it was cut from."""
    if isinstance(body, dict) and "device_id" in body:
        return {name: only_page(member) for name, member in body.items()}
    if not isinstance(body, dict) or not {"data", "results"} & body.keys():
        return body
    counted = {"count": len(body["results"])} if body.get("results") else {}
    return {**body, "next": None, "cursor": None, **counted}


def mirrored(folder: Path, resource: Resource, body: Any) -> list[dict[str, Any]]:
    """The rows a data file has after this body came, by column."""

    def send(request: Request) -> Response:
        return Response(200, {"content-type": "application/json"}, json.dumps(only_page(body)).encode())

    path = resource.path.format(**dict.fromkeys(re.findall(r"{(\w+)}", resource.path), "parent"))
    with Staging(resource, folder / "stage.tmp") as staging:
        for page in walk(client_of(send), resource, path=path):
            staging.add(page.text, ["parent"] * len(resource.parent_key))
        staging.flush()
        if resource.repeats:
            staging.number_repeats()
        staging.drop_duplicates()
        staging.write(folder / "table.duckdb")
    with duckdb.connect(folder / "table.duckdb", read_only=True) as con:
        names = [c.name for c in resource.columns]
        return [dict(zip(names, row, strict=True)) for row in con.execute(f'FROM "{resource.name}"').fetchall()]


def comparable(resource: Resource, rows: list[tuple[Any, ...]]) -> Rows:
    """Rows with their documents parsed: spaces in them mean nothing."""
    documents = [c.kind is Kind.DOCUMENT for c in resource.columns]
    return ordered(
        tuple(json.loads(v) if is_document and v else v for v, is_document in zip(row, documents, strict=False))
        for row in rows
    )


def expected(resource: Resource, body: Any) -> list[tuple[Any, ...]]:
    """The rows as the table should hold them, one a key, worked out in plain Python."""
    columns = [c.name for c in resource.columns]
    constants = dict.fromkeys(resource.parent_key, "parent") | ({"ordinal": 1} if resource.repeats else {})
    found = [values_of(resource.name, {**row, **constants}) for row in rows_in(resource, body)]
    return list({tuple(row[columns.index(k)] for k in resource.key): row for row in found}.values())


@pytest.mark.many(quick_every=4)
@pytest.mark.parametrize(("resource", "body"), EVERY)
def test_an_example_body_is_mirrored_without_loss(tmp_path: Path, resource: Resource, body: Any) -> None:
    rows = mirrored(tmp_path, resource, body)
    without_extra = [tuple(value for name, value in row.items() if name != "extra") for row in rows]
    assert comparable(resource, without_extra) == comparable(resource, expected(resource, body))


@pytest.mark.many(quick_every=4)
@pytest.mark.parametrize(("resource", "body"), EVERY)
def test_of_an_example_body_only_fields_of_another_category_are_left_over(
    tmp_path: Path, resource: Resource, body: Any
) -> None:
    left = [json.loads(row["extra"]) for row in mirrored(tmp_path, resource, body) if row["extra"]]
    given = [] if resource.name not in OF_ANOTHER_CATEGORY else rows_in(resource, body)
    known = resource.known_fields
    assert left == [{k: v for k, v in row.items() if k not in known and v is not None} for row in given]


def test_every_table_has_an_example() -> None:
    assert {parameter.values[0].name for parameter in EVERY} == set(tenant_tables())


def shown(resource: Resource) -> set[str]:
    """Columns that some row of some example feeds; with no row at all, those every table of its kind has."""
    rows = [row for p in EVERY if p.values[0].name == resource.name for row in rows_in(resource, p.values[1])]
    given = {*resource.parent_key, "extra", *(("ordinal",) if resource.repeats else ())}
    shared = set() if rows else set(PrismRow.model_fields)
    return given | shared | {c.name for c in resource.columns if any(has(r, s) for r in rows for s in c.sources)}


def has(row: Any, source: str) -> bool:
    """Whether the row has a field there, empty or not."""
    head, _, rest = source.partition(".")
    return isinstance(row, dict) and head in row and (not rest or has(row[head], rest))


@pytest.mark.parametrize("resource", tenant_tables().values(), ids=tenant_tables())
def test_no_column_is_made_up(resource: Resource) -> None:
    unseen = {c.name for c in resource.columns} - shown(resource)
    assert unseen == set(TOLD_WITHOUT_EXAMPLE.get(resource.name, "").split())
