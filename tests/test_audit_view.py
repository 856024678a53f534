"""The audit log in SQL: every record, as it is when the statement runs, without people where they are masked."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from action_tenant import ActionTenant, done, service_at
from commands import run
from mcp_calls import answer, opened
from reads_home import device, publish

from kandji_queries.reader import Reader
from kandji_schema.audit import COLUMNS


@pytest.mark.slow
def test_records_are_rows_and_new_ones_are_seen_at_once(tmp_path: Path) -> None:
    publish(tmp_path, {"devices": [device(1)]})
    service = service_at(tmp_path, ActionTenant())
    with Reader(tmp_path) as reader:
        assert reader.run("FROM audit_log").row_count == 0
        done(service, "lock", "C02JANE", "lost", message="Jane's")
        found = reader.run("SELECT event, action, reason, status, recorded_at::VARCHAR FROM audit_log ORDER BY seq")
        assert found.rows == [
            ("intent", "lock", "lost", None, "2026-11-20 12:00:00"),
            ("outcome", "lock", "lost", 200, "2026-11-20 12:00:00"),
        ]
        done(service, "restart")
        joined = "SELECT count(*) FROM audit_log a LEFT JOIN devices d USING (device_id)"
        assert reader.run(joined).rows == [(4,)]
        assert reader.run("SELECT count(*) FROM devices").rows == [(1,)]


def test_who_acted_on_devices_counts_what_went_through_here(tmp_path: Path) -> None:
    publish(tmp_path, {"devices": [device(1)]})
    done(service_at(tmp_path, ActionTenant()), "lock", "C02JANE", "lost", message="Jane's")
    with Reader(tmp_path) as reader:
        found = reader.query("sensitive_actions", {"days": 400})
    names = [column.name for column in found.columns]
    (row,) = (dict(zip(names, row, strict=True)) for row in found.rows)
    told = {name: row[name] for name in ("source", "action", "serial_number", "outcome", "reason")}
    assert told == {
        "source": "mirror",
        "action": "lock",
        "serial_number": "C02JANE",
        "outcome": "queued",
        "reason": "lost",
    }


@pytest.mark.heavy
def test_an_ai_client_reads_it_too(tmp_path: Path) -> None:
    publish(tmp_path, {"devices": []})
    service = service_at(tmp_path, ActionTenant())
    done(service, "lock", "C02JANE", "lost")
    with opened(tmp_path) as mirror:
        statement = "SELECT count(*) AS records FROM audit_log"
        assert answer(mirror, "auto", "run_sql", sql=statement)["rows"] == [[2]]
        with closing(sqlite3.connect(tmp_path / "audit.sqlite")) as other:  # so that the log keeps its side files
            assert other.execute("SELECT count(*) FROM audit").fetchone() == (2,)
            done(service, "restart")
            assert (tmp_path / "audit.sqlite-wal").stat().st_size > 0
            assert answer(mirror, "auto", "run_sql", sql=statement)["rows"] == [[4]]


def test_the_view_is_described_column_by_column(tmp_path: Path) -> None:
    publish(tmp_path, {"devices": []})
    with Reader(tmp_path, lazy=True) as reader:
        found = reader.describe("audit_log").columns
    assert [(c.name, c.type, c.description) for c in found] == [(c.name, c.kind, c.description) for c in COLUMNS]


def test_a_masked_log_tells_nothing_about_people(tmp_path: Path) -> None:
    publish(tmp_path, {"devices": []})
    done(service_at(tmp_path, ActionTenant()), "lock", "C02JANE", "Jane lost it", message="Jane")
    with Reader(tmp_path, masked=True) as reader:
        rows = reader.run("FROM audit_log").rows
    assert len(rows) == 2
    assert "Jane" not in str(rows)
    assert "C02JANE" in str(rows)


def test_a_damaged_log_breaks_nothing_but_its_view(tmp_path: Path) -> None:
    publish(tmp_path, {"devices": [device(1)]})
    (tmp_path / "audit.sqlite").write_bytes(b"no database" * 1000)
    assert run(tmp_path, "sql", "SELECT count(*) AS n FROM devices", "--format", "csv").stdout == "n\n1\n"
    ended = run(tmp_path, "sql", "FROM audit_log")
    assert ended.returncode == 8
    assert "audit verify" in ended.stderr
