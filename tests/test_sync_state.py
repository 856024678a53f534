"""What the writer remembers in ``state.sqlite``."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.pool import Pool
from support import recorded_runs

from kandji_mirror.capabilities import Capability, open_state
from kandji_mirror.report import Outcome, Report
from kandji_mirror.run_log import last_good_run, newest_pass, passes_after
from kandji_mirror.state import DeviceReading, record_run
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


def test_a_lack_is_believed_until_it_is_time_to_try_again(tmp_path: Path) -> None:
    wall = Wall()
    with open_state(tmp_path, wall) as state:
        server = state.capabilities
        server.note_lack("apps", Capability.EXPORT, "400")
        assert server.lacks("apps", Capability.EXPORT)
        assert not server.lacks("apps", Capability.UPDATED_AT_FILTER)
        assert not server.lacks("users", Capability.EXPORT)
        wall.now = NOW + timedelta(days=7)
        assert not server.lacks("apps", Capability.EXPORT)


def test_a_lack_outlives_the_process_and_can_be_forgotten(tmp_path: Path) -> None:
    with open_state(tmp_path, Wall()) as state:
        state.capabilities.note_lack("apps", Capability.PRISM)
    with open_state(tmp_path, Wall()) as state:
        assert state.capabilities.lacks("apps", Capability.PRISM)
        state.capabilities.note_present("apps", Capability.PRISM)
        assert not state.capabilities.lacks("apps", Capability.PRISM)
    with open_state(tmp_path, Wall()) as state:
        assert not state.capabilities.lacks("apps", Capability.PRISM)


def test_a_run_opens_the_file_once_whatever_it_asks_and_notes(tmp_path: Path) -> None:
    opened: list[object] = []

    def count(connection: object, _record: object) -> None:
        opened.append(connection)

    event.listen(Pool, "connect", count)
    with open_state(tmp_path, Wall()) as state:
        for capability in Capability:
            state.capabilities.note_lack("apps", capability)
            assert state.capabilities.lacks("apps", capability)
        state.ledger.note("device_details", {"a": DeviceReading(NOW, "1")})
        state.clock.note((NOW, NOW))
        assert state.edits.since(NOW, ["device_name"]) == []
    event.remove(Pool, "connect", count)
    assert len(opened) == 1


def test_without_a_usable_file_nothing_is_known(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").write_bytes(b"no database" * 1_000)
    with open_state(tmp_path, Wall()) as state:
        state.capabilities.note_lack("apps", Capability.EXPORT)
        assert not state.capabilities.lacks("apps", Capability.EXPORT)
    with pytest.raises(StoreError, match="Move it away; it is made anew"):
        record_run(tmp_path, REPORT)


def test_the_ledger_keeps_the_last_reading_of_each_device(tmp_path: Path) -> None:
    later = DeviceReading(NOW + timedelta(hours=1), "2")
    with open_state(tmp_path) as state:
        state.ledger.note("device_details", {device: DeviceReading(NOW, "1") for device in "abc"})
        state.ledger.note("device_details", {"b": later}, gone=["c"])
        assert state.ledger.readings("device_details") == {"a": DeviceReading(NOW, "1"), "b": later}
        assert state.ledger.readings("device_parameters") == {}
        state.ledger.clear("device_details")
        assert state.ledger.readings("device_details") == {}


def test_the_ledger_takes_a_whole_fleet(tmp_path: Path) -> None:
    fleet = {str(number): DeviceReading(NOW, "1") for number in range(3_000)}
    with open_state(tmp_path) as state:
        state.ledger.note("device_details", fleet)
        state.ledger.note("device_details", fleet)
        assert state.ledger.readings("device_details") == fleet


def test_edits_are_found_by_column_and_time_and_forgotten_after_days(tmp_path: Path) -> None:
    with open_state(tmp_path) as state:
        state.edits.note([("a", "device_name"), ("b", "asset_tag")], NOW)
        assert state.edits.since(NOW, ["device_name", "asset_tag"]) == ["a", "b"]
        assert state.edits.since(NOW, ["asset_tag"]) == ["b"]
        assert state.edits.since(NOW + timedelta(seconds=1), ["asset_tag"]) == []
        state.edits.note([], NOW + timedelta(days=4))
        assert state.edits.since(NOW, ["device_name", "asset_tag"]) == []


def test_a_run_is_recorded_with_its_method_and_drift(tmp_path: Path) -> None:
    record_run(tmp_path, REPORT)
    record_run(tmp_path, replace(REPORT, started_at=NOW + timedelta(hours=1)))
    newest = recorded_runs(tmp_path)[0]
    assert newest["started_at"] == "2026-11-24T13:00:00+00:00"
    found = (newest["method"], newest["unknown_fields"], newest["odd_values"], newest["missing_fields"])
    assert found == ("export", 1, 3, 1)


def test_a_record_of_an_earlier_version_gets_the_new_columns(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "state.sqlite")) as older:
        older.execute(
            "CREATE TABLE runs (id INTEGER PRIMARY KEY, started_at VARCHAR, resource VARCHAR, outcome VARCHAR, "
            "rows INTEGER, requests INTEGER, seconds FLOAT, changed BOOLEAN, error VARCHAR)"
        )
        older.commit()
    record_run(tmp_path, REPORT)
    assert recorded_runs(tmp_path)[0]["method"] == "export"


def test_who_looks_from_outside_reads_the_record_from_one_pass_on(tmp_path: Path) -> None:
    assert (newest_pass(tmp_path), passes_after(tmp_path, 0), last_good_run(tmp_path)) == (0, [], None)
    record_run(tmp_path, REPORT)
    first = newest_pass(tmp_path)
    failed = replace(OUTCOME, state=State.FAILED, requests=7, error="no answer", error_kind="unreachable")
    record_run(tmp_path, replace(REPORT, started_at=NOW + timedelta(hours=1), outcomes=(OUTCOME, failed)))
    found = passes_after(tmp_path, first)
    assert [(each.table, each.outcome, each.requests, each.error_kind) for each in found] == [
        ("apps", "ok", 2, None),
        ("apps", "failed", 7, "unreachable"),
    ]
    assert {each.started_at for each in found} == {NOW + timedelta(hours=1)}
    assert last_good_run(tmp_path) == NOW
    assert len(passes_after(tmp_path, 1_000)) == 3  # a record that was made anew begins to count anew


def test_a_record_of_an_earlier_version_has_no_kinds_of_errors_and_is_read_all_the_same(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "state.sqlite")) as older:
        older.execute("CREATE TABLE runs (id INTEGER PRIMARY KEY, started_at, resource, outcome, requests)")
        older.execute("INSERT INTO runs VALUES (1, '2026-11-24T12:00:00+00:00', 'apps', 'failed', 3)")
        older.commit()
    assert [each.error_kind for each in passes_after(tmp_path, 0)] == [None]
    (tmp_path / "state.sqlite").write_bytes(b"no database" * 1_000)
    assert passes_after(tmp_path, 0) == []


def test_what_is_noted_of_one_capability_says_nothing_of_another(tmp_path: Path) -> None:
    with open_state(tmp_path) as state:
        server = state.capabilities
        for capability in Capability:
            server.note_lack(capability.name, capability)
        assert len(Capability.__members__) == len(list(Capability))
        for capability in Capability:
            assert [other for other in Capability if server.lacks(capability.name, other)] == [capability]
