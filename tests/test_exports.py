"""Exports: complete files of one state, whole or not there, with a manifest that says what they are."""

import csv
import hashlib
import json
import os
import re
import shutil
import unicodedata
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from reads_home import SYNCED, device, publish, small_fleet
from workbooks import sheet

from kandji_queries import definitions
from kandji_queries.catalog.queries import catalog
from kandji_queries.export import manifest as manifests
from kandji_queries.export import watch
from kandji_queries.export.copy_files import FORMS, FormOptions, file_form
from kandji_queries.export.export import ExportOptions, export
from kandji_queries.export.report import ExportReport
from kandji_queries.reader import Reader
from kandji_queries.results.values import ResultColumn
from kandji_schema.errors import MirrorError, UsageError
from kandji_schema.manifest import Manifest, State, data_dir, manifest_path
from kandji_schema.registry import resources

NASTY = [
    *("", " ", "a,b", 'say "hi"', "two\nlines", "cr\rhere", "tab\there", "日本 🖥 e\u0301", "\u202eabc", "NULL", "null"),
    *("=1+1", "+1", "-1", "@x", "\t=1", "'quoted", "a|b", "\\N", "{}", "\x1b[2J"),
]
"""Names that devices may have."""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    small_fleet(home)
    return home


@pytest.fixture
def home(published: Path, tmp_path: Path) -> Path:
    shutil.copytree(published, tmp_path / "home")
    return tmp_path / "home"


def exported(home: Path, names: list[str] | None, form: str, to: Path, **options: Any) -> ExportReport:
    return export(home, names, form, to, ExportOptions(**options), clock=lambda: SYNCED + timedelta(minutes=3))


def read_back(path: Path) -> list[tuple[Any, ...]]:
    """Rows of a file as any DuckDB reads it."""
    with duckdb.connect() as con:
        con.execute("SET TimeZone='UTC'")
        if path.suffix == ".duckdb":
            con.execute(f"ATTACH '{path}' AS exported (READ_ONLY)")
            return con.execute("FROM exported.main.devices").fetchall()
        return con.execute(f"FROM '{path}'").fetchall()


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def cells(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def named(home: Path, names: list[Any]) -> Path:
    """A home of devices with these names."""
    publish(home, {"devices": [device(n, device_name=name) for n, name in enumerate(names)]})
    return home


@pytest.mark.parametrize("form", FORMS)
def test_a_table_arrives_whole_and_in_order(home: Path, tmp_path: Path, form: str) -> None:
    report = exported(home, ["devices"], form, tmp_path / "out")
    with Reader(home) as reader:
        truth = reader.run("FROM devices")
    (file,) = report.files
    assert report.rows == truth.row_count
    if form in {"parquet", "duckdb"}:
        assert read_back(file) == truth.rows
    elif form == "jsonl":
        assert [list(row.values()) for row in lines(file)] == truth.to_json()["rows"]
    elif form == "csv":
        assert [row[0] for row in cells(file)] == ["device_id", *(row[0] for row in truth.rows)]
    else:
        assert [row[0] for row in sheet(file)] == ["device_id", *(row[0] for row in truth.rows)]


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_no_name_of_a_device_breaks_a_file(tmp_path: Path, form: str) -> None:
    home = named(tmp_path / "home", [*NASTY, None])
    (file,) = exported(home, ["devices"], form, tmp_path / "out").files
    if form == "csv":
        found: list[Any] = [row[1] for row in cells(file)[1:]]
        assert found == [*NASTY, ""]
    elif form == "jsonl":
        assert [row["device_name"] for row in lines(file)] == [*NASTY, None]
    else:
        assert [row[1] for row in read_back(file)] == [*NASTY, None]


def test_in_csv_null_is_empty_and_an_empty_text_is_quoted(tmp_path: Path) -> None:
    home = named(tmp_path / "home", ["", None])
    (file,) = exported(home, ["devices"], "csv", tmp_path / "out").files
    rows = file.read_text(encoding="utf-8").splitlines()
    assert [row.split(",")[1] for row in rows[1:]] == ['""', ""]


def test_a_lone_column_has_no_empty_line_for_null(tmp_path: Path) -> None:
    form, path = file_form("csv"), tmp_path / "lone.csv"
    assert form
    with duckdb.connect() as con:
        con.execute(
            form.statement(
                "SELECT unnest([NULL, 't1']) AS id", [ResultColumn("id", "VARCHAR")], str(path), FormOptions()
            )
        )
    assert path.read_text() == 'id\n""\nt1\n'


def test_whole_numbers_of_any_size_keep_their_digits(tmp_path: Path) -> None:
    big = 2**100 + 1
    columns = [ResultColumn("n", "HUGEINT"), ResultColumn("x", "DOUBLE")]
    sql = f"SELECT {big}::HUGEINT AS n, 'nan'::DOUBLE AS x"
    with duckdb.connect() as con:
        for name in ("parquet", "csv", "jsonl"):
            form = file_form(name)
            assert form
            con.execute(form.statement(sql, columns, str(tmp_path / name), FormOptions()))
        assert con.execute(f"SELECT n::HUGEINT FROM read_parquet('{tmp_path}/parquet')").fetchall() == [(big,)]
    assert json.loads((tmp_path / "jsonl").read_text()) == {"n": big, "x": None}
    assert cells(tmp_path / "csv")[1] == [str(big), "nan"]


def test_csv_has_iso_times_and_json_lists(tmp_path: Path) -> None:
    at = datetime(2026, 11, 20, 12, 0, 0, 5)
    publish(tmp_path / "home", {"devices": [device(1, last_check_in=at, tags=["a,b", 'c"d'])]})
    (file,) = exported(tmp_path / "home", ["devices"], "csv", tmp_path / "out").files
    head, row = cells(file)
    found = dict(zip(head, row, strict=True))
    assert found["last_check_in"] == "2026-11-20T12:00:00.000005Z"
    assert json.loads(found["tags"]) == ["a,b", 'c"d']


def test_spreadsheet_safe_csv_has_no_cell_that_would_run(tmp_path: Path) -> None:
    home = named(tmp_path / "home", NASTY)
    (file,) = exported(home, ["devices"], "csv", tmp_path / "out", spreadsheet_safe=True).files
    assert file.read_bytes().startswith(b"\xef\xbb\xbfdevice_id,")
    found = [row[1] for row in cells(file)[1:]]
    plain = ["".join(c for c in name if c in "\t\n\r" or unicodedata.category(c) != "Cc") for name in NASTY]
    assert found == [f"'{name}" if name[:1] in set("=+-@\t\r") - {""} else name for name in plain]


def test_no_blank_or_unseen_character_or_wide_sign_hides_a_formula(tmp_path: Path) -> None:
    signs = "=+-@＝＋－＠﹦﹢﹣﹫"  # noqa: RUF001  # what spreadsheets take for the plain ones
    before = ["", " ", "\u00a0", "\u3000", "\u200b", "\ufeff", "\u202e", "\u00ad", "\u3164", "\x00", "\x1b", " \u2060 "]
    runs = [f"{hidden}{sign}cmd" for hidden in before for sign in signs] + ["\tx", "\rx", "\nx", "\x1b\nx"]
    kept = ["a=1", "1-1", "'=1", "000062", "1234567E10", "日本", "e\u0301", "\U0001f5a5 Mac", "two\nlines"]
    home = named(tmp_path / "home", [*runs, *kept])
    (file,) = exported(home, ["devices"], "csv", tmp_path / "out", spreadsheet_safe=True).files
    found = [row[1] for row in cells(file)[1:]]
    assert [name for name in found[: len(runs)] if not name.startswith("'")] == []
    assert found[len(runs) :] == kept
    assert not set("".join(found)) & {chr(code) for code in (*range(9), 11, 12, *range(14, 32), *range(127, 160))}


def test_divided_csv_for_spreadsheets_has_the_mark_in_every_file(home: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"spreadsheet_safe": True, "partition_by": "device_id"}
    files = exported(home, ["devices"], "csv", tmp_path / "out", **options).files
    assert len(files) == 4
    assert all(file.read_bytes().startswith(b"\xef\xbb\xbfdevice_name,") for file in files)


@pytest.mark.slow
def test_named_queries_take_parameters_and_are_what_the_query_prints(home: Path, tmp_path: Path) -> None:
    report = exported(
        home, ["apps_on_device", "devices_by_platform"], "jsonl", tmp_path / "out", params={"device": "d1"}
    )
    with Reader(home) as reader:
        truth = reader.query("apps_on_device", {"device": "d1"})
    found, counted = report.exports
    assert [list(row.values()) for row in lines(tmp_path / "out/apps_on_device.jsonl")] == truth.to_json()["rows"]
    assert truth.row_count == 1
    assert (found.kind, found.params, counted.params) == ("query", {"device": "d1"}, {})
    assert found.sql is not None
    assert "$device" in found.sql


@pytest.mark.slow
def test_everything_is_every_table_and_view_with_anything_of_the_tenant(home: Path, tmp_path: Path) -> None:
    report = exported(home, None, "parquet", tmp_path / "out")
    with Reader(home) as reader:
        # a view of nothing but a table that was never synced is left out with it
        infos = [i for i in reader.tables() if i.synced_at or (i.kind == "view" and i.name != "device_volumes")]
        never = {info.name for info in reader.tables()} - {info.name for info in infos}
    assert set(report.left_out) == never
    assert "users: never synced" in report.left_out["users"]
    with Reader(home) as reader:
        assert {e.name: e.kind for e in report.exports} == {i.name: i.kind for i in infos}
        counts = " UNION ALL ".join(f"SELECT '{i.name}', count(*) FROM \"{i.name}\"" for i in infos)
        assert {e.name: e.rows for e in report.exports} == dict(reader.run(counts).rows)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *(f"{info.name}.parquet" for info in infos),
        ".kandji-export.lock",
        "manifest.json",
    }


def test_the_manifest_says_what_the_files_are(home: Path, tmp_path: Path) -> None:
    exported(home, ["fleet", "apps"], "parquet", tmp_path / "out")
    document = json.loads((tmp_path / "out/manifest.json").read_text())
    fleet, apps = document["exports"]
    (file,) = apps["files"]
    data = (tmp_path / "out" / file["path"]).read_bytes()
    assert file == {"path": "apps.parquet", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "rows": 2}
    assert (apps["as_of"], apps["generation"], apps["rows"]) == ({"apps": "2026-11-20T12:00:00Z"}, 1, 2)
    assert apps["columns"][0] == {"name": "device_id", "type": "VARCHAR"}
    assert fleet["as_of"]["devices"] == "2026-11-20T12:00:00Z"
    assert fleet["as_of"]["prism_startup_settings"] is None
    assert "prism_startup_settings" in fleet["notes"][0]
    assert document["version"]


def test_trouble_of_a_table_is_told(home: Path, tmp_path: Path) -> None:
    first = Manifest.from_json(manifest_path(home, 1).read_bytes())
    apps = replace(first.tables["apps"], state=State.FORBIDDEN)
    newer = replace(first, generation=2, tables={**first.tables, "apps": apps})
    manifest_path(home, 2).write_bytes(newer.to_json())
    report = exported(home, ["apps"], "csv", tmp_path / "out")
    assert "apps: the API token may not read it, the rows are 3 min old" in report.notes[0]
    assert (report.exports[0].notes, report.rows) == (report.notes, 2)


def test_a_database_has_tables_comments_and_macros(home: Path, tmp_path: Path) -> None:
    exported(home, ["devices", "fleet", "stale_devices"], "duckdb", tmp_path / "out")
    with duckdb.connect(tmp_path / "out/kandji-mirror.duckdb", read_only=True) as con:
        comments = dict(con.execute("SELECT table_name, comment FROM duckdb_tables()").fetchall())
        assert set(comments) == {"devices", "fleet", "stale_devices"}
        assert all(re.search(r"As of .*\bdevices 2026-11-20T12:00:00Z", comment) for comment in comments.values())
        of_columns = "SELECT count(*) FROM duckdb_columns() WHERE table_name = 'fleet' AND comment IS NULL"
        assert con.execute(of_columns).fetchall() == [(0,)]
        assert con.execute("SELECT version_key('7.10') > version_key('7.9')").fetchall() == [(True,)]
        (tags,) = con.execute("SELECT tags FROM fleet WHERE device_id = 'd1'").fetchall()[0]
        assert tags == ["lab"]


def test_the_database_has_the_storage_of_duckdb_1_1_and_says_what_opens_it(home: Path, tmp_path: Path) -> None:
    (entry,) = exported(home, ["devices"], "duckdb", tmp_path / "out").exports
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{tmp_path / 'out/kandji-mirror.duckdb'}' AS file (READ_ONLY)")
        (tags,) = con.execute("SELECT tags FROM duckdb_databases() WHERE database_name = 'file'").fetchall()[0]
    assert tags["storage_version"].startswith("v1.0")
    assert entry.opened_by == "DuckDB 1.1 or newer"
    assert json.loads((tmp_path / "out/manifest.json").read_text())["exports"][0]["opened_by"] == entry.opened_by


def test_no_macro_of_the_database_has_what_duckdb_1_1_does_not_know(home: Path, tmp_path: Path) -> None:
    exported(home, ["devices"], "duckdb", tmp_path / "out")
    with duckdb.connect(tmp_path / "out/kandji-mirror.duckdb", read_only=True) as con:
        asked = "SELECT function_name, macro_definition FROM duckdb_functions() WHERE NOT internal"
        written = dict(con.execute(asked).fetchall())
    assert {"version_key", "version_below", "folded", "device_match"} <= set(written)
    assert [name for name, text in written.items() if re.search(r"\bTRY\(", text)] == []


@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
def test_a_column_can_divide_the_rows(home: Path, tmp_path: Path, form: str) -> None:
    report = exported(home, ["devices"], form, tmp_path / "out", partition_by="platform")
    folders = {path.parent.name for path in report.files}
    assert folders == {"platform=Mac", "platform=iPad"}
    assert {path.suffix for path in report.files} == {f".{form}"}
    with duckdb.connect() as con:
        read = {"parquet": "read_parquet", "csv": "read_csv", "jsonl": "read_json"}[form]
        pattern = f"{tmp_path}/out/devices/*/*.{form}"
        counted = con.execute(
            f"SELECT platform, count(*) FROM {read}('{pattern}', hive_partitioning := true) GROUP BY 1 ORDER BY 1"
        ).fetchall()
    assert counted == [("Mac", 3), ("iPad", 1)]


def test_dividing_an_empty_table_leaves_no_file_and_says_so(home: Path, tmp_path: Path) -> None:
    publish(home, {"users": []}, generation=2)
    report = exported(home, ["users"], "parquet", tmp_path / "out", partition_by="email")
    assert (report.rows, report.files) == (0, ())
    publish(home, {"users": [{"id": "u1", "email": "a@example.org"}]}, generation=3)
    assert exported(home, ["users"], "parquet", tmp_path / "out", partition_by="email").rows == 1
    publish(home, {"users": []}, generation=4)
    exported(home, ["users"], "parquet", tmp_path / "out", partition_by="email")
    assert not (tmp_path / "out/users").exists()


@pytest.mark.parametrize(
    ("names", "form", "options", "words"),
    [
        ([], "csv", {}, "Nothing was named"),
        (["devicez"], "csv", {}, "devices"),
        (["devices"], "xml", {}, "parquet"),
        (["devices"], "csv", {"params": {"days": "3"}}, "parameters"),
        (["stale_devices"], "csv", {"params": {"day": "3"}}, "days"),
        (["stale_devices"], "csv", {"params": {"days": "soon"}}, "days"),
        (["find_device"], "csv", {}, "device"),
        (None, "csv", {"params": {"days": "3"}}, "--param"),
        (["devices"], "parquet", {"partition_by": "plattform"}, "platform"),
        (["devices"], "duckdb", {"partition_by": "platform"}, "--partition-by"),
        (["devices"], "parquet", {"spreadsheet_safe": True}, "--spreadsheet-safe"),
        (["devices"], "parquet", {"keep": 3}, "--dated"),
        (["devices"], "parquet", {"keep": 0, "dated": True}, "at least one"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_written(
    home: Path, tmp_path: Path, names: list[str] | None, form: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        exported(home, names, form, tmp_path / "out", **options)
    assert not list(tmp_path.glob("out/[!.]*"))


def test_an_export_goes_neither_over_a_file_nor_into_the_store(home: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(home / "store")
    for to, words in (("file", "is a file"), ("home/store", "store"), ("link/data", "store"), ("file/x", "file")):
        with pytest.raises(MirrorError, match=words):
            exported(home, ["devices"], "csv", tmp_path / to)
    assert exported(home, ["devices"], "csv", home / "exports").rows == 4


def test_only_files_of_an_export_are_replaced(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "devices.csv").write_text("mine")
    with pytest.raises(UsageError, match=r"devices\.csv, which no export wrote"):
        exported(home, ["devices"], "csv", out)
    assert (out / "devices.csv").read_text() == "mine"
    exported(home, ["devices"], "csv", out, force=True)
    publish(home, {"devices": [device(1)]}, generation=2)
    exported(home, ["devices"], "csv", out)
    assert len(cells(out / "devices.csv")) == 2


@pytest.mark.slow
def test_another_export_to_the_same_folder_leaves_the_first_one_known(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    exported(home, ["devices"], "csv", out)
    exported(home, ["apps"], "csv", out)
    exported(home, ["devices"], "csv", out)
    known = manifests.read(out)
    assert known
    assert [e["name"] for e in known["exports"]] == ["apps", "devices"]
    (out / "apps.csv").unlink()
    exported(home, ["devices"], "parquet", out, partition_by="platform")
    exported(home, ["devices"], "parquet", out, partition_by="os_version")
    known = manifests.read(out)
    assert known
    assert [path.partition("/data")[0] for path in manifests.paths(known)] == ["devices.csv", "devices/os_version=15.1"]


def test_dated_exports_stand_side_by_side_and_the_last_ones_are_kept(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    names = []
    for hour in range(4):
        report = export(
            home,
            ["devices"],
            "csv",
            out,
            ExportOptions(dated=True, keep=2),
            clock=lambda hour=hour: SYNCED + timedelta(hours=hour),  # type: ignore[misc]  # bound by the default
        )
        names.append(report.folder.name)
    assert names[0] == "2026-11-20T120000Z"
    assert sorted(path.name for path in out.glob("2*")) == names[2:]
    assert [path.name for path in report.removed] == [names[1]]


def test_two_dated_exports_of_one_second_have_two_folders(home: Path, tmp_path: Path) -> None:
    folders = [exported(home, ["devices"], "csv", tmp_path / "out", dated=True).folder.name for _ in range(2)]
    assert folders == ["2026-11-20T120300Z", "2026-11-20T120300Z-2"]


def test_only_what_an_export_wrote_is_removed(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = exported(home, ["devices"], "csv", out, dated=True).folder
    (first / "notes.txt").write_text("mine")
    for name in ("2020-01-01T000000Z", "2020-01-02T000000Z"):
        (out / name).mkdir()
    shutil.copy(first / "manifest.json", out / "2020-01-02T000000Z")  # of another folder
    report = exported(home, ["devices"], "csv", out, dated=True, keep=1)
    assert report.removed == ()
    assert "notes.txt" in report.notes[-1]
    assert len(list(out.glob("2*"))) == 4


@pytest.mark.slow
@pytest.mark.parametrize("umask", [0o000, 0o027])
def test_files_and_folders_are_their_owners_alone_whatever_the_umask(home: Path, tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        for form in FORMS:
            divided = {"partition_by": "device_id"} if file_form(form) else {}
            exported(home, ["devices", "apps"], form, tmp_path / "deep/out" / form, **divided)
        exported(home, ["devices"], "csv", tmp_path / "deep/out", dated=True)
    finally:
        os.umask(before)
    found = [(tmp_path / "deep"), *(tmp_path / "deep").rglob("*")]
    assert {(path.is_dir(), path.stat().st_mode & 0o777) for path in found} == {(True, 0o700), (False, 0o600)}


@pytest.mark.parametrize(
    ("to", "words"),
    [
        *((f"{scheme}bucket/x", "is an address") for scheme in ("s3://", "gs://", "az://", "http://", "file:///")),
        ("host:/srv/x", "is an address"),
        ("-", "standard output"),
    ],
)
def test_an_export_goes_to_folders_of_this_machine_only(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=words):
        exported(home, ["devices"], "csv", Path(to))
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_an_exception_of_whoever_watches_stops_a_statement() -> None:
    class Enough(Exception):
        pass

    def stop(name: str, _: float) -> None:
        raise Enough(name)

    endless = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range = 7"
    with duckdb.connect() as con, pytest.raises(Enough, match="endless"):
        watch.execute(con, endless, {}, watch.progress_of(stop, "endless"))


def test_what_a_killed_export_left_is_swept(home: Path, tmp_path: Path) -> None:
    left = tmp_path / "out/.kandji-export-abc.tmp/files"
    left.mkdir(parents=True)
    (left / "devices.csv").write_text("half")
    exported(home, ["devices"], "csv", tmp_path / "out")
    assert not left.parent.exists()


def test_a_damaged_file_makes_the_state_before_it_be_exported(home: Path, tmp_path: Path) -> None:
    publish(home, {"devices": [device(n) for n in range(100)]}, generation=2)
    path = data_dir(home) / "devices.00000002.duckdb"
    data = bytearray(path.read_bytes())
    for start in range(8, len(data), 4096):
        data[start : start + 8] = b"\xde\xad\xbe\xef" * 2
    path.write_bytes(data)
    report = exported(home, ["devices"], "parquet", tmp_path / "out")
    assert (report.rows, report.exports[0].generation) == (4, 1)
    assert "devices.00000002.duckdb" in report.notes[0]


def test_a_view_that_cannot_be_made_is_named_and_the_rest_is_exported(home: Path, tmp_path: Path) -> None:
    (home / "compliance.toml").write_text("nonsense = ")
    report = exported(home, None, "csv", tmp_path / "out")
    assert {"compliance", "compliance_devices"} <= set(report.left_out)
    assert {"devices", "fleet"} <= {entry.name for entry in report.exports}
    assert "compliance.toml" in report.left_out["compliance"]
    with pytest.raises(MirrorError, match=r"compliance\.toml"):
        exported(home, ["compliance"], "csv", tmp_path / "out2")


def test_names_of_queries_and_tables_never_meet(home: Path) -> None:
    with Reader(home) as reader:
        assert not {info.name for info in reader.tables()} & set(catalog())


@pytest.mark.heavy
def test_every_column_of_an_answer_has_a_type_the_forms_know(home: Path, tmp_path: Path) -> None:
    """Everything that can be exported without parameters that must be given."""
    publish(home, {name: [] for name in resources()}, generation=2)
    easy = [name for name, query in catalog().items() if not any(p.required for p in query.params)]
    views = [name for name in definitions.views() if not name.startswith("compliance")]
    report = exported(home, [*views, *easy], "jsonl", tmp_path / "out")
    kinds = {column["type"] for entry in report.exports for column in entry.columns}
    plain = {"VARCHAR", "BOOLEAN", "BIGINT", "HUGEINT", "DOUBLE", "TIMESTAMP", "DATE", "JSON", "VARCHAR[]", "INTEGER"}
    # the facts of a change are the one list of objects: JSON in a cell, nested in Parquet and JSON lines
    plain |= {"STRUCT(fact VARCHAR, column_name VARCHAR, old_value VARCHAR, new_value VARCHAR)[]"}
    assert kinds <= plain, kinds - plain
