"""Where increments begin, and rows of another endpoint."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kandji_mirror.ingest.engine import Engine
from kandji_mirror.ingest.file_queries import watermark
from kandji_mirror.ingest.projection import reshape_per_device
from kandji_mirror.ingest.staging import Staging
from kandji_schema.errors import StoreDamaged
from kandji_schema.registry import resource

APPS = resource("apps")
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def published(folder: Path, moments: Sequence[datetime | None]) -> Path:
    """A data file with one row for each moment of its last write."""
    rows = [
        {"device_id": str(number), "updated_at": moment and moment.isoformat()} for number, moment in enumerate(moments)
    ]
    with Staging(APPS, folder / "scratch.tmp") as staging:
        staging.add(json.dumps({"data": rows}))
        staging.write(folder / "live.duckdb")
    return folder / "live.duckdb"


def newest(path: Path, provider_now: datetime | None) -> datetime | None:
    """The watermark of a data file of apps."""
    with Engine(path.with_suffix(".spill")) as engine:
        return watermark(engine, path, APPS, provider_now)


@pytest.mark.parametrize("moments", [[], [None]])
def test_without_any_moment_there_is_no_watermark(tmp_path: Path, moments: Sequence[datetime | None]) -> None:
    assert newest(published(tmp_path, moments), NOW) is None


def test_the_watermark_is_the_newest_moment(tmp_path: Path) -> None:
    moments = [NOW - timedelta(days=1), NOW + timedelta(minutes=9), None, NOW - timedelta(hours=1)]
    path = published(tmp_path, moments)
    assert newest(path, NOW) == NOW + timedelta(minutes=9)
    assert newest(path, None) == NOW + timedelta(minutes=9)


def test_a_few_rows_from_the_future_do_not_count(tmp_path: Path) -> None:
    path = published(tmp_path, [NOW - timedelta(hours=n) for n in range(198)] + [NOW + timedelta(days=400)] * 2)
    assert newest(path, NOW) == NOW
    assert newest(path, None) == NOW + timedelta(days=400)


def test_many_rows_from_the_future_mean_that_the_clock_is_wrong(tmp_path: Path) -> None:
    path = published(tmp_path, [NOW - timedelta(hours=n) for n in range(197)] + [NOW + timedelta(days=2)] * 3)
    assert newest(path, NOW) == NOW + timedelta(days=2)


def test_the_provider_s_time_may_have_any_zone(tmp_path: Path) -> None:
    path = published(tmp_path, [NOW] * 200 + [NOW + timedelta(hours=1)])
    assert newest(path, datetime.fromisoformat("2026-05-01T14:00:00+02:00")) == NOW


def test_a_damaged_file_has_no_watermark_but_an_error(tmp_path: Path) -> None:
    path = published(tmp_path, [NOW])
    path.write_bytes(path.read_bytes()[:1_000])
    with pytest.raises(StoreDamaged):
        newest(path, NOW)


def only_row(*rows: dict[str, Any]) -> dict[str, Any]:
    (row,) = json.loads(reshape_per_device(rows, APPS))["data"]
    return dict(row)


def test_fields_of_a_fallback_go_where_the_table_reads_them() -> None:
    row = {
        "device_id": "d",
        "app_name": "A",
        "bundle_id": "b",
        "path": "/a",
        "bundle_size": "12",
        "creation_date": "2026",
    }
    assert only_row(row) == {
        "device_id": "d",
        "name": "A",
        "bundle_id": "b",
        "path": "/a",
        "bundle_size": "12",
        "created_at": "2026",
    }


def test_the_first_field_that_is_not_empty_is_taken() -> None:
    row = {"app_name": "", "display_name": None, "name": "com.a", "product_code": "", "package_name": "p"}
    assert only_row(row) == {"name": "com.a", "bundle_id": "com.a", "extra": {"package_name": "p"}}


def test_what_the_table_knows_stays_and_what_it_does_not_is_kept() -> None:
    row = {"device_id": "d", "device__family": "Windows", "app_id": "1", "architecture": "x64", "arguments": None}
    assert only_row(row) == {
        "device_id": "d",
        "device__family": "Windows",
        "app_id": "1",
        "extra": {"architecture": "x64"},
    }


def test_a_field_of_the_same_name_but_another_meaning_is_kept_apart() -> None:
    row = {"display_name": "Shown", "name": "com.a", "product_code": "{1}"}
    assert only_row(row) == {"name": "Shown", "bundle_id": "{1}", "extra": {"name": "com.a"}}


def test_no_rows_are_an_empty_page() -> None:
    assert reshape_per_device([], APPS) == '{"data":[]}'


def test_a_reshaped_page_is_staged_like_any_other(tmp_path: Path) -> None:
    rows = [{"device_id": "d", "app_name": "A", "bundle_id": "b", "new": [1]}]
    with Staging(APPS, tmp_path / "scratch.tmp") as staging:
        staging.add(reshape_per_device(rows, APPS))
        assert (staging.first_keys(), staging.leftovers()) == (["d"], {"new": 1})
