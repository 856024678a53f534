"""The simulated tenant against what the provider publishes, and against our own declarations."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kandji_schema.registry import tenant_tables
from kandji_schema.resource import Resource
from kandji_simulator import Tenant, World

EXAMPLES = Path(__file__).parent / "fixtures" / "examples"
WRITES = Path(__file__).parent / "fixtures" / "writes"
OPENAPI = Path(__file__).parents[2] / "shared" / "api" / "openapi.json"


@pytest.fixture(scope="module")
def world() -> World:
    return World(1, 300, apps_per_device=20)


def _fields(world: World, table: str) -> set[str]:
    return {name for row in world.truth(table) for name in row}


@pytest.mark.parametrize("resource", tenant_tables().values(), ids=lambda r: r.name)
def test_a_healthy_tenant_sends_no_field_that_is_not_declared(world: World, resource: Resource) -> None:
    assert _fields(world, resource.name) - resource.known_fields - set(resource.parent_key) == set()


_OLDER = {
    "device_id": {"devices"},
    "os_name": {"prism_device_information"},
    "model_identifier": {"prism_device_information"},
}
"""Fields that only older answers have."""
_MISLABELLED = {"prism_activation_lock", "prism_desktop_and_screensaver"}
"""Of these the provider publishes a row of another category."""


def _published(resource: Resource) -> Iterator[dict[str, Any]]:
    for path in EXAMPLES.glob("get--*.json"):
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["endpoint"] == f"GET {resource.path}":
            for example in document["examples"]:
                yield from _rows(example["body"], resource.rows_at)


def _rows(body: Any, rows_at: str) -> list[dict[str, Any]]:
    if isinstance(body, dict):
        body = next((body[name] for name in (rows_at, "results", "data") if name in body), [body])
    return [row for row in body if isinstance(row, dict)]


@pytest.mark.parametrize(
    "resource", [r for r in tenant_tables().values() if r.name not in _MISLABELLED], ids=lambda r: r.name
)
def test_every_published_field_is_sent(world: World, resource: Resource) -> None:
    published = {name for row in _published(resource) for name in row}
    older = {name for name, tables in _OLDER.items() if resource.name in tables}
    assert published - _fields(world, resource.name) - older - (resource.ignored - {"file_url"}) == set()


@pytest.mark.skipif(not OPENAPI.is_file(), reason="the provider's OpenAPI document is not beside this checkout")
def test_every_path_is_one_of_the_providers(world: World) -> None:
    published = {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path))
        for path, methods in json.loads(OPENAPI.read_text(encoding="utf-8"))["paths"].items()
        for method in methods
    }
    newer = {json.loads(path.read_text(encoding="utf-8"))["endpoint"] for path in WRITES.glob("*.json")}
    published |= {(method, re.sub(r"\{\w+\}", "{}", path)) for method, path in map(str.split, newer)}
    served = {(route.method, _template(route.pattern)) for route in Tenant(world, limits=None).routes}
    assert served - published == {("GET", "/api/v2/threat/threat-details")}  # named by the contract, not published
    assert len(served) > 80


def _template(pattern: re.Pattern[str]) -> str:
    return re.sub(r"\(\?P<\w+>\[\^/\]\+\)", "{}", pattern.pattern).replace("\\", "")
