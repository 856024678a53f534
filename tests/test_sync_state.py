"""What the writer remembers in ``state.sqlite``."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kandji_mirror.report import Outcome, Report
from kandji_mirror.state import Edits, Fact, Learned, Reading, RunLog, Sweeps
from kandji_schema.errors import StoreError
from kandji_schema.manifest import Drift, State

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
OUTCOME = Outcome("apps", State.OK, 5, 2, 0.5, True, method="export", drift=Drift({"new": 5}, {"size": 3}, ("gone",)))
REPORT = Report(NOW, 1.0, (OUTCOME,), (), 2, None, 1)


class Wall:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def test_a_fact_is_believed_until_it_is_time_to_try_again(tmp_path: Path) -> None:
    wall = Wall()
    learned = Learned(tmp_path, wall)
    learned.learn("apps", Fact.EXPORTS_REFUSED, "400")
    assert learned.holds("apps", Fact.EXPORTS_REFUSED)
    assert not learned.holds("apps", Fact.INCREMENTS_IGNORED)
    assert not learned.holds("users", Fact.EXPORTS_REFUSED)
    wall.now = NOW + timedelta(days=7)
    assert not learned.holds("apps", Fact.EXPORTS_REFUSED)


def test_a_fact_outlives_the_process_and_can_be_forgotten(tmp_path: Path) -> None:
    Learned(tmp_path, Wall()).learn("apps", Fact.PRISM_FORBIDDEN)
    assert Learned(tmp_path, Wall()).holds("apps", Fact.PRISM_FORBIDDEN)
    Learned(tmp_path, Wall()).forget("apps", Fact.PRISM_FORBIDDEN)
    assert not Learned(tmp_path, Wall()).holds("apps", Fact.PRISM_FORBIDDEN)


def test_without_a_usable_file_nothing_is_known(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").write_bytes(b"no database" * 1_000)
    learned = Learned(tmp_path, Wall())
    learned.learn("apps", Fact.EXPORTS_REFUSED)
    assert not learned.holds("apps", Fact.EXPORTS_REFUSED)
    with pytest.raises(StoreError, match="Move it away; it is made anew"):
        RunLog(tmp_path).append(REPORT)


def test_the_ledger_keeps_the_last_reading_of_each_device(tmp_path: Path) -> None:
    sweeps = Sweeps(tmp_path)
    sweeps.note("device_details", {"a": Reading(NOW, "1"), "b": Reading(NOW, "1"), "c": Reading(NOW, "1")})
    later = Reading(NOW + timedelta(hours=1), "2")
    sweeps.note("device_details", {"b": later}, gone=["c"])
    assert sweeps.readings("device_details") == {"a": Reading(NOW, "1"), "b": later}
    assert sweeps.readings("device_parameters") == {}
    sweeps.clear("device_details")
    assert sweeps.readings("device_details") == {}


def test_the_ledger_takes_a_whole_fleet(tmp_path: Path) -> None:
    fleet = {str(number): Reading(NOW, "1") for number in range(3_000)}
    sweeps = Sweeps(tmp_path)
    sweeps.note("device_details", fleet)
    sweeps.note("device_details", fleet)
    assert sweeps.readings("device_details") == fleet


def test_edits_are_found_by_column_and_time_and_forgotten_after_days(tmp_path: Path) -> None:
    edits = Edits(tmp_path)
    edits.note([("a", "device_name"), ("b", "asset_tag")], NOW)
    assert edits.since(NOW, ["device_name", "asset_tag"]) == ["a", "b"]
    assert edits.since(NOW, ["asset_tag"]) == ["b"]
    assert edits.since(NOW + timedelta(seconds=1), ["asset_tag"]) == []
    edits.note([], NOW + timedelta(days=4))
    assert edits.since(NOW, ["device_name", "asset_tag"]) == []


def test_a_run_is_recorded_with_its_method_and_drift(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    log.append(REPORT)
    log.append(replace(REPORT, started_at=NOW + timedelta(hours=1)))
    newest = log.last(1)[0]
    assert newest.started_at == "2026-11-24T13:00:00+00:00"
    assert (newest.method, newest.unknown_fields, newest.odd_values, newest.missing_fields) == ("export", 1, 3, 1)


def test_a_record_of_an_earlier_version_gets_the_new_columns(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "state.sqlite")) as older:
        older.execute(
            "CREATE TABLE runs (id INTEGER PRIMARY KEY, started_at VARCHAR, resource VARCHAR, outcome VARCHAR, "
            "rows INTEGER, requests INTEGER, seconds FLOAT, changed BOOLEAN, error VARCHAR)"
        )
        older.commit()
    RunLog(tmp_path).append(REPORT)
    assert RunLog(tmp_path).last()[0].method == "export"


def test_what_is_learnt_of_one_thing_says_nothing_of_another(tmp_path: Path) -> None:
    learned = Learned(tmp_path)
    for fact in Fact:
        learned.learn(fact.name, fact)
    assert len(Fact.__members__) == len(list(Fact))
    assert [[other for other in Fact if learned.holds(fact.name, other)] for fact in Fact] == [[fact] for fact in Fact]
