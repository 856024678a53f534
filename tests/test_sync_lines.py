"""`sync --format jsonl`: an object a table for cron; and times, which have one form in every JSON."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from commands import run
from live_tenant import live
from reads_home import SYNCED, small_fleet

from kandji_cli.sync_lines import table_lines
from kandji_mirror.report import Outcome, Report
from kandji_schema.manifest import State

KEYS = [
    *("table", "state", "read", "rows", "requests", "seconds", "changed", "as_of", "method"),
    *("error", "error_kind", "note"),
]
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S*")
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")


def texts(value: Any) -> Iterator[str]:
    """Every text of a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)


@pytest.mark.heavy
def test_a_table_is_a_line_the_exit_code_is_as_ever_and_times_have_one_form(tmp_path: Path) -> None:
    with live(tmp_path, 5) as tenant:
        tenant.tenant.forbid("/api/v1/users")
        account = tenant.environment(KANDJI_MIRROR_ACTIONS="off")
        done = run(tmp_path, "sync", "devices", "users", "blueprints", "--format", "jsonl", **account)
        document = run(tmp_path, "sync", "devices", "--json", **account)
    assert (done.returncode, "users cannot be read with this token" in done.stderr) == (4, True)
    lines = {line["table"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert lines.keys() == {"devices", "users", "blueprints"}
    assert all(list(line) == KEYS and line["read"] for line in lines.values())
    devices, users = lines["devices"], lines["users"]
    assert (devices["state"], devices["rows"], devices["error"], devices["error_kind"]) == ("ok", 5, None, None)
    assert ISO.fullmatch(devices["as_of"])
    assert (users["state"], users["rows"], users["as_of"], users["error_kind"]) == (
        "no permission",
        0,
        None,
        "permission_missing",
    )
    assert users["error"]
    others = [
        run(tmp_path, "status", "--json"),
        run(tmp_path, "sql", "SELECT last_check_in, now() AS now FROM devices LIMIT 1", "--json"),
        run(tmp_path, "export", "devices", "--format", "jsonl", "--to", "out", "--json"),
    ]
    for printed in (document, *others):
        assert printed.returncode == 0, printed.stderr
        moments = [text for text in texts(json.loads(printed.stdout)) if MOMENT.fullmatch(text)]
        assert moments
        assert [text for text in moments if not ISO.fullmatch(text)] == []


def test_tables_that_were_not_asked_for_are_told_as_they_are(tmp_path: Path) -> None:
    small_fleet(tmp_path)
    read = Outcome("devices", State.OK, 4, 2, 0.5, True, method="full walk", note="a note")
    report = Report(datetime.now(UTC), 1.0, (read,), ("apps", "devices"), 2, None, 1, not_permitted=("users",))
    lines = list(table_lines(tmp_path, report))
    assert all(list(line) == KEYS for line in lines)
    told = [(line["table"], line["read"], line["state"], line["rows"], line["as_of"]) for line in lines]
    assert told == [
        ("devices", True, "ok", 4, SYNCED),
        ("apps", False, "ok", 2, SYNCED),
        ("users", False, "never synced", 0, None),
    ]
    assert [line["table"] for line in table_lines(tmp_path, report, others=False)] == ["devices"]
    assert [line["table"] for line in table_lines(tmp_path / "nowhere", report)] == ["devices"]
