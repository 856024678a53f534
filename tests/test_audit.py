"""The audit log: appended by many, changed by none, and red at the first byte that is not what was written."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from action_tenant import ActionTenant, confirmed, done, log_at, preview_of, service_at, status_of
from commands import run

from kandji_mirror.audit.log import Actor, AuditLog, attempts_of
from kandji_schema.audit import Event, Outcome
from kandji_schema.errors import AuditUnavailable

WRITER = """
import sys
from pathlib import Path
from kandji_mirror.audit.log import Actor, AuditLog
from kandji_schema.audit import Event
log = AuditLog(Path(sys.argv[1]), Actor("u", "h", sys.argv[2]))
for n in range(10):
    log.append(Event.INTENT, action="lock", reason=f"{sys.argv[2]} {n}")
"""

KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from action_tenant import ActionTenant, service_at, done
tenant = ActionTenant()
def die(answer):
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[3] == "before":
    tenant.send, inner = (lambda r: die(r) if r.method == "POST" else inner(r)), tenant.send
else:
    tenant.after.append(die)
done(service_at(Path(sys.argv[1]), tenant), "restart")
"""

FULL = """
import resource, signal, sys
from pathlib import Path
from kandji_mirror.audit.log import Actor, AuditLog
from kandji_schema.audit import Event
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    AuditLog(Path(sys.argv[1]), Actor("u", "h", "c")).append(Event.INTENT, reason="x" * 9000)
except Exception as error:
    print(type(error).__name__, error)
"""


def log_of(home: Path) -> AuditLog:
    return AuditLog(home, Actor("ann", "host", "tests"))


def filled(home: Path) -> AuditLog:
    log = log_of(home)
    for n in range(5):
        log.append(Event.INTENT, action="restart", serial_number=f"SERIAL{n}", reason="because of a reason")
    return log


def test_records_cannot_be_changed_or_removed_by_sql(tmp_path: Path) -> None:
    filled(tmp_path)
    with sqlite3.connect(tmp_path / "audit.sqlite") as connection:
        for statement in ("UPDATE audit SET reason = 'x'", "DELETE FROM audit WHERE seq = 5"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)
    connection.close()


def test_one_changed_byte_is_found(tmp_path: Path) -> None:
    log, path = filled(tmp_path), tmp_path / "audit.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    whole = path.read_bytes()
    at = whole.index(b"SERIAL2")
    for changed in (b"T", b"\xff"):
        path.write_bytes(whole[:at] + changed + whole[at + 1 :])
        verdict = log.verify()
        assert not verdict.green
        assert verdict.seq == 3
    path.write_bytes(whole)
    assert log.verify().green


@pytest.mark.parametrize(
    ("tampering", "seq"),
    [
        ("DELETE FROM audit WHERE seq = 5", 5),
        ("DELETE FROM audit WHERE seq > 1", 2),
        ("DELETE FROM audit", 1),
        ("DELETE FROM audit WHERE seq = 2", 2),
        ("UPDATE audit SET outcome = 'done' WHERE seq = 4", 4),
        ("UPDATE audit SET status = 200 WHERE seq = 4", 4),
        ("UPDATE audit SET hash = previous_hash WHERE seq = 4", 4),
        ("UPDATE audit SET seq = 9 WHERE seq = 5", 5),
    ],
)
def test_every_tampering_is_red_at_the_first_bad_record(tmp_path: Path, tampering: str, seq: int) -> None:
    log = filled(tmp_path)
    with sqlite3.connect(tmp_path / "audit.sqlite") as connection:
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("DROP TRIGGER audit_no_delete")
        connection.execute(tampering)
    connection.close()
    verdict = log.verify()
    assert not verdict.green
    assert verdict.seq == seq


def test_a_log_that_no_longer_refuses_changes_is_red(tmp_path: Path) -> None:
    log = filled(tmp_path)
    with sqlite3.connect(tmp_path / "audit.sqlite") as connection:
        connection.execute("DROP TRIGGER audit_no_update")
    connection.close()
    assert "no longer refuses" in str(log.verify().trouble)
    log.append(Event.INTENT, action="erase")
    assert log.verify().green, "whoever writes next makes it refuse them again"


def test_a_log_whose_end_is_cut_takes_no_new_records(tmp_path: Path) -> None:
    log = filled(tmp_path)
    (tmp_path / "audit.sqlite").unlink()
    with pytest.raises(AuditUnavailable, match="altered"):
        log.append(Event.INTENT, action="erase")


def test_a_log_without_records_is_green(tmp_path: Path) -> None:
    assert log_of(tmp_path).verify().green
    assert log_of(tmp_path).records() == []


def test_processes_that_begin_it_at_once_keep_the_chain(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(n)]) for n in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    log = log_of(tmp_path)
    assert len(log.records()) == 30
    assert log.verify().green


def test_a_disk_without_space_is_told(tmp_path: Path) -> None:
    filled(tmp_path)
    ended = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=False)
    assert ended.stdout.startswith("AuditUnavailable"), ended.stderr
    assert log_of(tmp_path).verify().green


def test_a_log_that_cannot_be_opened_stops_the_request(tmp_path: Path) -> None:
    tenant = ActionTenant()
    service = service_at(tmp_path, tenant)
    done(service, "restart")
    preview = preview_of(service, "erase")
    confirmation = confirmed(service, preview, "C02JANE")
    (tmp_path / "audit.sqlite").rename(tmp_path / "moved")
    (tmp_path / "audit.sqlite").mkdir()  # nothing can be written there
    with pytest.raises(AuditUnavailable):
        service.perform(preview, confirmation)
    assert len(tenant.sent) == 1


@pytest.mark.heavy
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_killed_around_the_request_leaves_an_intent_that_can_be_followed(tmp_path: Path, when: str) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), str(Path(__file__).parent), when], check=False)
    assert ended.returncode == -9
    tenant = ActionTenant()
    service = service_at(tmp_path, tenant)
    (attempt,) = log_at(tmp_path).attempts()
    assert attempt.outcome == Outcome.UNKNOWN
    found = status_of(service, attempt)
    assert found is not None
    assert found.state == "not found"  # this tenant never got it
    assert tenant.sent == []
    assert log_at(tmp_path).verify().green
    listed = run(tmp_path, "audit", "list", "--format", "jsonl")
    assert json.loads(listed.stdout)["outcome"] == "unknown"


def test_attempts_are_found_by_their_id_and_by_the_device(tmp_path: Path) -> None:
    service = service_at(tmp_path, ActionTenant())
    first, second = done(service, "restart"), done(service, "lock")
    log = log_at(tmp_path)
    assert [a.action_id for a in attempts_of(log, "C02JANE")] == [second.preview.id, first.preview.id]
    assert [a.action_id for a in attempts_of(log, first.preview.id)] == [first.preview.id]
    assert list(attempts_of(log, "C02TWIN")) == []


def test_the_command_line_proves_and_exports_the_log(tmp_path: Path) -> None:
    service = service_at(tmp_path, ActionTenant())
    done(service, "lock", "C02JANE", "lost", message="Call IT")
    assert run(tmp_path, "audit", "verify").stdout.startswith("GREEN: 2 records")
    exported = run(tmp_path, "audit", "export").stdout.splitlines()
    assert run(tmp_path, "audit", "export", "--to", "-").stdout.splitlines() == exported
    assert [json.loads(line)["event"] for line in exported] == ["intent", "outcome"]
    assert json.loads(exported[0])["reason"] == "lost"
    assert run(tmp_path, "audit", "export", "--format", "csv", "--to", "audit.csv").returncode == 0
    assert (tmp_path / "audit.csv").read_text().splitlines()[0].startswith("seq,recorded_at,action_id,event,action")
    shown = run(tmp_path, "audit", "list")
    assert "C02JANE" in shown.stdout
    assert "queued" in shown.stdout
    (tmp_path / "audit.sqlite").write_bytes(b"x" * 5000)
    red = run(tmp_path, "audit", "verify")
    assert (red.returncode, red.stdout) == (8, "")
    assert "RED" in red.stderr
