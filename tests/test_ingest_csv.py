"""An export becomes the rows its pages would, or nothing at all."""

import csv
import json
import random
from collections.abc import Iterable
from io import StringIO
from itertools import repeat
from pathlib import Path
from typing import Any

import duckdb
import pytest

from kandji_mirror.ingest.csv_load import Loaded
from kandji_mirror.ingest.csv_source import MemorySource
from kandji_mirror.ingest.staging import Staging
from kandji_schema.errors import StoreError, StoreFull, Suspicious
from kandji_schema.registry import resource


def seeded(seed: int) -> random.Random:
    """Chance that can be repeated."""
    return random.Random(seed)  # noqa: S311  # nothing here is a secret


ID = "03f81208-2b6a-4a77-81f5-cf1633bcfb95"
KEYED = ("device_id", "bundle_id", "path")


def text_of(header: Iterable[str], *rows: Iterable[Any]) -> bytes:
    """A CSV file as Python writes it."""
    lines = StringIO(newline="")
    csv.writer(lines).writerows([header, *rows])
    return lines.getvalue().encode()


def table_of(folder: Path, table: str, staging: Staging, columns: str) -> list[tuple[Any, ...]]:
    """Rows of the data file these staged rows become."""
    target = folder / "next.tmp"
    target.unlink(missing_ok=True)
    staging.write(target)
    with duckdb.connect(target, read_only=True) as con:
        return con.execute(f'SELECT {columns} FROM "{table}" ORDER BY ALL').fetchall()


def exported(
    folder: Path, table: str, content: bytes, columns: str = "*", name: str = "export.csv"
) -> list[tuple[Any, ...]]:
    """Rows of the data file an export becomes."""
    path = folder / name
    path.write_bytes(content)
    with Staging(resource(table), folder / "scratch.tmp") as staging:
        staging.add_csv(path)
        rows = table_of(folder, table, staging, columns)
    (folder / "scratch.tmp").unlink()
    return rows


def paged(folder: Path, table: str, rows: list[dict[str, Any]], columns: str = "*") -> list[tuple[Any, ...]]:
    """Rows of the data file a page becomes."""
    with Staging(resource(table), folder / "scratch.tmp") as staging:
        staging.add(json.dumps({"data": rows}))
        found = table_of(folder, table, staging, columns)
    (folder / "scratch.tmp").unlink()
    return found


def refused(folder: Path, content: bytes, *, counted: int | None = None) -> str:
    """What is said of an export of apps that is not taken; nothing of it may be left."""
    path = folder / "export.csv"
    path.write_bytes(content)
    with Staging(resource("apps"), folder / "scratch.tmp") as staging:
        with pytest.raises(Suspicious) as error:
            staging.add_csv(path, counted=counted)
        assert staging.rows == 0
    (folder / "scratch.tmp").unlink()
    return str(error.value)


def spelt(value: Any, how: str) -> str:
    """A value as it stands in a cell."""
    if value is None:
        return ""
    if isinstance(value, list | dict):
        return json.dumps(value, indent=1) if how == "json" else str(value)
    return str(value).lower() if how == "json" and isinstance(value, bool) else str(value)


PROFILE = {
    "device_id": ID,
    "device__name": "José's Mac",
    "device__family": "Mac",
    "serial_number": "007",
    "tags": ["a", "it's", 'say "x"', "日本"],
    "updated_at": "2024-11-18T23:04:43.852118+00:00",
    "payload_uuid": "p",
    "profile_display_name": "line\nbreak, comma",
    "managed": True,
    "encrypted": False,
    "removable": None,
    "profile_data": [{"type": "com.apple.x", "version": 1, "ok": True, "none": None, "words": "None, True, 'x'"}],
}


@pytest.mark.parametrize("how", ["json", "python"])
@pytest.mark.parametrize("title", [str, lambda name: name.replace("__", " ").replace("_", " ").title()])
def test_an_export_and_a_page_give_the_same_row(tmp_path: Path, how: str, title: Any) -> None:
    cells = [spelt(value, how) for value in PROFILE.values()]
    content = text_of(map(title, PROFILE), cells)
    table = "prism_installed_profiles"
    assert exported(tmp_path, table, content) == paged(tmp_path, table, [PROFILE])


def test_column_names_meet_fields_whatever_their_case_and_punctuation(tmp_path: Path) -> None:
    content = text_of(
        ["Device ID", "Bundle-Id", "PATH", "Device  Family", "App_Store_Vendable"], [ID, "b", "/p", "Mac", "True"]
    )
    columns = "device_id, bundle_id, path, device_family, app_store_vendable, extra"
    assert exported(tmp_path, "apps", content, columns) == [(ID, "b", "/p", "Mac", True, None)]


def test_the_exact_name_wins_over_another_spelling_of_it(tmp_path: Path) -> None:
    content = text_of([*KEYED, "Version", "version"], [ID, "b", "/p", "other", "1"])
    assert exported(tmp_path, "apps", content, "version, extra") == [("1", '{"Version":"other"}')]


def test_unknown_columns_are_kept_and_those_stored_elsewhere_are_not(tmp_path: Path) -> None:
    header = [*KEYED, "Device Name", "new flag", "new_list", "new_text", "new_empty", "new_digits"]
    content = text_of(header, [ID, "b", "/p", "n", "True", "['a', None]", "x", "", "007"])
    ((extra,),) = exported(tmp_path, "apps", content, "extra")
    assert json.loads(extra) == {"new flag": True, "new_list": ["a", None], "new_text": "x", "new_digits": "007"}


def test_values_that_do_not_fit_are_null_and_kept_as_in_pages(tmp_path: Path) -> None:
    odd = {"validated": "perhaps", "bundle_size": "12.5", "updated_at": "2024-02-30", "tags": "[a, b]"}
    row = {"device_id": ID, "bundle_id": "b", "path": "/p", **odd}
    columns = "validated, bundle_size, updated_at, tags, extra"
    from_export = exported(tmp_path, "apps", text_of(row, row.values()), columns)
    assert from_export == paged(tmp_path, "apps", [row], columns)
    assert from_export[0][:4] == (None, None, None, None)
    assert json.loads(from_export[0][4]) == odd


def test_empty_cells_are_null(tmp_path: Path) -> None:
    content = b'device_id,bundle_id,path,version,validated,updated_at,tags\r\nd,b,/p,,"",,\r\n'
    assert exported(tmp_path, "apps", content, "version, validated, updated_at, tags, extra") == [(None,) * 4 + (None,)]


def test_cells_of_any_text_arrive_unchanged(tmp_path: Path) -> None:
    texts = [
        "line\nbreak",
        "line\r\nbreak",
        'quote " and, comma',
        "nul \0 within",
        "José 🦊 «日本»",
        "\u202eevil",
        "x\ty",
    ]
    content = text_of([*KEYED, "name"], *([ID, "b", str(number), text] for number, text in enumerate(texts)))
    assert exported(tmp_path, "apps", content, "path, name") == [(str(n), text) for n, text in enumerate(texts)]


def test_cells_of_two_megabytes_arrive_whole(tmp_path: Path) -> None:
    long = "x\n" * 1_000_000
    content = text_of([*KEYED, "info"], [ID, "b", "1", long], [ID, "b", "2", "y"])
    assert exported(tmp_path, "apps", content, "path, info") == [("1", long), ("2", "y")]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_byte_order_mark_and_either_end_of_line_are_read(tmp_path: Path, ending: str) -> None:
    content = ending.join(["\ufeffdevice_id,bundle_id,path", "d,b,1", "d,b,2", ""]).encode()
    assert exported(tmp_path, "apps", content, "device_id, path") == [("d", "1"), ("d", "2")]


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    assert exported(tmp_path, "apps", text_of(KEYED)) == []


def test_an_export_with_wildcards_and_quotes_in_its_name_is_read_alone(tmp_path: Path) -> None:
    (tmp_path / "it's a year=1.csv").write_bytes(text_of(KEYED, ["other", "b", "/p"]))
    content = text_of(KEYED, ["mine", "b", "/p"])
    assert exported(tmp_path, "apps", content, "device_id, extra", "it's [a] *=?.csv") == [("mine", None)]


GOOD = text_of([*KEYED, "name"], *([ID, "b", f"/{n}", f'name "{n}"\nof it'] for n in range(50)))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The export is empty"),
        (
            b"<html><body>503</body></html>\n",
            "no column for device_id and bundle_id and path; its first ones are '<html>",
        ),
        (b'{"detail":"gone"}\n', "no column for device_id"),
        (b"device_id;bundle_id;path\nd;b;p\n", "no column for device_id"),
        (b"device_id,path\nd,p\n", "no column for bundle_id; its first ones are 'device_id', 'path'"),
        (b"\xff\xfed\0e\0v\0", "no column for device_id"),
        (b'"device_id\n', "its first line cannot be read"),
        (b"device_id,bundle_id,path\nd,b,p\nd,b\n", "a line has another number of cells than the first one (line 3)"),
        (b"device_id,bundle_id,path\nd,b,p,x\n", "a line has another number of cells than the first one (line 2)"),
        (b"device_id,bundle_id,path\nd,b,\xff\n", "it is not UTF-8 (line 2)"),
        (b'device_id,bundle_id,path\nd,b,"p"x\n', "a quoted cell is not closed (line 2)"),
        (b'device_id,bundle_id,path\nd,b,"p', "The export ends within a line, after 0 rows: it was cut."),
        (b"device_id,bundle_id,path\nd,b,p\n\nd,b,q\n", "The export has 2 rows by one reading and 3 by another."),
        (b"device_id,bundle_id,path\nd,b,p", "The export ends within a line, after 1 rows: it was cut."),
    ],
)
def test_what_is_no_whole_export_is_refused_with_its_reason(tmp_path: Path, content: bytes, said: str) -> None:
    assert said in refused(tmp_path, content)


CUTS = [n for n in (*range(1, 40), *seeded(1).sample(range(40, len(GOOD)), 60)) if GOOD[-n - 1 : -n] not in b"\r\n"]


@pytest.mark.many(quick_every=4)
@pytest.mark.parametrize("cut", CUTS)
def test_an_export_cut_within_a_line_is_refused(tmp_path: Path, cut: int) -> None:
    assert refused(tmp_path, GOOD[:-cut])


def test_a_last_line_without_an_end_is_believed_where_the_count_fits(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(text_of(KEYED, ["d", "b", "1"], ["d", "b", "2"]).removesuffix(b"\r\n"))
    with Staging(resource("apps"), tmp_path / "scratch.tmp") as staging:
        assert staging.add_csv(path, counted=2).rows == 2
    (tmp_path / "scratch.tmp").unlink()
    assert "ends within a line" in refused(tmp_path, path.read_bytes(), counted=3)
    assert "ends within a line" in refused(tmp_path, path.read_bytes() + b'\r\nd,b,"3', counted=2)


def test_an_error_never_shows_what_stands_in_a_line(tmp_path: Path) -> None:
    said = refused(tmp_path, b'device_id,bundle_id,path\n"secret\n1","b",p,extra\n')
    assert "secret" not in said


@pytest.mark.heavy
def test_quoted_cells_that_look_like_lines_mislead_nobody(tmp_path: Path) -> None:
    chance = seeded(4)
    looks = ["v", "", "1,2,3,4\n" * 400, '"\n",' * 300, 'a\r\nb,c,d\r\n"e",f,g\r\n' * 100, '"' * 7, "x\n" * 50_000]
    rows = [["d", "b", str(n), chance.choice(looks)] for n in range(6_000)]
    content = text_of([*KEYED, "name"], *rows)
    found = exported(tmp_path, "apps", content, "path::INTEGER, name")
    assert found == [(int(path), name or None) for _, _, path, name in rows]


def test_the_fields_without_a_column_are_told(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(text_of([*KEYED, "Device Family", "new"], ["d", "b", "p", "Mac", "x"]))
    with Staging(resource("apps"), tmp_path / "scratch.tmp") as staging:
        loaded = staging.add_csv(path)
        known = {source for c in resource("apps").columns for source in c.sources if c.name != "extra"}
        assert loaded == Loaded(1, frozenset(known - {*KEYED, "device__family"}))
        assert staging.leftovers() == {"new": 1}


def test_repeats_need_no_column_for_their_number(tmp_path: Path) -> None:
    content = text_of(["device_id", "common_name", "identity_certificate"], ["d", "ca", "True"], ["d", "ca", "True"])
    path = tmp_path / "export.csv"
    path.write_bytes(content)
    with Staging(resource("prism_certificates"), tmp_path / "scratch.tmp") as staging:
        staging.add_csv(path)
        staging.number_repeats()
        assert table_of(tmp_path, "prism_certificates", staging, "ordinal") == [(1,), (2,)]


def test_after_a_refused_export_the_pages_can_be_staged(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(b"device_id,bundle_id,path\nd,b,p\nd,b\n")
    with Staging(resource("apps"), tmp_path / "scratch.tmp") as staging:
        with pytest.raises(Suspicious):
            staging.add_csv(path)
        staging.clear()
        staging.add(json.dumps({"data": [{"device_id": ID, "bundle_id": "b"}]}))
        assert table_of(tmp_path, "apps", staging, "device_id, bundle_id") == [(ID, "b")]


def test_a_file_that_is_not_there_is_an_error_of_the_store(tmp_path: Path) -> None:
    with Staging(resource("apps"), tmp_path / "scratch.tmp") as staging, pytest.raises(StoreFull, match="No such file"):
        staging.add_csv(tmp_path / "none.csv")
    assert issubclass(StoreFull, StoreError)


def test_a_quote_that_is_never_closed_is_noticed_in_one_look_at_the_text() -> None:
    source = MemorySource(1_000)
    source.write(b'a,b\n"')
    with pytest.raises(Suspicious, match="not closed"):
        list(map(source.write, repeat(b"\n," * 32_000, 2_500)))
