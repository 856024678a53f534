"""Evidence of a period with a known gap, held against plain loops over what was written each day."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from evidence_home import CONTROLS, EXCEPTIONS, FIRST, LAST, NOW, OWN, Oracle, invented, make_home

from kandji_queries.compliance.rule_set import RuleFile
from kandji_queries.evidence.contents import Evidence
from kandji_queries.evidence.exceptions import read_exceptions
from kandji_queries.evidence.framework import read_framework
from kandji_queries.evidence.reading import Wanted, read_evidence
from kandji_queries.reader import Reader

KEYS = {
    "devices": ("device_id",),
    "prism_filevault": ("device_id",),
    "prism_local_users": ("device_id", "generated_uid", "uid"),
}

STATES = invented()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_home(tmp_path_factory.mktemp("evidence") / "home", STATES)
    (folder / "own.toml").write_text(OWN, encoding="utf-8")
    (folder / "exceptions.csv").write_text(EXCEPTIONS, encoding="utf-8")
    return folder


def evidence(home: Path, *, first: str = str(FIRST), last: str = str(LAST), excepted: bool = False) -> Evidence:
    wanted = Wanted(
        first=first,
        last=last,
        framework=read_framework(str(home / "own.toml")),
        exemptions=read_exceptions(home / "exceptions.csv") if excepted else (),
    )
    with Reader(home, clock=lambda: NOW) as reader:
        return read_evidence(reader, RuleFile(home).rules(), wanted, version="1", masked=False)


@pytest.fixture(scope="module")
def found(home: Path) -> Evidence:
    return evidence(home)


@pytest.fixture(scope="module")
def truth() -> Oracle:
    return Oracle(STATES, KEYS)


def told(truth: Oracle, control: str) -> Iterator[tuple[date, Counter[str] | None]]:
    for day in truth.days():
        if truth.is_gap(control, day):
            yield day, None
        else:
            states = (truth.control(control, device, day) for device in truth.rows("devices", day))
            yield day, Counter(state for state in states if state)


@pytest.mark.heavy
def test_every_day_of_every_control_is_what_plain_loops_find(found: Evidence, truth: Oracle) -> None:
    for control in found.controls:
        expected = dict(told(truth, control.control.id))
        assert len(control.days) == len(expected) == 24
        for count in control.days:
            known = expected[count.day]
            got = None if count.is_gap else (count.passed, count.failed, count.unknown, count.excepted)
            wanted = None if known is None else (known["passed"], known["failed"], known["unknown"], 0)
            assert got == wanted, (control.control.id, count.day)
    kinds = {count.is_gap for control in found.controls for count in control.days}
    assert kinds == {True, False}
    for state in ("passed", "failed", "unknown"):  # the invented quarter has all of it
        assert any(getattr(count, state) for control in found.controls for count in control.days)


@pytest.mark.heavy
def test_every_device_has_its_states_and_days(found: Evidence, truth: Oracle) -> None:
    for control in found.controls:
        days: dict[str, dict[date, str]] = {}
        for day in truth.days():
            if not truth.is_gap(control.control.id, day):
                for device in truth.rows("devices", day):
                    if state := truth.control(control.control.id, device, day):
                        days.setdefault(device["device_id"], {})[day] = state
        assert {line.device.device_id for line in control.lines} == days.keys()
        for line in control.lines:
            states = days[line.device.device_id]
            failed = [day for day, state in states.items() if state == "failed"]
            counts = Counter(states.values())
            assert (line.passed, line.failed, line.unknown) == (counts["passed"], counts["failed"], counts["unknown"])
            assert (line.first_failed, line.last_failed) == (min(failed, default=None), max(failed, default=None))
            at_end = "gap" if truth.is_gap(control.control.id, LAST) else states.get(LAST, "not listed")
            assert line.end.word == at_end
            assert bool(line.failed_rules) == bool(failed)
            assert set(line.failed_rules) <= set(CONTROLS[control.control.id])
