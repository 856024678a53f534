"""What the numbers of named queries count: their headers say it, and there are as many rows as the number says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from http_serving import KNOWN, asked, serving
from reads_home import device, publish

from kandji_queries.catalog.leads import NumberLead, read_lead
from kandji_queries.catalog.queries import catalog
from kandji_queries.reader import Reader
from kandji_schema.sql import identifier

LEADING = sorted(name for name, query in catalog().items() if query.leads)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("leads")
    devices = [
        device(1, is_missing=True),
        device(2, model=None, blueprint_id="b2"),  # two blueprints of one name
        device(3, platform="iPad", is_removed=True),
        device(4, blueprint_id=None, blueprint_name=None),
    ]
    app = {"name": "A & B", "bundle_id": "com.a", "developer_name": "Ä 'quoted' GmbH", "version": "1.0"}
    items = [{"device_id": f"d{n}", "item_id": "i1", "name": "Item", "status": "PASS"} for n in (1, 2)]
    published = {
        "devices": devices,
        "prism_filevault": [{"device_id": "d1", "status": True}, {"device_id": "d2", "status": False}],
        "apps": [{**app, "device_id": f"d{n}", "path": f"/{n}"} for n in (1, 2, 3)],
        "device_library_items": items,
        "vulnerabilities": [{"cve_id": "CVE-2024-1", "severity": "Critical"}],
        "vulnerability_detections": [{"cve_id": "CVE-2024-1", "device_id": "d1"}],
    }
    publish(home, published)
    return home


@pytest.fixture(scope="module")
def reader(home: Path) -> Iterator[Reader]:
    with Reader(home) as opened:
        yield opened


def rows_of(reader: Reader, lead: NumberLead, row: dict[str, Any]) -> int:
    values = lead.values(row)
    if lead.name in catalog():
        return len(reader.query(lead.name, {name: v for name, v in values.items() if v is not None}).rows)
    wanted = " AND ".join(f"{identifier(name)}::VARCHAR IS NOT DISTINCT FROM ${name}" for name in values)
    return int(reader.run(f"SELECT count(*) FROM {lead.name} WHERE {wanted}", values).rows[0][0])


@pytest.mark.parametrize("name", LEADING)
def test_a_number_is_that_of_the_rows_it_leads_to(reader: Reader, name: str) -> None:
    found = reader.query(name)
    columns = [column.name for column in found.columns]
    for values in found.rows[:: 1 + len(found.rows) // 4]:
        row = dict(zip(columns, values, strict=True))
        for lead in catalog()[name].leads:
            for column in lead.columns:
                assert rows_of(reader, lead, row) == row[column], (lead, row)
    assert found.rows


@pytest.mark.heavy
def test_on_a_page_a_number_is_a_link_to_its_rows(home: Path) -> None:
    with serving(home, "--no-sync") as started:
        pages = {
            path: asked(started.url, "GET", f"/queries/{path}", **KNOWN).text
            for path in ("devices_by_model", "app_inventory", "posture_now", "devices_by_model?with_removed=false")
        }
    unknown, known, filtered = (
        pages["devices_by_model"],
        pages["app_inventory"],
        pages["devices_by_model?with_removed=false"],
    )
    assert '<a href="/tables/fleet?platform=Mac&amp;model__unknown=1">1</a>' in unknown
    assert '<a href="/tables/apps?name=A+%26+B&amp;bundle_id=com.a&amp;version=1.0">3</a>' in known
    assert '<a href="/queries/macs_without_filevault">' in pages["posture_now"]
    assert "/tables/fleet?platform" not in filtered, "not all that is listed there was counted"


@pytest.mark.parametrize(
    "words", ["devices", "devices to fleet", "n to fleet(a=b c)", "n to fleet(a)", "to fleet(a=b)"]
)
def test_a_lead_that_is_none_is_refused_with_the_rule(words: str) -> None:
    with pytest.raises(ValueError, match="numbers lead to rows as in"):
        read_lead(words)
