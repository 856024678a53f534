"""``export --format xlsx``: what an Excel workbook holds, and what it cannot hold and says."""

import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from commands import environment, run
from reads_home import device, publish, small_fleet
from workbooks import part, sheet, sheets

from kandji_queries.export.export import ExportOptions, export
from kandji_queries.export.workbook import CELL, sheet_names
from kandji_schema.errors import UsageError
from kandji_schema.manifest import Manifest, data_dir, manifest_path

NASTY = ["000062", "1234567E10", "=1+1", "https://a.example", "+1", "@x", "1/2", "TRUE", " a ", "two\nlines", "日本 🖥"]
"""Texts that a spreadsheet would make something else of."""


def exported(home: Path, names: list[str], to: Path) -> Any:
    return export(home, names, "xlsx", to, ExportOptions())


def column(rows: list[list[Any]], name: str) -> list[Any]:
    place = rows[0].index(name)
    return [row[place] if place < len(row) else None for row in rows[1:]]


def test_texts_stay_texts_and_all_else_has_its_type(tmp_path: Path) -> None:
    at = datetime(2026, 11, 20, 12)
    facts = {"last_check_in": at, "is_missing": True, "tags": ["a", "b"]}
    publish(tmp_path / "home", {"devices": [device(n, device_name=name, **facts) for n, name in enumerate(NASTY)]})
    report = exported(tmp_path / "home", ["devices"], tmp_path / "out")
    (file,) = report.files
    rows = sheet(file)
    assert column(rows, "device_name") == NASTY
    assert set(column(rows, "last_check_in")) == {46346.5}  # days since 1899-12-30
    assert set(column(rows, "is_missing")) == {True}
    assert set(column(rows, "tags")) == {'["a","b"]'}
    assert set(column(rows, "asset_tag")) == {None}
    assert (report.rows, report.exports[0].rows) == (len(NASTY), len(NASTY))
    formats = [f.attrib["formatCode"] for f in part(file, "xl/styles.xml").iter() if "formatCode" in f.attrib]
    assert "yyyy-mm-dd hh:mm:ss" in formats


def test_every_item_is_a_sheet_with_a_frozen_filtered_header(tmp_path: Path) -> None:
    small_fleet(tmp_path / "home")
    report = exported(tmp_path / "home", ["devices", "apps", "history", "devices_by_platform"], tmp_path / "out")
    (file,) = report.files
    assert sheets(file) == ["devices", "apps", "history_2", "devices_by_platform"]
    assert "history is the sheet history_2" in " ".join(report.notes)
    text = [element.tag.rpartition("}")[2] for element in part(file, "xl/worksheets/sheet1.xml").iter()]
    assert {"pane", "autoFilter"} <= set(text)
    assert sheet(file, 4)[0][0] == "platform"


def test_names_of_sheets_follow_the_rules_of_excel() -> None:
    names = ["History", "a/b", "A_B", "x" * 40, "x" * 41, "x" * 31]
    found = list(sheet_names(names).values())
    assert len({name.casefold() for name in found}) == len(names)
    assert all(0 < len(name) <= 31 and not set(name) & set("[]:*?/\\'") for name in found)
    assert "history" not in {name.casefold() for name in found}


def test_a_text_longer_than_a_cell_is_told(tmp_path: Path) -> None:
    texts = ["x" * CELL, "x" * (CELL + 1), "🖥" * CELL, "a\x00\x1b\ufffe\uffff"]
    publish(tmp_path / "home", {"devices": [device(n, device_name=name) for n, name in enumerate(texts)]})
    report = exported(tmp_path / "home", ["devices"], tmp_path / "out")
    (file,) = report.files
    found = column(sheet(file), "device_name")
    assert [len(name.encode("utf-16-le")) // 2 for name in found[:3]] == [CELL, CELL, CELL - 1]
    assert found[3] == "a_x0000__x001B_\ufffd\ufffd"
    assert "devices: 2 texts are longer than the 32,767 characters of a cell" in " ".join(report.notes)


def test_numbers_and_dates_that_excel_cannot_hold_are_texts(tmp_path: Path) -> None:
    rows = [{"device_id": "d1", "name": str(n), "bundle_size": size} for n, size in enumerate((5, 2**60, -(2**40)))]
    old = {"device_id": "d1", "name": "old", "created_at": datetime(1601, 1, 1)}
    publish(tmp_path / "home", {"apps": [*rows, old]})
    (file,) = exported(tmp_path / "home", ["apps"], tmp_path / "out").files
    found = sheet(file)
    assert column(found, "bundle_size") == [5.0, str(2**60), float(-(2**40)), None]
    assert column(found, "created_at")[3] == "1601-01-01T00:00:00Z"


@pytest.mark.heavy
def test_more_rows_than_a_sheet_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    home = tmp_path / "home"
    manifest = publish(home, {"blueprints": []})
    path = data_dir(home) / str(manifest.tables["blueprints"].file)
    with duckdb.connect(path) as con:
        con.execute("INSERT INTO blueprints (id) SELECT i FROM range(1048576) t(i)")
    resized(home, path)
    with pytest.raises(UsageError, match="more rows than the 1,048,575 of a sheet"):
        exported(home, ["blueprints"], tmp_path / "out")
    assert not list((tmp_path / "out").glob("[!.]*"))


def resized(home: Path, path: Path) -> None:
    """Have the manifest know the size of a file that was written into."""
    first = Manifest.from_json(manifest_path(home, 1).read_bytes())
    name = path.name.partition(".")[0]
    state = replace(first.tables[name], bytes=path.stat().st_size)
    newer = replace(first, generation=2, tables={**first.tables, name: state})
    manifest_path(home, 2).write_bytes(newer.to_json())


def test_without_the_extra_it_is_named(tmp_path: Path) -> None:
    small_fleet(tmp_path)
    program = "import sys; sys.modules['xlsxwriter'] = None; from kandji_cli import run; run()"
    done = subprocess.run(
        [sys.executable, "-c", program, "export", "devices", "-f", "xlsx", "--to", "out"],
        env=environment(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, "pip install 'kandji-mirror[xlsx]'" in done.stderr) == (3, True), done.stderr
    assert not (tmp_path / "out").exists()


def test_the_command_writes_it_and_says_where(tmp_path: Path) -> None:
    small_fleet(tmp_path)
    done = run(tmp_path, "export", "devices", "apps", "-f", "xlsx", "--to", "out")
    assert (done.returncode, done.stdout.strip()) == (0, str(tmp_path / "out/kandji-mirror.xlsx")), done.stderr
    assert run(tmp_path, "export", "devices", "-f", "xlsx", "--to", "out", "--partition-by", "platform").returncode == 2
