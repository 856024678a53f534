"""The files of evidence: read by programs, whole or not there, checked by their hashes and a signature."""

import csv
import json
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from html import unescape
from pathlib import Path

import pytest

from kandji_queries.compliance.rule_set import RuleFile
from kandji_queries.evidence import record, signature
from kandji_queries.evidence.contents import (
    ControlEvidence,
    DayCount,
    Days,
    DayState,
    Device,
    DeviceLine,
    Evidence,
    ExemptionUse,
    Gap,
)
from kandji_queries.evidence.coverage import read_coverage
from kandji_queries.evidence.exceptions import Exemption, read_exceptions
from kandji_queries.evidence.folder import checked, write_folder
from kandji_queries.evidence.framework import Control, Framework, built_in, read_framework
from kandji_queries.evidence.tables import HEADS, csv_files
from kandji_queries.evidence.verifying import verify
from kandji_schema.errors import ConfigurationError, NotExported, StoreDamaged, UsageError
from kandji_schema.manifest import TableState
from kandji_web.evidence.trend import told, trend
from kandji_web.evidence.writing import html

D1, D2, D3, D4 = (date(2026, 7, day) for day in (1, 2, 3, 4))
NAME = '=cmd|"<script>alert(1)</script>'


def small() -> Evidence:
    """Four days of one control, the third unknown, and one that is not measured."""
    control = Control("A.1 <b>", "Disks & more", "FileVault is on.", ("filevault_on",))
    other = Control("A.2", "Other", "Nothing.", ("gone",))
    device = Device(
        device_id="d1",
        name=NAME,
        serial_number="S1",
        platform="Mac",
        blueprint="B",
        is_missing=False,
        is_removed=None,
        first_day=D1,
        last_day=D4,
    )
    line = DeviceLine(
        device=device,
        start=DayState.FAILED,
        end=DayState.PASSED,
        passed=1,
        failed=1,
        unknown=0,
        excepted=1,
        first_failed=D1,
        last_failed=D1,
        failed_rules=("filevault_on",),
        unknown_because="",
    )
    days = (
        DayCount(D1, 1, 1, 0, 0),
        DayCount(D2, 1, 0, 0, 1),
        DayCount(D3, None, None, None, None),
        DayCount(D4, 2, 0, 0, 0),
    )
    exemption = Exemption("A.1 <b>", "S1", "Lab", "Ada", D2, D2)
    return Evidence(
        tenant="example",
        version="1.0",
        made_at=datetime(2026, 7, 5, tzinfo=UTC),
        generation=7,
        published_at=datetime(2026, 7, 5, tzinfo=UTC),
        period=Days(D1, D4, datetime(2026, 7, 5)),
        framework=Framework(Path("own.toml"), "Ours", "2026", (control, other), is_ours=False),
        rules_file="compliance.toml",
        rules=(),
        controls=(
            ControlEvidence(control=control, tables=("devices",), days=days, lines=(line,), gap_days=1),
            ControlEvidence(control=other, tables=(), not_measured="Not measured: no rule."),
        ),
        devices=2,
        gaps=(Gap("devices", D3, D3, "not read", "devices was not read.", ("A.1 <b>",)),),
        exemptions=(ExemptionUse(exemption, "applied", 1, device),),
        as_of={"devices": None},
        limits=("A limit.",),
        notes=("A note.",),
        statements={"fleet": "SELECT 1"},
    )


def files() -> dict[str, bytes]:
    evidence = small()
    made = {
        "index.html": html(evidence).encode(),
        "evidence.json": record.document(evidence),
        **dict(csv_files(evidence)),
        **dict(record.statement_files(evidence)),
    }
    return {**made, "manifest.json": record.manifest(evidence, made)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_folder(tmp_path / "q3", files(), lambda made: None)
    return tmp_path / "q3"


def test_the_tables_have_their_columns_and_no_formula(folder: Path) -> None:
    rows = {name: list(csv.DictReader((folder / name).read_text(encoding="utf-8").splitlines())) for name in HEADS}
    assert [row["state"] for row in rows["days.csv"]] == ["known", "known", "gap", "known"]
    assert [row["passed"] for row in rows["days.csv"]] == ["1", "1", "", "2"]
    assert rows["days.csv"][1]["percent_passed"] == "50.0"
    (device,) = rows["devices.csv"]
    assert device["device_name"] == f"'{NAME}"
    assert (device["state_at_start"], device["state_at_end"], device["is_missing"]) == ("failed", "passed", "false")
    assert (device["first_failed"], device["is_removed"]) == ("2026-07-01", "")
    assert rows["controls.csv"][0]["days_gap"] == "1"
    assert rows["controls.csv"][1]["not_measured"] == "Not measured: no rule."
    assert rows["gaps.csv"][0]["why"] == "devices was not read."
    assert rows["exceptions.csv"][0]["status"] == "applied"


def test_json_has_the_same_numbers_and_the_manifest_every_file(folder: Path) -> None:
    told = json.loads((folder / "evidence.json").read_bytes())
    assert told["controls"][0]["days"][2] == {
        "day": "2026-07-03",
        "state": "gap",
        "passed": None,
        "failed": None,
        "unknown": None,
        "excepted": None,
        "devices": None,
        "percent_passed": None,
    }
    assert told["completeness"]["days_known"] == 3
    assert told["completeness"]["gaps"][0]["first_day"] == "2026-07-03"
    manifest = json.loads((folder / "manifest.json").read_bytes())
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {file["path"] for file in manifest["files"]} == there - {"manifest.json"}
    assert manifest["mirror"]["generation"] == 7
    assert all((path.stat().st_mode & 0o077) == 0 for path in [folder, *folder.rglob("*")])


def test_the_page_escapes_what_it_shows_and_forbids_itself_everything() -> None:
    page = html(small())
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "A.1 &lt;b&gt;" in page
    assert re.search(r"default-src 'none'; .*style-src 'sha256-", unescape(page))
    assert " style=" not in page
    assert "not measured" in page
    assert "devices was not read." in page
    for word in ("Lab", "Ada", "A limit.", "A note.", "3 of 4 days are known"):
        assert word in page


@pytest.mark.parametrize(
    ("hours", "words"), [((8, 8), "last at 2026-07-04 08:00 UTC"), ((8, 9), "last between 2026-07")]
)
def test_the_page_says_one_moment_and_one_day_where_there_is_one(hours: tuple[int, int], words: str) -> None:
    as_of: dict[str, str | None] = {f"t{n}": f"2026-07-04T0{hour}:00:0{n}Z" for n, hour in enumerate(hours)}
    page = html(replace(small(), as_of=as_of, period=Days(D4, D4, datetime(2026, 7, 5))))
    assert words in page
    assert "<dd>1 day, 2026-07-04, at its end, UTC</dd>" in page


def test_nobody_is_said_to_have_failed_never_where_no_day_is_known() -> None:
    dark = tuple(DayCount(day, None, None, None, None) for day in (D1, D2, D3, D4))
    control = replace(small().controls[0], days=dark, lines=(), gap_days=4)
    evidence = replace(small(), controls=(control,))
    assert json.loads(record.document(evidence))["controls"][0]["devices_ever_failed"] is None
    (row,) = csv.DictReader(dict(csv_files(evidence))["controls.csv"].decode("utf-8-sig").splitlines())
    assert (row["devices_ever_failed"], row["days_known"], row["days_gap"]) == ("", "0", "4")
    assert html(evidence).count('<td class="gap">not known</td><td class="n">0 of 4</td>') == 1


def test_the_line_is_broken_where_a_day_is_not_known() -> None:
    days = small().controls[0].days
    drawn = str(trend(days))
    assert drawn.count("<polyline") == 1
    assert drawn.count("<circle") == 1
    assert drawn.count('class="gap"') == 1
    assert told(days).endswith("1 of 4 days are not known: there the line is broken.")
    assert trend(days[2:3]) == ""


def test_an_evidence_is_checked_file_by_file(folder: Path) -> None:
    assert verify(folder).files == len(files()) - 1
    (folder / ".DS_Store").write_bytes(b"")
    verify(folder)
    faults: list[tuple[Callable[[], object], str]] = [
        (lambda: (folder / "days.csv").write_text("x"), "days.csv has 1 bytes"),
        (lambda: (folder / "gaps.csv").unlink(), "gaps.csv is missing"),
        (lambda: (folder / "more.csv").write_text("x"), "more.csv is not part of it"),
    ]
    data = (folder / "controls.csv").read_bytes()
    (folder / "controls.csv").write_bytes(data[:-2] + b"9\n")
    for spoil, words in [(folder.exists, "controls.csv was altered"), *faults]:
        spoil()
        with pytest.raises(StoreDamaged, match=words):
            verify(folder)
    (folder / "manifest.json").write_text('{"made_by": "kandji-mirror", "kind": "report", "files": []}')
    with pytest.raises(UsageError, match="is no manifest of evidence"):
        verify(folder)


def test_a_manifest_cannot_lead_out_of_the_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    known = json.loads((folder / "manifest.json").read_bytes())
    known["files"].append({"path": "../secret", "bytes": 1, "sha256": ""})
    (folder / "manifest.json").write_text(json.dumps(known))
    with pytest.raises(StoreDamaged, match=r"'\.\./secret' is no name of a file in it"):
        verify(folder)


def test_a_folder_is_whole_or_not_there_and_nothing_is_replaced(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not an empty folder"):
        checked(str(folder), tmp_path)
    with pytest.raises(UsageError, match="inside the mirror's own store"):
        checked(str(tmp_path / "store" / "q"), tmp_path)
    for wrong in ("", "-", "s3://bucket/x"):
        with pytest.raises(UsageError):
            checked(wrong, tmp_path)
    (tmp_path / "empty").mkdir()
    write_folder(checked(str(tmp_path / "empty"), tmp_path / "home"), files(), lambda made: None)
    verify(tmp_path / "empty")

    def fail(made: Path) -> None:
        raise OSError(28, os.strerror(28))

    with pytest.raises(NotExported, match="No space left"):
        write_folder(tmp_path / "full", files(), fail)
    assert {path.name for path in tmp_path.iterdir()} == {"q3", "empty"}


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed here")
@pytest.mark.slow
def test_a_signature_tells_who_made_it_and_nobody_is_asked_for_a_passphrase(tmp_path: Path) -> None:
    for name, passphrase in (("ours", ""), ("other", ""), ("locked", "secret")):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(tmp_path / name)]
        subprocess.run(command, check=True)  # the keys of this test
    signed = tmp_path / "q3"
    write_folder(signed, files(), lambda made: signature.sign(made / "manifest.json", tmp_path / "ours"))
    assert "was not checked: name the public key" in verify(signed).signature
    assert verify(signed, tmp_path / "ours.pub").signature == f"The signature is by the key {tmp_path / 'ours.pub'}."
    with pytest.raises(StoreDamaged, match="by another key"):
        verify(signed, tmp_path / "other.pub")
    with pytest.raises(ConfigurationError, match="A key with a passphrase is used only through"):
        signature.sign(signed / "manifest.json", tmp_path / "locked")
    text = (signed / "manifest.json").read_text()
    (signed / "manifest.json").write_text(text.replace("example", "another"))
    with pytest.raises(StoreDamaged, match="does not fit"):
        verify(signed, tmp_path / "ours.pub")
    with pytest.raises(UsageError, match="cannot be read"):
        signature.signer_of(tmp_path / "none")


def test_the_frameworks_name_rules_that_are_built_in() -> None:
    rules = {rule.name for rule in RuleFile().rules().rules}
    assert built_in() == ["cis", "iso27001", "soc2"]
    for name in built_in():
        framework = read_framework(name.upper())
        replace(framework, is_ours=False).refuse_unknown_rules(rules)
        assert framework.edition
    with pytest.raises(ConfigurationError, match="Name one of cis, iso27001, soc2, or a file"):
        read_framework("nist")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = 'x'", "control is None; it must be"),
        ("name = 1\n[[control]]\nid='a'\ntitle='t'\nmeasured='m'\nrules=['x']", "name is 1; it must be a text"),
        ("name = 'x'\nmore = 1\n[[control]]\nid='a'", "a key is 'more'; it must be one of name, edition, control"),
        ("name = 'x'\n[[control]]\nid=''", "control number 1: id is ''"),
        (
            "name = 'x'\n[[control]]\nid='a'\ntitle='t'\nmeasured='m'",
            "control a: rules is None; it must be there, or sql",
        ),
        (
            "name = 'x'\n[[control]]\nid='a'\ntitle='t'\nmeasured='m'\nrules=[]",
            r"control a: rules is \[\]; it must be a",
        ),
        ("name = 'x'\n[[control]]\nid='a'\ntitle='\u202e'\nmeasured='m'\nrules=['x']", "control a: title is"),
        (
            f"name = 'x'\n[[control]]\nid='{'a' * 3000}'",
            "control number 1: id is 'aaaa.*[.]{3}; it must be a text of at",
        ),
        ("name = [", "cannot be read"),
    ],
)
def test_a_framework_that_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    own = tmp_path / "own.toml"
    own.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=words):
        read_framework(str(own))


def test_a_rule_that_nobody_has_is_told_with_the_nearest(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text("name='x'\n[[control]]\nid='a'\ntitle='t'\nmeasured='m'\nrules=['filevalt_on']", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"control a: rules is 'filevalt_on'; it must be one of filevault_on"):
        read_framework(str(own)).refuse_unknown_rules(["filevault_on", "sip_on"])


HEAD = "control,serial_number,reason,approved_by,from,until"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("x.csv", "control,serial", "line 1: the head is"),
        ("x.csv", f"{HEAD}\n1,S1,,Ada,2026-07-01,2026-07-02", "line 2: reason is ''; it must be a text"),
        ("x.csv", f"{HEAD}\n1,S1,r,Ada,soon,2026-07-02", "line 2: from is 'soon'; it must be a day"),
        ("x.csv", f"{HEAD}\n1,S1,r,Ada,2026-07-03,2026-07-02", "line 2: until is '2026-07-02'; it must be on or after"),
        ("x.csv", f"{HEAD}\n1,S1,r,Ada,2026-07-03", "line 2: the row is"),
        ("x.toml", "[[exception]]\ncontrol='1'\nwho='me'", "exception 1: a key is 'who'"),
        ("x.toml", "[[exception]]\ncontrol=1", "exception 1: control is 1; it must be a text"),
        ("x.toml", "[exceptions]", "must hold .*exception.* tables and nothing else"),
    ],
)
def test_exceptions_that_are_wrong_are_told_with_their_place(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=words):
        read_exceptions(tmp_path / name)


def test_exceptions_are_the_same_in_both_forms(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(f'\ufeff{HEAD}\n1,S1,"a, b",Ada,2026-07-01,2026-07-02\n', encoding="utf-8")
    (tmp_path / "x.toml").write_text(
        "[[exception]]\ncontrol='1'\nserial_number='S1'\nreason='a, b'\napproved_by='Ada'\n"
        "from=2026-07-01\nuntil='2026-07-02'\n"
    )
    assert read_exceptions(tmp_path / "x.csv") == read_exceptions(tmp_path / "x.toml") != ()


def test_days_before_manifests_kept_them_are_known_by_the_record_of_runs(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "state.sqlite")) as con, con:
        con.execute("CREATE TABLE runs (started_at TEXT, resource TEXT, outcome TEXT, method TEXT)")
        rows = [("02", "ok", None), ("03", "failed", None), ("04", "ok", "by device"), ("05", "ok", "export")]
        con.executemany(
            "INSERT INTO runs VALUES (?, 'devices', ?, ?)",
            [(f"2026-07-{day}T08:00:00+00:00", outcome, method) for day, outcome, method in rows],
        )
    states = {"devices": TableState("devices", (), 300, read_days=(("2026-07-06", "2026-07-07"),))}
    since = {"devices": datetime(2026, 7, 1, 12)}  # naive UTC, as in history
    period = Days(date(2026, 6, 30), date(2026, 7, 8), datetime(2026, 7, 9))
    found = read_coverage(tmp_path, states, since)
    assert [(gap.first.day, gap.last.day, gap.kind) for gap in found.gaps("devices", period)] == [
        (30, 30, "before history begins"),
        (3, 4, "not read"),
        (8, 8, "not read"),
    ]
    assert {gap.kind for gap in found.gaps("users", period)} == {"no history"}
