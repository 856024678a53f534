"""Evidence of a period with a known gap, held against plain loops over what was written each day."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from evidence_home import CONTROLS, EXCEPTIONS, FIRST, LAST, NOW, OWN, Oracle, invented, make_home

from kandji_queries.compliance.rule_set import RuleFile
from kandji_queries.evidence import record
from kandji_queries.evidence.contents import ControlEvidence, Evidence
from kandji_queries.evidence.exceptions import read_exceptions
from kandji_queries.evidence.framework import read_framework
from kandji_queries.evidence.reading import Wanted, read_evidence, read_period
from kandji_queries.evidence.tables import csv_files
from kandji_queries.reader import Reader
from kandji_schema.errors import ConfigurationError, UsageError
from kandji_web.evidence.nameless import without_names
from kandji_web.evidence.writing import html

KEYS = {
    "devices": ("device_id",),
    "prism_filevault": ("device_id",),
    "prism_local_users": ("device_id", "generated_uid", "uid"),
}

EXCEPTED = date(2026, 7, 5), date(2026, 7, 12)

STATES = invented()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_home(tmp_path_factory.mktemp("evidence") / "home", STATES)
    (folder / "own.toml").write_text(OWN, encoding="utf-8")
    (folder / "exceptions.csv").write_text(EXCEPTIONS, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def found(home: Path) -> Evidence:
    wanted = Wanted(
        first=str(FIRST),
        last=str(LAST),
        framework=read_framework(str(home / "own.toml")),
        exemptions=read_exceptions(home / "exceptions.csv"),
    )
    with Reader(home, clock=lambda: NOW) as reader:
        return read_evidence(reader, RuleFile(home).rules(), wanted, version="1", masked=False)


@pytest.fixture(scope="module")
def truth() -> Oracle:
    return Oracle(STATES, KEYS)


def told(truth: Oracle, control: str) -> Iterator[tuple[date, Counter[str] | None]]:
    for day in truth.days():
        if truth.is_gap(control, day):
            yield day, None
        else:
            states = (state_of(truth, control, device, day) for device in truth.rows("devices", day))
            yield day, Counter(state for state in states if state)


def state_of(truth: Oracle, control: str, device: dict[str, Any], day: date) -> str | None:
    """What the loops find, with the one exception that applies."""
    state = truth.control(control, device, day)
    is_excepted = control == "O-1" and device["serial_number"] == "S2" and EXCEPTED[0] <= day <= EXCEPTED[1]
    return "excepted" if is_excepted and state in {"failed", "unknown"} else state


@pytest.mark.heavy
def test_every_day_of_every_control_is_what_plain_loops_find(found: Evidence, truth: Oracle) -> None:
    for control in found.controls:
        expected = dict(told(truth, control.control.id))
        assert len(control.days) == len(expected) == 24
        for count in control.days:
            known = expected[count.day]
            got = None if count.is_gap else (count.passed, count.failed, count.unknown, count.excepted)
            wanted = None if known is None else (known["passed"], known["failed"], known["unknown"], known["excepted"])
            assert got == wanted, (control.control.id, count.day)
    kinds = {count.is_gap for control in found.controls for count in control.days}
    assert kinds == {True, False}
    for state in ("passed", "failed", "unknown", "excepted"):  # the invented quarter has all of it
        assert any(getattr(count, state) for control in found.controls for count in control.days)


@pytest.mark.heavy
def test_every_device_has_its_states_and_days(found: Evidence, truth: Oracle) -> None:
    for control in found.controls:
        days: dict[str, dict[date, str]] = {}
        for day in truth.days():
            if not truth.is_gap(control.control.id, day):
                for device in truth.rows("devices", day):
                    if state := state_of(truth, control.control.id, device, day):
                        days.setdefault(device["device_id"], {})[day] = state
        assert {line.device.device_id for line in control.lines} == days.keys()
        for line in control.lines:
            states = days[line.device.device_id]
            failed = [day for day, state in states.items() if state == "failed"]
            counts = Counter(states.values())
            assert (line.passed, line.failed) == (counts["passed"], counts["failed"])
            assert (line.unknown, line.excepted) == (counts["unknown"], counts["excepted"])
            assert (line.first_failed, line.last_failed) == (min(failed, default=None), max(failed, default=None))
            at_end = "gap" if truth.is_gap(control.control.id, LAST) else states.get(LAST, "not listed")
            assert line.end.word == at_end
            assert bool(line.failed_rules) >= bool(failed)
            assert set(line.failed_rules) <= set(CONTROLS[control.control.id])


@pytest.mark.heavy
def test_a_gap_is_named_with_its_reason_and_filled_with_nothing(found: Evidence) -> None:
    told = {(gap.table, gap.first, gap.last): gap for gap in found.gaps}
    lost = told["devices", date(2026, 7, 11), date(2026, 7, 14)]
    assert (lost.kind, lost.days, lost.controls) == ("not read", 4, ("O-1", "O-2", "O-3", "O-4"))
    assert lost.why == "not read from the tenant; the readings beside it are of 2026-07-10 and 2026-07-15"
    alone = told["prism_filevault", date(2026, 7, 10), date(2026, 7, 14)]  # the list was read on the 10th, this was not
    assert alone.controls == ("O-1", "O-2")
    assert told["devices", FIRST, FIRST].kind == "before history begins"
    last = evidence_of(found, "O-3").days[-1]
    assert (last.day, last.is_gap, last.devices, last.percent) == (LAST, True, None, None)
    assert found.known_days == sum(
        not any(evidence_of(found, control).days[place].is_gap for control in CONTROLS) for place in range(24)
    )


def evidence_of(found: Evidence, control: str) -> ControlEvidence:
    return next(told for told in found.controls if told.control.id == control)


@pytest.mark.heavy
def test_what_became_of_each_exception_is_told(found: Evidence) -> None:
    assert [use.status for use in found.exemptions] == [
        "applied, expired on 2026-07-12",
        "expired before the period",
        "no device with this serial number was listed",
        "no such control in this framework",
    ]
    covered = sum(count.excepted or 0 for count in evidence_of(found, "O-1").days)
    assert covered == found.exemptions[0].days > 0


@pytest.mark.heavy
def test_without_names_nothing_names_a_device(home: Path, found: Evidence) -> None:
    with Reader(home) as reader:
        nameless = without_names(reader, found)
    every = b"".join(
        [html(nameless).encode(), record.document(nameless), *(data for _, data in csv_files(nameless))]
    ).decode()
    for number in range(1, 11):
        for name in (f"S{number},", f"S{number}<", f'"S{number}"', f"Device {number}", f"d{number},"):
            assert name not in every
    assert "Ada" not in every
    assert "device-00001" in every
    same = [[line.failed for line in told.lines] for told in nameless.controls]
    assert same == [[line.failed for line in told.lines] for told in found.controls]


def test_days_to_come_are_cut_off_with_a_word_and_what_is_no_period_is_refused() -> None:
    period, notes = read_period("2026-07-26", "2026-08-15", NOW)
    assert (period.first, period.last, len(period)) == (date(2026, 7, 26), NOW.date(), 3)
    assert notes[0] == "The period was to end on 2026-08-15; days after today, 2026-07-28, are left out."
    assert notes[1].startswith("The last day, 2026-07-28, is not over")
    for first, last, words in (
        ("2026-08-01", "2026-08-15", "lies in the future"),
        ("2026-07-20", "2026-07-10", "before it begins"),
        ("2020-01-01", "2026-07-10", "at most 1,100"),
    ):
        with pytest.raises(UsageError, match=words):
            read_period(first, last, NOW)


@pytest.mark.many
def test_a_control_may_have_a_statement_of_ones_own(home: Path, tmp_path: Path, found: Evidence) -> None:
    sql = """SELECT device_id, day::DATE AS day, CASE WHEN device_id = 'd1' THEN 'fail' ELSE 'pass' END AS result
        FROM devices, generate_series($first_day::DATE, $last_day::DATE, INTERVAL 1 DAY) AS d(day)"""
    own = tmp_path / "own.toml"
    control = '[[control]]\nid = "X"\ntitle = "T"\nmeasured = "M"\n'
    own.write_text(f"name = 'N'\n{control}sql = '''{sql}'''\n", encoding="utf-8")
    wanted = Wanted(first=str(FIRST), last=str(LAST), framework=read_framework(str(own)))
    with Reader(home, clock=lambda: NOW) as reader:
        told = read_evidence(reader, RuleFile(home).rules(), wanted, version="1", masked=False)
    days = told.controls[0].days
    assert [count.is_gap for count in days] == [count.is_gap for count in evidence_of(found, "O-3").days]
    assert {count.failed for count in days if not count.is_gap} <= {0, 1}
    own.write_text(f"name = 'N'\n{control}sql = 'SELECT device_id FROM devices'\n", encoding="utf-8")
    wanted = Wanted(first=str(FIRST), last=str(LAST), framework=read_framework(str(own)))
    with Reader(home, clock=lambda: NOW) as reader, pytest.raises(ConfigurationError, match="X, sql: its columns"):
        read_evidence(reader, RuleFile(home).rules(), wanted, version="1", masked=False)
    own.write_text(f"name = 'N'\n{control}sql = 'DROP TABLE devices'\n", encoding="utf-8")
    wanted = Wanted(first=str(FIRST), last=str(LAST), framework=read_framework(str(own)))
    with (
        Reader(home, clock=lambda: NOW) as reader,
        pytest.raises(ConfigurationError, match=r"own\.toml, control X, sql: D"),
    ):
        read_evidence(reader, RuleFile(home).rules(), wanted, version="1", masked=False)
