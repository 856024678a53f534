"""What an answer says of the tables behind it: their trouble, and what to do."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from commands import run
from mcp_calls import answer, opened, republish
from reads_home import SYNCED, device, publish

from kandji_queries.reader import Reader
from kandji_schema.manifest import Manifest, State, manifest_path
from kandji_schema.registry import resources

LATER = SYNCED + timedelta(minutes=3)


def fresh(home: Path) -> Manifest:
    """Every table synced three minutes ago and due after five."""
    return publish(home, {name: [device(1)] if name == "devices" else [] for name in resources()})


def notes(home: Path, sql: str, minutes: int = 3) -> list[str]:
    with Reader(home, lazy=True, clock=lambda: SYNCED + timedelta(minutes=minutes)) as reader:
        return reader.run(sql).notes


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    home = tmp_path_factory.mktemp("home")
    return home, fresh(home)


TROUBLES: list[tuple[dict[str, Any], str]] = [
    (
        {"state": State.NEVER, "file": None, "synced_at": None},
        "users: never synced, so empty here whatever the tenant holds; `kandji-mirror sync` reads what is due.",
    ),
    (
        {"state": State.FORBIDDEN, "error": "403"},
        "users: the API token may not read it, the rows are 3 min old; give it the permission in the provider's "
        "settings.",
    ),
    (
        {"state": State.FORBIDDEN, "file": None, "synced_at": None},
        "users: the API token may not read it, so it is empty here; give it the permission in the provider's settings.",
    ),
    (
        {"state": State.ABSENT, "file": None, "synced_at": None},
        "users: not licensed or not offered to this tenant, so it is empty here.",
    ),
    (
        {"state": State.FAILED, "error": "503 from the provider."},
        "users: the last sync failed (503 from the provider), the rows are 3 min old; `kandji-mirror sync` tries "
        "again.",
    ),
    (
        {"state": State.PARTIAL, "note": "40 of 90 devices read"},
        "users: only partly read (40 of 90 devices read), the rows are 3 min old; `kandji-mirror sync` reads what is "
        "due.",
    ),
    (
        {"synced_at": SYNCED - timedelta(hours=2)},
        "users: 2 h old, due after 5 min; `kandji-mirror sync` reads what is due.",
    ),
]


@pytest.mark.parametrize(("facts", "note"), TROUBLES)
def test_an_answer_names_the_trouble_of_a_table_and_the_remedy(
    manifest: tuple[Path, Manifest], facts: dict[str, Any], note: str
) -> None:
    home, first = manifest
    newer = republish(home, first, "users", **facts)
    try:
        assert notes(home, "SELECT count(*) FROM users") == [note]
        assert notes(home, "SELECT count(*) FROM devices") == []
    finally:
        manifest_path(home, newer.generation).unlink()


def test_every_state_but_ok_is_told() -> None:
    told = {facts.get("state") for facts, _ in TROUBLES}
    assert told >= set(State) - {State.OK}


def test_rows_are_old_after_twice_their_time_to_live(manifest: tuple[Path, Manifest]) -> None:
    home, _ = manifest
    assert notes(home, "FROM users", minutes=10) == []
    assert notes(home, "FROM users", minutes=11) == [
        "users: 11 min old, due after 5 min; `kandji-mirror sync` reads what is due."
    ]


def test_tables_behind_a_view_count_and_those_of_one_trouble_share_a_line(manifest: tuple[Path, Manifest]) -> None:
    home, first = manifest
    never: dict[str, Any] = {"state": State.NEVER, "file": None, "synced_at": None}
    tables = {name: replace(first.tables[name], **never) for name in ("prism_filevault", "prism_startup_settings")}
    newer = replace(first, generation=2, tables={**first.tables, **tables})
    manifest_path(home, 2).write_bytes(newer.to_json())
    try:
        assert notes(home, "FROM compliance_devices") == [
            "prism_filevault, prism_startup_settings: never synced, so empty here whatever the tenant holds; "
            "`kandji-mirror sync` reads what is due."
        ]
        assert notes(home, "SHOW TABLES") == []
        assert notes(home, "FROM freshness") == []
    finally:
        manifest_path(home, 2).unlink()


def test_the_command_line_says_it_beside_the_rows_and_in_json(tmp_path: Path) -> None:
    republish(tmp_path, fresh(tmp_path), "threats", state=State.ABSENT, file=None, synced_at=None)
    note = "threats: not licensed or not offered to this tenant, so it is empty here."
    shown = run(tmp_path, "sql", "SELECT count(*) AS n FROM threats")
    assert (shown.returncode, note in shown.stderr, note in shown.stdout) == (0, True, False)
    assert json.loads(run(tmp_path, "sql", "FROM threats", "--arrays").stdout)["notes"] == [note]


@pytest.mark.heavy
def test_an_agent_reads_it_first_and_also_where_it_describes_a_view(tmp_path: Path) -> None:
    republish(tmp_path, fresh(tmp_path), "prism_filevault", state=State.FORBIDDEN)
    note = (
        "prism_filevault: the API token may not read it, the rows are 3 min old; give it the permission in the "
        "provider's settings."
    )
    with opened(tmp_path) as mirror:
        found = answer(mirror, "auto", "run_sql", sql="SELECT count(filevault_on) FROM fleet")
        described = answer(mirror, "auto", "describe_table", table="compliance")
    assert (next(iter(found)), found["notes"], described["notes"]) == ("notes", [note], [note])


def test_freshness_tells_how_every_table_stands(tmp_path: Path) -> None:
    facts = {"checked_at": LATER, "whole_at": SYNCED, "note": "n", "ttl_reason": "r", "ttl_seconds": 900}
    republish(tmp_path, fresh(tmp_path), "users", state=State.PARTIAL, error="e", **facts)
    columns = "state, rows, synced_at, ttl_seconds, ttl_reason, is_fresh, whole_at, checked_at, note, last_error"
    with Reader(tmp_path) as reader:
        (found,) = reader.run(f"SELECT {columns} FROM freshness WHERE table_name = 'users'").rows
        assert {c.name for c in reader.describe("freshness").columns if not c.description} == set()
    synced, checked = SYNCED.replace(tzinfo=None), LATER.replace(tzinfo=None)
    assert found == ("partial", 0, synced, 900, "r", False, synced, checked, "n", "e")
