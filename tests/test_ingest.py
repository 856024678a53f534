"""Every spelling of the provider becomes one value, and nothing it sends is lost."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from kandji_mirror.ingest.staging import Staging
from kandji_schema.registry import resource

ID = "03f81208-2b6a-4a77-81f5-cf1633bcfb95"


@contextmanager
def staged(
    folder: Path, table: str, *pages: list[dict[str, Any]], constants: tuple[str, ...] = ()
) -> Iterator[Staging]:
    with Staging(resource(table), folder / "scratch.tmp") as staging:
        for rows in pages:
            staging.add(json.dumps({"data": rows}), constants)
        staging.flush()
        yield staging


def written(folder: Path, table: str, *pages: list[dict[str, Any]], columns: str = "*") -> list[tuple[Any, ...]]:
    """Rows of the data file that these pages become."""
    target = folder / "next.tmp"
    target.unlink(missing_ok=True)
    with staged(folder, table, *pages) as staging:
        staging.drop_duplicates()
        staging.write(target)
    (folder / "scratch.tmp").unlink()
    with duckdb.connect(target, read_only=True) as con:
        return con.execute(f'SELECT {columns} FROM "{table}"').fetchall()


@pytest.mark.parametrize(
    ("spelling", "moment"),
    [
        ("2024-07-23T14:11:37.150080Z", datetime(2024, 7, 23, 14, 11, 37, 150080)),
        ("2022-06-24 14:20:19.961496+00:00", datetime(2022, 6, 24, 14, 20, 19, 961496)),
        ("2024-06-17 11:32:35+00:00", datetime(2024, 6, 17, 11, 32, 35)),
        ("2024-11-18T23:04:43.852118+00:00", datetime(2024, 11, 18, 23, 4, 43, 852118)),
        ("2022-08-15 13:51:01 +0000", datetime(2022, 8, 15, 13, 51, 1)),
        ("2022-08-15 13:51:01 -0530", datetime(2022, 8, 15, 19, 21, 1)),
        ("2024-07-23T16:11:37+02:00", datetime(2024, 7, 23, 14, 11, 37)),
        ("2023-04-21T17:23:13.883134", datetime(2023, 4, 21, 17, 23, 13, 883134)),
        ("2023-10-13 16:15:00.000000", datetime(2023, 10, 13, 16, 15)),
        ("2022-06-15T00:06:08Z", datetime(2022, 6, 15, 0, 6, 8)),
        ("", None),
        (None, None),
    ],
)
def test_every_spelling_of_a_moment_is_read_into_utc(
    tmp_path: Path, spelling: str | None, moment: datetime | None
) -> None:
    rows = [{"device_id": ID, "last_check_in": spelling}]
    assert written(tmp_path, "devices", rows, columns="last_check_in, extra") == [(moment, None)]


@pytest.mark.parametrize("odd", ["1 month ago", "Feb 27, 2024 at 7:34:21 AM", "2024-13-01", "infinity", 17, {"a": 1}])
def test_a_moment_that_cannot_be_read_is_null_and_kept_as_sent(tmp_path: Path, odd: object) -> None:
    (row,) = written(tmp_path, "devices", [{"device_id": ID, "last_check_in": odd}], columns="last_check_in, extra")
    kept = json.loads(row[1])["last_check_in"]
    assert row[0] is None
    assert kept == odd or json.loads(kept) == odd


@pytest.mark.parametrize(
    ("spelling", "flag"),
    [
        *((spelling, True) for spelling in (True, "True", "Yes", 1)),
        *((spelling, False) for spelling in (False, "false", "No", "0")),
        *((spelling, None) for spelling in ("", None)),
    ],
)
def test_a_flag_has_three_states_in_every_spelling(tmp_path: Path, spelling: object, flag: bool | None) -> None:
    rows = [{"device_id": ID, "mdm_enabled": spelling}]
    assert written(tmp_path, "devices", rows, columns="mdm_enabled, extra") == [(flag, None)]


@pytest.mark.parametrize(
    ("spelling", "number", "kept"),
    [
        (12, 12, None),
        ("12", 12, None),
        (12.0, 12, None),
        ("", None, None),
        (2**53 + 1, 2**53 + 1, None),
        (12.5, None, '{"computers_count":"12.5"}'),
        ("many", None, '{"computers_count":"many"}'),
        ("0x10", None, '{"computers_count":"0x10"}'),
        (10**30, None, f'{{"computers_count":"{10**30}"}}'),
    ],
)
def test_a_whole_number_is_never_rounded(
    tmp_path: Path, spelling: object, number: int | None, kept: str | None
) -> None:
    rows = [{"id": ID, "computers_count": spelling}]
    assert written(tmp_path, "blueprints", rows, columns="computers_count, extra") == [(number, kept)]


@pytest.mark.parametrize("nobody", ["", None])
def test_a_device_without_a_user_has_no_user_columns(tmp_path: Path, nobody: str | None) -> None:
    rows = [{"device_id": ID, "user": nobody}]
    assert written(tmp_path, "devices", rows, columns="user_id, user_name, user_email, user_is_archived, extra") == [
        (None, None, None, None, None)
    ]


@pytest.mark.parametrize("identifier", [1, "5344c996-8823-4b37-8d6e-8515fc7c3a0a"])
def test_the_user_object_is_flattened_whatever_its_id_is(tmp_path: Path, identifier: object) -> None:
    user = {"id": identifier, "name": "Robin", "email": "r@example.com", "is_archived": False}
    columns = "user_id, user_name, user_email, user_is_archived, extra"
    assert written(tmp_path, "devices", [{"device_id": ID, "user": user}], columns=columns) == [
        (str(identifier), "Robin", "r@example.com", False, None)
    ]


def test_flat_user_fields_are_read_too(tmp_path: Path) -> None:
    rows = [{"device_id": ID, "user_name": "Robin", "user_email": "r@example.com"}]
    assert written(tmp_path, "devices", rows, columns="user_name, user_email") == [("Robin", "r@example.com")]


def test_an_unknown_member_of_the_user_object_is_kept(tmp_path: Path) -> None:
    rows = [{"device_id": ID, "user": {"id": "1", "phone": "555"}}]
    assert written(tmp_path, "devices", rows, columns="user_id, extra") == [("1", '{"user":{"phone":"555"}}')]


def test_a_user_that_is_a_text_is_kept_as_sent(tmp_path: Path) -> None:
    rows = [{"device_id": ID, "user": "Robin"}]
    assert written(tmp_path, "devices", rows, columns="user_id, extra") == [(None, '{"user":"Robin"}')]


@pytest.mark.parametrize(
    ("code", "columns"),
    [({"code": "012345", "is_active": True}, ("012345", True)), ("012345", ("012345", None)), ("", (None, None))],
)
def test_an_enrolment_code_is_text_in_both_shapes(tmp_path: Path, code: object, columns: tuple[Any, ...]) -> None:
    rows = [{"id": ID, "enrollment_code": code}]
    found = written(tmp_path, "blueprints", rows, columns="enrollment_code, enrollment_code_is_active, extra")
    assert found == [(*columns, None)]


def test_unknown_fields_and_odd_values_meet_in_extra(tmp_path: Path) -> None:
    rows = [{"device_id": ID, "is_missing": "perhaps", "extra": {"new_field": [1, 2]}}]
    (row,) = written(tmp_path, "devices", rows, columns="is_missing, extra")
    assert (row[0], json.loads(row[1])) == (None, {"new_field": [1, 2], "is_missing": "perhaps"})


@pytest.mark.parametrize(("tags", "value"), [(["a", "é"], ["a", "é"]), ([], []), (None, None), ("", None)])
def test_tags_are_a_list(tmp_path: Path, tags: object, value: object) -> None:
    assert written(tmp_path, "devices", [{"device_id": ID, "tags": tags}], columns="tags, extra") == [(value, None)]


def test_text_of_any_script_arrives_unchanged(tmp_path: Path) -> None:
    names = ["Robert'); DROP TABLE devices;--", "José 🦊 «日本»", 'quote " back\\slash', "line\nbreak", "\u202eevil"]
    rows = [{"device_id": f"{i}", "device_name": name} for i, name in enumerate(names)]
    assert [r[0] for r in written(tmp_path, "devices", rows, columns="device_name")] == names


def test_leading_zeros_of_an_asset_tag_stay(tmp_path: Path) -> None:
    assert written(tmp_path, "devices", [{"device_id": ID, "asset_tag": "007"}], columns="asset_tag") == [("007",)]


def test_of_two_rows_with_one_key_the_one_updated_last_stays(tmp_path: Path) -> None:
    def row(version: str, day: int) -> dict[str, Any]:
        return {
            "device_id": ID,
            "bundle_id": "b",
            "path": "/p",
            "version": version,
            "updated_at": f"2026-01-{day:02}T00:00:00Z",
        }

    assert written(tmp_path, "apps", [row("2", 2)], [row("1", 1)], columns="version") == [("2",)]


def test_apps_known_by_name_alone_are_told_apart(tmp_path: Path) -> None:
    rows = [{"device_id": ID, "name": name} for name in ("A", "B", "A")]
    assert sorted(written(tmp_path, "apps", rows, columns="name")) == [("A",), ("B",)]


def test_a_row_without_its_key_is_kept(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"device_id": None, "device_name": "ghost"},
        {"device_id": "", "device_name": "ghost"},
    ]
    assert len(written(tmp_path, "devices", rows)) == 2


def test_rows_are_stored_in_the_order_of_their_device(tmp_path: Path) -> None:
    rows = [{"device_id": f"{i:03}", "bundle_id": "b", "path": "/p"} for i in (7, 3, 5, 1)]
    assert written(tmp_path, "apps", rows, columns="device_id") == [("001",), ("003",), ("005",), ("007",)]


def test_the_value_of_the_path_becomes_a_column(tmp_path: Path) -> None:
    target = tmp_path / "next.tmp"
    with staged(tmp_path, "blueprint_library_items", [{"id": "i", "name": "Wi-Fi"}], constants=("bp",)) as staging:
        staging.write(target)
    with duckdb.connect(target, read_only=True) as con:
        assert con.execute("SELECT blueprint_id, id, name FROM blueprint_library_items").fetchall() == [
            ("bp", "i", "Wi-Fi")
        ]


def test_the_digest_tells_contents_apart_and_not_their_order(tmp_path: Path) -> None:
    one, two = {"device_id": "1", "model": "a"}, {"device_id": "2", "model": "b"}
    digests = []
    for pages in ([one, two], [two, one], [one, {**two, "model": "c"}], [one]):
        with staged(tmp_path, "devices", pages) as staging:
            digests.append(staging.digest())
        (tmp_path / "scratch.tmp").unlink()
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_every_table_and_column_of_a_data_file_carries_its_description(tmp_path: Path) -> None:
    target = tmp_path / "next.tmp"
    with staged(tmp_path, "devices", []) as staging:
        staging.write(target)
    with duckdb.connect(target, read_only=True) as con:
        bare = "SELECT column_name FROM duckdb_columns() WHERE table_name = 'devices' AND comment IS NULL"
        assert con.execute(bare).fetchall() == []
        assert con.execute("SELECT comment FROM duckdb_tables()").fetchone() == (resource("devices").description,)
