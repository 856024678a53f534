"""Exports of the list of assets by a map: columns, values, what changed since the last export, and what is wrong."""

import csv
import json
import re
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from commands import run
from past_home import PastHome, hours
from reads_home import device
from workbooks import sheet

from kandji_queries.export.asset_map import read_map
from kandji_queries.export.export import ExportOptions, export
from kandji_queries.export.report import ExportReport
from kandji_schema.errors import ConfigurationError, MirrorError, NotExported, UsageError

OWN = """
title = "the register"
key = "Serial"
with_gone = true
[[column]]
name = "Serial"
from = "serial_number"
[[column]]
name = "Owner"
from = ["user_email", "blueprint_name"]
as = "lower"
[[column]]
name = "Model"
from = "model_name"
[[column]]
name = "State"
from = "status"
values = "state"
otherwise = "other"
[[column]]
name = "Company"
constant = "Ünicorn'; DROP TABLE devices; -- 🦊"
[[column]]
name = "Seen"
from = "last_check_in"
as = "date"
counts_as_change = false
[values.state]
Enrolled = "in 'use"
removed = "sold"
[models]
"Mac14,2" = { name = "Air 13" }
"""
HOSTILE = "Ünicorn'; DROP TABLE devices; -- 🦊"
MAC: dict[str, Any] = {"first_enrollment": datetime(2024, 5, 1), "last_check_in": datetime(2026, 3, 1)}


def fleet(**facts: Any) -> list[dict[str, Any]]:
    """Three assets and a device without a serial number; ``facts`` are of the first."""
    return [
        device(1, **{**MAC, **facts}),
        device(2, **MAC, device_name='=HYPERLINK("x")', user_email="Zoë@Example.org"),
        device(3, **MAC),
        device(4, **MAC, serial_number=None),
    ]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = PastHome(tmp_path_factory.mktemp("published"))
    home.add(hours(0), devices=fleet(), device_details=[{"device_id": "d1", "model_identifier": "Mac14,2"}])
    return home.home


@pytest.fixture
def past(published: Path, tmp_path: Path) -> PastHome:
    shutil.copytree(published, tmp_path / "home")
    return PastHome(tmp_path / "home")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(OWN, encoding="utf-8")
    return path


def exported(past: PastHome, asset_map: object, to: Path, form: str = "csv", **options: Any) -> ExportReport:
    wanted = ExportOptions(asset_map=str(asset_map), **options)
    return export(past.home, ["asset_list"], form, to, wanted, clock=lambda: hours(9))


def cells(report: ExportReport) -> list[list[str]]:
    (file,) = report.files
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.reader(opened))


def serials(report: ExportReport) -> list[str]:
    return [row[0] for row in cells(report)[1:]]


def test_a_map_names_columns_replaces_values_and_leaves_out_what_has_no_key(
    past: PastHome, own: Path, tmp_path: Path
) -> None:
    report = exported(past, own, tmp_path / "out")
    assert [file.name for file in report.files] == ["asset_list_own.csv"]
    assert cells(report) == [
        ["Serial", "Owner", "Model", "State", "Company", "Seen"],
        ["S1", "user1@example.org", "Air 13", "in 'use", HOSTILE, "2026-03-01"],
        ["S2", "zoë@example.org", "MacBook Air", "in 'use", HOSTILE, "2026-03-01"],
        ["S3", "user3@example.org", "MacBook Air", "in 'use", HOSTILE, "2026-03-01"],
    ]
    assert "1 device without Serial, which the register needs, is left out." in report.notes
    (entry,) = json.loads((tmp_path / "out/manifest.json").read_text())["exports"]
    assert (entry["asset_map"], entry["changed_since"], entry["rows"]) == ("own", None, 3)


@pytest.mark.heavy
def test_only_what_changed_since_the_last_export_comes_again_and_nothing_is_lost(
    past: PastHome, own: Path, tmp_path: Path
) -> None:
    def last() -> ExportReport:
        return exported(past, own, tmp_path / "out", changed_since="last")

    remembered = past.home / "exported"
    remembered.write_text("in the way")  # the files are whole, and what they hold cannot be remembered
    with pytest.raises(NotExported, match="has the same rows again"):
        last()
    remembered.unlink()
    first = last()
    assert (serials(first), first.notes[0][:29]) == (["S1", "S2", "S3"], "No earlier export by own to /")
    again = last()
    assert (cells(again)[1:], again.notes[0]) == (
        [],
        "Nothing changed since 2026-03-02T17:00:00Z: the file has no rows.",
    )
    # seen again and of another version: no column of the map that counts; S2 is gone, S3 removed
    seen = {"last_check_in": datetime(2026, 3, 2, 9), "os_version": "15.9"}
    past.add(hours(1), devices=[fleet(**seen)[0], {**fleet()[2], "is_removed": True}])
    assert {row[0]: row[3] for row in cells(last())[1:]} == {"S2": "other", "S3": "sold"}
    past.add(hours(2), devices=[*fleet(**seen)[:2], {**fleet()[2], "is_removed": True}])  # and back again
    assert {row[0]: row[3] for row in cells(last())[1:]} == {"S2": "in 'use"}
    (file,) = remembered.iterdir()
    assert ("S1" in file.read_text(), file.stat().st_mode & 0o777) == (False, 0o600)


@pytest.mark.many
@pytest.mark.heavy
def test_what_was_exported_is_remembered_by_folder_and_headings(past: PastHome, own: Path, tmp_path: Path) -> None:
    exported(past, own, tmp_path / "out")  # everything, which is an export too
    assert serials(exported(past, own, tmp_path / "out", changed_since="LAST ")) == []
    assert len(serials(exported(past, own, tmp_path / "other", changed_since="last"))) == 3
    own.write_text(OWN.replace("Company", "Firm"), encoding="utf-8")
    report = exported(past, own, tmp_path / "out", changed_since="last")
    assert (len(serials(report)), "has other columns than" in report.notes[0]) == (3, True)
    for file in (past.home / "exported").iterdir():
        file.write_text("{")
    assert len(serials(exported(past, own, tmp_path / "out", changed_since="last"))) == 3


@pytest.mark.slow
def test_what_changed_since_a_moment_is_told_by_the_history(past: PastHome, own: Path, tmp_path: Path) -> None:
    past.add(hours(2), devices=[fleet(user_email="new@example.org")[0], fleet()[1]])
    report = exported(past, own, tmp_path / "out", changed_since="2026-03-02 09:00")
    assert [(row[0], row[1], row[3]) for row in cells(report)[1:]] == [
        ("S1", "new@example.org", "in 'use"),
        ("S3", "user3@example.org", "other"),
    ]
    assert report.exports[0].changed_since == "2026-03-02T09:00:00Z"
    assert report.notes[0] == "2 of 3 assets changed since 2026-03-02T09:00:00Z, or came since."
    for moment, problem in (("2026-03-01", "History begins on"), ("2099-01-01", "future"), ("soon", "is no time")):
        with pytest.raises(UsageError, match=problem):
            exported(past, own, tmp_path / "out", changed_since=moment)


@pytest.mark.parametrize(
    "form", ["xlsx", *(pytest.param(form, marks=pytest.mark.many) for form in ("jsonl", "parquet"))]
)
def test_a_map_goes_to_the_other_forms(past: PastHome, tmp_path: Path, form: str) -> None:
    report = exported(past, "generic.toml", tmp_path / "out", form)
    assert report.rows == 3
    if form == "xlsx":
        head, *rows = sheet(report.files[0])
        assert list(head) == [column.name for column in read_map("generic").columns]
        assert [row[0] for row in rows] == ["S1", "S2", "S3"]


@pytest.mark.slow
def test_a_model_without_a_name_has_that_of_the_public_feed_where_it_was_read(
    past: PastHome, own: Path, tmp_path: Path
) -> None:
    details = [{"device_id": f"d{n}", "model_identifier": "Mac14,9"} for n in (1, 2)]
    models = [{"model_identifier": "Mac14,9", "os": "macOS", "marketing_name": "MacBook Pro (14-inch)"}]
    past.add(hours(1), devices=[fleet(model=None)[0], fleet()[1]], device_details=details, device_models=models)
    report = exported(past, own, tmp_path / "out", params={"with_removed": False})
    assert [(row[0], row[2]) for row in cells(report)[1:]] == [
        ("S1", "MacBook Pro (14-inch)"),
        ("S2", "MacBook Air"),
        ("S3", "MacBook Air"),
    ]
    assert "device_models" in report.exports[0].as_of


def test_of_devices_with_one_serial_number_the_enrolled_one_is_the_asset_and_a_spreadsheet_runs_nothing(
    past: PastHome, tmp_path: Path
) -> None:
    past.add(hours(1), devices=[*fleet(is_removed=True), device(9, **MAC, serial_number="s1 ", user_email="n@x.org")])
    report = exported(past, "jira-assets", tmp_path / "out", spreadsheet_safe=True)
    head, *rows = cells(report)
    assert [name.lstrip("\ufeff") for name in head] == [column.name for column in read_map("jira-assets").columns]
    found = {row[1]: (row[0], row[head.index("Owner")], row[head.index("Status")]) for row in rows}
    assert found["s1 "] == ("Mac 9", "n@x.org", "Active")
    assert (sorted(found), found["S2"][0]) == (["S2", "S3", "s1 "], '\'=HYPERLINK("x")')
    assert any(note.startswith("1 device has the Serial Number of another") for note in report.notes)


UNFIT = [
    (
        'from = "serial_number"',
        'from = "serial_nmber"',
        "column Serial: there is no column of asset_list 'serial_nmber'",
    ),
    (
        'as = "date"',
        'as = "whole"',
        "column Seen: as is 'whole'; it must be for a number, and last_check_in is TIMESTAMP",
    ),
]
WRONG = [
    ('as = "date"', 'as = "day"', "there is no as 'day'. Did you mean date"),
    ('values = "state"', 'values = "stat"', "column State: there is no values 'stat'. Did you mean state?"),
    ("with_gone = true", 'with_gone = "yes"', "with_gone is 'yes'; it must be true or false"),
    ('key = "Serial"', 'key = ["Seral"]', "there is no key 'Seral'. Did you mean Serial?"),
    ('name = "Owner"', 'name = "serial"', "name is 'serial'; it must be the name of no other column"),
    ('name = "Owner"', 'nam = "Owner"', "column 2: name is None; it must be a text of one line"),
    ('constant = "Ünicorn\'; DROP TABLE devices; -- 🦊"', "constant = 7", "constant is 7; it must be a text"),
    ('constant = "Ünicorn\'; DROP TABLE devices; -- 🦊"', 'constant = "x"\nfrom = "model"', "not both"),
    ('{ name = "Air 13" }', '{ nam = "Air 13" }', "models.Mac14,2: there is no key 'nam'. Did you mean name?"),
    ("[models]", "[modles]", "there is no key 'modles'. Did you mean models or values?"),
    ('title = "the register"', 'title = "', "cannot be read"),
]


@pytest.mark.parametrize(("text", "other", "told"), WRONG)
def test_a_wrong_map_is_told_by_file_key_value_and_rule(own: Path, text: str, other: str, told: str) -> None:
    own.write_text(OWN.replace(text, other, 1), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=re.escape(told)) as error:
        read_map(str(own))
    assert str(own) in str(error.value)


@pytest.mark.parametrize(("text", "other", "told"), UNFIT)
def test_a_map_that_does_not_fit_the_list_is_told_and_nothing_is_written(
    past: PastHome, own: Path, tmp_path: Path, text: str, other: str, told: str
) -> None:
    own.write_text(OWN.replace(text, other, 1), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=re.escape(told)):
        exported(past, own, tmp_path / "out")
    assert not (tmp_path / "out/manifest.json").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"names": ["asset_list", "devices"]}, "--map goes with asset_list alone"),
        ({"form": "duckdb"}, "--map goes with csv"),
        ({"asset_map": "snipeit"}, "Did you mean snipe-it?"),
        ({"asset_map": "x" * 100_000}, "There are: generic, jira-assets, snipe-it."),
        ({"asset_map": None}, "--changed-since goes with --map"),
        ({"params": {"with_archived": False}}, "parameter of asset_list by a map"),
    ],
)
def test_what_does_not_go_with_a_map_is_refused(
    past: PastHome, tmp_path: Path, options: dict[str, Any], told: str
) -> None:
    given: dict[str, Any] = {"names": ["asset_list"], "form": "csv", "asset_map": "generic", "params": {}, **options}
    wanted = ExportOptions(asset_map=given["asset_map"], changed_since="last", params=given["params"])
    with pytest.raises(MirrorError, match=re.escape(told)):
        export(past.home, given["names"], given["form"], tmp_path / "out", wanted)


@pytest.mark.slow
def test_the_command_says_what_is_in_the_file(past: PastHome, tmp_path: Path) -> None:
    asked = [
        "export",
        "asset_list",
        "--map",
        "snipe-it",
        "-f",
        "csv",
        "--changed-since",
        "last",
        "--to",
        f"{tmp_path}/o",
    ]
    done = run(past.home, *asked)
    assert (done.returncode, done.stdout.split()) == (0, [f"{tmp_path}/o/asset_list_snipe-it.csv"])
    head, *rows = csv.reader((tmp_path / "o/asset_list_snipe-it.csv").read_text().splitlines())
    assert head == [column.name for column in read_map("snipe-it").columns]
    assert [row[1] for row in rows] == ["S1", "S2", "S3"]
    again = run(past.home, *asked)
    assert (again.returncode, "Nothing changed since" in again.stderr) == (0, True)
