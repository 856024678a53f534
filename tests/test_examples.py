"""Every published example body of a mirrored table arrives without loss."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from support import client_of, manifest_of, mirrored, ordered, values_of

from kandji_mirror.api.wire import Request, Response
from kandji_mirror.sync.run import sync
from kandji_schema.manifest import data_dir
from kandji_schema.registry import resources
from kandji_schema.resource import Resource

EXAMPLES = Path(__file__).parent / "fixtures" / "examples"
"""Published bodies and recorded answers of the provider; people, serial numbers and codes in them are invented."""


def bodies() -> Iterator[Any]:
    """Resource and body of every example."""
    by_endpoint = {f"GET {r.path}": r for r in resources().values()}
    for path in sorted(EXAMPLES.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        for number, example in enumerate(document["examples"]):
            yield pytest.param(by_endpoint[document["endpoint"]], example["body"], id=f"{path.stem}-{number}")


def rows_in(body: Any) -> list[dict[str, Any]]:
    """The rows of any envelope."""
    if isinstance(body, list):
        return body
    return next((body[name] for name in ("data", "results") if name in body), [body])


def answering(resource: Resource, body: Any) -> Any:
    """A provider that has this page, as its only one, and one blueprint for the lists that belong to one."""
    only_page = {**body, "next": None, "cursor": None} if isinstance(body, dict) and "device_id" not in body else body
    parent = {"count": 1, "next": None, "previous": None, "results": [{"id": "bp", "name": "Blueprint"}]}

    def send(request: Request) -> Response:
        asked = resource.path.format(**dict.fromkeys(resource.parent_key, "bp"))
        found = only_page if request.path == asked else parent
        return Response(200, {"content-type": "application/json"}, json.dumps(found).encode())

    return send


def extras(home: Path, table: str) -> list[str]:
    with duckdb.connect(data_dir(home) / str(manifest_of(home).tables[table].file), read_only=True) as con:
        return sorted(
            str(row[0]) for row in con.execute(f'SELECT extra FROM "{table}" WHERE extra IS NOT NULL').fetchall()
        )


@pytest.mark.parametrize(("resource", "body"), list(bodies()))
def test_an_example_body_is_mirrored_without_loss(tmp_path: Path, resource: Resource, body: Any) -> None:
    names = ([resource.parent] if resource.parent else []) + [resource.name]
    report = sync(tmp_path, "acme", client_of(answering(resource, body)), names=names)
    assert report.failed == ()
    given = [{**row, **dict.fromkeys(resource.parent_key, "bp")} for row in rows_in(body)]
    distinct = {json.dumps([row.get(k) for k in resource.key]): row for row in given}.values()
    assert mirrored(tmp_path, resource.name) == ordered(values_of(resource.name, row) for row in distinct)
    known = resource.known_fields
    unknown = [{k: v for k, v in row.items() if k not in known and v is not None} for row in distinct]
    assert [json.loads(e) for e in extras(tmp_path, resource.name)] == sorted(
        (u for u in unknown if u), key=lambda u: json.dumps(u, separators=(",", ":"), ensure_ascii=False)
    )


def test_every_table_has_an_example() -> None:
    covered = {parameter.values[0].name for parameter in bodies()}
    assert covered == set(resources())
