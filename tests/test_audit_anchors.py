"""Heads of the audit log that were saved elsewhere find what a log alone cannot tell: that it was made anew."""

import os
import socket
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import run
from live_tenant import live
from owners_channels import Hook, hook, owners_file

from kandji_mirror.audit.anchors import anchor_of, saved_heads
from kandji_mirror.audit.chain import START, Head, hash_of
from kandji_mirror.audit.database import writing
from kandji_mirror.audit.log import Actor, AuditLog, Record
from kandji_schema.audit import COLUMNS, Event
from kandji_schema.errors import ConfigurationError
from kandji_schema.settings import Settings


@pytest.fixture
def owner() -> Iterator[Hook]:
    with hook() as served:
        yield served


def log_of(home: Path, **settings: str) -> AuditLog:
    facts = Settings(mirror_home=str(home), **settings)  # type: ignore[arg-type]  # all of them are texts
    return AuditLog(home, Actor("ann", "host", "tests"), anchor=anchor_of(facts))


def filled(log: AuditLog, records: int = 4) -> list[Record]:
    return [log.append(Event.INTENT, action="erase", serial_number=f"SERIAL{n}") for n in range(records)]


def rebuilt(home: Path, drop: int) -> None:
    """As who may write the files would: one record out, all after it numbered and hashed anew, and a note to match."""
    names = [column.name for column in COLUMNS]
    records = [record for record in log_of(home).records() if record["seq"] != drop]
    before = START
    for seq, record in enumerate(records, start=1):
        record.update(seq=seq, previous_hash=before)
        before = record["hash"] = hash_of(record)
    for path in home.glob("audit.*"):
        path.unlink()
    filled(log_of(home), 1)  # the file as we make it
    with sqlite3.connect(home / "audit.sqlite") as connection:
        connection.execute("DROP TRIGGER audit_no_delete")
        connection.execute("DELETE FROM audit")
        marks = ", ".join("?" * len(names))
        connection.executemany(
            f"INSERT INTO audit ({', '.join(names)}) VALUES ({marks})", [list(r.values()) for r in records]
        )
    connection.close()
    with writing(home):
        pass  # the trigger again
    (home / "audit.head").unlink()
    assert [list(r) for r in records] == [names] * len(records)


def test_a_chain_that_was_made_anew_is_found_by_heads_saved_elsewhere(tmp_path: Path, owner: Hook) -> None:
    home, outside = tmp_path / "home", tmp_path / "outside.log"
    records = filled(log_of(home, mirror_audit_url=owner.url))
    assert [(d["seq"], d["hash"]) for d in owner.got] == [(r["seq"], r["hash"]) for r in records]
    outside.write_text("".join(f"Nov 29 12:00:00 mac kandji-mirror[7]: {d['text']}" for d in owner.got))
    whole = run(home, "audit", "verify", "--against", str(outside))
    assert whole.returncode == 0, whole.stderr
    assert "What was saved elsewhere matches, 4 heads: records 1 to 4" in whole.stdout
    assert "records 1 to 4" in whole.stdout
    last = f"{records[-1]['seq']}:{records[-1]['hash']}"

    rebuilt(home, drop=2)
    alone = run(home, "audit", "verify")
    assert alone.returncode == 0  # whole in itself: who may write the files can do that
    assert "--against" in alone.stderr
    compared = run(home, "audit", "verify", "--against", str(outside))
    assert (compared.returncode, compared.stdout) == (8, "")
    assert "Of 4 saved heads 1 match 1." in compared.stderr
    assert "in the place of 2, 3: the chain was rebuilt" in compared.stderr
    assert "Missing: 4. The log ends at 3" in compared.stderr
    assert run(home, "audit", "verify", "--against", last).returncode == 8
    first = f"{records[0]['seq']}:{records[0]['hash']}"
    assert run(home, "audit", "verify", "--against", first).returncode == 0


def test_a_log_that_was_moved_away_and_begun_anew_is_found(tmp_path: Path) -> None:
    records = filled(log_of(tmp_path))
    for path in tmp_path.glob("audit.*"):
        path.unlink()
    head = Head(4, records[-1]["hash"])
    assert "Missing: 4. The log ends at 0" in str(log_of(tmp_path).verify([head]).trouble)
    filled(log_of(tmp_path), 9)
    assert "the place of 4" in str(log_of(tmp_path).verify([head]).trouble)


def test_what_holds_no_head_compares_with_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text(f"no head: 0:{'a' * 64} 7:{'a' * 63} 7:{'a' * 65} 7:{'A' * 64}\n")
    for against in ("empty", "missing", "5:abc"):
        ended = run(tmp_path, "audit", "verify", "--against", against)
        assert (ended.returncode, ended.stdout) == (2, ""), against
    assert saved_heads(f"7:{'a' * 64}") == [Head(7, "a" * 64)]


def test_syslog_and_a_command_get_each_head(tmp_path: Path) -> None:
    notes, program = tmp_path / "notes", tmp_path / "note.py"
    program.write_text("import sys\nopen(sys.argv[1], 'a').write(sys.stdin.read())\n")
    line = f"{sys.executable} {program} {notes}"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(30)
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        (record,) = filled(log_of(tmp_path, mirror_audit_syslog=address, mirror_audit_command=line), 1)
        (tmp_path / "syslog").write_bytes(listener.recv(4096))
    for saved in (notes, tmp_path / "syslog"):
        assert saved_heads(str(saved)) == [Head(1, record["hash"])]
    assert log_of(tmp_path).verify(saved_heads(str(notes))).anchored == 1


def test_a_head_that_cannot_be_saved_is_recorded_once_and_loses_nothing(
    tmp_path: Path, owner: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    owner.status = 500
    log = log_of(tmp_path, mirror_audit_url=owner.url, mirror_audit_syslog=str(tmp_path / "nobody"))
    filled(log, 3)
    found = log.records()
    assert [r["event"] for r in found] == ["intent", "unanchored", "intent", "intent"]
    assert "KANDJI_MIRROR_AUDIT_URL: the webhook answered 500" in found[1]["detail"]
    assert "KANDJI_MIRROR_AUDIT_SYSLOG" in found[1]["detail"]
    assert len(caplog.messages) == 1
    assert log.verify().green
    owner.status = 200
    filled(log, 1)
    assert log.verify([Head(owner.got[-1]["seq"], owner.got[-1]["hash"])]).anchored == 5


def test_a_command_that_does_not_end_is_not_waited_for(tmp_path: Path) -> None:
    born = tmp_path / "born"
    log = log_of(tmp_path, mirror_audit_command=f"/bin/sh -c 'echo $$ > {born}; exec sleep 600'")
    filled(log, 1)
    assert [r["event"] for r in log.records()] == ["intent", "unanchored"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(born.read_text()), 0)


def test_an_action_is_done_and_told_although_its_head_is_not_saved(tmp_path: Path, owner: Hook) -> None:
    with live(tmp_path) as tenant:
        owners_file(tmp_path, mirror_audit_url=owner.url)
        serial = tenant.device().serial
        restart = ["action", "restart", serial, "--serial", serial]
        assert run(tmp_path, *restart, **tenant.environment()).returncode == 0
        assert [d["seq"] for d in owner.got] == [1, 2]
        owner.status = 503
        ended = run(tmp_path, *restart, **tenant.environment())
        assert ended.returncode == 0, ended.stderr
        assert ended.stderr.count("was not saved elsewhere") == 1
        assert [event for event, _ in tenant.events()] == ["intent", "outcome", "intent", "unanchored", "outcome"]


@pytest.mark.parametrize("facts", [{"mirror_audit_url": "http://a.example"}, {"mirror_audit_syslog": "logs.example"}])
def test_a_place_for_heads_that_is_none_is_refused(tmp_path: Path, facts: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="KANDJI_MIRROR_AUDIT_"):
        log_of(tmp_path, **facts)
